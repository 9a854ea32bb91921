#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# #DF from user mode: a user makes the kernel's IRET fault (iret16.c), by itself and
# while stacks grow. Only for vm-pti.sh, which brings the program.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start pti

attack=/files/iret16

# is_isolated yes|no: does the kernel isolate page tables, as it was booted to
is_isolated()
{
	local is=no
	! dmesg | grep -q 'page tables isolation: enabled' || is=yes
	is "isolated" "$1" $is
}

# attacked COMMAND...: while a user does it over and over
attacked()
{
	local pid status=0
	$attack 1 || return
	(while :; do $attack 1000 >/dev/null || exit 1; done) &
	pid=$!
	"$@" || status=$?
	kill $pid || { echo "the attack has ended"; status=1; }
	wait $pid 2>/dev/null
	return $status
}

test_case "isolated" is_isolated "${ISOLATED:-no}"
test_case attack $attack 1000
for policy in copy inplace; do
	knob policy $policy
	test_case "deep.$policy" attacked run deep 8 100 40
	test_case "abort.$policy" attacked run abort 16384 3
	test_case "lost-timer.$policy" attacked run lost-timer 0 20
done
test_case attack-again $attack 1000

finish
