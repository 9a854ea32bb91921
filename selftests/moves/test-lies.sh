#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Code that keeps addresses in an allowed way is not reported. Nor is a disguised address
# that the checker sees: it refuses the function, and the stack is not moved. The other
# cases of costack_test_lies.ko crash the machine, see vm-crash.sh.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start lies

test_case load insmod "$KO/costack_test_lies.ko"
test_case truth counts 'moves_forced>=4' -- run truth
for i in 1 2 3; do
	test_case "truth-again-$i" run truth
done

is_named()
{
	dmesg | sed -n "/$log_mark/,\$p" |
		grep -q 'costack_test_lies: not movable: disguise_body.*negated' ||
		{ dmesg | grep -F 'not movable' | tail -n 5; return 1; }
}

test_case disguise counts moves_forced=0 -- run lie-disguise
test_case disguise-is-named is_named

finish
