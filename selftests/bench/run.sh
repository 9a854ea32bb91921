#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash # that is: with local
#
# Runs the rows of costack_bench.ko, and prints what they gave: "# key value" about
# the machine, "NAME COUNT SAMPLE..." for each row, and "@NAME ROUNDS frames N bytes N words N"
# for the rows that copy: what all rounds walked and moved, including the one thrown away.
#
# usage: run.sh [all|quick|memory|crowd|first|ROW...]	(needs root)
# environment: KO, where the modules are (default: build/ beside selftests/);
#	PAGEFAULT, the page-fault program (none: no such row);
#	ROUNDS (9)

here=$(cd "$(dirname "$0")" && pwd)
KO=${KO:-$here/../../build}
root=/sys/kernel/costack
rounds=${ROUNDS:-9}
cpus=$(grep -c '^processor' /proc/cpuinfo)

quick='kthread_pingpong queue_flush queue_flush_8 kthread_run_stop empty_call memcpy_1k words_1k
	mutex_peer mutex mutex_handover_peer mutex_handover
	switch chan_roundtrip select2 call queue_wait spawn group_8 ensure_hit
	grow_inplace_8k grow_inplace_64k grow_copy_8k grow_copy_64k
	grow_copy_8k_large grow_copy_64k_large grow_copy_64k_pointers
	climb_inplace climb_copy climb_peer steady steady_peer grown_after_warmup
	irq_deliver irq_replay'

fail()
{
	echo "bench: $*" >&2
	exit 1
}

load()
{
	{ insmod "$KO/costack.ko" && insmod "$KO/costack_bench.ko"; } ||
		fail "the modules of $KO cannot be loaded"
}

unload()
{
	rmmod costack_bench costack || fail "the modules cannot be unloaded"
}

# Waits until nothing else runs: after boot the kernel tests its crypto in a thread of its
# own, and a preemptible kernel lets that thread take whole slices of a round.
settle()
{
	local tries=60 quiet=0 pause=/tmp/bench-pause running
	mkfifo $pause
	while [ $quiet -lt 2 ] && [ $tries -gt 0 ]; do
		# Start no process: the kernel clears up after a process in another thread.
		# shellcheck disable=SC3045 # busybox has it
		read -r -t 1 _ <>$pause
		read -r _ _ _ running _ </proc/loadavg
		case $running in
		1/*) quiet=$((quiet + 1)) ;;
		*) quiet=0 ;;
		esac
		tries=$((tries - 1))
	done
	rm $pause
	[ $quiet -eq 2 ] || echo "# busy other threads ran all the time"
}

# row NAME ROUNDS [COUNT]
row()
{
	case $1 in
	*_inplace*) echo inplace >$root/policy ;;
	*) echo copy >$root/policy ;;
	esac
	# Each round of these is to grow.
	case $1 in
	grow_* | climb_* | steady* | irq_*) echo 0 >$root/adaptive_start ;;
	*) echo 1 >$root/adaptive_start ;;
	esac
	echo "$*" >$root/bench/run || fail "$1 was not run"
	cat $root/bench/result
	echo copy >$root/policy
}

# Prints what the rounds of a row walked and copied, so that the report can split the cost.
counted()
{
	local frames bytes words
	frames=$(cat $root/stats/frames_walked)
	bytes=$(cat $root/stats/bytes_copied)
	words=$(cat $root/stats/words_rebased)
	row "$@"
	frames=$(($(cat $root/stats/frames_walked) - frames))
	bytes=$(($(cat $root/stats/bytes_copied) - bytes))
	words=$(($(cat $root/stats/words_rebased) - words))
	echo "@$1 $(($2 + 1)) frames $frames bytes $bytes words $words"
}

one_worker()
{
	local workers
	workers=$(cat $root/workers)
	echo 1 >$root/workers
	row "$@"
	echo "$workers" >$root/workers
}

# An item that is queued wakes one more worker, up to the knob. Where there is one
# CPU, that worker finds nothing left to do, and what its waking costs depends on
# what the scheduler thinks of both: by a factor of two, from round to round. So there
# the row has one worker; with the knob as it is, it is another row.
spawn()
{
	if [ "$cpus" -gt 1 ]; then
		row spawn "$rounds"
		return
	fi
	one_worker spawn "$rounds"
	row spawn "$rounds" | sed "s/^spawn/spawn_$(cat $root/workers)_workers/"
}

rows()
{
	local name
	for name in "$@"; do
		case $name in
		grow_copy_*) counted "$name" "$rounds" ;;
		spawn) spawn ;;
		group_8 | pack_all | wake_*) one_worker "$name" "$rounds" ;;
		*) row "$name" "$rounds" ;;
		esac
	done
}

pagefault_rows()
{
	[ -n "${PAGEFAULT:-}" ] || return 0
	"$PAGEFAULT" pagefault_without || fail "$PAGEFAULT failed"
	load
	echo 1 >$root/bench/hold
	"$PAGEFAULT" pagefault_with || fail "$PAGEFAULT failed"
	echo 0 >$root/bench/hold
	unload
}

# Loads costack anew each time: memory that it keeps for reuse would not be seen.
fresh_row()
{
	load
	row "$1" 1 ${2:+"$2"}
	unload
}

# Moves of frames that have not moved before.
first_rows()
{
	local name
	for name in grow_first_64k grow_first_64k_large; do
		fresh_row "$name"
	done
}

# What others cost while a crowd waits.
crowd_rows()
{
	local count name
	for count in 10 1000000; do
		name=$(echo $count | sed 's/000000$/m/')
		load
		echo 1 >$root/workers
		echo $count >$root/bench/crowd || fail "no crowd of $count"
		row spawn "$rounds" | sed "s/^spawn/spawn_at_$name/"
		row switch "$rounds" | sed "s/^switch/switch_at_$name/"
		row wake_all 1 $count | sed "s/^wake_all/wake_all_$name/"
		unload
	done
	fresh_row bytes_packed 1000000 | sed "s/^bytes_packed/bytes_packed_1m/"
}

# The row is that of the full number, which has several rounds; the others show how the use
# of memory grows.
memory_rows()
{
	local count
	for count in 1000 2500 5000 7500 10000 10000 10000 10000 10000; do
		fresh_row bytes_parked $count
		fresh_row bytes_packed $count
		fresh_row bytes_kthread $count
	done
}

[ "$(id -u)" -eq 0 ] || fail "needs root: it loads modules"
[ ! -d /sys/module/costack ] || fail "costack is loaded already: unload it first"

echo "# kernel $(uname -r)"
echo "# cpu $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
echo "# cpus $cpus"
echo "# clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
settle

case ${1:-all} in
all)
	pagefault_rows
	load
	# shellcheck disable=SC2046 # one word a row
	rows $(grep -v '^bytes_\|^grow_first_\|^wake_all' $root/bench/rows)
	unload
	first_rows
	memory_rows
	crowd_rows
	;;
memory) memory_rows ;;
crowd) crowd_rows ;;
first) first_rows ;;
quick)
	load
	# shellcheck disable=SC2086 # one word a row
	rows $quick
	unload
	;;
*)
	load
	rows "$@"
	unload
	;;
esac
echo "# end"
