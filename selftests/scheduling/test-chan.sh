#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Channels: each value arrives once, whole and in order.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start chan

test_case misuse run chan-misuse
# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	for room in 0 1 7 64; do
		test_case "order-$room.$policy" run chan-order $room 2000
		test_case "many-$room.$policy" run chan-many 8 4 500 $room
		test_case "shrink-$room.$policy" run chan-shrink $room 70
	done
	test_case "try.$policy" run chan-try
	test_case "blocked.$policy" run chan-blocked
	test_case "close.$policy" run chan-close
done

finish
