#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Call traces of threads that sleep, or have slept, on coroutine stacks can be taken at any
# time: the stack that they read is mapped.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start observers

taken=/tmp/costack-taken

# traces COMMAND...: those of all threads are taken while it runs, in two ways. It runs again until
# that has been done once from beginning to end: the first time may have begun before it.
traces()
{
	local status=0 before=0 now=0
	# The unwinder looks at the registers of an interrupt that may be over, see observers.c.
	! is_kasan || { echo "traces of threads that run, which KASAN reports"; return "$skipped"; }
	: >"$taken"
	{
		while :; do
			cat /proc/[0-9]*/stack /proc/[0-9]*/wchan
			echo t >/proc/sysrq-trigger
			echo >>"$taken"
			sleep 0.2
		done >/dev/null 2>&1
	} &
	while [ $status -eq 0 ] && [ "$now" -lt $((before + 2)) ]; do
		before=$(grep -c '' "$taken")
		"$@" || status=$?
		now=$(grep -c '' "$taken")
	done
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
figures traces_taken="$(grep -c '' "$taken")"
rm -f "$taken"
mark_log
knob unmap 0
knob force_move 0
dmesg -n 7

finish
