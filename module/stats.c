// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and knobs: the data that every layer reads and none owns.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>

#include "arena.h"
#include "stats.h"

atomic_long_t costack_stats[COSTACK_NR_STATS];

const char * const costack_stat_names[COSTACK_NR_STATS] = {
	[COSTACK_STAT_CALLS]			= "calls",
	[COSTACK_STAT_FAULTS]			= "faults",
	[COSTACK_STAT_GROWN_IN_PLACE]		= "grown_in_place",
	[COSTACK_STAT_GROWN_BY_COPY]		= "grown_by_copy",
	[COSTACK_STAT_GROWN_IRQS_OFF]		= "grown_irqs_off",
	[COSTACK_STAT_GROWN_ATOMIC]		= "grown_atomic",
	[COSTACK_STAT_BYTES_COPIED]		= "bytes_copied",
	[COSTACK_STAT_WORDS_REBASED]		= "words_rebased",
	[COSTACK_STAT_FRAMES_WALKED]		= "frames_walked",
	[COSTACK_STAT_MOVES_REFUSED]		= "moves_refused",
	[COSTACK_STAT_MOVES_FORCED]		= "moves_forced",
	[COSTACK_STAT_INTERRUPTS_REPLAYED]	= "interrupts_replayed",
	[COSTACK_STAT_REFAULTS]			= "refaults",
	[COSTACK_STAT_SHRUNK]			= "shrunk",
	[COSTACK_STAT_BYTES_SHRUNK]		= "bytes_shrunk",
	[COSTACK_STAT_QUEUED]			= "queued",
	[COSTACK_STAT_PARKS]			= "parks",
	[COSTACK_STAT_SHRINK_NS]		= "shrink_ns",
	[COSTACK_STAT_OVERFLOWS]		= "overflows",
	[COSTACK_STAT_ABORTS]			= "aborts",
	[COSTACK_STAT_DEEPEST]			= "deepest",
	[COSTACK_STAT_LIVE]			= "live",
	[COSTACK_STAT_RUNNERS]			= "runners",
};

struct costack_knobs costack_knobs = {
	.policy		= COSTACK_POLICY_COPY,
	.stack_min	= 1,
	.stack_max	= COSTACK_MAX_PAGES,
};

/**
 * costack_stat_max() - raise a maximum
 * @stat: which
 * @value: kept if it is larger than what is there
 *
 * Context: Any context, any stack.
 */
void costack_stat_max(enum costack_stat stat, long value)
{
	long old = atomic_long_read(&costack_stats[stat]);

	while (old < value && !atomic_long_try_cmpxchg(&costack_stats[stat], &old, value))
		;
}
