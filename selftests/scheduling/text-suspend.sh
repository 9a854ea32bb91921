#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The machine is suspended while coroutines wait in every way, or are busy: up to
# each of the steps that the kernel can be told to turn back at, and to the end, with
# the clock waking it up. Afterwards all go on, and stacks grow on every CPU. The kernel
# patches try_to_freeze() when it suspends, which some of them call all the time.
#
# environment: SUSPEND_DISK: 1: hibernation too, which takes a minute
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
if [ -z "${COSTACK_VM:-}" ] || [ ! -w /sys/power/pm_test ]; then
	echo "TAP version 13"
	echo "1..0 # SKIP suspends the machine: only in a VM, with CONFIG_PM_DEBUG"
	exit 4
fi
start suspend

alarm=/sys/class/rtc/rtc0/wakealarm
echo 0 >/sys/module/suspend/parameters/pm_test_delay
plain=0 freezable=2
last=$(($(nproc) - 1))
took=/tmp/costack-suspend
echo 0 >"$took"

# The number of successful suspends, those that turned back at a step included.
suspends()
{
	cat /sys/power/suspend_stats/success
}

# go_to_sleep STATE STEP: suspend up to STEP and turn back; none: suspend for some seconds. If
# the alarm rings before the machine is asleep, it sleeps for ever, so the alarm is set later
# by several times what the last suspend took, and by ten seconds, as that is in whole ones.
go_to_sleep()
{
	local before begin
	before=$(suspends)
	echo "$2" >/sys/power/pm_test
	if [ "$2" = none ]; then
		if ! { echo 0 >"$alarm" && echo +$((10 + 4 * $(cat "$took"))) >"$alarm"; }; then
			echo "no alarm: not put to sleep"
			return 1
		fi
	fi
	begin=$(date +%s)
	echo "$1" >/sys/power/state || { echo "cannot suspend: $1, $2"; return 1; }
	[ "$2" = none ] || echo $(($(date +%s) - begin)) >"$took"
	# Hibernation is not counted.
	[ "$1" = disk ] || is "times that it came back" $((before + 1)) "$(suspends)"
}

# survive CALLED HOW STATE STEP. In QEMU the machine is reset when Debian's 6.12-rt comes
# back from memory, without costack too.
survive()
{
	local status=0
	if [ "$4" = none ] && [ -e /sys/kernel/realtime ]; then
		echo "needs a kernel that comes back"
		return "$skipped"
	fi
	run waiting-begin "$1" "$last" "$2" || return 1
	go_to_sleep "$3" "$4" || status=1
	run waiting-end && is "coroutines alive" 0 "$(counter live)" && run deep-parallel 4 50 &&
		run lost-ipi 0 5 && run lost-timer 24 5 && return $status
}

for step in freezer devices; do
	test_case "freeze-$step.item" survive 0 $plain freeze $step
done
test_case freeze-freezer.call survive 1 $plain freeze freezer
test_case freeze-freezer.freezable survive 1 $freezable freeze freezer
for policy in copy inplace; do
	knob policy $policy
	for step in processors core none; do
		test_case "mem-$step.item.$policy" survive 0 $plain mem $step
	done
	test_case "mem-none.call.$policy" survive 1 $plain mem none
	test_case "mem-none.freezable.$policy" survive 1 $freezable mem none
done
if [ -n "${SUSPEND_DISK:-}" ]; then
	for step in freezer core; do
		test_case "disk-$step" survive 0 $plain disk $step
	done
fi

echo none >/sys/power/pm_test
rm -f "$took"
finish
