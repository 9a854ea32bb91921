#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# No wait of costack ends for a signal: neither those that kernel threads ignore,
# nor one that they have allowed, nor a fatal one to a process that waits for an item.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start signals

# threads NAME: process ids of the kernel threads whose names begin so
threads()
{
	grep -l "^$1" /proc/[0-9]*/comm 2>/dev/null | cut -d / -f 3
}

# signal NAME SIGNAL...: to all of them, again and again
signal()
{
	local name="$1" pids which
	shift
	pids=$(threads "$name")
	[ -n "$pids" ] || { echo "no thread is called $name"; return 1; }
	for _ in 1 2 3; do
		for which in "$@"; do
			# shellcheck disable=SC2086 # numbers
			kill -"$which" $pids 2>/dev/null || :
		done
	done
	# The kernel may have ended idle ones meanwhile, but not all.
	[ -n "$(threads "$name")" ]
}

# Whom it does not concern.
ignored()
{
	run waiting-begin "$1" -1 && signal "$2" TERM KILL USR1 STOP CONT && run waiting-end
}

pending()
{
	run waiting-begin 1 -1 1 && signal costack_test USR1 && sleep 0.2 && run waiting-end
}

state_of()
{
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat"
}

# waits PROCESS: it does, and cannot be woken
waits()
{
	[ "$(state_of "$1")" = D ]
}

# A process that waits is killed when its item has ended, and not before.
writer()
{
	local pid status=0 result
	sh -c "echo wait-in-writer >$root/test/run" &
	pid=$!
	until_true waits "$pid" || status=1
	kill -KILL "$pid"
	sleep 0.3
	is "state of who waits" D "$(state_of "$pid")" || status=1
	# Also if something is wrong: as long as it waits it keeps the output of this script open.
	echo 1 >"$root/test/release"
	wait "$pid"
	is "how it ended" 137 $? || status=1
	read -r result <"$root/test/result"
	is "what it waited for" ok "$result" && return $status
}

for policy in copy inplace; do
	knob policy $policy
	test_case "items.$policy" ignored 0 kworker/u
	test_case "calls.$policy" ignored 1 costack_test
	test_case "pending.$policy" pending
	test_case "writer.$policy" writer
done

finish
