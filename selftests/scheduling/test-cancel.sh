#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The life of a work item, and how it can end early.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start cancel

races=${including:+50}

refuses_to_go()
{
	if rmmod costack_test 2>/dev/null; then
		echo "costack_test could be taken out"
		return 1
	fi
}

# An item holds the module that queued it, and nobody else does.
item_holds_its_module()
{
	local refs=/sys/module/costack_test/refcnt status
	unload && insmod "$KO/costack.ko" adaptive_start=0 && insmod "$KO/costack_test_hog.ko" &&
		insmod "$KO/costack_test.ko" || return 1
	is "references before" 0 "$(cat $refs)" && run item-start &&
		is "references meanwhile" 1 "$(cat $refs)" && refuses_to_go
	status=$?
	run item-end && is "references afterwards" 0 "$(cat $refs)" &&
		insmod "$KO/costack_test_fixed.ko" || return 1
	return $status
}

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	i=0
	for way in park sleep event event-timeout recv send yield select select-timeout \
		select-nothing recv-timeout send-timeout; do
		test_case "$way.$policy" run cancel-waiting $i
		[ "$policy" = inplace ] || test_case "$way-race" run cancel-race $i "${races:-200}"
		# A coroutine that is not parked is not cut off.
		[ $way = yield ] || test_case "$way-abort.$policy" run cancel-abort $i 10
		i=$((i + 1))
	done
	test_case "abort-deep.$policy" run cancel-abort 0 300
	test_case "result.$policy" counts aborts=3 -- run item-result
done
test_case pinned run cancel-refuse-abort
workers=$(cat $root/workers)
knob workers 1
test_case new run cancel-new
knob workers "$workers"
test_case running run cancel-running
test_case ended run cancel-done
test_case all run cancel-all 0 300
test_case all-by-item run cancel-all 1 300
test_case all-by-file run cancel-all 2 300
test_case limit run item-limit 20
test_case again run item-again 200
[ -n "$including" ] || test_case holds-its-module item_holds_its_module

finish
