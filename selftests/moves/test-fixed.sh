#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Text that did not promise to be movable: it grows in place, whatever the policy.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start fixed

knob policy copy
test_case recursion counts grown_by_copy=0 'grown_in_place>=3' 'moves_refused>=3' -- \
	run fixed 700
test_case in-the-middle counts grown_by_copy=0 grown_in_place=4 moves_refused=4 -- \
	run fixed-middle
test_case ensure counts grown_by_copy=0 grown_in_place=1 moves_refused=1 faults=0 -- \
	run fixed-ensure

# Nothing is refused where nothing would be moved.
knob policy inplace
test_case recursion-inplace counts grown_by_copy=0 'grown_in_place>=3' moves_refused=0 -- \
	run fixed 700

test_case promise-shown is costack_movable Y \
	"$(cat /sys/module/costack_test/parameters/costack_movable)"
test_case no-promise-shown test ! -e /sys/module/costack_test_fixed/parameters/costack_movable

finish
