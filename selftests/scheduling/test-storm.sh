#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A million parks and unparks, and 20,000 coroutines parked at once.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start storm

if [ -n "$including" ]; then
	test_case items run storm 2000 500 1000 1000
	test_case parked run parked 2000 3
else
	mark_leaks
	test_case items run storm 60000 4000 10000 10000
	test_case called run storm-called 500 500 1000 1000
	test_case million run storm-total 1000000
	test_case interrupts in_storm 100 run storm 5000 500 1000 1000
	test_case parked run parked 20000 3
	test_no_leak no-leak
fi

finish
