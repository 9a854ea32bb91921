#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tests what Go's own tests of its stacks test. Each case has the name of the Go test that it
# corresponds to; go.h of the test module says what takes the place of Go's functions. Each case
# is run with both policies, then with stacks filled around each move, and then also with a move
# at every call. The counters show that stacks did move.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start go

# go NAME WANT... -- [NUMBER...]: the case go.NAME; see counts()
go()
{
	local name="$1" wants=''
	shift
	while [ "$1" != -- ]; do
		wants="$wants $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	test_case "$name.$policy" counts $wants -- run "go.$name" "$@"
}

# grows NUMBER: what the counters of growth must have gone up by, with this policy
grows()
{
	if [ "$policy" = copy ]; then
		echo "grown_by_copy>=$1"
	else
		echo "grown_by_copy=0 grown_in_place>=$1"
	fi
}

# forced NUMBER: the same for moves at calls, with this force_move
forced()
{
	if [ "$force_move" = 1 ]; then
		echo "moves_forced>=$1"
	else
		echo "moves_forced=0"
	fi
}

# traced NUMBER COMMAND...: the command leaves NUMBER overflows of go.StackOverflow in the trace
traced()
{
	local tracing=/sys/kernel/tracing number="$1" status lines
	shift
	echo >$tracing/trace
	echo 1 >$tracing/events/costack/costack_overflow/enable
	"$@"
	status=$?
	echo 0 >$tracing/events/costack/costack_overflow/enable
	[ $status -eq 0 ] || return 1
	lines=$(grep -cE 'costack_overflow: name=go.StackOverflow limit=(4|16) pages' \
		$tracing/trace)
	is "overflows in the trace" "$number" "$lines"
}

# The cases try every STEPth depth or size.
stack_cases()
{
	# shellcheck disable=SC2046 # words
	{
		go StackGrowth $(grows 12) $(forced 200) 'shrunk>=3' -- "$step"
		go StackGrowthCallback grown=16 $(forced 200) -- "$step"
		go StackMem $(grows 768) $(forced 256) --
		go StackCache $(grows 600) $(forced 2000) 'parks>=1000' --
		go StackSplit $(grows $((900 / step))) $(forced 0) -- "$step"
	}
	test_case "StackOverflow.$policy" traced 4 counts overflows=4 aborts=4 -- \
		run go.StackOverflow
}

# These cases write force_move themselves.
move_cases()
{
	[ "$force_move" = 0 ] || return
	go MoveStackOnNextCall moves_forced=4 grown=0 --
	go MoveStackRepeatedly moves_forced=500 grown=0 --
}

frame_cases()
{
	# shellcheck disable=SC2046 # words
	{
		go FramePointerAdjust $(grows 6) -- 600
		go SystemstackFramePointerAdjust $(grows 3) 'shrunk>=3' $(forced 80) -- 40
		go TracebackSystemstack calls=4 $(forced 5) --
	}
}

defer_cases()
{
	local moves=0
	[ "$policy" = inplace ] || moves=1
	# shellcheck disable=SC2046 # words
	{
		go DeferPtrs aborts=2 $(grows 4) $(forced 8) -- $moves
		go DeferPtrsGoexit aborts=0 $(grows 80) $(forced 200) --
		go DeferPtrsGoexit-shrunk shrunk=3 $(grows 4) $(forced 2) --
		go DeferPtrsPanic aborts=100 $(grows 80) $(forced 200) --
		go PanicUseStack aborts=6 $(grows 4) $(forced 10) --
		go PanicFar aborts=1 'shrunk>=1' $(grows 4) $(forced 4) --
		go DeferHeapAndStack $(grows $((12 * rounds))) $(forced $((1000 * rounds))) -- "$rounds"
	}
	go PanicFar-hooked 'grown_in_place>=3' -- $moves
}

chan_cases()
{
	# shellcheck disable=SC2046 # words
	{
		go SelectStackAdjust-waits shrunk=4 $(grows 4) $(forced 4) --
		go ShrinkStackDuringBlockedSend shrunk=9 $(grows 8) $(forced 20) --
		go NoShrinkStackWhileParking "shrunk>=$rounds" $(grows 20) $(forced 100) -- "$rounds"
	}
	go NoShrinkStackWhileParking-cancel 'parks>=1' -- $((5 * rounds))
}

select_cases()
{
	local many=$((50 * rounds))
	go Chan 'parks>=10' -- "$rounds"
	go Select3 'parks>=8' --
	go NonblockRecvRace -- $many
	go NonblockSelectRace -- $many
	go NonblockSelectRace2 -- $many
	go SelfSelect 'parks>=2' -- $many
	go SelectStress 'parks>=10' -- $many
	go SelectFairness parks=0 --
	go PseudoRandomSend 'parks>=1' --
	go MultiConsumer 'parks>=10' -- $((4 * many))
	go SelectDuplicateChannel parks=2 --
	# shellcheck disable=SC2046 # words
	{
		go SelectStackAdjust shrunk=8 packed=4 $(grows 8) $(forced 8) -- 2 1
		go ShrinkStackDuringBlockedSend-select shrunk=9 $(grows 8) $(forced 20) -- 10
	}
}

# with POISON FORCE_MOVE STEP ROUNDS POLICY...: all cases with these knobs, for each policy
with()
{
	local poison="$1" force_move="$2" step="$3" rounds="$4"
	shift 4
	variant=''
	[ "$poison$force_move" = 00 ] || variant="[poison=$poison force_move=$force_move]"
	knob poison "$poison"
	knob force_move "$force_move"
	for policy in "$@"; do
		knob policy "$policy"
		stack_cases
		move_cases
		frame_cases
		defer_cases
		chan_cases
		select_cases
	done
}

with 0 0 1 20 copy inplace
with 1 0 7 10 copy
with 1 1 7 2 copy inplace
variant=''
knob poison 0
knob force_move 0

finish
