#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Items with COSTACK_ACCOUNT are charged to the memory cgroup of the process that queues them.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start account

accounts=8 # COSTACK_ACCOUNT
cgroups=/tmp/costack-cgroups
cgroup=$cgroups/costack
items=10000

make_group()
{
	mkdir -p "$cgroups" && mount -t cgroup2 cgroups "$cgroups" &&
		echo +memory >"$cgroups/cgroup.subtree_control" && mkdir "$cgroup"
}

remove_group()
{
	rmdir "$cgroup" && echo -memory >"$cgroups/cgroup.subtree_control" && umount "$cgroups"
}

# run_in_group CASE [ARGUMENT...]: run it in a process of the group
run_in_group()
{
	(echo 0 >"$cgroup/cgroup.procs" && run "$@")
}

# charged FLAGS: how much the group is charged for packed items that one of its processes has
# queued, in bytes. A CPU may hold 256 KiB more, which it has charged ahead.
charged()
{
	local before after
	before=$(cat "$cgroup/memory.current")
	run_in_group pack-leave "$items" "$1" >&2 || return
	after=$(cat "$cgroup/memory.current")
	run pack-take-back >&2 || return
	echo $((after - before))
}

# A coroutine takes 256 bytes, and what is packed some 200.
is_charged()
{
	local bytes
	bytes=$(charged "$accounts") || return
	[ "$bytes" -ge $((items * 400)) ] || { echo "charged: $bytes"; return 1; }
}

is_given_back()
{
	local bytes
	bytes=$(cat "$cgroup/memory.current")
	[ "$bytes" -lt $((items * 150)) ] || { echo "still charged: $bytes"; return 1; }
}

is_not_charged()
{
	local bytes
	bytes=$(charged 0) || return
	[ "$bytes" -lt $((items * 150)) ] || { echo "charged: $bytes"; return 1; }
}

# The process is in the group only while its items are.
is_refused()
{
	local status
	echo $(($(cat "$cgroup/memory.current") + (2 << 20))) >"$cgroup/memory.max" && run_in_group account-full 20000
	status=$?
	echo max >"$cgroup/memory.max" && return $status
}

test_case group make_group
test_case plain is_not_charged
test_case charged is_charged
test_case given-back is_given_back
test_case refused is_refused
test_case given-back-again is_given_back
test_case removed remove_group

finish
