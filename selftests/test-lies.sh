#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What is done as it has to be done is no lie: nothing of it is reported. The lies
# themselves end with the machine, see vm-crash.sh.
# shellcheck shell=dash

. "$(dirname "$0")/functions.sh"
start lies

test_case load insmod "$KO/costack_test_lies.ko"
test_case truth counts 'moves_forced>=4' -- run truth
for i in 1 2 3; do
	test_case "truth-again-$i" run truth
done

finish
