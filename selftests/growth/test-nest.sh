#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The thread's own stack, which all its coroutines stand on, does not grow: calls that
# nest, and calls where it is deep already, end with -EOVERFLOW well before it does.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start nest

for policy in copy inplace; do
	knob policy $policy
	test_case "calls.$policy" run nest-calls
	test_case "host.$policy" run nest-host
	test_case "plain.$policy" run nest-plain
	test_case "deep.$policy" run nest-deep
	test_case "storm.$policy" in_storm 100 run nest-deep 256
done

knob policy copy
knob force_move 1
knob unmap 1
test_case deep.force_move run nest-deep 256
knob unmap 0
knob force_move 0

finish
