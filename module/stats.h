/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters, and the knobs that an administrator sets.
 */
#ifndef _COSTACK_STATS_H
#define _COSTACK_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

/*
 * Counters in the order of their files in stats/; most only go up. Each CPU has its own.
 * The handler of a fault may count as well: once it knows that the fault is on a coroutine
 * stack, the per-CPU base is the kernel's, as only kernel threads run on such a stack.
 */
enum costack_stat {
	COSTACK_STAT_CALLS,
	COSTACK_STAT_STARTED_LARGER,
	COSTACK_STAT_FAULTS,
	COSTACK_STAT_GROWN_IN_PLACE,
	COSTACK_STAT_GROWN_BY_COPY,
	COSTACK_STAT_GROWN_IRQS_OFF,
	COSTACK_STAT_GROWN_ATOMIC,
	COSTACK_STAT_BYTES_COPIED,
	COSTACK_STAT_WORDS_REBASED,
	COSTACK_STAT_FRAMES_WALKED,
	COSTACK_STAT_MOVES_REFUSED,
	COSTACK_STAT_SCANS,
	COSTACK_STAT_SCANS_MAPPED,
	COSTACK_STAT_SCANS_DOUBT_STACK,	/* this and the next three: as in enum costack_doubt */
	COSTACK_STAT_SCANS_DOUBT_TEXT,
	COSTACK_STAT_SCANS_DOUBT_POINT,
	COSTACK_STAT_SCANS_DOUBT_NUMBER,
	COSTACK_STAT_SCANS_CAREFUL,
	COSTACK_STAT_SCANS_WRONG,
	COSTACK_STAT_MOVES_FORCED,
	COSTACK_STAT_INTERRUPTS_REPLAYED,
	COSTACK_STAT_REFAULTS,
	COSTACK_STAT_SHRUNK,
	COSTACK_STAT_BYTES_SHRUNK,
	COSTACK_STAT_PACKED,
	COSTACK_STAT_PACKS_REFUSED,
	COSTACK_STAT_STUCK,
	COSTACK_STAT_QUEUED,
	COSTACK_STAT_PARKS,
	COSTACK_STAT_HANDOVERS,
	COSTACK_STAT_RETAKEN,
	COSTACK_STAT_STOLEN,
	COSTACK_STAT_RUNNER_LOCKS,
	COSTACK_STAT_SHRINK_NS,
	COSTACK_STAT_OVERFLOWS,
	COSTACK_STAT_ABORTS,
	COSTACK_STAT_WORKERS_DIED,
	COSTACK_STAT_DEEPEST,		/* bytes; a maximum over all CPUs */
	COSTACK_STAT_LIVE,		/* this and the next two go up and down, on any CPU */
	COSTACK_STAT_PACKED_NOW,
	COSTACK_STAT_RUNNERS,
	COSTACK_NR_STATS
};

DECLARE_PER_CPU(long [COSTACK_NR_STATS], costack_stats);
extern const char * const costack_stat_names[COSTACK_NR_STATS];

static __always_inline void costack_stat_add(enum costack_stat stat, long n)
{
	this_cpu_add(costack_stats[stat], n);
}

static __always_inline void costack_stat_inc(enum costack_stat stat)
{
	costack_stat_add(stat, 1);
}

void costack_stat_deepest(long bytes);
long costack_stat_read(enum costack_stat stat);
void costack_stats_reset(void);

enum costack_policy {
	COSTACK_POLICY_COPY,
	COSTACK_POLICY_INPLACE,
};

/* How to decide whether a stack may be moved; BOTH is as ORC, and a scan is compared. */
enum costack_verify {
	COSTACK_VERIFY_ORC,
	COSTACK_VERIFY_BOTH,
	COSTACK_VERIFY_SCAN,
};

/**
 * struct costack_knobs - what /sys/kernel/costack/ sets
 * @policy: how to grow a stack that may be moved
 * @verify: how to decide whether a stack may be moved
 * @stack_min: initial size of a stack in pages, unless the attributes set one
 * @stack_max: maximal size of a stack in pages
 * @adaptive_start: start with the size that the function has needed before
 * @poison: fill stacks with 0xfd, 0xfb, 0xfc around a move
 * @force_move: move at each call that goes to the host stack
 * @force_pack: pack each work item at each park, as if it had COSTACK_PACK
 * @max_items: how many items a module may have; 0: as many as there is memory for
 * @pack_after: seconds after which a parked stack is packed; 0: never
 * @stuck_after: seconds after which a parked coroutine is reported; 0: never
 * @trace_held: print the call in which a function is first seen to hold its worker
 * @unmap: unmap the stack that a move at a safe point has left
 * @workers: kworkers that run coroutines, from 1 to COSTACK_MAX_WORKERS; more may run
 *	while some of them are held up
 * @shrink_gen: goes up with each call to shrink
 * @force_gen: goes up when @force_move is set
 *
 * A knob may change at any time; code reads it once where its value matters. A coroutine
 * that exists already keeps its limit.
 */
struct costack_knobs {
	enum costack_policy	policy;
	enum costack_verify	verify;
	unsigned int		stack_min;
	unsigned int		stack_max;
	bool			adaptive_start;
	bool			poison;
	bool			force_move;
	bool			force_pack;
	bool			unmap;
	bool			trace_held;
	unsigned int		max_items;
	unsigned int		pack_after;
	unsigned int		stuck_after;
	unsigned int		workers;
	u16			shrink_gen;
	unsigned int		force_gen;
};

extern struct costack_knobs costack_knobs;

#endif /* _COSTACK_STATS_H */
