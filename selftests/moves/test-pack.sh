#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Parked coroutines whose stacks are packed find all again, and what may not be packed stays.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start pack

abortable=1 pinned=2 packs=4 # COSTACK_ABORTABLE, COSTACK_PINNED, COSTACK_PACK

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	test_case "plain.$policy" run pack 50 3 0
	test_case "by-flag.$policy" run pack 200 5 $packs
	test_case "abortable.$policy" run pack 50 3 $((packs | abortable))
	test_case "pinned.$policy" run pack 50 3 $pinned
	test_case "by-file.$policy" run pack-file 300
	test_case "fixed.$policy" run pack-fixed
	test_case "large.$policy" run pack-large
	test_case "chan.$policy" run pack-chan 100
	test_case "cancel.$policy" run pack-cancel 90
	test_case "roots.$policy" run pack-roots 50
	test_case "follow.$policy" run pack-follow 2000
	test_case "own-queue.$policy" run pack-own-queue 50
	test_case "storm.$policy" run pack-storm 32 10000 0
	test_case "storm-cancelled.$policy" run pack-storm 32 10000 1
done
test_case pressure run pack-pressure 200
knob pack_after 1
test_case by-age run pack-age 300
knob pack_after 0
test_case queue-many run queue-many 4000

finish
