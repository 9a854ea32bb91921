#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who runs a coroutine: other threads and CPUs, in turn, and nobody starves.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start resume

tracing=/sys/kernel/tracing
event=$tracing/events/workqueue/workqueue_queue_work

# no_trips MAX COMMAND...: run COMMAND; costack queues so many workers at most, and some
# for each coroutine that the watch has taken from a worker
no_trips()
{
	local max="$1" retaken status trips
	shift
	retaken=$(counter retaken)
	echo >"$tracing/trace"
	echo 1 >"$event/enable"
	"$@"
	status=$?
	echo 0 >"$event/enable"
	[ $status -eq 0 ] || return $status
	trips=$(grep -c 'workqueue=costack ' "$tracing/trace")
	max=$((max + 4 * ($(counter retaken) - retaken)))
	# There is at least the first trip, unless tracing did not work.
	[ "$trips" -lt 1 ] || [ "$trips" -gt "$max" ] || return 0
	echo "expected 1 to $max trips through the workqueue, got $trips"
	return 1
}

# Does the host stack look after each park?
moves_at_parks()
{
	[ "$(cat "$root/force_move")$(cat "$root/force_pack")" != 00 ]
}

# hands_over LEAST COMMAND...: run COMMAND; so many switches leave out the host stack,
# or none where it has to look after each of them
hands_over()
{
	local wanted="handovers>=$1"
	shift
	! moves_at_parks || wanted=handovers=0
	counts "$wanted" -- "$@"
}

workers=$(cat $root/workers)
# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	test_case "migrate.$policy" run migrate 32 200
	test_case "hand-over-edge.$policy" hands_over 30 run handover-edge 8 200
	test_case "hand-over-limit.$policy" run handover-limit 8 0
	test_case "hand-over-limit-storm.$policy" run handover-limit 8 200
	test_case "hand-over-ring.$policy" hands_over 1500 run handover-ring 7 300
	test_case "hand-over-cancel.$policy" hands_over 600 run handover-cancel 60
done
# Others would like to help. Each hand-over could be a trip. Where a park moves the stack it
# takes so long that the other one's wake-up may come first: then each goes on in a worker of
# its own, which is no hand-over.
moves_at_parks || test_case hand-over hands_over 5000 no_trips 20 run hand-over 5000
i=0
for how in irq softirq softirqs-off; do
	test_case interrupted.$how run interrupted $i
	i=$((i + 1))
done
test_case hold-sleep run hold-sleep
test_case hold-mutex run hold-mutex
test_case hold-compute run hold-compute
# One worker, and more only for one that sleeps.
knob workers 1
test_case hold-sleep.1 run hold-sleep
test_case hold-mutex.1 run hold-mutex
test_case fair-yield run fair-yield 8 2000
# The lock is for workers that begin or end, and for those that help one held up, which a busy
# machine may do to each after some hundred yields. A lock for each yield would be forty times what
# is allowed.
yields=20000
[ -z "$including" ] || yields=2000
test_case no-shared-lock counts "runner_locks<=$((yields / 5))" -- run fair-yield 8 $yields
test_case fair-hand-over run fair-hand-over
test_case hold-all.1 run hold-all
knob workers 64
test_case hold-all.64 run hold-all
knob workers "$workers"

finish
