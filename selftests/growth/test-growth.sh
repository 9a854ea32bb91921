#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Growth: how deep, how large, how often.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start growth

# Frames that the unwinder cannot step over grow in place: its table has 16 bits for the
# size of a frame.
copies()
{
	[ "$policy" = copy ] && [ "$1" -lt 32768 ]
}

# How many interrupts have found no room: on their way, or in their handlers.
interrupts_without_room()
{
	echo $(($(counter interrupts_replayed) + $(counter grown_irqs_off)))
}

# one_growth BYTES FIRST: a frame of that size is one fault and one growth. If the fault is that
# of an interrupt, which comes before the function touches its frame, no copy is possible there.
one_growth()
{
	local copied interrupts
	copied=$(counter grown_by_copy)
	interrupts=$(interrupts_without_room)
	counts faults=1 grown=1 -- run big "$1" "$2" || return
	copied=$(($(counter grown_by_copy) - copied))
	if copies "$1" && [ "$(interrupts_without_room)" -eq "$interrupts" ]; then
		is "grown by copy" 1 $copied
	elif ! copies "$1"; then
		is "grown by copy" 0 $copied
	fi
}

# At each doubling one: 4, 8, 16, 32, 64 KiB. An interrupt at the brink may turn
# a copy into a growth in place.
chain()
{
	if [ "$policy" = copy ]; then
		counts grown=4 'grown_by_copy>=3' -- run chain 18
	else
		counts grown=4 grown_by_copy=0 -- run chain 18
	fi
}

# Every depth, or with other knobs every seventh.
step=${including:+7}

for policy in copy inplace; do
	knob policy $policy
	test_case "deep-0-1023.$policy" counts 'grown>=350' -- run deep 0 1023 "${step:-1}"
	test_case "fits.$policy" counts faults=0 grown=0 -- run big 2048 4096
	for bytes in 4080 6144 7936 12288 20480 30720 49152 61440; do
		test_case "one-growth-$bytes.$policy" one_growth $bytes 4096
	done
	test_case "one-growth-from-8k.$policy" one_growth 12288 8192
	test_case "one-growth-from-16k.$policy" one_growth 30720 16384
	test_case "no-growth-from-64k.$policy" counts faults=0 grown=0 -- run big 61440 65536
	test_case "chain.$policy" chain
	test_case "parallel.$policy" in_storm 200 run deep-parallel 6 100
done

finish
