#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Waiting for the first of several channels, and channels with a limit of time: each value
# arrives once; a wait that is served, timed out, cancelled or cut off leaves nobody behind.
#
# environment: VALUES, how many of them pass the channels (100,000); VALUES=1000000 takes minutes
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start select

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}
values=${VALUES:-100000}
[ -z "$including" ] || values=9000
races=${including:+70}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	# Nine send the same number each.
	test_case "many-0.$policy" run select-many 0 $((values / 90))
	test_case "many-1.$policy" run select-many 1 $((values / 9))
	test_case "many-7.$policy" run select-many 7 $((values / 90))
	test_case "moves-0.$policy" run select-many 0 $((values / 450)) 50000
	test_case "moves-7.$policy" run select-many 7 $((values / 450)) 50000
	test_case "timeout.$policy" run select-timeout
	for how in 0 1 2 3; do
		test_case "timeout-race-$how.$policy" run select-timeout-race $how "${races:-140}"
	done
	for abortable in 0 1; do
		test_case "cancel-race-$abortable.$policy" \
			run select-cancel-race $abortable $((10 * ${races:-140}))
	done
	test_case "close.$policy" run select-close
	test_case "end.$policy" run select-end "${races:-100}"
done

finish
