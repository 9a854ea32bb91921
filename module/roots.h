/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roots: pointers into a coroutine stack from outside the stack.
 */
#ifndef _COSTACK_ROOTS_H
#define _COSTACK_ROOTS_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "copy.h"

/**
 * struct costack_record - a registration that is valid as long as a frame lives
 * @depth: bytes from the top of the stack down to the stack pointer of the function that
 *	registered it, at that call: no move changes this
 * @who: return address in that function
 * @next: the record registered before
 *
 * The frame is gone when less than @depth of the stack is in use; from then on nobody may
 * touch what the record refers to. As long as another function uses that much of the stack,
 * nobody notices that the frame is gone. So the memory that a record names, unless it is on
 * the stack, must outlive the record.
 *
 * The list is sorted, deepest first: the function that registers has the newest frame, and
 * deeper records are dropped at that time.
 */
struct costack_record {
	size_t			depth;
	unsigned long		who;
	struct costack_record	*next;
};

/**
 * struct costack_tracked - a pointer variable registered by costack_track()
 * @record: tells how long it is valid
 * @loc: address of the variable; a move rebases it if the variable lies on the stack
 */
struct costack_tracked {
	struct costack_record	record;
	void			**loc;
};

/**
 * struct costack_defer - a call registered by costack_defer() (Go's _defer)
 * @fn: function to call
 * @arg: its argument; a move rebases it, because it may be an address of the stack
 * @sp: stack pointer where the coroutine was switched out to register the call, so below
 *	the frame of the registering function; an abort runs @fn from there
 * @next: the call registered before, which runs after this one
 */
struct costack_defer {
	void			(*fn)(void *arg);
	void			*arg;
	unsigned long		sp;
	struct costack_defer	*next;
};

/**
 * struct costack_sudog - a wait for a channel or a lock (Go's sudog)
 * @elem: the value to send, or where to store the received value; a root, because it
 *	may lie on the coroutine's stack. The other side and a mover read and write it,
 *	both under *@lock. In a wait for a lock it is a small number, see locks.h.
 * @lock: the lock of the queue's owner; %NULL once the other side has taken the sudog off
 *	the queue. Set before the coroutine is WAITING; cleared under the lock.
 * @queue: link in the queue, under *@lock; on a queue exactly while @lock is set
 *
 * In a select, @lock is the lock of the select, and @queue is on no list but its own.
 */
struct costack_sudog {
	void			*elem;
	raw_spinlock_t		*lock;
	struct list_head	queue;
};

/**
 * struct costack_case - what waits on a channel for a select
 * @sudog: its @lock is the select's. So who finds it on the channel's queue sees that it is
 *	not that of a coroutine.
 * @chan_lock: lock of the channel; %NULL: the case has no channel
 * @odd: the channel's word of that name, which counts the cases on its queues
 * @index: which one of the select's cases it is
 * @queued: it is on the channel's queue; under *@chan_lock
 */
struct costack_case {
	struct costack_sudog	sudog;
	raw_spinlock_t		*chan_lock;
	unsigned int		*odd;
	u8			index;
	bool			queued;
};

/* In @odd of a channel: one case. The bits below are chan.h's. */
#define COSTACK_ODD_CASE	4U

/**
 * struct costack_select - a wait for the first of several channels (Go's selectgo)
 * @lock: decides who ends the wait: the first one that finds the coroutine's sudog still
 *	waiting. The others take their sudog off and go on. It also covers the values: who
 *	copies one, and a mover of the stack, hold it. Taken inside of a channel's lock.
 * @co: the coroutine
 * @nr: number of @cases
 * @chosen: the case that was served, once the wait has ended with the result of a channel
 * @cases: one for each case
 *
 * The sudogs are not in the array of cases on the stack, where Go has them: they are linked
 * with sudogs of others, and a mover would have to hold the locks of all their channels at
 * once. As it is, a mover takes @lock alone, and only the values are roots.
 */
struct costack_select {
	raw_spinlock_t		lock;
	struct costack		*co;
	unsigned int		nr;
	unsigned int		chosen;
	struct costack_case	cases[];
};

/**
 * struct costack_roots - the roots of one coroutine
 * @tracked: the first of struct costack_tracked, newest first
 * @defers: newest first
 * @sudog: the wait for a channel, while there is one
 *
 * Only the thread that runs the coroutine changes the lists, on the host stack and while
 * the coroutine is switched out. So growth never sees a half-changed list.
 */
struct costack_roots {
	struct costack_record	*tracked;
	struct costack_defer	*defers;
	struct costack_sudog	sudog;
};

/**
 * costack_record_dead() - is the frame that registered this gone
 * @record: the registration
 * @depth: bytes of the stack in use, at a safe point or at a fault
 *
 * Context: Any context, any stack.
 * Return: true if the frame is certainly gone.
 */
static inline bool costack_record_dead(const struct costack_record *record, size_t depth)
{
	return depth < record->depth;
}

/*
 * Append to and remove from a channel's queue, under the channel's lock. With DEBUG_LIST, which
 * distributions set, list_add_tail() and list_del() each call a check that takes longer than
 * all else here. @lock has told by then whether the sudog is on a queue, which is what that
 * check is about.
 */
static __always_inline void costack_sudog_append(struct costack_sudog *sudog,
						 struct list_head *queue)
{
	struct list_head *last = queue->prev;

	sudog->queue.next = queue;
	sudog->queue.prev = last;
	last->next = &sudog->queue;
	queue->prev = &sudog->queue;
}

static __always_inline void costack_sudog_remove(struct costack_sudog *sudog)
{
	__list_del(sudog->queue.prev, sudog->queue.next);
}

/* Take a case off its channel's queue, under the channel's lock. */
static inline void costack_case_remove(struct costack_case *c)
{
	costack_sudog_remove(&c->sudog);
	c->queued = false;
	*c->odd -= COSTACK_ODD_CASE;
}

/* The select that a case belongs to. */
static inline struct costack_select *costack_case_select(struct costack_case *c)
{
	return container_of(c - c->index, struct costack_select, cases[0]);
}

/* The select that a sudog of a coroutine waits in, or NULL. The wait must not end meanwhile. */
static inline struct costack_select *costack_sudog_select(struct costack_sudog *sudog)
{
	return sudog->lock && list_empty(&sudog->queue) ?
	       container_of(sudog->lock, struct costack_select, lock) : NULL;
}

int costack_roots_track(struct costack_roots *roots, void **loc, size_t depth, unsigned long who);
int costack_roots_untrack(struct costack_roots *roots, void **loc);
void costack_roots_drop(struct costack_roots *roots, size_t depth, bool late);
int costack_roots_defer(struct costack_roots *roots, void (*fn)(void *), void *arg,
			unsigned long sp);
void costack_roots_undefer(struct costack_roots *roots, void (*fn)(void *), void *arg);
bool costack_roots_pop(struct costack_roots *roots, struct costack_defer *defer);
size_t costack_roots_adjust(struct costack_roots *roots, const struct costack_range *range,
			    size_t depth);
void costack_roots_redirect(struct costack_roots *roots, const struct costack_range *range,
			    unsigned long lo, unsigned long hi);
void costack_roots_free(struct costack_roots *roots);
void costack_roots_copy_waiting(struct costack_roots *roots, void (*copy)(void *arg), void *arg);

/**
 * costack_roots_none() - is nothing registered
 * @roots: roots of a coroutine that is switched out
 *
 * A select has roots of its own: its sudog has an @elem for that reason.
 *
 * Context: Any context, any stack but the coroutine's.
 * Return: true if there is no root to adjust.
 */
static __always_inline bool costack_roots_none(const struct costack_roots *roots)
{
	return !((unsigned long)roots->tracked | (unsigned long)roots->defers |
		 (unsigned long)roots->sudog.elem);
}

/**
 * costack_roots_wait() - may the other side of a channel use the stack
 * @roots: as for costack_roots_copy()
 *
 * A coroutine enters the queue of a channel before it is WAITING: so if it is in none now, it
 * stays in none.
 *
 * Context: Process context.
 * Return: false if it is in no queue. Whoever took it off is done with the value.
 */
static __always_inline bool costack_roots_wait(const struct costack_roots *roots)
{
	/* Pairs with the release in chan.c. */
	return smp_load_acquire(&roots->sudog.lock);
}

/**
 * costack_roots_copy() - copy a stack while no other side of a channel uses it
 * @roots: roots of a coroutine that is switched out, in state COPYSTACK
 * @copy: copies the stack and adjusts the roots
 * @arg: its argument
 *
 * Context: Process context. @copy runs maybe under RCU and a raw spinlock.
 */
static __always_inline void costack_roots_copy(struct costack_roots *roots,
					       void (*copy)(void *arg), void *arg)
{
	if (likely(!costack_roots_wait(roots)))
		copy(arg);
	else
		costack_roots_copy_waiting(roots, copy, arg);
}

#endif /* _COSTACK_ROOTS_H */
