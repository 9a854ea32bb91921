// SPDX-License-Identifier: GPL-2.0
/*
 * Completions that a coroutine can wait for without holding its thread.
 *
 * Coroutines and threads wait on one queue, first come, first served. Whoever completes hands what
 * they wait for to the first of them, or counts it in @done: so if @done is not 0, nobody waits.
 *
 * A completion may lie on the stack of who waits for it. So a waiter that was served takes the
 * lock once more before it goes on: then whoever has served it does not use the completion any
 * more.
 */
#include <linux/container_of.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "sudog.h"

static bool has_waiter(const struct costack_completion *c)
{
	return !list_empty(&c->waiters);
}

/* Serve the one that has waited longest. */
static void serve_first(struct costack_completion *c)
{
	struct costack_sudog *sudog;

	sudog = list_first_entry(&c->waiters, struct costack_sudog, queue);
	if (costack_sudog_is_thread(sudog)) {
		costack_sudog_wake_thread(sudog);
		return;
	}
	costack_sudog_dequeue(sudog, 0);
	costack_sudog_release(sudog, NULL);
}

/* What is left for those that do not have to wait. */
static bool take(struct costack_completion *c)
{
	if (!c->done)
		return false;
	if (c->done != UINT_MAX)
		c->done--;
	return true;
}

/* Returns once whoever has served the caller does not use @c any more. */
static void pass_lock(struct costack_completion *c)
{
	raw_spin_lock_irq(&c->lock);
	raw_spin_unlock_irq(&c->lock);
}

/* === Threads === */

static int sleep_timeout(struct costack_completion *c, long timeout)
{
	struct costack_thread_sudog sleeper = {
		.sudog	= { .elem = (void *)COSTACK_SUDOG_THREAD },
		.task	= current,
	};
	int ret = 0;

	might_sleep();
	raw_spin_lock_irq(&c->lock);
	if (!take(c)) {
		if (timeout > 0) {
			sleeper.sudog.lock = &c->lock;
			costack_sudog_append(&sleeper.sudog, &c->waiters);
		} else {
			ret = -ETIMEDOUT;
		}
	}
	raw_spin_unlock_irq(&c->lock);
	while (timeout > 0) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!costack_sudog_queued(&sleeper.sudog))
			break;
		timeout = schedule_timeout(timeout);
	}
	__set_current_state(TASK_RUNNING);
	raw_spin_lock_irq(&c->lock);
	if (sleeper.sudog.lock) {
		costack_sudog_remove(&sleeper.sudog);
		ret = -ETIMEDOUT;
	}
	raw_spin_unlock_irq(&c->lock);
	return ret;
}

/* === Coroutines === */

/* Take it, or queue the sudog of @co, which is about to park: then the result is -EAGAIN. */
static __always_inline int attempt(struct costack_completion *c, struct costack *co)
{
	int ret = 0;

	raw_spin_lock_irq(&c->lock);
	if (!take(c)) {
		costack_sudog_enqueue(co, &c->lock, &c->waiters, NULL);
		ret = -EAGAIN;
	}
	raw_spin_unlock_irq(&c->lock);
	return ret;
}

static enum costack_next do_attempt(struct costack *co)
{
	co->req.ret = attempt(co->req.arg, co);
	return COSTACK_CONTINUE;
}

/* The coroutine first makes sure that it may park, whether it has to or not. */
static int begin(struct costack_completion *c, struct costack *co)
{
	if (unlikely(!costack_may_park(co)))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	/* As for a channel: see heedful_attempt() in chan.c. */
	if (likely(COSTACK_ARCH_GUARD && !data_race(co->heed | costack_knobs.force_move)))
		return attempt(c, co);
	return costack_request(co, do_attempt, NULL, c);
}
NOKPROBE_SYMBOL(begin);

/* A sudog has the address of the completion: if that is on this stack, see that it stays there. */
static bool pin_own(const struct costack_completion *c, struct costack *co)
{
	return co->slot->hi - 1 - (unsigned long)c < COSTACK_SLOT_SIZE && !costack_pin();
}

static int wait_timeout(struct costack_completion *c, struct costack *co, long timeout)
{
	bool timed = timeout != MAX_SCHEDULE_TIMEOUT, pins = pin_own(c, co);
	int ret;

	/* Without memory, it only has what is there already. */
	ret = timed ? costack_sudog_begin(co) : 0;
	if (ret) {
		ret = costack_completion_try_wait(c) ? 0 : ret;
		goto unpin;
	}
	ret = begin(c, co);
	if (ret == -EAGAIN) {
		WRITE_ONCE(co->waits, COSTACK_WAITS_COMPLETION);
		ret = timed ? costack_sudog_wait_timeout(co, timeout) : costack_sudog_wait(co);
		WRITE_ONCE(co->waits, COSTACK_WAITS_NOT);
		pass_lock(c);
	}
	if (timed)
		costack_sudog_end(co);
unpin:
	if (pins)
		costack_unpin();
	return ret;
}
NOKPROBE_SYMBOL(wait_timeout);

/* === Public interface === */

/**
 * costack_completion_init() - make a completion that is not complete
 * @c: the completion. If it lies on the stack of a coroutine, that must be pinned as long as
 *	others know of it.
 *
 * Context: Any.
 */
void costack_completion_init(struct costack_completion *c)
{
	raw_spin_lock_init(&c->lock);
	c->done = 0;
	INIT_LIST_HEAD(&c->waiters);
}
EXPORT_SYMBOL_GPL(costack_completion_init);

/**
 * costack_completion_reinit() - have a completion not be complete, after costack_complete_all()
 * @c: the completion, which nobody waits for
 *
 * Context: Any. Nobody completes @c meanwhile.
 */
void costack_completion_reinit(struct costack_completion *c)
{
	WRITE_ONCE(c->done, 0);
}
EXPORT_SYMBOL_GPL(costack_completion_reinit);

/**
 * costack_complete() - let the one go on that has waited longest, or the next one that comes
 * @c: the completion; once somebody has been let go on, it may be gone when this returns
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_complete(struct costack_completion *c)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&c->lock, flags);
	if (has_waiter(c))
		serve_first(c);
	else if (c->done != UINT_MAX)
		c->done++;
	raw_spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(costack_complete);

/**
 * costack_complete_all() - let all go on that wait, and all that come
 * @c: the completion; as for costack_complete()
 *
 * Context: Any context, hard interrupts included; any stack. Takes time for each that waits, with
 * interrupts off.
 */
void costack_complete_all(struct costack_completion *c)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&c->lock, flags);
	c->done = UINT_MAX;
	while (has_waiter(c))
		serve_first(c);
	raw_spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(costack_complete_all);

/**
 * costack_completion_wait_timeout() - costack_completion_wait() with a limit of time
 * @c: the completion
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_completion_wait().
 * Return: as costack_completion_wait(), or
 * * -ETIMEDOUT		- @c has not been completed for the caller
 * * -ENOMEM		- the same, as there is no memory to wait
 */
int costack_completion_wait_timeout(struct costack_completion *c, long timeout)
{
	struct costack *co = __costack_current();

	if (!co)
		return sleep_timeout(c, timeout);
	if (timeout <= 0)
		return costack_completion_try_wait(c) ? 0 : -ETIMEDOUT;
	return wait_timeout(c, co, timeout);
}
EXPORT_SYMBOL_GPL(costack_completion_wait_timeout);
NOKPROBE_SYMBOL(costack_completion_wait_timeout);

/**
 * costack_completion_wait() - wait for a completion
 * @c: the completion; must exist until this has returned
 *
 * A coroutine that waits does not hold its thread. A thread that waits does not heed signals.
 *
 * An abortable coroutine may be cut off in this wait, as in any. Whether @c was completed for it
 * nobody knows then.
 *
 * Context: Process context, any stack. A coroutine: as costack_park(). A thread may sleep.
 * Return:
 * * 0			- @c was completed
 * * -EINVAL		- a coroutine, and not a place to park
 * * -ECANCELED		- the work item was cancelled; @c has not been completed for it
 */
int costack_completion_wait(struct costack_completion *c)
{
	struct costack *co = __costack_current();

	return co ? wait_timeout(c, co, MAX_SCHEDULE_TIMEOUT) :
		    sleep_timeout(c, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_GPL(costack_completion_wait);
NOKPROBE_SYMBOL(costack_completion_wait);

/**
 * costack_completion_try_wait() - take what costack_completion_wait() would not have to wait for
 * @c: the completion
 *
 * Context: Any context, hard interrupts included; any stack.
 * Return: whether costack_completion_wait() would have returned 0 at once.
 */
bool costack_completion_try_wait(struct costack_completion *c)
{
	unsigned long flags;
	bool taken;

	raw_spin_lock_irqsave(&c->lock, flags);
	taken = take(c);
	raw_spin_unlock_irqrestore(&c->lock, flags);
	return taken;
}
EXPORT_SYMBOL_GPL(costack_completion_try_wait);

/**
 * costack_completion_done() - would costack_completion_wait() return at once
 * @c: the completion
 *
 * If so, whoever has completed @c does not use it any more.
 *
 * Context: Any context, hard interrupts included; any stack.
 * Return: true if so; it may have changed by the time of the return.
 */
bool costack_completion_done(struct costack_completion *c)
{
	unsigned long flags;
	bool done;

	raw_spin_lock_irqsave(&c->lock, flags);
	done = c->done;
	raw_spin_unlock_irqrestore(&c->lock, flags);
	return done;
}
EXPORT_SYMBOL_GPL(costack_completion_done);
