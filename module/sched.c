// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling: how a coroutine leaves its thread and is made runnable again. Who runs
 * it then is runner.c.
 *
 * Park and unpark race as in Go. That an unpark has come is told in the word that
 * holds the state (coroutine.h): so either the waiter finds it and does not park, or the
 * waker finds WAITING, and the cmpxchg lets exactly one make the coroutine runnable.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <asm/costack.h>
#include <trace/events/costack.h>

#include "calls.h"
#include "coroutine.h"
#include "grow.h"
#include "pool.h"
#include "runner.h"
#include "sched.h"
#include "stats.h"
#include "thread.h"
#include "waiter.h"

/* === Park === */

/* Nothing of the thread's leaves it with @co. */
static __always_inline void leave_thread(struct costack *co)
{
	if (unlikely(co->task->plug) && co->runner)
		costack_thread_leave(co);
}

/* Out of line, as the next one: so that where nothing is traced no register is saved. */
static noinline void trace_park(const struct costack *co)
{
	trace_costack_park(co->name, co->fn, costack_waits(co));
}

/**
 * costack_park_commit() - leave the thread, unless an unpark has come already
 * @co: switched out; what it waits for is published
 *
 * The unpark may be that of a cancel. It is heeded here as it is by the runner that
 * finds the coroutine cancelled when it resumes it: nothing else will wake it.
 *
 * Context: Host stack of @co; may sleep.
 * Return: %COSTACK_LEAVE: @co may run elsewhere by now; or %COSTACK_CONTINUE.
 */
enum costack_next costack_park_commit(struct costack *co)
{
	co->req.ret = 0;
	if (trace_costack_park_enabled())
		trace_park(co);
	leave_thread(co);
	/* Once it waits it is not ours: not a word of it may be looked at after this. */
	if (likely(costack_set_state(co, COSTACK_RUNNING, COSTACK_WAITING)))
		return COSTACK_LEAVE;
	costack_thread_enter(co);
	costack_heed_wakeup(co);
	if (unlikely(costack_is_cancelled(co))) {
		costack_waiters_forget(co);
		co->req.ret = -ECANCELED;
	}
	return COSTACK_CONTINUE;
}

static enum costack_next do_park(struct costack *co)
{
	costack_stat_inc(COSTACK_STAT_PARKS);
	return costack_park_commit(co);
}

/* The same with a plug: another handler, as who resumes it has to be the host loop. */
static enum costack_next do_park_plugged(struct costack *co)
{
	return do_park(co);
}

/*
 * Whom @co may hand its thread over to: the next one of its runner, which takes its
 * place there. Not where either needs the host loop: @co, as it has grown, is to move,
 * has been unparked already, or its park is traced; the runner, to look at the run queue
 * or to fill its reserve; the next one, unless all it has to do is to return from switch_out(). And
 * neither may be cut off in between, as it has the other one in its hands.
 *
 * A part of switch_out(), as park_prev() is: so it cannot be probed either.
 */
static __always_inline struct costack *take_next(struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack_runner *runner = co->runner;
	struct costack *next;

	if (!runner || !READ_ONCE(runner->next) || !((runner->turns + 1) % COSTACK_TURNS) ||
	    unlikely(READ_ONCE(co->nr_events) | READ_ONCE(costack_knobs.force_move)) ||
	    unlikely(atomic_read(&co->state) & COSTACK_WAKEUP) ||
	    trace_costack_park_enabled() ||
	    costack_may_be_cut(co, current_stack_pointer))
		return NULL;
	next = xchg(&runner->next, NULL);
	if (unlikely(!next))
		return NULL;
	if (unlikely(next->req.handler != do_park || READ_ONCE(next->cancelled) ||
		     costack_may_be_cut(next, next->ctx.sp) ||
		     !costack_reserve_full(co->reserve, next->limit, copies))) {
		costack_ready_next(next, runner);
		return NULL;
	}
	costack_runner_turn(runner);
	next->runner = runner;
	next->reserve = co->reserve;
	next->task = co->task;
	if (IS_ENABLED(CONFIG_LOCKDEP))
		next->locks_held = co->locks_held;
	next->host = co->host;
	costack_set_state(next, COSTACK_RUNNABLE, COSTACK_RUNNING);
	return next;
}

/*
 * The other half of a hand-over: @prev has been switched out, here. Tells whether it
 * has taken from the reserve since take_next() found that full.
 */
static __always_inline bool park_prev(struct costack *prev)
{
	bool grown = prev->nr_events;

	costack_stat_inc(COSTACK_STAT_PARKS);
	costack_stat_inc(COSTACK_STAT_HANDOVERS);
	if (unlikely(!costack_set_state(prev, COSTACK_RUNNING, COSTACK_WAITING))) {
		costack_set_state(prev, COSTACK_RUNNING, COSTACK_RUNNABLE);
		costack_ready(prev);
	}
	return grown;
}

/* Let dispatch() fill the reserve. */
static enum costack_next do_refill(struct costack *co)
{
	co->req.ret = 0;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_RUNNABLE);
	costack_ready(co);
	return COSTACK_LEAVE;
}

/*
 * Park: on the host stack, as all that is asked for; or without it, when the thread
 * can be handed over (Go's coroswitch). Then the next one goes on right here, having
 * been switched out here itself, and does for its predecessor what do_park() does: it
 * could not become WAITING while it still stood on its stack.
 *
 *	stack of @co                         stack of the next one
 *	  take_next(): that one is RUNNING
 *	  costack_arch_switch() ------------>  costack_arch_switch() returns
 *	                                       park_prev(): @co is WAITING; or it goes to
 *	                                       the run queue, as an unpark has come
 *
 * In between both are RUNNING, in one thread. A fault, or an interrupt that has no
 * room, finds its coroutine by the stack it is on, and the host stack by @host, which
 * is the same for both. The reserve is the same too, and each may have to grow before
 * it is filled again, as a rule once: by no more than half the limit, and the limit's
 * worth was there.
 *
 * Not inlined, notrace, NOKPROBE: as costack_request().
 */
static noinline notrace long switch_out(struct costack *co)
{
	struct costack_ctx *prev;
	struct costack *next;

	co->req.ret = 0;
	co->req.handler = do_park;
	next = take_next(co);
	prev = costack_arch_switch(&co->ctx, next ? &next->ctx : &co->host);
	if (prev != &co->host && unlikely(park_prev(container_of(prev, struct costack, ctx))))
		return costack_request(co, do_refill, NULL, NULL);
	return co->req.ret;
}
NOKPROBE_SYMBOL(switch_out);

/* With something that belongs to the thread. */
static noinline int park_not_plain(struct costack *co)
{
	if (!costack_thread_may_leave(co, costack_runner_was(co)))
		return -EINVAL;
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	return costack_request(co, do_park_plugged, NULL, NULL);
}
NOKPROBE_SYMBOL(park_not_plain);

/**
 * costack_park() - leave the thread until an unpark (Go's gopark)
 *
 * An unpark that came since the coroutine was last switched in counts: then it
 * does not leave. So a waiter publishes itself, checks, and parks; and checks
 * again afterwards, as several unparks before the resume count as one.
 *
 * It may go on in another thread and on another CPU: do not use what was taken
 * from "current" or a CPU across it. A coroutine of costack_call() waits with
 * its thread. Signals do not end the wait, and a thread that is freezable can be
 * frozen in it.
 *
 * Context: Coroutine stack, process context, preemptible, no lock held.
 * Return:
 * * 0			- unparked
 * * -EINVAL		- not on a coroutine stack, or not a place to park
 * * -ECANCELED		- the work item was cancelled
 */
int costack_park(void)
{
	struct costack *co = __costack_current();

	if (unlikely(!co))
		return -EINVAL;
	if (unlikely(!costack_thread_plain(co)))
		return park_not_plain(co);
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	return switch_out(co);
}
EXPORT_SYMBOL_GPL(costack_park);
NOKPROBE_SYMBOL(costack_park);

/*
 * A thread that waits in costack_run() may end as soon as it sees RUNNABLE; RCU
 * keeps its task_struct.
 */
static void unpark_called(struct costack *co)
{
	struct task_struct *task;

	rcu_read_lock();
	task = READ_ONCE(co->task);
	if (costack_wake(co))
		wake_up_process(task);
	rcu_read_unlock();
}

static __always_inline void do_wake(struct costack *co, struct costack_runner *runner)
{
	if (unlikely(!co->work)) {
		unpark_called(co);
		return;
	}
	if (costack_wake(co))
		costack_ready_next(co, runner);
}

static noinline void unpark_traced(struct costack *co, struct costack_runner *runner)
{
	trace_costack_unpark(co->name, co->fn, costack_state(co) == COSTACK_WAITING);
	do_wake(co, runner);
}
NOKPROBE_SYMBOL(unpark_traced);

static void unpark(struct costack *co, struct costack_runner *runner)
{
	if (trace_costack_unpark_enabled())
		unpark_traced(co, runner);
	else
		do_wake(co, runner);
}

/**
 * costack_unpark_from() - costack_unpark() on behalf of a coroutine
 * @by: switched out, its request being handled
 * @co: whom to make runnable
 *
 * Context: Host stack of @by.
 */
void costack_unpark_from(struct costack *by, struct costack *co)
{
	unpark(co, by->runner);
}

static enum costack_next do_unpark(struct costack *co)
{
	unpark(co->req.arg, co->runner);
	return COSTACK_CONTINUE;
}

/* Can a request be made here? */
static bool can_switch(const struct costack *co)
{
	return !irqs_disabled() && !rcu_preempt_depth() &&
	       !(IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()) &&
	       !costack_holds_locks(co);
}

/**
 * costack_unpark() - make a parked coroutine runnable (Go's goready)
 * @co: a coroutine that has not ended
 *
 * From a coroutine of a work item it goes to that coroutine's worker, to be run
 * when the caller parks or ends.
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_unpark(struct costack *co)
{
	struct costack *self = __costack_current();

	if (!self)
		unpark(co, NULL);
	else if (costack_may_be_cut(self, current_stack_pointer) && can_switch(self))
		costack_request(self, do_unpark, NULL, co);
	else
		unpark(co, self->runner);
}
EXPORT_SYMBOL_GPL(costack_unpark);
NOKPROBE_SYMBOL(costack_unpark);

static enum costack_next do_yield(struct costack *co)
{
	unsigned int gen = READ_ONCE(costack_knobs.shrink_gen);

	co->req.ret = 0;
	if (!co->runner) {
		cond_resched_tasks_rcu_qs();
		return COSTACK_CONTINUE;
	}
	/* A call to shrink is heeded here too, as in Go's preemptShrink. */
	if (unlikely(co->shrink_gen != gen)) {
		co->shrink_gen = gen;
		if (costack_grow_shrinkable(co) &&
		    costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK)) {
			costack_grow_shrink(co);
			costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
		}
	}
	leave_thread(co);
	costack_set_state(co, COSTACK_RUNNING, COSTACK_RUNNABLE);
	costack_ready(co);
	return COSTACK_LEAVE;
}

/**
 * costack_yield() - let others run first (Go's Gosched)
 *
 * Context: As costack_park().
 * Return: As costack_park().
 */
int costack_yield(void)
{
	struct costack *co = __costack_current();

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	return costack_request(co, do_yield, NULL, NULL);
}
EXPORT_SYMBOL_GPL(costack_yield);
NOKPROBE_SYMBOL(costack_yield);
