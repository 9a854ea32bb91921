#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Locks for coroutines and threads: one owner at a time, in order; misuse is reported.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start locks
# What reports of misuse print for a thread.
log_may_say='Call Trace'

# said REGEX...: since the mark, the log has a line that matches each of these, in this order
said()
{
	local log=/tmp/costack-locks.$$ from=1 at status=0
	dmesg | sed -n "/$log_mark/,\$p" >$log
	while [ $# -gt 0 ] && [ $status = 0 ]; do
		at=$(tail -n "+$from" $log | grep -nE -m 1 -- "$1" | cut -d : -f 1)
		if [ -n "$at" ]; then
			from=$((from + at))
		else
			echo "the log does not say '$1'"
			sed -n '/costack:/p' $log
			status=1
		fi
		shift
	done
	rm -f $log
	return $status
}

# Each cycle is reported once: by the last one that waits, which holds what the second one has.
cycle()
{
	run locks-cycle &&
		said 'deadlock: 3 coroutines wait for each other$' \
			' ring-three, ring_body [^ ]*, waits for mutex .* locked at ring_body' \
			' ring-one, ring_body [^ ]*, waits for mutex .* locked at ring_body' \
			' ring-two, ring_body [^ ]*, waits for mutex .* locked at ring_body' &&
		is "reports" 1 "$(dmesg | sed -n "/$log_mark/,\$p" | grep -c 'deadlock: ')"
}

foreign()
{
	run locks-foreign 0 || return 1
	# Each place is reported once as long as costack is loaded.
	[ -z "$including" ] || return 0
	said 'unlock_free[^ ]* .*unlocks a mutex that is not locked: refused' \
		'stranger\+.* unlocks a mutex that another one has locked: refused' \
		' stranger\+' \
		'it was locked at owner_body\+' \
		'by coroutine owner, owner_body [^ ]*, which is parked:' \
		' owner_body\+' \
		'stranger_body\+.* unlocks a mutex that another one has locked: refused' \
		'on the stack of coroutine ' \
		' stranger_body\+' \
		'owner_body\+.* locks a mutex that it has locked at owner_body\+.*: refused' \
		'other_thread[^ ]* .*unlocks a mutex that another one has locked: refused' \
		'by the thread costack_test, pid '
}

ends()
{
	run locks-ends 0 && run locks-ends 1 && run locks-ends 2 && run locks-ends-waiter &&
		said 'ends_item .*has ended with 1 mutexes locked' \
			'ends_call .*has ended with 1 mutexes locked' \
			'ends_cut .*has ended with 1 mutexes locked' \
			'wait_for_left\+.* waits for a mutex that was locked at lock_for_good\+.* by a coroutine that has ended'
}

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	test_case "exclude.$policy" run locks-exclude 16 4 400 0
	test_case "exclude-called.$policy" run locks-exclude 6 4 400 1
	test_case "order.$policy" run locks-order 60
	test_case "parked.$policy" run locks-parked 1000
	test_case "timeout.$policy" run locks-timeout
	test_case "cancel.$policy" run locks-cancel 0
	test_case "cancel-abortable.$policy" run locks-cancel 1
	test_case "cancel-race.$policy" run locks-cancel-race 100 0
	test_case "cancel-race-abortable.$policy" run locks-cancel-race 100 1
	test_case "rwsem.$policy" run locks-rwsem 16 4 200
	test_case "rwsem-order.$policy" run locks-rwsem-order
	test_case "sem.$policy" run locks-sem 16 200
done
mark_log
test_case cycle cycle
mark_log
test_case foreign foreign
mark_log
test_case foreign-called run locks-foreign 1
[ -n "$including" ] || test_case ends ends

finish
