#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Real work of the kernel, begun at every place of the first page, on all CPUs,
# under a storm of timers and of interrupts between CPUs. Growth must have been
# seen in each of the contexts that matter: otherwise this has shown nothing.
#
# environment: SWEEP_STEP (bytes from one place to the next, 16), SWEEP_ROUNDS (1)
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start sweep

step=${SWEEP_STEP:-16}

# has_grown NAME NUMBER: the class was seen
has_grown()
{
	[ "$2" -ge 1 ] || { echo "no growth $1"; growths | sort -k 2 -n | tail -n 40; return 1; }
}

head -c 5000 /dev/urandom >/tmp/costack-sweep
note_growths

# The deeper some work goes, the more places see a growth. The number given for each kind of
# work is half of what each CPU of a stock kernel shows.
for policy in copy inplace; do
	knob policy $policy
	for work in hash:45 compress:45 sort:10 format:35 mutex:1 memory:20 timer:17 rcu:20 \
		tree:30 schedule:10; do
		least=$((${work#*:} * $(nproc) * 16 / step))
		for round in $(seq "${SWEEP_ROUNDS:-1}"); do
			test_case "${work%:*}.$policy.$round" counts "grown>=$least" -- \
				run "sweep-${work%:*}" "$step"
		done
	done
done

entry=$(growths_in "$in_entry")
schedule=$(growths_in "$in_schedule")
test_case grown-irqs-off has_grown 'with interrupts off' "$(counter grown_irqs_off)"
test_case grown-atomic has_grown 'in atomic context' "$(counter grown_atomic)"
test_case grown-interrupt-entry has_grown 'inside interrupt entry' "$entry"
test_case grown-schedule has_grown 'inside schedule()' "$schedule"
figures grown_in_interrupt_entry="$entry" grown_in_schedule="$schedule"

forget_growths
rm -f /tmp/costack-sweep
finish
