#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel reports on a coroutine stack, or in an interrupt that came there, has a call
# trace of that stack, down to the work function: the kernel's own is empty there.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start report

# traced KIND BY REGEX: after a line that matches REGEX the log has the trace of the coroutine
# KIND, and of nothing else before it: the head line, then the frames, of which those down to
# the work function come last
traced()
{
	local kind="$1" by="$2" symbols said=/tmp/costack-said.$$
	dmesg | sed -n "/$log_mark/,\$p" | awk -v regex="$3" '
		$0 ~ regex { here = 1 }
		here && /costack: on the stack of coroutine/ { seen = 1 }
		seen && !/costack: / { next }
		seen { sub(/.*costack: /, ""); print }
		seen && /^ costack_enter\+/ { exit }' >$said
	head -n 1 $said | grep -qE "^on the stack of coroutine $kind, watched_deep_body \[costack_test\], [1-9] pages, [0-9] growths:\$" ||
		{ echo "no trace"; cat $said; return 1; }
	symbols=$(sed -n 's/^ *\([a-z_]*\)+0x.*/\1/p' $said | grep -E '^(watched|costack_enter|do_)' | xargs)
	is "frames" "${by:+$by }watched_deep watched_deep watched_deep watched_deep_body costack_enter" "$symbols" &&
		is "frames of costack at the beginning" "" "$(sed -n 2p $said | grep '\[costack\]')" &&
		! grep 'knows no more' $said
}

# What was reported is not to be found at the end.
forget()
{
	rm -f /tmp/costack-said.$$
	mark_log
}

# with SYSCTL VALUE COMMAND...: run COMMAND with this setting of the kernel
with()
{
	local file="$1" before status=0
	before=$(cat "$file")
	echo "$2" >"$file"
	shift 2
	"$@" || status=$?
	echo "$before" >"$file"
	return $status
}

# warns CALLED: a WARN is a report, not a death, just for this; and it has one trace
warns()
{
	log_is_clean && with /proc/sys/kernel/panic_on_warn 0 run watched-warn "$1" &&
		traced warner do_warn 'WARNING: ' &&
		is "traces" 1 "$(dmesg | sed -n "/$log_mark/,\$p" | grep -c 'on the stack of coroutine')"
}

dumps()
{
	run watched-dump "$1" && traced dumper '' 'CPU: '
}

# spins CALLED REGEX COMMAND...: run COMMAND while a coroutine keeps its CPU, until the log has a
# line that matches; the trace of the coroutine follows that line
spins()
{
	local called="$1" regex="$2" waiter status=0
	shift 2
	[ "$(grep -c ^processor /proc/cpuinfo)" -gt 1 ] || { echo "a coroutine keeps its CPU, and the test needs one"; return "$skipped"; }
	run watched-spin "$called" &
	waiter=$!
	"$@"
	# The case itself gives up when this takes too long.
	until traced spinner do_spin "$regex" >/dev/null || ! kill -0 $waiter 2>/dev/null; do
		sleep 0.1
	done
	echo >"$root/test/release"
	wait $waiter || status=1
	traced spinner do_spin "$regex" || status=1
	return $status
}

# All CPUs tell what they do, by NMIs; again and again until the coroutine is there, or the case
# of spins() has ended.
asks()
{
	until dmesg | sed -n "/$log_mark/,\$p" | grep -q 'on the stack of coroutine spinner' ||
		! kill -0 "$waiter" 2>/dev/null; do
		echo l >/proc/sysrq-trigger
		sleep 0.1
	done
}

lockup()
{
	with /proc/sys/kernel/softlockup_panic 0 with /proc/sys/kernel/watchdog_thresh 1 \
		spins "$1" 'BUG: soft lockup' true
}

stall()
{
	with /proc/sys/kernel/softlockup_panic 0 \
		with /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout 3 \
		spins "$1" 'rcu: INFO: .* (self-detected stall|detected stalls)' true
}

for called in 0 1; do
	case $called in
	0) by=item ;;
	1) by=call ;;
	esac
	test_case "warn.$by" warns $called
	forget
	test_case "dump.$by" dumps $called
	forget
	test_case "sysrq-l.$by" spins $called 'NMI backtrace for cpu' asks
	forget
	test_case "lockup.$by" lockup $called
	forget
done
test_case stall stall 0
forget

finish
