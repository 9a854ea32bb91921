#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A million packed work items in 2 GiB: all end, and each finds what it has kept. And a few
# that are packed and woken by interrupts of four CPUs all the time, of which none is lost.
# All the while a CPU that is busy for too long stops the kernel.
#
# environment: ROUNDS (300000), how often these are woken, in each case

. "$(dirname "$0")/../../scripts/lib.sh"
rounds=${ROUNDS:-300000}

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t $((1800 + rounds / 5000)) -c 4 -m 2G -o "$out/vm/million" sh -c '
	. /selftests/functions.sh
	start million
	busy_cpu_is_fatal() {
		echo 1 >/proc/sys/kernel/softlockup_panic && echo 1 >/proc/sys/kernel/panic_on_rcu_stall
	}
	test_case watched busy_cpu_is_fatal
	test_case end run pack-million 1000000 0
	test_case cancelled run pack-million 1000000 1
	test_case storm run pack-storm 256 '"$rounds"' 0
	test_case storm-cancelled run pack-storm 256 '"$rounds"' 1
	knob poison 1
	test_case poison run pack-million 1000000 0
	figures
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
