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

# measure: what is in use, as NAME=VALUE words
measure()
{
	echo 3 >/proc/sys/vm/drop_caches
	# RCU and workqueues free what they still have.
	sleep 1
	echo "areas=$(grep -vc unpurged /proc/vmallocinfo) vmalloc=$(kib VmallocUsed)" \
		"slab=$(kib SUnreclaim) percpu=$(kib Percpu) tables=$(kib PageTables)" \
		"free=$(free_kib)"
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
	measure >"$2"
	return $status
}

again_and_again()
{
	unload_but_hog && load_short_of_memory "$first" "$dir/first" &&
		load_short_of_memory $((loads - first)) "$dir/last"
}

# From look to look: less than one page for each time that it was loaded, and for
# what is counted without noise, much less.
little_stays()
{
	local n=$((loads - first)) status=0
	no_more areas $((n / 10)) || status=1
	no_more vmalloc $((n / 2)) || status=1
	no_more percpu $((n / 2)) || status=1
	no_more tables $((n * 2)) || status=1
	! free_is_a_measure || no_more slab $((n * 2)) || status=1
	! free_is_a_measure || no_more free $((n * 3)) last first || status=1
	return $status
}

# What the machine has yet to free goes in the end, and what has leaked does not.
nothing_stays()
{
	local i=0
	until little_stays >"$dir/stays"; do
		i=$((i + 1))
		[ $i -lt 60 ] || { cat "$dir/stays"; return 1; }
		measure >"$dir/last"
	done
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
			run item-leave $((i * 7 % 64 + 1)) && unload_when_free &&
			is "items queued" $((i * 7 % 64 + 1)) "$(counter queued)" &&
			is "coroutines alive" 0 "$(counter live)" && rmmod costack || return 1
		printf . >>"$dir/done"
	done
	[ -s "$dir/refused" ] || { echo "it was never refused"; return 1; }
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
