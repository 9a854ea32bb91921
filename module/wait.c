// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: for time, and for ordinary wait queues.
 *
 * The entry in the wait queue and the timer are in struct costack, never on the
 * coroutine's stack, which may move while it waits. A wake-up and a timeout race
 * for co->woken: whoever changes it from NONE ends the wait, the other one does
 * nothing.
 */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "costack.h"
#include "sched.h"
#include "stats.h"
#include "wait.h"

enum woken {
	WOKEN_NONE,
	WOKEN_EVENT,
	WOKEN_TIMEOUT,
};

static void wake(struct costack *co, enum woken why)
{
	if (atomic_cmpxchg(&co->woken, WOKEN_NONE, why) == WOKEN_NONE)
		costack_unpark(co);
}

/* Called by wake_up() under the wait queue's lock, in any context. */
static int wake_entry(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct costack *co = entry->private;

	wake(co, WOKEN_EVENT);
	return 1;
}

static void wake_timeout(struct timer_list *timer)
{
	struct costack *co = from_timer(co, timer, timer);

	wake(co, WOKEN_TIMEOUT);
}

/**
 * costack_wait_init() - make a coroutine fit to wait
 * @co: new
 *
 * Context: Any.
 */
void costack_wait_init(struct costack *co)
{
	init_waitqueue_func_entry(&co->wait, wake_entry);
	co->wait.private = co;
	INIT_LIST_HEAD(&co->wait.entry);
	timer_setup(&co->timer, wake_timeout, 0);
}

/**
 * costack_wait_forget() - take a coroutine out of all that could wake it
 * @co: switched out, and not to be run by others
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_wait_forget(struct costack *co)
{
	struct costack_sudog *sudog = &co->roots.sudog;
	raw_spinlock_t *lock;
	unsigned long flags;

	if (co->wq) {
		remove_wait_queue(co->wq, &co->wait);
		co->wq = NULL;
	}
	/* Also where it is not pending: its function may be running. */
	del_timer_sync(&co->timer);

	/* The channel cannot be freed while the sudog is on its queue: see roots.c. */
	rcu_read_lock();
	lock = READ_ONCE(sudog->lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		if (sudog->lock) {
			list_del(&sudog->queue);
			sudog->ret = -ECANCELED;
			sudog->lock = NULL;
		}
		raw_spin_unlock_irqrestore(lock, flags);
	}
	rcu_read_unlock();
}

/* === On the host stack === */

static enum costack_next do_prepare(struct costack *co)
{
	struct wait_queue_head *wq = co->req.fn;

	atomic_set(&co->woken, WOKEN_NONE);
	if (!co->wq) {
		co->wq = wq;
		add_wait_queue(wq, &co->wait);
	}
	/* The condition is looked at after the entry is on the queue. */
	smp_mb();
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

static enum costack_next do_finish(struct costack *co)
{
	struct wait_queue_head *wq = co->wq;

	co->wq = NULL;
	if (wq)
		remove_wait_queue(wq, &co->wait);
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

static enum costack_next do_wait(struct costack *co)
{
	unsigned long timeout = (unsigned long)co->req.fn;

	if (timeout < MAX_SCHEDULE_TIMEOUT) {
		co->timer.expires = jiffies + timeout;
		add_timer(&co->timer);
	}
	costack_stat_inc(COSTACK_STAT_PARKS);
	return costack_park_commit(co);
}

/* A timer that is still being handled must not meet the next wait. */
static enum costack_next do_stop_timer(struct costack *co)
{
	del_timer_sync(&co->timer);
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

static long wait(struct costack *co, long timeout)
{
	unsigned long start = jiffies, past;
	long ret;

	ret = costack_request(co, do_wait, (void *)timeout, NULL);
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return ret ?: timeout;
	costack_request(co, do_stop_timer, NULL, NULL);
	if (ret)
		return ret;
	if (atomic_read(&co->woken) == WOKEN_TIMEOUT)
		return 0;
	past = jiffies - start;
	return past < timeout ? timeout - past : 1;
}
NOKPROBE_SYMBOL(wait);

/* === Public interface === */

/**
 * costack_sleep() - let time pass, without holding the thread
 * @timeout: jiffies; %MAX_SCHEDULE_TIMEOUT: until an unpark
 *
 * Context: As costack_park().
 * Return: 0 when the time has passed, jiffies left after an unpark, or a negative
 * errno of costack_park().
 */
long costack_sleep(long timeout)
{
	struct costack *co = __costack_current();

	if (unlikely(!co || timeout < 0 || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	atomic_set(&co->woken, WOKEN_NONE);
	return wait(co, timeout);
}
EXPORT_SYMBOL_GPL(costack_sleep);
NOKPROBE_SYMBOL(costack_sleep);

/**
 * __costack_wait_prepare() - get on a wait queue
 * @wq: the queue; the same until __costack_wait_finish()
 *
 * Context: As costack_park().
 * Return: 0, or a negative errno of costack_park().
 */
long __costack_wait_prepare(struct wait_queue_head *wq)
{
	struct costack *co = __costack_current();

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	return costack_request(co, do_prepare, wq, NULL);
}
EXPORT_SYMBOL_GPL(__costack_wait_prepare);
NOKPROBE_SYMBOL(__costack_wait_prepare);

/**
 * __costack_wait_park() - wait for a wake-up or the timeout
 * @timeout: jiffies, more than 0
 *
 * Context: As costack_park(), after __costack_wait_prepare().
 * Return: jiffies left, 0 for a timeout, or a negative errno of costack_park().
 */
long __costack_wait_park(long timeout)
{
	return wait(__costack_current(), timeout);
}
EXPORT_SYMBOL_GPL(__costack_wait_park);
NOKPROBE_SYMBOL(__costack_wait_park);

/**
 * __costack_wait_finish() - get off the wait queue
 *
 * Context: As costack_park(), after __costack_wait_prepare().
 */
void __costack_wait_finish(void)
{
	struct costack *co = __costack_current();

	if (co)
		costack_request(co, do_finish, NULL, NULL);
}
EXPORT_SYMBOL_GPL(__costack_wait_finish);
NOKPROBE_SYMBOL(__costack_wait_finish);

static int wait_on_host(void *arg)
{
	wait_for_completion(arg);
	return 0;
}

/**
 * costack_wait_for_completion() - wait for a completion
 * @done: the completion
 *
 * A completion wakes threads and knows nothing else (it is a swait queue): so
 * unlike the other waits this one holds the thread while it waits.
 *
 * Context: Any stack, process context; may sleep.
 * Return: 0.
 */
int costack_wait_for_completion(struct completion *done)
{
	if (try_wait_for_completion(done))
		return 0;
	return costack_on_host(wait_on_host, done);
}
EXPORT_SYMBOL_GPL(costack_wait_for_completion);
NOKPROBE_SYMBOL(costack_wait_for_completion);
