// SPDX-License-Identifier: GPL-2.0
/*
 * The waits that a coroutine is in, and how it is taken out of them when it is cut off or
 * cancelled.
 */
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "compat.h"
#include "coroutine.h"
#include "pool.h"
#include "waiter.h"

const char * const costack_waits_names[COSTACK_NR_WAITS] = {
	[COSTACK_WAITS_NOT]	= "-",
	[COSTACK_WAITS_UNPARK]	= "unpark",
	[COSTACK_WAITS_TIME]	= "time",
	[COSTACK_WAITS_QUEUE]	= "queue",
	[COSTACK_WAITS_ITEM]	= "item",
	[COSTACK_WAITS_CHANNEL]	= "channel",
};

/*
 * What the last wait of each kind on this CPU has used, for the next one. Taken and put by one
 * exchange, which no interrupt and no migration can divide.
 */
static DEFINE_PER_CPU(struct costack_waiter *, spares[2]);

/**
 * costack_waiter_push() - begin a wait
 * @co: switched out, and nobody else may run it
 * @timed: whether the wait may have a timeout; the caller sets the timer up
 *
 * Context: Process context, host stack; may sleep.
 * Return: the wait, which is on no queue yet; or %NULL if there is no memory.
 */
struct costack_waiter *costack_waiter_push(struct costack *co, bool timed)
{
	struct costack_waiter *waiter = this_cpu_xchg(spares[timed], NULL);
	/* A pinned coroutine may be what others wait for to free memory. */
	gfp_t gfp = COSTACK_GFP & ~(co->pins ? __GFP_IO | __GFP_FS : 0);

	if (!waiter)
		waiter = kmalloc(timed ? sizeof(struct costack_timed_waiter) : sizeof(*waiter),
				 gfp);
	if (!waiter)
		return NULL;
	*waiter = (struct costack_waiter) {
		.entry	= { .private = co },
		.outer	= co->waiter,
		.timed	= timed,
	};
	co->waiter = waiter;
	return waiter;
}

/**
 * costack_waiter_stop() - see that the time does not end a wait any more
 * @waiter: the wait
 *
 * The handler of the timer may be running even if the timer is not pending.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_waiter_stop(struct costack_waiter *waiter)
{
	if (waiter->timed)
		timer_delete_sync(costack_waiter_timer(waiter));
}

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
	costack_waiter_stop(waiter);
	co->pins -= waiter->pins;
	co->waiter = waiter->outer;
	kfree(this_cpu_xchg(spares[waiter->timed], waiter));
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
	co->waits = COSTACK_WAITS_NOT;
}

/**
 * costack_waiter_settle() - let the other side of a channel finish, or end the wait for it
 * @co: switched out, and nobody else may run it
 * @cancel: whether to end the wait with -ECANCELED, if the other side has not ended it
 *
 * Whoever is about to release the sudog of @co holds the channel's lock. The channel cannot be
 * freed while the sudog is on its queue: see roots.c.
 *
 * Context: Process context, host stack.
 */
void costack_waiter_settle(struct costack *co, bool cancel)
{
	struct costack_sudog *sudog = &co->roots.sudog;
	raw_spinlock_t *lock;
	unsigned long flags;

	rcu_read_lock();
	lock = READ_ONCE(sudog->lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		if (cancel && sudog->lock) {
			costack_sudog_remove(sudog);
			co->chan_ret = -ECANCELED;
			sudog->lock = NULL;
		}
		raw_spin_unlock_irqrestore(lock, flags);
	}
	rcu_read_unlock();
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
	struct costack_waiter *waiter;

	for (waiter = co->waiter; waiter; waiter = waiter->outer) {
		dequeue(waiter);
		costack_waiter_stop(waiter);
	}
	costack_waiter_settle(co, true);
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
	if (READ_ONCE(co->roots.sudog.lock))
		return COSTACK_WAITS_CHANNEL;
	return READ_ONCE(co->waits) ?: COSTACK_WAITS_UNPARK;
}

/**
 * costack_waiters_exit() - give up what is kept for waits
 *
 * Context: Process context; no coroutine lives.
 */
void costack_waiters_exit(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < 2; i++) {
			kfree(per_cpu(spares[i], cpu));
			per_cpu(spares[i], cpu) = NULL;
		}
	}
}
