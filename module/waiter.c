// SPDX-License-Identifier: GPL-2.0
/*
 * The waits that a coroutine is in, and how it is taken out of them when it is cut off or
 * cancelled.
 */
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "compat.h"
#include "coroutine.h"
#include "waiter.h"

const char * const costack_waits_names[COSTACK_NR_WAITS] = {
	[COSTACK_WAITS_NOT]	= "-",
	[COSTACK_WAITS_UNPARK]	= "unpark",
	[COSTACK_WAITS_TIME]	= "time",
	[COSTACK_WAITS_QUEUE]	= "queue",
	[COSTACK_WAITS_ITEM]	= "item",
	[COSTACK_WAITS_CHANNEL]	= "channel",
};

static void dequeue(struct costack_waiter *waiter)
{
	if (waiter->wq)
		remove_wait_queue(waiter->wq, &waiter->entry);
	waiter->wq = NULL;
}

/**
 * costack_waiter_pop() - end the innermost wait
 * @co: is in a wait; switched out, and nobody else may run it
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_waiter_pop(struct costack *co)
{
	struct costack_waiter *waiter = co->waiter;

	dequeue(waiter);
	co->waiter = waiter->outer;
	if (waiter != &co->first_waiter)
		kfree(waiter);
}

/**
 * costack_waiters_drop() - end all waits whose frames are gone
 * @co: switched out, and nobody else may run it
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_waiters_drop(struct costack *co)
{
	while (co->waiter)
		costack_waiter_pop(co);
	atomic_set(&co->nap, COSTACK_WAIT_OPEN);
}

/**
 * costack_waiters_forget() - remove a coroutine from everything that could wake it
 * @co: switched out, and nobody else may run it
 *
 * The waits themselves remain, as their frames do.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_waiters_forget(struct costack *co)
{
	struct costack_sudog *sudog = &co->roots.sudog;
	struct costack_waiter *waiter;
	raw_spinlock_t *lock;
	unsigned long flags;

	for (waiter = co->waiter; waiter; waiter = waiter->outer)
		dequeue(waiter);
	/* Even if the timer is not pending: its handler may be running. */
	timer_delete_sync(&co->timer);

	/* The channel cannot be freed while the sudog is on its queue: see roots.c. */
	rcu_read_lock();
	lock = READ_ONCE(sudog->lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		if (sudog->lock) {
			costack_sudog_remove(sudog);
			sudog->ret = -ECANCELED;
			sudog->lock = NULL;
		}
		raw_spin_unlock_irqrestore(lock, flags);
	}
	rcu_read_unlock();
}

/**
 * costack_waits() - what a coroutine waits for
 * @co: switched out; otherwise the answer is a guess
 *
 * @co is parked in the innermost wait: a condition, which may itself wait, is evaluated
 * while the outer wait is not armed.
 *
 * Context: Any. @co is not freed meanwhile.
 * Return: the kind of wait.
 */
enum costack_waits costack_waits(const struct costack *co)
{
	const struct costack_waiter *waiter = READ_ONCE(co->waiter);

	if (READ_ONCE(co->roots.sudog.lock))
		return COSTACK_WAITS_CHANNEL;
	if (atomic_read(&co->nap) == COSTACK_WAIT_ARMED)
		return COSTACK_WAITS_TIME;
	/* Do not look into a nested waiter: it may be freed as soon as @co runs again. */
	if (waiter && (waiter != &co->first_waiter ||
		       atomic_read(&waiter->state) == COSTACK_WAIT_ARMED))
		return READ_ONCE(co->masked) ? COSTACK_WAITS_ITEM : COSTACK_WAITS_QUEUE;
	return COSTACK_WAITS_UNPARK;
}
