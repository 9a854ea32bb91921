#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Groups of work items: all children end before the group does, whatever ends them.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start group

races=${including:+50}
many=3000
[ -z "$including" ] || many=500
kinds='item call thread'

# says TEXT N COMMAND...: COMMAND has the kernel log so many lines with TEXT
says()
{
	local text="$1" nr="$2"
	shift 2
	mark_log
	"$@" && is "lines of the log" "$nr" \
		"$(dmesg | sed -n "/$log_mark/,\$p" | grep -c "$text")"
}

# What debugfs says a parent waits for.
waits_for_group()
{
	local status=0
	[ -e /sys/kernel/debug/costack/stacks ] || { echo debugfs; return "$skipped"; }
	echo group-waits >"$root/test/run" &
	until_true grep -q '\<group\>.*parent_body' /sys/kernel/debug/costack/stacks || status=1
	echo 1 >"$root/test/release"
	wait
	read -r result <"$root/test/result"
	is result ok "$result" && return $status
}

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	called=0
	for kind in $kinds; do
		kind=$kind.$policy
		test_case "many-$kind" run group-many $called "$many"
		test_case "tree-$kind" run group-tree $called 5 4
		test_case "same-$kind" run group-same $called 5 4
		test_case "error-$kind" run group-error $called 20 0
		test_case "error-overflow-$kind" counts 'aborts>=1' -- run group-error $called 20 1
		test_case "error-cancel-$kind" run group-error $called 20 2
		test_case "last-$kind" run group-last $called
		test_case "cancel-$kind" run group-cancel $called
		called=$((called + 1))
	done
	test_case "parent.$policy" run group-parent 0
	test_case "parent-abort.$policy" run group-parent 1
	test_case "parent-race.$policy" run group-parent-race "${races:-300}" 0
	test_case "parent-abort-race.$policy" run group-parent-race "${races:-300}" 1
	test_case "start-race.$policy" run group-start-race "${races:-100}"
	test_case "overflow.$policy" counts 'aborts>=1' -- run group-overflow
done
if [ -z "$including" ]; then
	test_case forget says 'without costack_group_destroy' 1 run group-forget 0
	# Each place is reported once.
	test_case forget-again says 'without costack_group_destroy' 0 run group-forget 1
	test_case itself says 'group that it is part of' 2 run group-itself
	test_case server run group-server 100000
	test_case waits waits_for_group
fi
test_case handed-over run group-handed-over

finish
