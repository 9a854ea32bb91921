#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit suites as modules, on a machine whose stacks can fault. Those that need
# user-mode Linux (see module/Kconfig) are not built here.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start kunit adaptive_start=1

# One of the suites fakes these overflows.
log_may_say='never_called .*: stack exceeds'

results=/sys/kernel/debug/kunit

# Cases of a suite are indented by four spaces, parameters of a case by more.
suite_cases()
{
	sed -n 's/^    \(not ok\|ok\) [0-9]* \([^ ]*\)\( # SKIP.*\)*$/\1 \2\3/p' "$1"
}

# run_suite MODULE: one result for each case, and one for loading and unloading
run_suite()
{
	local module file
	module=$(basename "$1" .ko)
	test_case "$module.load" insmod "$1"
	for file in "$results"/*/results; do
		[ -e "$file" ] || continue
		suite_cases "$file" >/tmp/costack-kunit
		while read -r verdict; do
			test_case "$module.${verdict##*ok }" [ "${verdict#ok }" != "$verdict" ]
		done </tmp/costack-kunit
		[ -s /tmp/costack-kunit ] || test_case "$module.cases" false
	done
	test_case "$module.unload" rmmod "$module"
}

is_loaded kunit || insmod "$KO/kunit.ko"
for suite in "$KO"/*_test.ko; do
	case $suite in
	*/costack_test.ko) ;;
	*) run_suite "$suite" ;;
	esac
done
rm -f /tmp/costack-kunit

finish
