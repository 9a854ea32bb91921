#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A module is moved only with a verdict: without one the log says so and its stacks grow in
# place; with one they move, and words that only look like addresses stay unchanged.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start movable

# said TEXT: does the log say so
said()
{
	dmesg | sed -n "/$log_mark/,\$p" | grep -qF "$1" || { echo "the log lacks: $1"; return 1; }
}

knob policy copy
test_case load insmod "$KO/costack_test_plain.ko"
test_case told said 'costack_test_plain: it was built without the flags of scripts/movable.mk'
for first in 0 1048576; do
	test_case "plain-$first" counts grown_by_copy=0 'grown_in_place>=3' 'moves_refused>=3' \
		-- run plain $first
	test_case "counted-$first" counts 'grown_by_copy>=3' grown_in_place=0 -- run counted $first
done

knob force_move 1
for name in words words-opaque words-ended bytes; do
	test_case $name counts 'moves_forced>=1' -- run $name
done
knob force_move 0

test_case unload rmmod costack_test_plain

finish
