#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The guest's part of the demonstration: hashes a tree in every combination of
# how stacks grow and from which stack the kernel is called, then a larger tree with
# a coroutine for each directory, then has 200,000 coroutines wait, then makes requests that
# must be refused. It prints what it does; lines with "@" are for scripts/demo.sh:
#
#   @MODE.POLICY+CALLS.KEY=VALUE	what a run gave: files of demo/, and by how
#					much each counter went up
#   @crowd.KEY=VALUE			bytes of memory for each that waits, and so on
#   @check=ok|FAILED TEXT
#
# usage: demo-guest.sh TREE JOBS FOREST	(in the VM, as /files/demo-guest.sh)

tree=$1 jobs=$2 forest=$3
costack=/sys/kernel/costack
demo=$costack/demo
counters="calls faults grown_in_place grown_by_copy grown_irqs_off frames_walked
words_rebased bytes_copied moves_refused interrupts_replayed parks"
figures="result files links dirs bytes depth stack_deepest msecs coroutines threads
alive_most waiting_most stack_most"

die()
{
	echo "demo-guest.sh: $*"
	exit 1
}

put()
{
	echo "$2" >"$1" || die "cannot write $2 to $1"
}

wait_end()
{
	while read -r status <$demo/status && [ "$status" = running ]; do
		sleep 0.1
	done
}

# --- The runs ----------------------------------------------------------------

# run POLICY CALLS MODE
run()
{
	local name=$3.$1+$2 key value old_stats
	echo "$3, policy $1, kernel calls $2 ..."
	put $demo/mode "$3"
	put $costack/policy "$1"
	put $demo/kernel_calls "$2"
	# shellcheck disable=SC2086 # a list of names
	old_stats=$(cd $costack/stats && grep . $counters)
	put $demo/start 1
	wait_end
	echo "$old_stats" | while IFS=: read -r key value; do
		echo "@$name.$key=$(($(cat "$costack/stats/$key") - value))"
	done
	for key in $figures; do
		echo "@$name.$key=$(cat "$demo/$key")"
	done
	echo "@$name.status=$status"
	echo "  $status after $(cat $demo/msecs) ms"
}

# --- A crowd -----------------------------------------------------------------

few=20000 many=200000

# What is free, with the pages that a CPU keeps for itself.
free_bytes()
{
	awk '$1 == "nr_free_pages" { pages += $2 } $1 == "count:" { pages += $2 }
		END { print pages * 4096 }' /proc/zoneinfo
}

now()
{
	cut -d ' ' -f 1 /proc/uptime
}

# gather NUMBER COUNTER: have so many wait, until COUNTER says that they do
gather()
{
	local tries=600 count=$costack/stats/$2
	put $demo/crowd "$1"
	while [ "$(cat "$count")" -lt "$1" ]; do
		[ $((tries -= 1)) -gt 0 ] || die "$2: $(cat "$count"), not $1"
		sleep 0.1
	done
}

# All figures are from the same beginning: what the few leave behind counts for the many.
crowd()
{
	local before
	echo "$few coroutines wait ..."
	before=$(free_bytes)
	gather $few parked
	echo "@crowd.stack_bytes=$(((before - $(free_bytes)) / few))"
	put $demo/crowd 0
	echo "@crowd.few_lost=$(cat $demo/crowd_lost)"
	echo "$many coroutines wait, packed ..."
	put $costack/force_pack 1
	echo "@crowd.begin=$(now)"
	gather $many packed_now
	echo "@crowd.packed=$(now)"
	echo "@crowd.packed_bytes=$(((before - $(free_bytes)) / many))"
	put $costack/force_pack 0
	echo "  and are woken"
	put $demo/crowd 0
	echo "@crowd.woken=$(now)"
	echo "@crowd.lost=$(cat $demo/crowd_lost)"
}

# --- Requests that must be refused -------------------------------------------

report()
{
	local what=$1
	shift
	if "$@"; then
		echo "@check=ok $what"
	else
		echo "@check=FAILED $what"
	fi
}

# status_is WANTED: the run ended with this status and left nothing behind.
status_is()
{
	[ "$status" = "$1" ] && [ "$(cat $costack/stats/live)" = 0 ] && return
	echo "  status is: $status, live: $(cat $costack/stats/live)"
	return 1
}

# start_fails WHAT PATH STATUS
start_fails()
{
	[ -z "$2" ] || put $demo/path "$2"
	put $demo/start 1
	wait_end
	report "$1" status_is "error: $3"
}

# refused FILE VALUE ERROR
refused()
{
	local old='' said
	[ "$1" = start ] || old=$(cat "$demo/$1")
	said=$( (echo "$2" >"$demo/$1") 2>&1) && return 1
	case $said in
	*"$3"*) ;;
	*) echo "  $said"; return 1 ;;
	esac
	[ "$1" = start ] || [ "$(cat "$demo/$1")" = "$old" ]
}

check_values()
{
	report "kernel_calls refuses an unknown word" refused kernel_calls sideways "Invalid argument"
	report "mode refuses an unknown word" refused mode spiral "Invalid argument"
	report "jobs refuses 0" refused jobs 0 "Invalid argument"
	report "jobs refuses 17" refused jobs 17 "Invalid argument"
	report "path refuses a relative path" refused path tmp/x "Invalid argument"
	report "path refuses an empty path" refused path "" "Invalid argument"
	report "start refuses 2" refused start 2 "Invalid argument"
	report "crowd refuses -1" refused crowd -1 "Invalid argument"
}

# The coroutines of many directories meet the fifo and the mount.
make_odd_trees()
{
	local i
	echo x >/tmp/file
	mkdir /tmp/mnt
	mount -t tmpfs demo /tmp/mnt
	mkdir -p /tmp/mnt/odd/a/b "/tmp/mnt/deep$(printf '/d%.0s' $(seq 1000))"
	mkfifo /tmp/mnt/odd/a/b/fifo
	for i in $(seq 200); do
		mkdir -p "/tmp/mnt/odd/$i/x/y" "/tmp/dirs/$i/x/y"
	done
}

# check_odd_trees CALLS HOW
check_odd_trees()
{
	put $demo/kernel_calls "$1"
	start_fails "a fifo below the path, $2" /tmp/mnt/odd/ \
		"/tmp/mnt/odd/a/b/fifo: neither a file nor a directory nor a symbolic link (-95)"
	start_fails "a mount below the path, $2" /tmp \
		"/tmp/mnt: another file system is mounted there (-18)"
	put $demo/path /tmp/mnt/deep
	put $demo/start 1
	wait_end
}

check_trees()
{
	local calls
	make_odd_trees
	start_fails "a path that is no directory" /tmp/file "/tmp/file: not a directory (-20)"
	start_fails "a path that does not exist" /tmp/none \
		"/tmp/none: no such file or directory (-2)"
	for calls in host direct; do
		put $demo/mode recursive
		check_odd_trees $calls $calls
		report "a tree that is too deep, $calls" \
			status_matches "error: *d/d/d: too deep for the stack (-75)"
		put $demo/mode fanout
		check_odd_trees $calls "fanout, $calls"
		report "a tree that is not too deep, fanout, $calls" status_is "done"
	done
	report "the file system can be unmounted" umount /tmp/mnt
	put $demo/mode recursive
}

status_matches()
{
	# shellcheck disable=SC2254 # a pattern
	case $status in
	$1) [ "$(cat $costack/stats/live)" = 0 ] && return ;;
	esac
	status_is "$1"
}

# Unload the module half-way, when most coroutines are queued or parked.
check_fanout_unload()
{
	local tries=100
	put $demo/path "$forest"
	put $demo/mode fanout
	put $demo/start 1
	while [ "$(cat $costack/stats/parked)" -lt 500 ] && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.05
	done
	report "fan-out under way" [ $tries -gt 0 ]
	report "unload while fanning out" rmmod costack_demo
	report "nothing is left behind, fanout" [ "$(cat $costack/stats/live)" = 0 ]
	report "load again" insmod "$KO/costack_demo.ko"
}

check_unload()
{
	put $demo/path "$tree"
	put $demo/start 1
	report "start while running" refused start 1 "resource busy"
	report "unload while running" rmmod costack_demo
	report "nothing is left behind" [ "$(cat $costack/stats/live)" = 0 ]
	report "unload costack" rmmod costack
}

# Each run is to grow, whatever the runs before it have needed.
insmod "$KO/costack.ko" adaptive_start=0 || die "cannot load costack.ko"
insmod "$KO/costack_demo.ko" || die "cannot load costack_demo.ko"
echo "Linux $(uname -r), modules are loaded"

start_fails "no path set" "" "path: not set (-61)"
put $demo/path "$tree"
put $demo/jobs "$jobs"
for policy in copy inplace; do
	for calls in host direct; do
		run $policy $calls recursive
	done
done
put $demo/path "$forest"
put $demo/jobs 1
run copy host fanout
run inplace direct fanout
put $costack/policy copy
crowd
echo "asking for what cannot be done ..."
check_values
check_trees
check_fanout_unload
check_unload
echo "done"
