#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Stack memory that a coroutine has not written yet holds nothing of an earlier owner.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start memory

for policy in copy inplace; do
	knob policy $policy
	for filled in 4096 8192 16384 32768 65536; do
		for first in 4096 16384 65536; do
			test_case "clean-$filled-$first.$policy" run clean $filled $first
		done
	done
done

knob policy copy
test_case clean-items run clean-items 100
knob poison 1
test_case poison run poison
knob poison 0

finish
