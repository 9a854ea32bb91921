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

# charged FLAGS [COMMAND...]: how much the group is charged for packed items that one of its
# processes has queued, in bytes. A CPU may hold 256 KiB more, which it has charged ahead. COMMAND
# runs before they end.
charged()
{
	local before after flags=$1
	shift
	before=$(cat "$cgroup/memory.current")
	run_in_group pack-leave "$items" "$flags" >&2 || return
	after=$(cat "$cgroup/memory.current")
	"$@" >&2 || { echo "in use: $(in_use) bytes" >&2; return 1; }
	run pack-take-back >&2 || return
	echo $((after - before))
}

# The statistics count the bytes of the group that are in use; the kernel sums them up every two
# seconds. They tell what has been given back, and memory.current does not: where a thread of a
# real-time kernel is preempted while it holds its CPU's stock of charged bytes, the others there
# charge a page for each allocation (Linux 7.3, refill_obj_stock()), whatever module they are of,
# and the rest of the page remains charged until the group's next turn in a stock.
in_use()
{
	awk '$1 == "slab" { print $2 }' "$cgroup/memory.stat"
}

# A coroutine takes 256 bytes, and what is packed some 200.
uses_much()
{
	[ "$(in_use)" -ge $((items * 400)) ]
}

uses_little()
{
	[ "$(in_use)" -lt $((items * 150)) ]
}

is_charged()
{
	local bytes
	bytes=$(charged "$accounts" until_true uses_much) || return
	[ "$bytes" -ge $((items * 400)) ] || { echo "charged: $bytes"; return 1; }
}

is_given_back()
{
	until_true uses_little || { echo "in use: $(in_use) bytes"; return 1; }
}

is_not_charged()
{
	local bytes
	bytes=$(charged 0 uses_little) || return
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
