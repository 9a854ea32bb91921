#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Call traces of threads that sleep, or have slept, on coroutine stacks can be taken at any
# time: the stack that they read is mapped.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start observers

# traces COMMAND...: those of all threads are taken while it runs, in two ways
traces()
{
	local status
	{
		while sleep 0.2; do
			cat /proc/[0-9]*/stack /proc/[0-9]*/wchan
			echo t >/proc/sysrq-trigger
		done >/dev/null 2>&1
	} &
	"$@"
	status=$?
	kill $!
	# What it has asked for last is printed to the end: that takes a while.
	wait $! 2>/dev/null
	return $status
}

# Nobody reads what it prints.
dmesg -n 1
for policy in copy inplace; do
	knob policy $policy
	test_case "beyond.$policy" run observe-beyond
	test_case "trim.$policy" run observe-trim
done
knob policy copy
test_case naps run observe-naps 100
knob force_move 1
test_case naps.force_move run observe-naps 100
knob unmap 1
test_case moved run observe-moved
test_case shrunk run observe-shrunk
test_case naps.unmap run observe-naps 100
# More than the log holds.
test_case log log_is_clean
test_case naps.traces traces run observe-naps 100
mark_log
knob unmap 0
knob force_move 0
dmesg -n 7

finish
