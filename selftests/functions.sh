# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash # that is: with local
#
# Helpers of the test scripts. A script is
#
#	. "$(dirname "$0")/../functions.sh"
#	start NAME		loads the modules
#	test_case NAME COMMAND	one result; as often as needed
#	finish			unloads them; prints the plan
#
# COMMAND passes if it succeeds; what it prints is shown if it does not. So a
# check is a function that says what is wrong and returns 1; or says what the machine
# lacks for it and returns $skipped.
#
# environment: KO, where the modules are (default: build/ beside selftests/)

# Scripts include each other: see include().
[ -z "${functions:-}" ] || return 0
functions=1

# selftests/, above the groups; or the directory that kselftest installs all of it into.
here=$(cd "$(dirname "$0")" && pwd)
[ -e "$here/functions.sh" ] || here=${here%/*}
KO=${KO:-$here/../build}
root=/sys/kernel/costack
cases=0 failed=0 including='' variant='' group=''

# === Results ===

# Turns each line of the input into a TAP diagnostic.
diagnostics()
{
	sed 's/^/# /'
}

# kselftest's exit status of a skipped test.
skipped=4

# test_case NAME COMMAND...
test_case()
{
	local name="$group.$1$variant" output status=0
	shift
	cases=$((cases + 1))
	output=$("$@" 2>&1) || status=$?
	case $status in
	0) echo "ok $cases - $name" ;;
	"$skipped") echo "ok $cases - $name # SKIP $output" ;;
	*)
		failed=$((failed + 1))
		echo "not ok $cases - $name"
		echo "$output" | diagnostics
		;;
	esac
}

# is WHAT EXPECTED GOT
is()
{
	[ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; return 1; }
}

# until_true COMMAND...: repeat COMMAND until it succeeds, within the patience of the cases
until_true()
{
	local i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 2400 ] || { echo "not within 120 s: $*"; return 1; }
		sleep 0.05
	done
}

# === Modules ===

is_loaded()
{
	[ -d "/sys/module/$1" ]
}

# load [PARAMETER=VALUE...]: costack with these, then the test modules. Cases count on stacks
# that start with what was asked for, whatever has run before.
load()
{
	insmod "$KO/costack.ko" adaptive_start=0 "$@" && insmod "$KO/costack_test_hog.ko" &&
		insmod "$KO/costack_test.ko" && insmod "$KO/costack_test_fixed.ko"
}

unload()
{
	local module
	for module in costack_example costack_test_plain costack_test_programs costack_test_lies costack_test_crash costack_test_fixed costack_test \
		costack_test_hog costack; do
		! is_loaded $module || rmmod $module || return 1
	done
}

# === costack's files ===

# knob NAME VALUE: set it
knob()
{
	echo "$2" >"$root/$1"
}

# knob_is NAME VALUE: compare the knob with VALUE
knob_is()
{
	is "$1" "$2" "$(cat "$root/$1")"
}

# counter NAME: its value; "grown" is the sum of both ways to grow
counter()
{
	case $1 in
	grown) echo $(($(counter grown_by_copy) + $(counter grown_in_place))) ;;
	*) cat "$root/stats/$1" ;;
	esac
}

# check_count WANT BEFORE: has the counter of WANT risen as counts() was asked to check
check_count()
{
	local counted="${1%%[!a-z_]*}" want diff
	want=${1#"$counted"}
	diff=$(($(counter "$counted") - $2))
	case $want in
	=*) [ $diff -eq "${want#=}" ] ;;
	'>='*) [ $diff -ge "${want#>=}" ] ;;
	'<='*) [ $diff -le "${want#<=}" ] ;;
	*) echo "bad expectation '$1'" && return 1 ;;
	esac || { echo "$counted: expected $want, got $diff"; return 1; }
}

# counts WANT... -- COMMAND...: run COMMAND and compare the counters. A WANT is
# NAME=N, NAME>=N or NAME<=N, the increase of that counter.
counts()
{
	local wants='' status=0
	while [ "$1" != -- ]; do
		wants="$wants $1 $(counter "${1%%[!a-z_]*}")"
		shift
	done
	shift
	"$@" || return $?
	# shellcheck disable=SC2086 # pairs of words
	set -- $wants
	while [ $# -gt 0 ]; do
		check_count "$1" "$2" || status=1
		shift 2
	done
	return $status
}

# figures NAME=VALUE...: print these, the figures of the cases and the counters of costack
# since it was loaded as a diagnostic; check.sh adds them up
figures()
{
	local name
	for name in grown_in_place grown_by_copy grown_irqs_off grown_atomic interrupts_replayed; do
		set -- "$@" "$name=$(counter $name)"
	done
	echo "# figures: $(cat "$root/test/figures") $*"
}

# === Where growth came ===

hist=/sys/kernel/tracing/events/costack/costack_grow

# From here on growths are counted by the symbol of the instruction. Until
# forget_growths costack cannot be unloaded.
note_growths()
{
	echo 'hist:keys=ip.sym:size=16384' >"$hist/trigger"
}

forget_growths()
{
	echo '!hist:keys=ip.sym:size=16384' >"$hist/trigger"
}

# growths: one line each, "SYMBOL N"
growths()
{
	sed -n 's/^{ ip: \[[^]]*\] \([^ ]*\) .*hitcount: *\([0-9]*\).*/\1 \2/p' "$hist/hist"
}

# growths_in REGEX: the number of growths in functions whose name matches
growths_in()
{
	growths | awk -v regex="^($1)\$" '$1 ~ regex { n += $2 } END { print n + 0 }'
}

# Expressions for growths_in: the entry of interrupts, and schedule().
# shellcheck disable=SC2034 # used by scripts
in_entry='asm_(common_interrupt|sysvec_.*)|error_(entry|return)|irqentry_(enter|exit)|common_interrupt|sysvec_.*'
# shellcheck disable=SC2034
in_schedule='__schedule|schedule(_.*)?|preempt_schedule_.*|__switch_to.*|finish_task_switch.*|prepare_task_switch|pick_next_task.*|put_prev_.*|set_next_.*|dequeue_.*|update_curr.*|context_switch|newidle_balance'

# === Cases of the test modules ===

# run NAME [NUMBER...]: a case of selftests/test_modules/
run()
{
	local result
	echo "$*" >"$root/test/run" || { echo "$*: was not run"; return 1; }
	read -r result <"$root/test/result"
	case $result in
	ok) ;;
	skip:*) echo "${result#skip: }"; return "$skipped" ;;
	*) echo "$*: $result"; return 1 ;;
	esac
}

# watched NR COMMAND...: run COMMAND while NR coroutines of each of five kinds wait
watched()
{
	local nr="$1" status=0
	shift
	{ run watched-begin "$nr" && "$@"; } || status=1
	run watched-end && return $status
}

# in_storm USECS COMMAND...: run COMMAND with a timer interrupt on all CPUs every USECS
in_storm()
{
	local status=0
	echo "$1" >"$root/test/storm" || return 1
	shift
	"$@" || status=$?
	echo 0 >"$root/test/storm"
	return $status
}

# === The kernel's log ===

# KCSAN cannot walk a coroutine stack, so its report does not name the function that made
# the access. These probes record the caller and the address; races.awk looks the address
# of the report up there.
callers=/sys/kernel/tracing/instances/races

keep_callers()
{
	local function
	[ -e /sys/kernel/debug/kcsan ] || return 0
	if [ ! -d "$callers" ]; then
		for function in set_info known_origin unknown_origin; do
			echo "p:races/$function kcsan_report_$function at=%di:x64 by=%cx:symbol" \
				>>/sys/kernel/tracing/kprobe_events
		done
		mkdir "$callers"
		echo 1 >"$callers"/events/races/enable
	fi
	echo >"$callers"/trace
}

# log_is_clean checks the log from here on. It must find the mark again: if the log has
# overflowed, the check proves nothing. Lines that match the regular expression in
# log_may_say are expected.
mark_log()
{
	log_mark="costack selftest $group $$ $(cut -d ' ' -f 1 /proc/uptime)"
	echo "$log_mark" >/dev/kmsg
}

# With DEBUG_PREEMPT the kernel complains about itself when it starts to unwind a
# stack that it does not know, which KASAN does at each allocation. costack does not cause
# this. Lines of several threads are mixed, but each line names its thread
# (CONFIG_PRINTK_CALLER).
without_unwinder()
{
	awk '
	{ by = match($0, /\[ *[TC][0-9]+\]/) ? substr($0, RSTART, RLENGTH) : "" }
	/BUG: using .* in preemptible/ { complaint[by] = $0; next }
	by in complaint {
		if (/caller is (get_stack_info_noinstr|in_entry_stack)\+/)
			quiet[by] = 1
		else
			print complaint[by] "\n" $0
		delete complaint[by]
		next
	}
	by in quiet && /CPU: |Workqueue: |Hardware name: / { next }
	by in quiet && /Call Trace:/ { delete quiet[by]; next }
	{ print }
	END {
		for (by in complaint)
			print complaint[by]
	}'
}

# races: what KCSAN has reported since the mark, see races.awk
races()
{
	{ cat "$callers/trace" && dmesg | sed -n "/$log_mark/,\$p"; } | awk -f "$here/races.awk"
}

log_is_clean()
{
	local log=/tmp/costack-log.$$ status=0
	dmesg | sed -n "/$log_mark/,\$p" | without_unwinder >$log
	grep -q "$log_mark" $log || { echo "the log ran over"; status=1; }
	! grep -E 'BUG:|WARNING:|INFO:|Oops|Call Trace|costack: .*(exceeds|not given back)' $log |
		grep -vE "BUG: KCSAN:|${log_may_say:-^$}" || status=1
	! grep -q 'BUG: KCSAN:' $log || ! races | sed -n 's/^ours //p' | grep . || status=1
	rm -f $log
	return $status
}

# === Memory ===

kmemleak=/sys/kernel/debug/kmemleak

# If the kernel has kmemleak, it reports from here on memory that nothing refers to.
mark_leaks()
{
	[ ! -e "$kmemleak" ] || echo clear >"$kmemleak"
}

# no_leak: call this when no coroutine is alive, because kmemleak does not scan their
# stacks. A scan reports only objects of a certain age, so it takes two scans.
no_leak()
{
	echo scan >"$kmemleak"
	sleep 6
	echo scan >"$kmemleak"
	! grep -A 20 -E 'unreferenced object' "$kmemleak"
}

# test_no_leak NAME: one result, if the kernel has kmemleak
test_no_leak()
{
	[ ! -e "$kmemleak" ] || test_case "$1" no_leak
}

is_kasan()
{
	grep -q ' kasan_save_stack$' /proc/kallsyms
}

# Can leaks be seen in the amount of free memory? Not with KASAN: it delays frees, backs
# address space with shadow, and keeps the call trace of each allocation for ever; and
# traces differ each time a module is loaded, because its addresses do.
free_is_a_measure()
{
	! is_kasan
}

# === A script from start to finish ===

# No coroutine is alive, the log is clean, and all modules can be unloaded.
leaves_nothing()
{
	is "coroutines alive" 0 "$(counter live)" && log_is_clean && unload
}

# The tests do not need task names in traces. To record them the kernel patches
# __schedule(), and a CPU emulated by QEMU was seen to execute the int3 of that patch for
# ever, after it had been removed.
no_cmdlines()
{
	local option=/sys/kernel/tracing/options/record-cmd
	[ ! -e $option ] || echo 0 >$option
}

# start NAME [PARAMETER=VALUE...]: load the modules; NAME begins all results
start()
{
	group=$1
	shift
	[ -z "$including" ] || return 0
	script=$group
	echo "TAP version 13"
	if [ "$(id -u)" -ne 0 ]; then
		echo "1..0 # SKIP needs root"
		exit 4
	fi
	no_cmdlines
	keep_callers
	mark_log
	# A script that was ended half-way has left it.
	forget_growths 2>/dev/null || :
	if ! { unload && load "$@"; }; then
		echo "Bail out! the modules of $KO cannot be loaded"
		exit 1
	fi
}

finish()
{
	[ -z "$including" ] || return 0
	group=$script
	test_case leaves-nothing leaves_nothing
	echo "1..$cases"
	[ "$failed" -eq 0 ]
	exit
}

# include NAME KNOB=VALUE...: the cases of test-NAME.sh, of any group, with other knobs
include()
{
	local setting path
	including=$1
	shift
	variant="[$*]"
	for setting in "$@"; do
		knob "${setting%%=*}" "${setting#*=}"
	done
	for path in "$here/test-$including.sh" "$here"/*/"test-$including.sh"; do
		# shellcheck disable=SC1090 # a script of any group
		[ ! -e "$path" ] || . "$path"
	done
	for setting in "$@"; do
		knob "${setting%%=*}" 0
	done
	including='' variant=''
}
