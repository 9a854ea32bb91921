/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The waits that a coroutine is in.
 */
#ifndef _COSTACK_WAITER_H
#define _COSTACK_WAITER_H

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "coroutine.h"

/*
 * States of a wait. The waiter arms the wait when it parks. When it continues, it reads
 * the state and sets it to COSTACK_WAIT_OPEN again. A wake-up and the timeout race for the
 * state: the first one changes it, and unparks the waiter if the wait was armed; the other
 * one does nothing.
 */
enum {
	COSTACK_WAIT_OPEN,
	COSTACK_WAIT_ARMED,
	COSTACK_WAIT_EVENT,
	COSTACK_WAIT_TIMEOUT,
};

/**
 * struct costack_waiter - a wait for a wait queue, until its condition is true; or for time
 * @entry: on the queue; its private member is the coroutine
 * @wq: the queue that @entry is on; %NULL: on none, or on none any more
 * @outer: the wait whose condition contains this one, or %NULL
 * @state: decides what ends the wait, see above
 * @timed: it is part of a struct costack_timed_waiter
 * @selects: that is part of a struct costack_select_waiter
 * @pins: @wq lies on the coroutine's own stack, which is pinned for the wait
 * @told: what a called coroutine knew of kthread_stop() and kthread_park() when it last began to
 *	check the condition. What it has been told since, by a wait in the condition, may have
 *	come after the check: it is told once more when it parks in this wait.
 */
struct costack_waiter {
	struct wait_queue_entry	entry;
	struct wait_queue_head	*wq;
	struct costack_waiter	*outer;
	atomic_t		state;
	bool			timed;
	bool			selects;
	bool			pins;
	u8			told;
};

/**
 * struct costack_timed_waiter - a wait that may end at a time
 * @waiter: the wait
 * @timer: ends it
 */
struct costack_timed_waiter {
	struct costack_waiter	waiter;
	struct timer_list	timer;
};

/**
 * struct costack_select_waiter - a wait for the first of several channels
 * @timed: the wait; it has no queue
 * @select: the sudogs on the channels' queues
 */
struct costack_select_waiter {
	struct costack_timed_waiter	timed;
	struct costack_select		select;
};

/* They are freed alike. */
static_assert(!offsetof(struct costack_timed_waiter, waiter) &&
	      !offsetof(struct costack_select_waiter, timed));

/* The select of a wait that is one. */
static inline struct costack_select *costack_waiter_select(struct costack_waiter *waiter)
{
	return &container_of(waiter, struct costack_select_waiter, timed.waiter)->select;
}

/* The timer of a wait that is timed. */
static inline struct timer_list *costack_waiter_timer(struct costack_waiter *waiter)
{
	return &container_of(waiter, struct costack_timed_waiter, waiter)->timer;
}

struct costack_waiter *costack_waiter_push(struct costack *co, bool timed);
struct costack_waiter *costack_waiter_push_select(struct costack *co, unsigned int nr);
void costack_waiter_stop(struct costack_waiter *waiter);
void costack_waiter_pop(struct costack *co);
void costack_waiters_drop(struct costack *co);
void costack_waiter_settle(struct costack *co, int err);
void costack_waiters_forget(struct costack *co);
void costack_waiters_exit(void);
extern const char * const costack_waits_names[COSTACK_NR_WAITS];

enum costack_waits costack_waits(const struct costack *co);

#endif /* _COSTACK_WAITER_H */
