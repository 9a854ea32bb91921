#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Random functions of scripts/fuzz: the same results wherever their stack is, and however
# often it moves.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start programs

insmod "$KO/costack_test_programs.ko"
knob policy copy
test_case grown-by-copy counts 'grown_by_copy>=20' -- run programs 3
test_case pinned counts 'grown_by_copy=0' 'grown_in_place>=20' -- run programs-fixed 3
for setting in poison=1 unmap=1; do
	knob force_move 1
	knob "${setting%%=*}" 1
	test_case "moved[$setting]" counts 'moves_forced>=10000' -- run programs 2
	knob "${setting%%=*}" 0
	knob force_move 0
done

finish
