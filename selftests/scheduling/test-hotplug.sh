#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A CPU goes and comes back: under storms, under growth, and while coroutines wait
# that were last seen on it, or packed there. All go on elsewhere; and when it is back, stacks grow
# and interrupts are delivered on it as before.
#
# environment: HOTPLUG_ROUNDS (20), times that the CPU goes under storms
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start hotplug

cpu=1
online=/sys/devices/system/cpu/cpu$cpu/online
rounds=${HOTPLUG_ROUNDS:-20}
left=/tmp/costack-hotplug

if [ ! -w "$online" ]; then
	unload
	echo "1..0 # SKIP CPU $cpu cannot be taken away"
	exit 4
fi

goes()
{
	echo 0 >"$online" && is "CPU $cpu is online" 0 "$(cat "$online")"
}

comes()
{
	echo 1 >"$online" && is "CPU $cpu is online" 1 "$(cat "$online")"
}

# waits CALLED: those that wait when it goes end while it is gone
waits()
{
	local status
	run waiting-begin "$1" "$cpu" && goes && run waiting-end && is "coroutines alive" 0 \
		"$(counter live)"
	status=$?
	comes && return $status
}

# Those that wait to be told, and do nothing until then, see waiting.c.
steady=12

are_packed()
{
	local now
	now=$(counter packed_now)
	[ "$now" -ge "$steady" ] || { echo "only $now are packed"; return 1; }
}

# The same for items that were packed on the CPU that goes.
waits_packed()
{
	local status
	knob force_pack 1
	run waiting-begin 0 "$cpu" && are_packed && goes && are_packed && run waiting-end &&
		is "coroutines alive" 0 "$(counter live)" && is packed_now 0 "$(counter packed_now)"
	status=$?
	knob force_pack 0
	comes && return $status
}

# go_and_come: so often, and then say so
go_and_come()
{
	local i=0
	while [ $i -lt "$rounds" ]; do
		if ! { goes && comes; }; then
			break
		fi
		i=$((i + 1))
		sleep 0.1
	done
	echo $((rounds - i)) >"$left"
}

# meanwhile COMMAND...: again and again, until the CPU has gone so often
meanwhile()
{
	local status=0 i=0
	rm -f "$left"
	go_and_come &
	while [ ! -e "$left" ] && [ $status -eq 0 ]; do
		"$@" || status=1
		i=$((i + 1))
	done
	wait $! || status=1
	is "times that it did not go" 0 "$(cat "$left")" && return $status
}

storm_and_grow()
{
	run storm-hotplug 500 200 200 200 && run deep 300 300 && run deep-parallel 4 20 &&
		in_storm 200 run deep-parallel 4 20
}

# What a CPU must be able to do that has come back.
works()
{
	run deep-parallel 2 50 && run lost-ipi 0 10 && run lost-timer 24 10
}

for policy in copy inplace; do
	knob policy $policy
	test_case "waits.item.$policy" waits 0
	test_case "waits.call.$policy" waits 1
	test_case "waits.packed.$policy" waits_packed
	test_case "works.$policy" works
	test_case "storm.$policy" meanwhile storm_and_grow
	test_case "storm-packed.$policy" meanwhile run pack-storm 32 20000 0
	test_case "works-after-storm.$policy" works
done
test_case storms-tick in_storm 100 meanwhile run deep-parallel 4 50
figures cpu_went=$((rounds * 5 + 6))

rm -f "$left"
finish
