// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and knobs: the data that every layer reads and none owns.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "coroutine.h"
#include "stats.h"

DEFINE_PER_CPU(long [COSTACK_NR_STATS], costack_stats);
static atomic_long_t deepest;

const char * const costack_stat_names[COSTACK_NR_STATS] = {
	[COSTACK_STAT_CALLS]			= "calls",
	[COSTACK_STAT_STARTED_LARGER]		= "started_larger",
	[COSTACK_STAT_FAULTS]			= "faults",
	[COSTACK_STAT_GROWN_IN_PLACE]		= "grown_in_place",
	[COSTACK_STAT_GROWN_BY_COPY]		= "grown_by_copy",
	[COSTACK_STAT_GROWN_IRQS_OFF]		= "grown_irqs_off",
	[COSTACK_STAT_GROWN_ATOMIC]		= "grown_atomic",
	[COSTACK_STAT_BYTES_COPIED]		= "bytes_copied",
	[COSTACK_STAT_WORDS_REBASED]		= "words_rebased",
	[COSTACK_STAT_FRAMES_WALKED]		= "frames_walked",
	[COSTACK_STAT_MOVES_REFUSED]		= "moves_refused",
	[COSTACK_STAT_SCANS]			= "scans",
	[COSTACK_STAT_SCANS_MAPPED]		= "scans_mapped",
	[COSTACK_STAT_SCANS_DOUBT_STACK]	= "scans_doubt_stack",
	[COSTACK_STAT_SCANS_DOUBT_TEXT]		= "scans_doubt_text",
	[COSTACK_STAT_SCANS_DOUBT_POINT]	= "scans_doubt_point",
	[COSTACK_STAT_SCANS_DOUBT_NUMBER]	= "scans_doubt_number",
	[COSTACK_STAT_SCANS_CAREFUL]		= "scans_careful",
	[COSTACK_STAT_SCANS_WRONG]		= "scans_wrong",
	[COSTACK_STAT_MOVES_FORCED]		= "moves_forced",
	[COSTACK_STAT_INTERRUPTS_REPLAYED]	= "interrupts_replayed",
	[COSTACK_STAT_REFAULTS]			= "refaults",
	[COSTACK_STAT_SHRUNK]			= "shrunk",
	[COSTACK_STAT_BYTES_SHRUNK]		= "bytes_shrunk",
	[COSTACK_STAT_PACKED]			= "packed",
	[COSTACK_STAT_PACKS_REFUSED]		= "packs_refused",
	[COSTACK_STAT_STUCK]			= "stuck",
	[COSTACK_STAT_QUEUED]			= "queued",
	[COSTACK_STAT_PARKS]			= "parks",
	[COSTACK_STAT_HANDOVERS]		= "handovers",
	[COSTACK_STAT_RETAKEN]			= "retaken",
	[COSTACK_STAT_STOLEN]			= "stolen",
	[COSTACK_STAT_RUNNER_LOCKS]		= "runner_locks",
	[COSTACK_STAT_SHRINK_NS]		= "shrink_ns",
	[COSTACK_STAT_OVERFLOWS]		= "overflows",
	[COSTACK_STAT_ABORTS]			= "aborts",
	[COSTACK_STAT_WORKERS_DIED]		= "workers_died",
	[COSTACK_STAT_DEEPEST]			= "deepest",
	[COSTACK_STAT_LIVE]			= "live",
	[COSTACK_STAT_PACKED_NOW]		= "packed_now",
	[COSTACK_STAT_RUNNERS]			= "runners",
};

struct costack_knobs costack_knobs = {
	.policy		= COSTACK_POLICY_COPY,
	.stack_min	= 1,
	.stack_max	= COSTACK_MAX_PAGES,
	.adaptive_start	= true,
};

/**
 * costack_stat_deepest() - raise the maximum of bytes used of any stack
 * @bytes: the new maximum, if it is larger than the old one
 *
 * Context: Any context, any stack.
 */
void costack_stat_deepest(long bytes)
{
	long old = atomic_long_read(&deepest);

	while (old < bytes && !atomic_long_try_cmpxchg(&deepest, &old, bytes))
		;
}

/**
 * costack_stat_read() - read a counter
 * @stat: which
 *
 * Context: Any. The CPUs are read one after the other, so the figure may be outdated.
 * Return: the sum over all CPUs, or the maximum.
 */
long costack_stat_read(enum costack_stat stat)
{
	long sum = 0;
	int cpu;

	if (stat == COSTACK_STAT_DEEPEST)
		return atomic_long_read(&deepest);
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(costack_stats, cpu)[stat]);
	/* If one CPU adds and then another subtracts, the loop may see only the latter. */
	return max(sum, 0L);
}

/**
 * costack_stats_reset() - set all counters to 0
 *
 * Context: Process context; nothing is counted meanwhile.
 */
void costack_stats_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu(costack_stats, cpu), 0, sizeof(costack_stats));
	atomic_long_set(&deepest, 0);
}
