/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark module: rows by name, one number for each round.
 *
 * A row is run by writing "NAME [ROUNDS [COUNT]]" to /sys/kernel/costack/bench/run.
 * It runs in a kernel thread of its own, one round that is thrown away and then
 * ROUNDS more; ../result has "NAME COUNT FIRST SECOND ...". A round's number is what
 * COUNT operations took together, in ns. The reader divides and takes the median.
 */
#ifndef _COSTACK_BENCH_H
#define _COSTACK_BENCH_H

#include <linux/costack.h>
#include <linux/ktime.h>
#include <linux/types.h>

/**
 * struct bench_row - something to measure
 * @name: its name
 * @round: measures it once, with so many operations; a negative errno if it failed
 * @count: operations in a round, unless the writer says more
 * @once: a second round would find what the first has left: there is one only, and
 *	none that is thrown away
 */
struct bench_row {
	const char	*name;
	s64		(*round)(unsigned int count);
	unsigned int	count;
	bool		once;
};

/* The rows of each file; they end with an entry without a name. */
extern const struct bench_row bench_peer_rows[], bench_switch_rows[], bench_growth_rows[],
			      bench_irq_rows[], bench_memory_rows[], bench_crowd_rows[];

void bench_quiet(void);

/* Does nothing. Where profile.c listens, a new interval begins. */
static __always_inline void bench_mark(void)
{
	asm volatile("nopl 0x74736f63(%rax)");
}

/* The clock: guest instructions under -icount shift=0. */
static __always_inline s64 bench_now(void)
{
	bench_mark();
	return ktime_get_ns();
}

/* In irq_at.S. */
asmlinkage void bench_enable_at(unsigned long sp, u64 *when);

/* A function that does nothing and that the compiler cannot look into. */
int bench_empty(void *arg);

int bench_hold(bool on);
int bench_crowd(unsigned int count);

#endif /* _COSTACK_BENCH_H */
