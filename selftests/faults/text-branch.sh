#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The int3 that the kernel puts over a branch while it changes it comes where the stack
# has no room for the exception: the coroutine's branch goes on as if there had been.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start text

for policy in copy inplace; do
	knob policy $policy
	test_case "branch.$policy" counts 'grown>=50' -- run exc-branch 50
done

figures
finish
