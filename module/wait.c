// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: for time, and for ordinary wait queues.
 *
 * The entry in the wait queue and the timer are allocated for each wait. They are never on
 * the coroutine's stack, which may move while the coroutine waits.
 *
 * A condition may itself wait. Then the waits are nested, each with an entry and a
 * state of its own: if a wake-up comes for the outer wait while the coroutine is parked in
 * the inner one, the state of the outer wait records it, and nothing is unparked.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/wait.h>

#include "arena.h"
#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "wait.h"
#include "waiter.h"

static void end_wait(struct costack *co, atomic_t *state, int why)
{
	int old;

	/*
	 * Order the store of the condition before the read of the state, even if the
	 * state needs no change. Pairs with the exchange in wait() and with the barrier
	 * in do_begin().
	 */
	smp_mb();
	old = atomic_read(state);
	do {
		if (old != COSTACK_WAIT_OPEN && old != COSTACK_WAIT_ARMED)
			return;
	} while (!atomic_try_cmpxchg(state, &old, why));
	if (old == COSTACK_WAIT_ARMED)
		costack_unpark(co);
}

/* Called by wake_up() under the wait queue's lock, in any context. */
static int wake_entry(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct costack_waiter *waiter = container_of(entry, struct costack_waiter, entry);

	end_wait(entry->private, &waiter->state, COSTACK_WAIT_EVENT);
	return 1;
}

static void wake_timeout(struct timer_list *timer)
{
	struct costack_timed_waiter *timed = timer_container_of(timed, timer, timer);
	struct costack_waiter *waiter = &timed->waiter;

	end_wait(waiter->entry.private, &waiter->state, COSTACK_WAIT_TIMEOUT);
}

/* === On the host stack === */

static enum costack_next do_begin(struct costack *co)
{
	bool timed = (long)co->req.fn != MAX_SCHEDULE_TIMEOUT;
	struct costack_waiter *waiter = costack_waiter_push(co, timed);
	struct wait_queue_head *wq = co->req.arg;

	co->req.ret = -ENOMEM;
	if (unlikely(!waiter))
		return COSTACK_CONTINUE;
	waiter->entry.func = wake_entry;
	waiter->wq = wq;
	waiter->pins = co->slot->hi - 1 - (unsigned long)wq < COSTACK_SLOT_SIZE;
	co->pins += waiter->pins;
	waiter->told = co->told;
	if (timed)
		timer_setup(costack_waiter_timer(waiter), wake_timeout, 0);
	if (wq)
		add_wait_queue(wq, &waiter->entry);
	/* The caller checks the condition after the entry is on the queue. */
	smp_mb();
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

static enum costack_next do_finish(struct costack *co)
{
	costack_waiter_pop(co);
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

/* What @co is about to be parked for. costack_wait_flag() has been told. */
static enum costack_waits kind(const struct costack *co, const struct costack_waiter *waiter)
{
	return co->waits ?: waiter->wq ? COSTACK_WAITS_QUEUE : COSTACK_WAITS_TIME;
}

/*
 * A cancel may have come while the condition was checked, and its unpark may have ended
 * another wait. So check the flag, which the cancel has set before its unpark.
 */
static enum costack_next do_wait(struct costack *co)
{
	unsigned long timeout = (unsigned long)co->req.fn;
	struct costack_waiter *waiter = co->waiter;
	struct timer_list *timer;

	co->req.ret = 0;
	if (unlikely(costack_is_cancelled(co))) {
		co->req.ret = -ECANCELED;
		return COSTACK_CONTINUE;
	}
	co->told = waiter->told;
	WRITE_ONCE(co->waits, kind(co, waiter));
	if (atomic_cmpxchg(&waiter->state, COSTACK_WAIT_OPEN, COSTACK_WAIT_ARMED) !=
	    COSTACK_WAIT_OPEN)
		return COSTACK_CONTINUE;
	if (timeout < MAX_SCHEDULE_TIMEOUT) {
		timer = costack_waiter_timer(waiter);
		timer->expires = jiffies + timeout;
		add_timer(timer);
	}
	costack_stat_inc(COSTACK_STAT_PARKS);
	return costack_park_commit(co);
}

/* The handler of this timer must not run into the next wait. */
static enum costack_next do_stop(struct costack *co)
{
	costack_waiter_stop(co->waiter);
	co->req.ret = 0;
	return COSTACK_CONTINUE;
}

/* Returns jiffies left, or a negative errno. */
static long wait(struct costack *co, long timeout)
{
	unsigned long start = jiffies, past;
	int how;
	long ret;

	ret = costack_request(co, do_wait, (void *)timeout, NULL);
	if (timeout != MAX_SCHEDULE_TIMEOUT)
		costack_request(co, do_stop, NULL, NULL);
	WRITE_ONCE(co->waits, COSTACK_WAITS_NOT);
	co->waiter->told = co->told;
	/* Full barrier: wake-ups count again before the caller checks the condition. */
	how = atomic_xchg(&co->waiter->state, COSTACK_WAIT_OPEN);
	if (ret)
		return ret;
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return timeout;
	if (how == COSTACK_WAIT_TIMEOUT)
		return 0;
	past = jiffies - start;
	return past < timeout ? timeout - past : 1;
}
NOKPROBE_SYMBOL(wait);

/* For a wait that is for no queue, @wq is NULL. It is a root: the request may move the stack. */
static long begin(struct costack *co, struct wait_queue_head *wq, long timeout)
{
	return costack_request(co, do_begin, (void *)timeout, wq);
}
NOKPROBE_SYMBOL(begin);

/* === Public interface === */

/**
 * costack_sleep() - sleep for a time, without holding the thread
 * @timeout: jiffies; 0 or less: do not sleep; %MAX_SCHEDULE_TIMEOUT: until an unpark
 *
 * Context: As costack_park().
 * Return: 0 when the time has passed, jiffies left after an unpark, a negative errno of
 * costack_park(), or -ENOMEM.
 */
long costack_sleep(long timeout)
{
	struct costack *co = __costack_current();
	long ret;

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	if (timeout <= 0)
		return 0;
	ret = begin(co, NULL, timeout);
	if (unlikely(ret))
		return ret;
	ret = wait(co, timeout);
	costack_request(co, do_finish, NULL, NULL);
	return ret;
}
EXPORT_SYMBOL_GPL(costack_sleep);
NOKPROBE_SYMBOL(costack_sleep);

/**
 * __costack_wait_begin() - put the running coroutine on a wait queue
 * @wq: the queue
 * @timeout: jiffies; the longest that __costack_wait_park() is to wait
 *
 * The caller checks its condition after this, and after each __costack_wait_park().
 *
 * The entry has the address of @wq. If that is on the coroutine's own stack, the stack does not
 * move while the entry is in use.
 *
 * Context: As costack_park().
 * Return: 0: the coroutine is on @wq until __costack_wait_finish(); or a negative errno
 * of costack_park(), or -ENOMEM.
 */
long __costack_wait_begin(struct wait_queue_head *wq, long timeout)
{
	struct costack *co = __costack_current();

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(costack_is_cancelled(co)))
		return -ECANCELED;
	return begin(co, wq, timeout);
}
EXPORT_SYMBOL_GPL(__costack_wait_begin);
NOKPROBE_SYMBOL(__costack_wait_begin);

/**
 * __costack_wait_park() - wait for a wake-up or the timeout
 * @timeout: jiffies, more than 0
 *
 * Returns at once if a wake-up has come since __costack_wait_begin() or the last
 * __costack_wait_park().
 *
 * Context: As costack_park(), after __costack_wait_begin().
 * Return: jiffies left, 0 for a timeout, or a negative errno of costack_park().
 */
long __costack_wait_park(long timeout)
{
	struct costack *co = __costack_current();

	/* The condition may have set something that belongs to the thread. */
	if (unlikely(!costack_may_park(co)))
		return -EINVAL;
	return wait(co, timeout);
}
EXPORT_SYMBOL_GPL(__costack_wait_park);
NOKPROBE_SYMBOL(__costack_wait_park);

/**
 * __costack_wait_finish() - take the running coroutine off the wait queue
 *
 * Context: As costack_park(), after __costack_wait_begin().
 */
void __costack_wait_finish(void)
{
	costack_request(__costack_current(), do_finish, NULL, NULL);
}
EXPORT_SYMBOL_GPL(__costack_wait_finish);
NOKPROBE_SYMBOL(__costack_wait_finish);

/**
 * costack_wait_flag() - wait for a flag
 * @wq: the queue that is woken up after @flag is set
 * @flag: the flag
 * @what: what the coroutine is seen to wait for
 *
 * Context: As costack_park().
 * Return: 0: @flag is set; a negative errno as costack_wait_event().
 */
int costack_wait_flag(struct wait_queue_head *wq, const bool *flag, enum costack_waits what)
{
	struct costack *co = __costack_current();
	long ret = __costack_wait_begin(wq, MAX_SCHEDULE_TIMEOUT);

	if (unlikely(ret))
		return ret;
	while (ret >= 0 && !READ_ONCE(*flag)) {
		WRITE_ONCE(co->waits, what);
		ret = __costack_wait_park(MAX_SCHEDULE_TIMEOUT);
	}
	WRITE_ONCE(co->waits, COSTACK_WAITS_NOT);
	__costack_wait_finish();
	return ret < 0 && !READ_ONCE(*flag) ? ret : 0;
}
NOKPROBE_SYMBOL(costack_wait_flag);

/**
 * costack_wait_done() - wait for a flag, even if the waiter is cancelled
 * @wq: as for costack_wait_flag()
 * @done: the flag
 * @what: as for costack_wait_flag()
 *
 * A cancel does not end this wait, nor does it cut the coroutine off during the wait.
 *
 * Context: As costack_park().
 * Return: 0: @done is set; -EINVAL or -ENOMEM as costack_wait_event().
 */
int costack_wait_done(struct wait_queue_head *wq, const bool *done, enum costack_waits what)
{
	struct costack *co = __costack_current();
	int err;

	if (!co)
		return -EINVAL;
	WRITE_ONCE(co->masked, true);
	err = costack_wait_flag(wq, done, what);
	WRITE_ONCE(co->masked, false);
	return err;
}
NOKPROBE_SYMBOL(costack_wait_done);
