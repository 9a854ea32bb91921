#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Functions of a coroutine whose entry or return is hooked: by kprobes, kretprobes,
# the function tracer and the function-graph tracer. The stack is not moved while a
# return address is hooked, it grows in place; and every call is seen.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start hooks

# Linux 6.12: after the "call .Ldo_rop" in return_to_handler the return address on the stack is
# that of the int3 behind the call, and objtool's rule for that place is the one before the
# call. So an unwind from an interrupt of the next instruction, by KASAN, finds no progress.
# shellcheck disable=SC2034 # functions.sh reads it
log_may_say='WARNING: stack going in the wrong direction[?] at return_to_handler'

tracing=/sys/kernel/tracing

# traced TRACER REGEX NUMBER FILTER COMMAND...: run COMMAND under a tracer, of the
# functions of FILTER ("" is all). So many lines match; no number: at least one.
traced()
{
	local tracer="$1" regex="$2" number="$3" filter="$4" status=0 lines word
	shift 4
	echo 0 >"$tracing/tracing_on"
	echo >"$tracing/trace"
	# shellcheck disable=SC2086 # words
	for word in $filter; do
		echo "$word" >>"$tracing/set_ftrace_filter" || status=1
	done
	echo "$tracer" >"$tracing/current_tracer" || status=1
	echo 1 >"$tracing/tracing_on"
	[ $status -ne 0 ] || "$@" || status=1
	echo 0 >"$tracing/tracing_on"
	lines=$(grep -cE "$regex" "$tracing/trace")
	echo nop >"$tracing/current_tracer"
	echo >"$tracing/set_ftrace_filter"
	echo 1 >"$tracing/tracing_on"
	[ $status -eq 0 ] || return 1
	[ -n "$number" ] || [ "$lines" -eq 0 ] || number=$lines
	is "lines of '$regex'" "${number:-some}" "$lines"
}

# Nothing between a fault and the resume may be probed or traced.
fault_path_is_left_alone()
{
	local function status=0
	for function in costack_fault costack_newstack costack_guard_fault \
		costack_guard_newstack costack_replay_find costack_replay costack_refault \
		costack_arch_walk costack_rebase_copy; do
		if grep -q "^$function\\>" "$tracing/available_filter_functions"; then
			echo "$function can be traced"
			status=1
		fi
		grep -qE "[[:space:]]$function( |\$)" /sys/kernel/debug/kprobes/blacklist ||
			{ echo "$function can be probed"; status=1; }
	done
	return $status
}

test_case fault-path fault_path_is_left_alone

for policy in copy inplace; do
	knob policy $policy
	refused=4
	[ $policy = copy ] || refused=0
	# 45 levels are five stacks.
	grow="grown_in_place=4 grown_by_copy=0 moves_refused=$refused"
	# shellcheck disable=SC2086 # words
	{
		test_case "kretprobe.$policy" counts $grow -- run hook-return 45
		test_case "graph.$policy" traced function_graph 'cst_hooked_level.*\(\)' 46 \
			cst_hooked_level counts $grow -- run hook-chain 45
		test_case "graph-and-kretprobe.$policy" traced function_graph \
			'cst_hooked_level.*\(\)' 46 cst_hooked_level counts $grow -- \
			run hook-return 45
	}
	test_case "function.$policy" traced function 'cst_hooked_level.* <-' 46 \
		cst_hooked_level counts grown=4 -- run hook-chain 45
	for name in places entry jump; do
		test_case "$name.$policy" counts 'grown>=10' -- run "hook-$name" 16
	done
done

# At every call the stack would move.
knob policy copy
knob force_move 1
test_case call counts moves_forced=0 'moves_refused>=1' -- run hook-host
knob force_move 0

# The graph tracer leaves those alone that may end or go on elsewhere half-way.
test_case graph-abort traced function_graph 'dig_body' 0 dig_body counts aborts=3 -- \
	run abort 16384 3
test_case graph-item traced function_graph 'migrate_body' 0 migrate_body run migrate 8 50

# While all functions of the kernel and of its modules are traced.
all_traced()
{
	local policy status=0
	for policy in copy inplace; do
		knob policy $policy
		run deep 1 100 40 || status=1
		run storm 500 100 200 200 || status=1
		run storm-called 50 50 100 100 || status=1
		run go.ShrinkStackDuringBlockedSend || status=1
		run lost-ipi 0 10 || status=1
		run kernel-mutex 256 || status=1
	done
	return $status
}

test_case all-graph traced function_graph '[}{;]' '' '' all_traced
test_case all-function traced function '<-' '' '' all_traced

figures
finish
