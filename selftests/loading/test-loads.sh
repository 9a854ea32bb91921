#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading, a hundred times, while memory is short: nothing stays.
# And unloading again and again while the last items end.
#
# environment: LOADS (100)
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start loads

loads=${LOADS:-100}
# So many before the first look: what the kernel keeps is there by then.
first=$((loads / 4))
dir=/tmp/costack-loads
hold=/sys/module/costack_test_hog/parameters/hold
mkdir -p "$dir"
: >"$dir/refused"
# Most of an unload is waiting for grace periods.
echo 1 >/sys/kernel/rcu_expedited

# --- What is in use ----------------------------------------------------------

# kib NAME: of /proc/meminfo
kib()
{
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# What is free, with the pages that a CPU keeps for itself.
free_kib()
{
	awk '$1 == "nr_free_pages" { pages += $2 } $1 == "count:" { pages += $2 }
		END { print pages * 4 }' /proc/zoneinfo
}

# vmalloc: areas, and KiB in them. The stacks of threads are apart: how many threads there are is
# not up to costack, and those that have ended leave theirs to the next.
vmalloc()
{
	awk '
	/unpurged/ { next }
	{ kib = 0 }
	match($0, / pages=[0-9]+/) { kib = 4 * substr($0, RSTART + 7, RLENGTH - 7) }
	$3 ~ /^(kernel_clone|fork_idle|copy_process|dup_task_struct)[+]/ { stacks += kib; next }
	{ areas++; all += kib }
	END { printf "areas=%d vmalloc=%d stacks=%d\n", areas, all, stacks }' /proc/vmallocinfo
}

# measure: what is in use, as NAME=VALUE words
measure()
{
	echo 3 >/proc/sys/vm/drop_caches
	# RCU and workqueues free what they still have.
	sleep 1
	echo "$(vmalloc) slab=$(kib SUnreclaim) percpu=$(kib Percpu) tables=$(kib PageTables)" \
		"free=$(free_kib)"
}

# steady: what does not change by itself, of the input
steady()
{
	sed 's/ stacks=[0-9]*//; s/ slab=.*percpu/ percpu/; s/ tables=.*//'
}

# look FILE: measure until all has been freed that was to be, which is when two in succession are
# equal; at most a minute or two
look()
{
	local before='' now i=0
	now=$(measure)
	until [ "$(echo "$now" | steady)" = "$before" ] || [ $i -ge 60 ]; do
		i=$((i + 1))
		before=$(echo "$now" | steady)
		now=$(measure)
	done
	echo "$now" >"$1"
}

value()
{
	sed "s/.*\<$1=\([0-9]*\).*/\1/" "$2"
}

# no_more NAME MOST [FROM TO]: has it become that much more from look to look
no_more()
{
	local diff
	diff=$(($(value "$1" "$dir/${4:-last}") - $(value "$1" "$dir/${3:-first}")))
	[ $diff -le "$2" ] || { echo "$1: $diff from look to look, at most $2 expected"; return 1; }
}

# --- Again and again ---------------------------------------------------------

unload_but_hog()
{
	local module
	for module in costack_test_fixed costack_test costack; do
		! is_loaded $module || rmmod $module || return 1
	done
}

# load_times N: load, with what the self-test does, and unload; work now and then
load_times()
{
	local i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		insmod "$KO/costack.ko" adaptive_start=0 || return 1
		if [ $((i % 10)) -eq 0 ]; then
			insmod "$KO/costack_test.ko" && run deep 300 300 && run item-again 5 &&
				run parked 100 1 && rmmod costack_test || return 1
		fi
		rmmod costack || return 1
		printf . >>"$dir/done"
	done
}

# While memory is short, and look then, when it is not.
load_short_of_memory()
{
	local status
	echo 1 >"$hold" || return 1
	load_times "$1"
	status=$?
	echo 0 >"$hold"
	look "$2"
	return $status
}

again_and_again()
{
	unload_but_hog && load_short_of_memory "$first" "$dir/first" &&
		load_short_of_memory $((loads - first)) "$dir/last"
}

# From look to look: less than one page for each time that it was loaded, and for
# what is counted without noise, much less. Page tables of the kernel, which 7.3 counts too, stay
# when an area goes; but by the first look the areas have been at all addresses that they get.
little_stays()
{
	local n=$((loads - first)) status=0 stacks
	stacks=$(($(value stacks "$dir/last") - $(value stacks "$dir/first")))
	no_more areas $((n / 10)) || status=1
	no_more vmalloc $((n / 2)) || status=1
	no_more percpu $((n / 2)) || status=1
	no_more tables $((n * 2)) || status=1
	! free_is_a_measure || no_more slab $((n * 2)) || status=1
	! free_is_a_measure || no_more free $((n * 3 + stacks)) last first || status=1
	return $status
}

# What the machine has yet to free goes in the end, and what has leaked does not. The last are
# kworkers with nothing to do, which end after 300 s.
nothing_stays()
{
	local begin
	begin=$(date +%s)
	until little_stays >"$dir/stays"; do
		[ $(($(date +%s) - begin)) -lt 330 ] || { cat "$dir/stays"; return 1; }
		measure >"$dir/last"
	done
}

# While an item waits, the module cannot be unloaded.
refused_under_item()
{
	run item-start || return 1
	! rmmod costack_test 2>/dev/null || { echo "it could be unloaded"; return 1; }
	printf . >>"$dir/refused"
	run item-end
}

# rmmod again and again: refused as long as an item runs, and nothing else.
unload_when_free()
{
	local message
	until message=$(rmmod costack_test 2>&1); do
		case $message in
		*'emporarily unavailable'*) printf . >>"$dir/refused" ;;
		*) echo "rmmod: $message" && return 1 ;;
		esac
	done
}

# The module that queued items goes when the last has ended, and costack itself at
# once after that, while the workers that ran them may not have gone to sleep yet.
unload_under_items()
{
	local i
	unload_but_hog || return 1
	for i in $(seq $((loads / 10))); do
		insmod "$KO/costack.ko" adaptive_start=0 && insmod "$KO/costack_test.ko" &&
			refused_under_item && run item-leave $((i * 7 % 64 + 1)) &&
			unload_when_free &&
			is "items queued" $((i * 7 % 64 + 2)) "$(counter queued)" &&
			is "coroutines alive" 0 "$(counter live)" && rmmod costack || return 1
		printf . >>"$dir/done"
	done
}

mark_leaks
test_case again again_and_again
test_case nothing-stays nothing_stays
test_case under-items unload_under_items
unload
test_no_leak no-leak
load
figures loads="$(wc -c <"$dir/done")" unloads="$(wc -c <"$dir/done")" \
	unloads_refused="$(wc -c <"$dir/refused")"
echo "# first look: $(cat "$dir/first")"
echo "# last look:  $(cat "$dir/last")"

echo 0 >/sys/kernel/rcu_expedited
rm -rf "$dir"
finish
