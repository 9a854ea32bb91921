#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Oopses in coroutines on a machine that survives an oops: their workers die, whoever waits
# for the items is told, all other items run, and modules that a dead coroutine holds are
# not unloaded.
#
# usage: vm-oops.sh [VM-OPTION...]

. "$(dirname "$0")/../../scripts/lib.sh"

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 3600 -o "$out/vm/oops" "$@" sh -c '
	. /selftests/functions.sh
	start oops
	echo 0 >/proc/sys/kernel/panic_on_oops
	i=0
	for where in coroutine host condition with-next; do
		test_case "$where" run held-dies 8 $i
		i=$((i + 1))
	done
	test_case many run held-dies 100 0
	knob force_pack 1
	test_case packed run held-dies-packed 8
	knob force_pack 0
	# More items than workers have ever run at the same time: the dead workers are replaced.
	test_case workers-after run held-poll 20
	# held N COMMAND...: costack is held N times more after it
	held()
	{
		local before=$(cat /sys/module/costack/refcnt) n=$1
		shift
		"$@" && is refcnt $((before + n)) "$(cat /sys/module/costack/refcnt)"
	}
	i=0
	for where in coroutine exit host; do
		test_case "called-$where" held 1 run held-dies-called $i
		i=$((i + 1))
	done
	test_case called-told sh -c "dmesg | grep -q \"costack: thread cst_dies, pid .*, dies in costack_call(): oops .* is lost\" &&
		dmesg | grep -q \"costack: thread cst_dies, pid .*, ends in costack_call(): end_here .* is lost\" &&
		dmesg | grep -q \"costack: thread cst_dies, pid .*, dies in costack_call(): oops_on_host .* is lost\""
	test_case called-seen is "lines of dead threads" "end_here oops oops_on_host" \
		"$(awk "\$10 == \"dead\" { print \$11 }" /sys/kernel/debug/costack/stacks | sort | xargs)"
	test_case items-unseen is "lines of lost items" 0 \
		"$(grep -c dying_body /sys/kernel/debug/costack/stacks)"
	stays()
	{
		! rmmod "$1" 2>/dev/null || { echo "it could be taken out"; return 1; }
	}
	test_case module-stays stays costack_test
	test_case counted is workers_died 140 "$(counter workers_died)"
	test_case told sh -c "dmesg | grep -q \"costack: worker .* has died\" &&
		dmesg | grep -q \"costack: .* dying_body .*: who waits for it gets -130\""
	echo "1..$cases"
	[ $failed -eq 0 ]' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
