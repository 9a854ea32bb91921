#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Soak: for so many minutes, cases of the other scripts in random order, with random
# numbers and knobs. The seed gives the same sequence again. Stops at the first
# failure and says what was done. Not one of the tests that run.sh runs.
#
# environment: MINUTES (10), SEED (from the time); COSTACK_VM: this is a VM, which may
# be suspended too
#
# shellcheck shell=dash
# The kinds are called by name.
# shellcheck disable=SC2317

. "$(dirname "$0")/functions.sh"
dir=/tmp/costack-soak
minutes=${MINUTES:-10}
first_seed=${SEED:-$(date +%s)}
seed=$((first_seed & 0x7fffffff))
cpu=/sys/devices/system/cpu/cpu1/online
hold=/sys/module/costack_test_hog/parameters/hold
begin=$(date +%s)
step=0 drawn=0 picked='' what='' knobs='' storm=''

# --- Chance ------------------------------------------------------------------

# draw N: 0 to N - 1, into $drawn
draw()
{
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	drawn=$(((seed >> 8) % $1))
}

# pick WORD...: one of them, into $picked
pick()
{
	draw $#
	shift $drawn
	picked=$1
}

# --- Knobs -------------------------------------------------------------------

# set_knob NAME VALUE...: to one of them
set_knob()
{
	local name="$1"
	shift
	pick "$@"
	knob "$name" "$picked" || return 1
	knobs="$knobs $name=$picked"
}

# Knobs that are right for every case.
any_knobs()
{
	knobs=''
	set_knob policy copy inplace && set_knob poison 0 1 && set_knob workers 1 2 4 8 64 &&
		knob force_move 0 && knob force_pack 0 && knob unmap 0 && knob stack_min 4096 &&
		knob adaptive_start 0
}

# For cases that work with moves at every call.
move_knobs()
{
	any_knobs && set_knob force_move 0 0 1 && set_knob force_pack 0 0 1 && set_knob unmap 0 0 1
}

# The same, and a larger initial stack.
more_knobs()
{
	move_knobs && set_knob stack_min 4096 4096 8192 16384
}

# The same, for cases to which it is all the same how large a stack starts.
all_knobs()
{
	more_knobs && set_knob adaptive_start 0 1
}

# --- Kinds of cases: each sets $what, a command ------------------------------

# With a timer on all CPUs, now and then.
maybe_in_storm()
{
	draw 3
	case $drawn in
	0) storm='' ;;
	1) storm='in_storm 100' ;;
	*) storm='in_storm 500' ;;
	esac
}

kind_growth()
{
	more_knobs || return
	maybe_in_storm
	draw 200
	pick "deep $drawn 1023 $((drawn + 7))" "deep-parallel 6 $drawn" "chain 18" "nested" \
		"big 12288 4096" "big 30720 4096" "big 61440 4096" "abort 16384 $((drawn + 1))"
	what="run $picked"
}

kind_frames()
{
	more_knobs || return
	maybe_in_storm
	what='run frames'
}

kind_sweep()
{
	any_knobs || return
	storm=''
	draw 8
	step_bytes=$((drawn * 16 + 32))
	pick hash compress sort format mutex memory timer rcu tree schedule
	what="run sweep-$picked $step_bytes"
}

kind_storm()
{
	all_knobs || return
	maybe_in_storm
	draw 1000
	pick "storm-hotplug $((drawn * 4)) $drawn $drawn $drawn" "parked $((drawn * 3 + 1)) 2"
	what="run $picked"
}

kind_park()
{
	all_knobs || return
	maybe_in_storm
	draw 2
	pick "park-early $drawn" "park-merge $drawn" "wait-event $drawn" "wait-wake $drawn 20" \
		wait-same wait-tree "and_end $drawn"
	what="run $picked"
	[ "${picked#and}" = "$picked" ] || what="wait_$picked"
}

kind_chan()
{
	more_knobs || return
	maybe_in_storm
	draw 65
	pick "chan-order $drawn 1000" "chan-many 8 4 200 $drawn" "chan-shrink $drawn 70" \
		chan-blocked chan-close
	what="run $picked"
}

kind_cancel()
{
	move_knobs || return
	maybe_in_storm
	draw 7
	pick "cancel-waiting $drawn" "cancel-race $drawn 50" "item-again 100" item-result
	what="run $picked"
}

kind_shrink()
{
	any_knobs || return
	maybe_in_storm
	draw 20000
	pick "shrink $drawn" "shrink-storm 16 100" "shrink-pressure 50"
	what="run $picked"
}

kind_interrupts()
{
	any_knobs || return
	storm=''
	draw 9
	pick "lost-ipi $((drawn * 8)) 20" "lost-timer $((drawn * 8)) 10"
	what="run $picked"
}

kind_files()
{
	any_knobs || return
	maybe_in_storm
	draw 1000000
	what="run fuzz $drawn 500"
}

# A CPU goes and comes back while something runs, or waits.
kind_hotplug()
{
	more_knobs || return
	maybe_in_storm
	draw 300
	pick "run storm-hotplug $((drawn * 4)) $drawn $drawn $drawn" "run deep-parallel 4 $drawn" \
		"run chan-many 8 4 200 7" "wait_and_end 0" "wait_and_end 1"
	what="with_hotplug $picked"
	[ -w "$cpu" ] || what=$picked
}

kind_loads()
{
	any_knobs || return
	storm=''
	draw 2
	what="load_again $drawn"
}

kind_suspend()
{
	any_knobs || return
	storm=''
	pick "freeze freezer" "freeze devices" "mem processors" "mem core"
	draw 2
	what="suspend_with $drawn $picked"
	[ -n "${COSTACK_VM:-}" ] || what="wait_and_end $drawn"
}

kinds='growth frames sweep storm park chan cancel shrink interrupts files hotplug loads suspend'

# --- What some of them do ----------------------------------------------------

wait_and_end()
{
	run waiting-begin "$1" -1 && run waiting-end
}

with_hotplug()
{
	local status=0
	"$@" &
	for _ in 1 2 3; do
		if ! { echo 0 >"$cpu" && sleep 0.1 && echo 1 >"$cpu"; }; then
			echo "the CPU does not go or come"
			status=1
		fi
	done
	wait $! && return "$status"
}

# load_again SHORT: load and unload ten times; SHORT=1: while memory is short
load_again()
{
	local i
	keep_figures
	rmmod costack_test_fixed && rmmod costack_test && rmmod costack || return 1
	echo "$1" >"$hold"
	for i in $(seq 10); do
		insmod "$KO/costack.ko" adaptive_start=0 && insmod "$KO/costack_test.ko" &&
			run item-leave "$i" || return 1
		until rmmod costack_test 2>/dev/null; do :; done
		rmmod costack || return 1
	done
	echo 0 >"$hold"
	echo loads=10 unloads=10 >>"$dir/figures"
	insmod "$KO/costack.ko" adaptive_start=0 && insmod "$KO/costack_test.ko" &&
		insmod "$KO/costack_test_fixed.ko" && note_growths
}

# suspend_with CALLED STATE STEP
suspend_with()
{
	local status=0
	run waiting-begin "$1" -1 || return 1
	echo "$3" >/sys/power/pm_test
	echo "$2" >/sys/power/state || { echo "cannot suspend: $2, $3"; status=1; }
	echo none >/sys/power/pm_test
	run waiting-end && return "$status"
}

# --- Figures -----------------------------------------------------------------

# Saves what has been counted since costack was loaded, before it is unloaded.
keep_figures()
{
	{
		figures grown_in_interrupt_entry="$(growths_in "$in_entry")" \
			grown_in_schedule="$(growths_in "$in_schedule")" calls="$(counter calls)" \
			queued="$(counter queued)" parks="$(counter parks)" \
			shrunk="$(counter shrunk)" aborts="$(counter aborts)"
	} >>"$dir/figures"
	forget_growths
}

# sum: all NAME=VALUE words of the input, added up, a line each
sum()
{
	awk '{
		for (i = 1; i <= NF; i++) {
			if (split($i, word, "=") != 2)
				continue
			if (!(word[1] in total))
				name[++n] = word[1]
			total[word[1]] += word[2]
		}
	}
	END {
		for (i = 1; i <= n; i++)
			printf "%-28s %d\n", name[i], total[name[i]]
	}'
}

minutes_past()
{
	local seconds=$(($(date +%s) - begin))
	printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

summary()
{
	echo "soak: $step cases in $(minutes_past) minutes, seed $first_seed:"
	sum <"$dir/cases"
	keep_figures
	echo "figures:"
	sum <"$dir/figures"
}

# --- One case after the other ------------------------------------------------

# Prints now and then that the soak is still running.
reassure()
{
	while sleep 25; do
		echo "# $(minutes_past) still in $(cat "$dir/now")"
	done
}

all_is_well()
{
	local i=0
	while [ "$(counter live)" -ne 0 ]; do
		i=$((i + 1))
		[ $i -lt 100 ] || { echo "live is $(counter live), not 0"; return 1; }
		sleep 0.1
	done
	log_is_clean
}

one_case()
{
	local kind past now
	# shellcheck disable=SC2086 # words
	pick $kinds
	kind=$picked
	step=$((step + 1))
	if ! "kind_$kind"; then
		echo "FAILED: a knob of case $step $kind, after [${knobs# }], seed $first_seed"
		return 1
	fi
	now="$step $kind: ${storm:+$storm }$what [${knobs# }]"
	echo "$now" >"$dir/now"
	mark_log
	# The log then names the case if the machine dies in it.
	echo "soak: case $now, seed $first_seed" >/dev/kmsg
	past=$(date +%s)
	# shellcheck disable=SC2086 # commands
	if $storm $what >"$dir/output" 2>&1 && all_is_well >>"$dir/output" 2>&1; then
		echo "$kind=1" >>"$dir/cases"
		echo "# $(minutes_past) $now, $(($(date +%s) - past)) s"
		return 0
	fi
	echo "FAILED: case $now, seed $first_seed"
	head -n 40 "$dir/output" | diagnostics
	echo "to repeat: make soak SEED=$first_seed"
	return 1
}

mkdir -p "$dir"
: >"$dir/figures"
: >"$dir/cases"
head -c 5000 /dev/urandom >/tmp/costack-sweep
mark_log
if ! { unload && load && note_growths; }; then
	echo "the modules cannot be loaded"
	exit 1
fi
echo 0 >/sys/module/suspend/parameters/pm_test_delay 2>/dev/null
echo "soak: $minutes minutes, seed $first_seed"
reassure &
reassurer=$!
status=0
while [ $(($(date +%s) - begin)) -lt $((minutes * 60)) ] && [ $status -eq 0 ]; do
	one_case || status=1
done
kill $reassurer
summary
[ $status -eq 0 ] && unload && echo "soak: passed" && exit 0
echo "soak: FAILED, seed $first_seed"
exit 1
