#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Parking, sleeping and waiting: nothing that wakes is lost, nothing wakes twice.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start park

# Where parking is refused, the log says so, once for each place that asks.
warned_once()
{
	local lines
	lines=$(dmesg | sed -n "/$log_mark/,\$p" | sed -n 's/.*costack: \(.*\) wants to park.*/\1/p')
	[ -n "$lines" ] && is "said again" "" "$(echo "$lines" | sort | uniq -d)"
}

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	for called in 0 1; do
		kind=$([ $called = 0 ] && echo item || echo call).$policy
		test_case "early.$kind" run park-early $called
		test_case "merge.$kind" run park-merge $called
		test_case "refused.$kind" run park-refused $called
		test_case "sleep.$kind" run sleep $called
		test_case "sleep-unparked.$kind" run sleep-unparked $called
		test_case "event.$kind" run wait-event $called
		test_case "wake.$kind" run wait-wake $called 20
		test_case "completion.$kind" run wait-completion $called
	done
	test_case "same.$policy" run wait-same
	test_case "tree.$policy" counts queued=2001 -- run wait-tree
done
[ -n "$including" ] || test_case warned-once warned_once
test_case thread run park-thread
test_case places run park-places 2000
test_case sleep-many counts 'parks>=500' -- run sleep-many 500
test_case race.item run wait-race 0 150
test_case race.call run wait-race 1 150

[ -n "$including" ] || figures
finish
