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
 * struct costack_record - what is registered for as long as a frame lives
 * @depth: bytes from the top of the stack down to the stack pointer of the function that
 *	registered it, at that call: no move changes this
 * @who: return address in that function
 * @next: the one registered before
 *
 * The frame is gone when less than @depth of the stack is in use: then nothing may be
 * done any more to what the record is about. It may be missed as long as another function
 * uses as much of the stack; so the memory that a record names, other than the stack, has
 * to outlive the record.
 *
 * A list of them is sorted, the deepest first: whoever registers is the newest frame, and
 * what is deeper is dropped then.
 */
struct costack_record {
	size_t			depth;
	unsigned long		who;
	struct costack_record	*next;
};

/**
 * struct costack_tracked - a pointer variable registered by costack_track()
 * @record: its life
 * @loc: the variable; itself rebased when it lies on the stack
 */
struct costack_tracked {
	struct costack_record	record;
	void			**loc;
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
 * @tracked: the first of struct costack_tracked, newest first
 * @defers: newest first
 * @sudog: the wait for a channel, while there is one
 *
 * The lists are changed on the host stack by the thread that runs the coroutine, which is
 * switched out then: growth never sees a list half changed.
 */
struct costack_roots {
	struct costack_record	*tracked;
	struct costack_defer	*defers;
	struct costack_sudog	sudog;
};

/**
 * costack_record_dead() - has the frame that registered this gone
 * @record: what was registered
 * @depth: bytes of the stack in use: at a safe point, or where a fault came
 *
 * Context: Any context, any stack.
 * Return: true if it has for sure.
 */
static inline bool costack_record_dead(const struct costack_record *record, size_t depth)
{
	return depth < record->depth;
}

int costack_roots_track(struct costack_roots *roots, void **loc, size_t depth, unsigned long who);
int costack_roots_untrack(struct costack_roots *roots, void **loc);
void costack_roots_drop(struct costack_roots *roots, size_t depth, bool late);
int costack_roots_defer(struct costack_roots *roots, void (*fn)(void *), void *arg,
			unsigned long sp);
bool costack_roots_pop(struct costack_roots *roots, struct costack_defer *defer);
size_t costack_roots_adjust(struct costack_roots *roots, const struct costack_range *range,
			    size_t depth);
void costack_roots_free(struct costack_roots *roots);
void costack_roots_copy(struct costack_roots *roots, void (*copy)(void *arg), void *arg);

#endif /* _COSTACK_ROOTS_H */
