// SPDX-License-Identifier: GPL-2.0
/*
 * Sudogs (Go's sudog): a coroutine waits on a queue, until somebody takes it off and hands
 * over what it waits for.
 *
 * The sudog of a coroutine is part of its struct costack. Whoever ends the wait does so under
 * the lock of the queue: dequeue, hand over, release. A cancel and the end of a time do not
 * end the wait. They wake the coroutine, which takes itself off the queue, under the same
 * lock, if nobody has done so meanwhile. So as long as a coroutine is parked and somebody has
 * claimed it, the owner of the queue cannot be gone.
 *
 *	who waits                             who ends the wait
 *	  lock the queue                        lock the queue
 *	  costack_sudog_enqueue()               costack_sudog_dequeue()
 *	  unlock                                copy the value, pass the lock on, ...
 *	  costack_sudog_wait(): park            costack_sudog_release(): unpark
 *	    ...                                 unlock
 *
 * The lock is not held across the switch: if the other side comes before the coroutine is
 * WAITING, it leaves a wake-up.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/timer.h>

#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "sudog.h"
#include "waiter.h"

/*
 * The coroutine was resumed before its sudog was released: by the other side, which is about
 * to release the sudog, by a cancel, by its time, or by a stray unpark. After a pass through
 * the queue's lock the cases can be told apart.
 *
 * A cancel sets its flag before its unpark. If the thread has consumed that unpark already,
 * without having seen the flag, nobody else will wake the coroutine: so look at the flag.
 */
static enum costack_next do_wait(struct costack *co)
{
	costack_waiter_settle(co, costack_is_cancelled(co) ? -ECANCELED : 0);
	return costack_sudog_queued(&co->roots.sudog) ? costack_park_commit(co) : COSTACK_CONTINUE;
}

/**
 * costack_sudog_wait_slow() - go on with a wait, if it has not ended
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 * Return: nothing of use.
 */
long costack_sudog_wait_slow(struct costack *co)
{
	return costack_request(co, do_wait, NULL, NULL);
}
NOKPROBE_SYMBOL(costack_sudog_wait_slow);

/* === With a limit of time === */

/**
 * costack_sudog_expire() - the time of a wait is over: wake the coroutine, which ends the wait
 * @timer: of a struct costack_timed_waiter
 *
 * Context: Timer.
 */
void costack_sudog_expire(struct timer_list *timer)
{
	struct costack_timed_waiter *timed = timer_container_of(timed, timer, timer);
	struct costack_waiter *waiter = &timed->waiter;

	atomic_set(&waiter->state, COSTACK_WAIT_TIMEOUT);
	/* A full barrier, also if @co is not parked: it sees the state then. */
	costack_unpark(waiter->entry.private);
}

/**
 * costack_sudog_why_to_end() - is the running coroutine to end its wait
 * @co: switched out; its innermost wait is one with a limit of time
 *
 * Context: Process context, host stack of @co.
 * Return: 0, -ECANCELED or -ETIMEDOUT.
 */
int costack_sudog_why_to_end(const struct costack *co)
{
	if (unlikely(costack_is_cancelled(co)))
		return -ECANCELED;
	return atomic_read(&co->waiter->state) == COSTACK_WAIT_TIMEOUT ? -ETIMEDOUT : 0;
}

static enum costack_next do_begin(struct costack *co)
{
	struct costack_waiter *waiter = costack_waiter_push(co, true);

	co->req.ret = waiter ? 0 : -ENOMEM;
	if (waiter)
		timer_setup(costack_waiter_timer(waiter), costack_sudog_expire, 0);
	return COSTACK_CONTINUE;
}

/**
 * costack_sudog_begin() - prepare a wait with a limit of time
 * @co: the running coroutine, whose sudog is on no queue yet
 *
 * Context: Coroutine stack of @co; may sleep.
 * Return: 0: costack_sudog_end() must follow; or -ENOMEM.
 */
int costack_sudog_begin(struct costack *co)
{
	return costack_request(co, do_begin, NULL, NULL);
}
NOKPROBE_SYMBOL(costack_sudog_begin);

/* The first time, @fn is the time; after that it is zero, and the timer runs. */
static enum costack_next do_wait_timeout(struct costack *co)
{
	unsigned long timeout = (unsigned long)co->req.fn;
	struct timer_list *timer = costack_waiter_timer(co->waiter);

	costack_waiter_settle(co, costack_sudog_why_to_end(co));
	if (!costack_sudog_queued(&co->roots.sudog))
		return COSTACK_CONTINUE;
	if (timeout) {
		timer->expires = jiffies + timeout;
		add_timer(timer);
		costack_stat_inc(COSTACK_STAT_PARKS);
	}
	return costack_park_commit(co);
}

/**
 * costack_sudog_wait_timeout() - park until the wait has ended, or its time is over
 * @co: as for costack_sudog_wait(); costack_sudog_begin() was called before it was enqueued
 * @timeout: jiffies; more than 0
 *
 * Context: Coroutine stack of @co.
 * Return: as costack_sudog_wait(), or -ETIMEDOUT.
 */
int costack_sudog_wait_timeout(struct costack *co, long timeout)
{
	costack_request(co, do_wait_timeout, (void *)timeout, NULL);
	while (unlikely(costack_sudog_queued(&co->roots.sudog)))
		costack_request(co, do_wait_timeout, NULL, NULL);
	return co->sudog_ret;
}
NOKPROBE_SYMBOL(costack_sudog_wait_timeout);

static enum costack_next do_end(struct costack *co)
{
	costack_waiter_pop(co);
	return COSTACK_CONTINUE;
}

/**
 * costack_sudog_end() - give up what costack_sudog_begin() has prepared
 * @co: the running coroutine, whose sudog is on no queue
 *
 * Context: Coroutine stack of @co; may sleep.
 */
void costack_sudog_end(struct costack *co)
{
	costack_request(co, do_end, NULL, NULL);
}
NOKPROBE_SYMBOL(costack_sudog_end);
