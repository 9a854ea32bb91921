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
	[COSTACK_WAITS_LOCK]	= "lock",
	[COSTACK_WAITS_GROUP]	= "group",
	[COSTACK_WAITS_COMPLETION] = "completion",
};

/*
 * What the last wait of each kind on this CPU has used, for the next one. Taken and put by one
 * exchange, which no interrupt and no migration can divide.
 */
static DEFINE_PER_CPU(struct costack_waiter *, spares[2]);

/* A pinned coroutine may be what others wait for to free memory. */
static gfp_t waiter_gfp(const struct costack *co)
{
	return COSTACK_GFP & ~(co->pins ? __GFP_IO | __GFP_FS : 0);
}

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

	if (!waiter)
		waiter = kmalloc(timed ? sizeof(struct costack_timed_waiter) : sizeof(*waiter),
				 waiter_gfp(co));
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
 * costack_waiter_push_select() - begin a select
 * @co: as for costack_waiter_push()
 * @nr: number of its cases; their sudogs are on no channel yet
 *
 * Context: Process context, host stack; may sleep.
 * Return: as costack_waiter_push(); the caller sets the timer up.
 */
struct costack_waiter *costack_waiter_push_select(struct costack *co, unsigned int nr)
{
	struct costack_select_waiter *wait;
	unsigned int i;

	wait = kzalloc(struct_size(wait, select.cases, nr), waiter_gfp(co));
	if (!wait)
		return NULL;
	wait->timed.waiter = (struct costack_waiter) {
		.entry	 = { .private = co },
		.outer	 = co->waiter,
		.timed	 = true,
		.selects = true,
	};
	raw_spin_lock_init(&wait->select.lock);
	wait->select.co = co;
	wait->select.nr = nr;
	for (i = 0; i < nr; i++)
		wait->select.cases[i].index = i;
	co->waiter = &wait->timed.waiter;
	return co->waiter;
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

/* Take the sudogs of a select off the channels that have not served it. */
static void leave_channels(struct costack_select *select)
{
	struct costack_case *other;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < select->nr; i++) {
		other = &select->cases[i];
		if (!other->chan_lock)
			continue;
		/*
		 * Take the lock even if the sudog is not queued any more: whoever has taken it off
		 * holds this lock until the last access to the select.
		 */
		raw_spin_lock_irqsave(other->chan_lock, flags);
		if (other->queued)
			costack_case_remove(other);
		raw_spin_unlock_irqrestore(other->chan_lock, flags);
	}
	select->nr = 0;
}

static void dequeue(struct costack_waiter *waiter)
{
	if (waiter->selects)
		leave_channels(costack_waiter_select(waiter));
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
	kfree(unlikely(waiter->selects) ? waiter : this_cpu_xchg(spares[waiter->timed], waiter));
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
 * costack_waiter_settle() - let the other side of a queue finish, or end the wait on it
 * @co: switched out, and nobody else may run it
 * @err: what to end the wait with, if the other side has not ended it; 0: do not end it
 *
 * Whoever is about to release the sudog of @co holds the lock of its queue. The owner of the queue
 * cannot be freed while the sudog is on it: see roots.c.
 *
 * Context: Process context, host stack.
 */
void costack_waiter_settle(struct costack *co, int err)
{
	struct costack_sudog *sudog = &co->roots.sudog;
	raw_spinlock_t *lock;
	unsigned long flags;

	rcu_read_lock();
	lock = READ_ONCE(sudog->lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		if (err && sudog->lock) {
			costack_sudog_remove(sudog);
			co->sudog_ret = err;
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

	costack_waiter_settle(co, -ECANCELED);
	for (waiter = co->waiter; waiter; waiter = waiter->outer) {
		dequeue(waiter);
		costack_waiter_stop(waiter);
	}
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
	enum costack_waits waits = READ_ONCE(co->waits);

	if (waits)
		return waits;
	return READ_ONCE(co->roots.sudog.lock) ? COSTACK_WAITS_CHANNEL : COSTACK_WAITS_UNPARK;
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
