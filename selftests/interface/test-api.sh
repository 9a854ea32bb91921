#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The calls: what they return, where they may be used, and that they refuse.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start api

for policy in copy inplace; do
	knob policy $policy
	test_case "call.$policy" run call
	test_case "call-in-user-process.$policy" run call-writer
	test_case "call-in-atomic-context.$policy" run call-atomic
	test_case "current.$policy" run current
	test_case "nested.$policy" run nested
	test_case "on-host.$policy" run on-host
	test_case "ensure.$policy" run ensure
done

finish
