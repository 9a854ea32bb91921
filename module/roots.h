/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roots: what points into a coroutine stack from outside of it.
 */
#ifndef _COSTACK_ROOTS_H
#define _COSTACK_ROOTS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "copy.h"

struct costack;

/**
 * struct costack_tracked - a pointer variable registered by costack_track()
 * @loc: the variable; itself rebased when it lies on the stack
 * @next: the one registered before
 */
struct costack_tracked {
	void			**loc;
	struct costack_tracked	*next;
};

/**
 * struct costack_defer - a call registered by costack_defer() (Go's _defer)
 * @fn: what to call
 * @arg: its argument; rebased, as it may be an address of the stack
 * @sp: where the coroutine was switched out to register it, so below the frame of
 *	the registering function; an abort runs @fn from there
 * @next: the one registered before, so the one to run after
 */
struct costack_defer {
	void			(*fn)(void *arg);
	void			*arg;
	unsigned long		sp;
	struct costack_defer	*next;
};

/**
 * struct costack_sudog - a wait for a channel (Go's sudog)
 * @elem: what is sent, or where to receive to; a root, as it may lie on the
 *	coroutine's stack. Read and written by the other side and by a mover, both
 *	under *@lock.
 * @lock: the channel's lock; %NULL once the other side has taken the sudog off
 *	the queue. Set before the coroutine is WAITING; cleared under the lock.
 * @co: who waits
 * @queue: link in the channel's queue of senders or receivers, under *@lock
 * @ret: how it ended; written by the other side before the wake-up
 */
struct costack_sudog {
	void			*elem;
	raw_spinlock_t		*lock;
	struct costack		*co;
	struct list_head	queue;
	int			ret;
};

/**
 * struct costack_roots - the roots of one coroutine
 * @tracked: newest first
 * @defers: newest first
 * @sudog: the wait for a channel, while there is one
 *
 * The lists are changed on the host stack by the thread that runs the coroutine, which is
 * switched out then: growth never sees a list half changed.
 */
struct costack_roots {
	struct costack_tracked	*tracked;
	struct costack_defer	*defers;
	struct costack_sudog	sudog;
};

int costack_roots_track(struct costack_roots *roots, void **loc);
int costack_roots_untrack(struct costack_roots *roots, void **loc);
int costack_roots_defer(struct costack_roots *roots, void (*fn)(void *), void *arg,
			unsigned long sp);
bool costack_roots_pop(struct costack_roots *roots, struct costack_defer *defer);
size_t costack_roots_adjust(struct costack_roots *roots, const struct costack_range *range);
void costack_roots_free(struct costack_roots *roots);
void costack_roots_copy(struct costack_roots *roots, void (*copy)(void *arg), void *arg);

#endif /* _COSTACK_ROOTS_H */
