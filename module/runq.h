/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run queues: where runnable coroutines wait for a runner.
 */
#ifndef _COSTACK_RUNQ_H
#define _COSTACK_RUNQ_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct costack;

/* A thief takes no more than this at a time: the owner waits for the lock meanwhile. */
#define COSTACK_STEAL_MAX	64U

/**
 * struct costack_runq - the run queue of one CPU (Go's local run queue of a P)
 * @lock: covers the whole structure. Raw and taken with interrupts off, as it is taken in
 *	any context, hard interrupts included. Nobody holds two of these locks.
 * @head: first in, first out
 * @tail: where to link the next one
 * @nr: coroutines in the queue; read without the lock by those who look for work
 * @taken: coroutines taken so far; the watch reads it without the lock
 */
struct costack_runq {
	raw_spinlock_t	lock;
	struct costack	*head;
	struct costack	**tail;
	unsigned int	nr;
	unsigned long	taken;
} ____cacheline_aligned_in_smp;

void costack_runq_push(struct costack_runq *runq, struct costack *co);
struct costack *costack_runq_pop(struct costack_runq *runq);
struct costack *costack_runq_steal(struct costack_runq *from, struct costack_runq *to);
void costack_runq_init(struct costack_runq *runq);

#endif /* _COSTACK_RUNQ_H */
