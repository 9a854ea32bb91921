#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Interrupts that come where the stack has no room for them: each is delivered,
# once. The numbers are bytes left; below 48 the delivery itself fails. What comes
# from another CPU is left out where there is none: see vm-interrupts.sh.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start interrupts

for policy in copy inplace; do
	knob policy $policy
	for left in 0 8 16 24 32 40 48 56 64; do
		test_case "timer-$left.$policy" run lost-timer $left 20
		test_case "work-$left.$policy" run lost-work $left 40
		test_case "resched-$left.$policy" run lost-resched $left 40
		test_case "limit-$left.$policy" run lost-limit $left 5
		[ "$(nproc)" -gt 1 ] || continue
		test_case "ipi-$left.$policy" run lost-ipi $left 40
		test_case "resched-remote-$left.$policy" run lost-resched-remote $left 20
	done
done

figures
finish
