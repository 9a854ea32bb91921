#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading: again and again, with parameters, and while in use.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start load

load_again()
{
	local i=0
	while [ $i -lt 20 ]; do
		unload && ! is_loaded costack && [ ! -e "$root" ] && load || return 1
		knob policy inplace
		run deep 500 500 && run abort 8192 2 || return 1
		knob policy copy
		run deep 500 500 && run abort 8192 2 || return 1
		i=$((i + 1))
	done
}

# The values to start with are what the parameters say.
parameters()
{
	local status
	unload && load policy=inplace stack_max=16384 stack_min=8192 poison=1 force_move=1 \
		unmap=1 workers=3 || return 1
	knob_is policy inplace && knob_is stack_max 16384 && knob_is stack_min 8192 &&
		knob_is poison 1 && knob_is force_move 1 && knob_is unmap 1 && knob_is workers 3
	status=$?
	unload && load || return 1
	return $status
}

# The smallest stacks of all leave no room to grow.
smallest()
{
	local status
	unload && load stack_max=4096 || return 1
	knob_is stack_max 4096 && knob_is stack_min 4096 && run defer
	status=$?
	unload && load || return 1
	return $status
}

# rules HOW WRONG: costack compares each rule of its own and of the test modules with the
# unwinder, and finds so many that lead elsewhere
rules()
{
	local checked wrong
	unload && load check_rules="$1" || return 1
	checked=$(cat /sys/module/costack/parameters/rules_checked)
	wrong=$(cat /sys/module/costack/parameters/rules_wrong)
	unload && load || return 1
	[ "$checked" -ge 2000 ] || { echo "only $checked rules were compared"; return 1; }
	is 'wrong rules' "$2" "$wrong"
}

spoiled_rule()
{
	mark_log
	rules 2 1 || return 1
	dmesg | sed -n "/$log_mark/,\$p" | grep -q 'costack: the rule .* is wrong' ||
		{ echo "the log does not say so"; return 1; }
}

# bad_parameter PARAMETER=VALUE: not loaded, and the log names it
bad_parameter()
{
	local status
	unload || return 1
	if insmod "$KO/costack.ko" "$1" 2>/dev/null; then
		echo "loaded with $1"
		load
		return 1
	fi
	dmesg | tail -n 5 | grep -q "costack: cannot load: bad value \"${1#*=}\" for ${1%%=*}"
	status=$?
	[ $status -eq 0 ] || echo "the log does not name $1"
	load
	return $status
}

# must_stay MODULE: refused to be taken out, and still there
must_stay()
{
	if rmmod "$1" 2>/dev/null; then
		echo "$1 could be taken out"
		return 1
	fi
	is_loaded "$1" || { echo "$1 is gone"; return 1; }
}

live_is()
{
	[ "$(counter live)" -eq "$1" ]
}

wait_until_live()
{
	until_true live_is "$1" || { echo "live is $(counter live)"; return 1; }
}

# A coroutine that waits, on a stack of its own, while all try to go.
busy()
{
	local status
	run block &
	wait_until_live 1 && must_stay costack && must_stay costack_test
	status=$?
	echo 1 >"$root/test/release"
	wait $! || { echo "the blocked case failed"; return 1; }
	return $status
}

# Items that are packed hold the module of their function, as others do, and nothing else holds
# it here. Once they are cancelled it can go.
packed()
{
	local message
	rmmod costack_test_fixed && run pack-leave 100 || return 1
	! message=$(rmmod costack_test 2>&1) || { echo "it could be taken out"; return 1; }
	case $message in
	*'emporarily unavailable'*) ;;
	*) echo "rmmod: $message"; return 1 ;;
	esac
	is "packed items" 100 "$(counter packed_now)" && run pack-take-back &&
		is "packed items" 0 "$(counter packed_now)" && unload && load
}

works()
{
	is "coroutines alive" 0 "$(counter live)" && run deep 1000 1000 && run nested
}

test_case in-use-by-test-modules must_stay costack
test_case again load_again
test_case parameters parameters
test_case smallest smallest
test_case rules rules 1 0
test_case spoiled-rule spoiled_rule
test_case bad-policy bad_parameter policy=grow
test_case bad-stack-max bad_parameter stack_max=5000
test_case bad-stack-min bad_parameter stack_min=131072
test_case bad-poison bad_parameter poison=perhaps
test_case bad-workers bad_parameter workers=65
test_case busy busy
test_case packed packed
test_case works-afterwards works
test_case unload unload
test_case load load

finish
