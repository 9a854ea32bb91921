#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# module/example/: what a reader copies works, its stack is moved, and its limit is one.
# 300 levels fit on KASAN's stacks, too. An interrupt may be what makes a stack grow, and
# that is in place.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start example

# example LEVELS: run it, and take it out again
example()
{
	insmod "$KO/costack_example.ko" levels="$1" && rmmod costack_example
}

says_how_it_grew()
{
	example 300 || return 1
	dmesg | tail -n 5 | grep -E 'costack_example: 300 levels, [0-9]+ bytes of stack, grown [1-9]' ||
		{ echo "the log has:"; dmesg | tail -n 5; return 1; }
}

# Cut off, and -EOVERFLOW. insmod of busybox tries twice.
ends_at_its_limit()
{
	local message
	if message=$(example 100000 2>&1); then
		echo "100000 levels: it was loaded"
		return 1
	fi
	case $message in
	*'too large'*) ;;
	*) echo "expected EOVERFLOW, got: $message"; return 1 ;;
	esac
}

test_case said says_how_it_grew
test_case moves counts grown'>=2' grown_by_copy'>=1' -- example 300
test_case limit counts aborts'>=1' -- ends_at_its_limit
test_case again counts grown'>=2' grown_by_copy'>=1' -- example 300
knob policy inplace
test_case inplace counts grown_by_copy=0 grown_in_place'>=2' -- example 300
knob policy copy

finish
