#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Completions, costack's own and the kernel's: nobody waits in vain, and nothing is lost.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start completion

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}
rounds=200
[ -z "$including" ] || rounds=50

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	test_case "order.$policy" run completion-order
	for called in 0 1; do
		kind=$([ $called = 0 ] && echo item || echo call).$policy
		test_case "all-$kind" run completion-all $called 50 0
		test_case "all-irq-$kind" run completion-all $called 50 1
		test_case "one-by-one-$kind" run completion-all $called 50 2
		test_case "storm-$kind" run completion-storm $called 8 $rounds
		test_case "timeout-$kind" run completion-timeout $called 8 $rounds
		test_case "stack-$kind" run completion-stack $called $rounds
	done
	test_case "cancel.$policy" run completion-cancel 200
	test_case "kernel-many.$policy" run kcompletion-many 1000
	test_case "kernel-shared.$policy" run kcompletion-shared 8 $rounds
	test_case "kernel-all.$policy" run kcompletion-all 100
	test_case "kernel-stack.$policy" run kcompletion-stack $rounds
	test_case "kernel-cancel.$policy" run kcompletion-cancel
done
test_case kernel-held run kcompletion-held

finish
