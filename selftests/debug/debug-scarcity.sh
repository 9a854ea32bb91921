#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's fault injection makes 1 to 50 of 100 allocations fail. -ENOMEM is returned
# before a coroutine starts, or by a call that documents it; never at a fault. What cannot be
# packed keeps its stack, and what is packed goes on, in the end or by a spare stack. At the end
# no coroutine is left, and kmemleak looks for leaks.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start scarcity

debug=/sys/kernel/debug
injectors='failslab fail_page_alloc'
# The file counts down from this number, which no case uses up.
plenty=100000000

inject()
{
	local name
	for name in $injectors; do
		echo "$1" >"$debug/$name/probability"
	done
}

prepare()
{
	local name
	for name in $injectors; do
		echo 1 >"$debug/$name/task-filter"
		echo N >"$debug/$name/ignore-gfp-wait"
		echo 1 >"$debug/$name/interval"
		echo 0 >"$debug/$name/verbose"
		echo $plenty >"$debug/$name/times"
	done
	echo 0 >$debug/fail_page_alloc/min-order
}

# How many allocations have failed on purpose.
failed_on_purpose()
{
	local name sum=0
	for name in $injectors; do
		sum=$((sum + plenty - $(cat "$debug/$name/times")))
	done
	echo $sum
}

scarce()
{
	local status=0 before
	before=$(failed_on_purpose)
	inject "$1"
	shift
	run "$@" || status=1
	inject 0
	[ "$(failed_on_purpose)" -gt "$before" ] || { echo "no allocation failed"; return 1; }
	return $status
}

# A worker of which every allocation fails. With unmap no stack is kept for reuse. The first
# item grows by copy: a page that grew in place would have to be replaced.
spare()
{
	local status workers
	workers=$(cat "$root/workers")
	knob workers 1 && knob unmap 1 && run scarce-spare-begin &&
		scarce 100 scarce-spare-end
	status=$?
	knob unmap 0 && knob workers "$workers" && return $status
}

mark_leaks
prepare
for policy in copy inplace; do
	knob policy $policy
	for percent in 1 5 20 50; do
		test_case "calls-$percent.$policy" scarce $percent scarce-call 150
		test_case "items-$percent.$policy" scarce $percent scarce-queue 100 3
	done
done
knob policy copy
for percent in 1 20 50; do
	test_case "packed-$percent" scarce $percent scarce-pack 100 5
done
test_case packs-refused counts 'packs_refused>=10' -- scarce 50 scarce-pack 100 5
test_case spare spare
test_case seen run scarce-seen
test_case growth-after counts 'grown>=4' -- run chain 18
figures allocations_failed="$(failed_on_purpose)"
test_case leaves-no-coroutine is live 0 "$(counter live)"
test_case unload unload
test_no_leak no-leak
load

finish
