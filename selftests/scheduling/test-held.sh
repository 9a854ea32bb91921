#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Items that hold their workers do not keep other items from running.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start held

# elsewhere CASE...: the workers run on CPU 0 only, and nobody runs what waits in the queue of
# CPU 1
elsewhere()
{
	local mask=/sys/devices/virtual/workqueue/cpumask was status
	if [ ! -d /sys/devices/system/cpu/cpu1 ] || [ ! -w $mask ]; then
		echo "keeps the workers off a second CPU"
		return "$skipped"
	fi
	was=$(cat $mask)
	echo 1 >$mask && run "$@"
	status=$?
	echo "$was" >$mask
	return $status
}

workers=$(cat $root/workers)
for nr in 1 4; do
	knob workers $nr
	test_case "chain.$nr" run held-chain 100
	test_case "lock.$nr" run held-lock 100
	test_case "cancel.$nr" run held-cancel 100 0
	test_case "cancel-abortable.$nr" run held-cancel 100 1
	test_case "poll-few.$nr" run held-poll $nr
	test_case "poll.$nr" run held-poll 20
	test_case "retire.$nr" run held-retire 50
done
knob workers 1
test_case elsewhere elsewhere held-elsewhere 256 1
test_case thief elsewhere held-thief 1
knob workers "$workers"
test_case many run held-chain 400
i=0
for way in channels hand-over yield; do
	test_case "rcu-tasks.$way" run held-rcu-tasks $i 0
	i=$((i + 1))
done
test_case rcu-tasks.call run held-rcu-tasks 2 1

finish
