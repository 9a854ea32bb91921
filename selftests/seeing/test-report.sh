#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What is reported on a coroutine stack is followed by a call trace of that stack, down to
# the work function: the kernel's own is empty there.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start report

# said: the trace that costack has printed since the mark
said()
{
	dmesg | sed -n "/$log_mark/,\$p" | sed -n 's/.*costack: //p' |
		sed -n '/^on the stack of coroutine/,$p'
}

# Lets a WARN report and not panic, during this case only.
warns()
{
	local sysctl=/proc/sys/kernel/panic_on_warn before status=0
	before=$(cat $sysctl)
	log_is_clean || return 1
	echo 0 >$sysctl
	run watched-warn "$1" || status=1
	echo "$before" >$sysctl
	said >/tmp/costack-said.$$
	return $status
}

# The head line, then the frames: the newest first, and the first one last.
trace_is_whole()
{
	local symbols
	warns "$1" || return 1
	head -n 1 /tmp/costack-said.$$ |
		grep -qE '^on the stack of coroutine warner, watched_warn_body \[costack_test\], 1 pages, 0 growths:$' ||
		{ cat /tmp/costack-said.$$; return 1; }
	symbols=$(sed -n 's/^ *\([a-z_]*\)+0x.*/\1/p' /tmp/costack-said.$$ | grep -E '^(watched|enter)' | xargs)
	is "frames of costack at the beginning" "" "$(sed -n 2p /tmp/costack-said.$$ | grep '\[costack\]')" &&
		is "frames" "watched_warn watched_warn watched_warn watched_warn_body enter" "$symbols" &&
		! grep 'knows no more' /tmp/costack-said.$$
}

test_case warn.item trace_is_whole 0
# leaves_nothing() must not find the report.
mark_log
test_case warn.call trace_is_whole 1
mark_log
rm -f /tmp/costack-said.$$

finish
