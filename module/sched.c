// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling: how a coroutine leaves its thread and is made runnable again. runner.c
 * decides which worker runs it then.
 *
 * Park and unpark race as in Go. The word that holds the state (coroutine.h) also records
 * that an unpark has come: so either the waiter finds the unpark and does not park, or the
 * waker finds WAITING, and the cmpxchg lets exactly one waker make the coroutine runnable.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <asm/costack.h>
#include <trace/events/costack.h>

#include "calls.h"
#include "coroutine.h"
#include "grow.h"
#include "move.h"
#include "pack.h"
#include "pool.h"
#include "runner.h"
#include "sched.h"
#include "stats.h"
#include "thread.h"
#include "trace.h"
#include "waiter.h"

/* === Park === */

/* See that @co takes nothing along that belongs to its thread. */
static __always_inline void leave_thread(struct costack *co)
{
	if (unlikely(co->task->plug) && co->host->runner)
		costack_thread_leave(co);
}

/* Out of line, so that the caller saves no registers where nothing is traced. */
static noinline void trace_park(const struct costack *co)
{
	trace_costack_park(co->name, co->fn, costack_waits(co));
}

/* Once it is released @co may run elsewhere: do not touch it after this. */
static noinline enum costack_next park_packed(struct costack *co)
{
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	costack_pack(co);
	if (costack_release(co))
		costack_ready(co);
	return COSTACK_LEAVE;
}

/**
 * costack_park_commit() - leave the thread, unless an unpark has come already
 * @co: switched out; what it waits for is published
 *
 * The unpark may come from a cancel. Then this function heeds the cancel, as a runner does when it
 * resumes a cancelled coroutine, because nothing else will wake @co.
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
	if (unlikely(co->packs) && !(atomic_read(&co->state) & COSTACK_WAKEUP))
		return park_packed(co);
	/* Once @co is WAITING it may run elsewhere: do not touch it after this. */
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

/**
 * costack_park_plugged() - handle the park of a coroutine that may have a plug
 * @co: switched out
 *
 * The handler differs from do_park(), so take_next() leaves it to the host loop to resume
 * the coroutine.
 *
 * Context: Host stack of @co; may sleep.
 * Return: As costack_park_commit().
 */
enum costack_next costack_park_plugged(struct costack *co)
{
	return do_park(co);
}

/* Has @next been cancelled, or may it be cut off soon? */
static __always_inline bool must_heed(const struct costack *next)
{
	return unlikely(READ_ONCE(next->heed)) &&
	       (costack_cancel_came(next) || costack_may_be_cut(next, next->ctx.sp));
}

/*
 * Take the coroutine that @co hands its thread over to: the next one of its runner, which
 * replaces @co as the running one. There is no hand-over where the host loop is needed:
 *
 *  - for @co, because it has grown, is to move or to be packed, has been unparked already, or
 *    because its park is traced;
 *  - for the runner, because it must look at the run queue or fill its reserve;
 *  - for the next one, because it has to do more than return from costack_switch_out().
 *
 * And neither coroutine may be cut off during the hand-over, as it is responsible for the
 * other one then.
 *
 * Like park_prev(), this is inlined into costack_switch_out(), so it cannot be probed either.
 */
static __always_inline struct costack *take_next(struct costack *co)
{
	struct costack_runner *runner = co->host->runner;
	struct costack_reserve *reserve;
	struct costack *next;
	unsigned int turns;

	if (unlikely(!runner))
		return NULL;
	turns = runner->turns + 1;
	/* data_race: growth may come at any instruction, and a knob may change at any time. */
	if (unlikely(data_race(co->parks_slow | costack_knobs.force_move)) ||
	    unlikely(!(turns % COSTACK_TURNS)) ||
	    unlikely(atomic_read(&co->state) & COSTACK_WAKEUP) ||
	    trace_costack_park_enabled() || costack_may_be_cut_here(co))
		return NULL;
	next = xchg(&runner->next, NULL);
	if (unlikely(!next))
		return NULL;
	reserve = costack_reserve_of(co);
	/* If the policy has just changed, stacks to move to may be missing: it grows in place. */
	if (unlikely(next->req.handler != do_park || must_heed(next) ||
		     !costack_reserve_full(reserve, next->limit, false))) {
		costack_ready_next(next, runner);
		return NULL;
	}
	WRITE_ONCE(runner->turns, turns);
	costack_arena_expect(next->slot);
	next->host = co->host;
	next->task = co->task;
	costack_locks_pass(co, next);
	/* The barrier is the change of @co's state in park_prev(). */
	costack_set_running(next);
	return next;
}

/* An unpark has come before @prev could park: it runs again after the others. */
static noinline notrace void requeue_prev(struct costack *prev)
{
	costack_set_state(prev, COSTACK_RUNNING, COSTACK_RUNNABLE);
	costack_ready(prev);
}
NOKPROBE_SYMBOL(requeue_prev);

/*
 * Park @prev, which has been switched out. On either path one cmpxchg succeeds: that is the
 * full barrier which the coroutine that runs now needs, see costack_set_running().
 */
static __always_inline void park_prev(struct costack *prev)
{
	/* Once @prev is WAITING it may run elsewhere: do not touch it after this. */
	if (unlikely(!costack_set_state(prev, COSTACK_RUNNING, COSTACK_WAITING)))
		requeue_prev(prev);
}

/*
 * Park the predecessor of @co, which has grown since take_next() found the reserve full. First
 * emit its notes, which are in the reserve, because it may end once it is parked. Then put @co
 * into the run queue, so that dispatch() fills the reserve.
 */
static enum costack_next do_park_grown(struct costack *co)
{
	struct costack *prev = co->req.fn;

	costack_grow_settle(prev);
	costack_grow_settle(co);
	park_prev(prev);
	co->req.ret = 0;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_RUNNABLE);
	costack_ready(co);
	return COSTACK_LEAVE;
}

/**
 * costack_switch_out() - park
 * @co: the running coroutine, which may leave its thread
 *
 * Park on the host stack, like any other request; or without the host stack, when the
 * thread can be handed over (Go's coroswitch). Then the next coroutine continues right
 * here, as it was switched out here itself, and does for its predecessor what do_park()
 * does: the predecessor could not become WAITING while it still ran on its stack.
 *
 *	stack of @co                         stack of the next one
 *	  take_next(): next is RUNNING
 *	  costack_arch_switch() ------------>  costack_arch_switch() returns
 *	                                       park_prev(): @co is WAITING; or it goes to
 *	                                       the run queue, as an unpark has come
 *
 * In between both are RUNNING, in one thread. The handler of a fault, or of an interrupt
 * that has no room, finds the coroutine by the stack it was on, and the host stack and the
 * reserve by @host, which is the same for both. Each coroutine may have to grow before the
 * reserve is filled again, as a rule once, and by no more than half the limit; the reserve
 * held as much as the limit.
 *
 * Not inlined, notrace, NOKPROBE, for the reasons of costack_request().
 *
 * Context: Coroutine stack of @co.
 * Return: 0, or -ECANCELED.
 */
noinline notrace int costack_switch_out(struct costack *co)
{
	struct costack_ctx *prev;
	struct costack *next;

	co->req.ret = 0;
	co->req.handler = do_park;
	next = take_next(co);
	prev = costack_arch_switch(&co->ctx, next ? &next->ctx : &co->host->ctx);
	/* Otherwise GCC saves one more register, to keep &co->host->ctx in it. */
	OPTIMIZER_HIDE_VAR(co);
	if (prev == &co->host->ctx)
		return co->req.ret;
	costack_stat_inc(COSTACK_STAT_PARKS);
	costack_stat_inc(COSTACK_STAT_HANDOVERS);
	/* The other half of the hand-over. */
	next = container_of(prev, struct costack, ctx);
	if (unlikely(next->noted))
		return costack_request(co, do_park_grown, next, NULL);
	park_prev(next);
	return co->req.ret;
}
NOKPROBE_SYMBOL(costack_switch_out);

/* Park while something that belongs to the thread may be set. */
static noinline int park_not_plain(struct costack *co)
{
	if (!costack_thread_may_leave(co, costack_runner_was(co)))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	return costack_request(co, costack_park_plugged, NULL, NULL);
}
NOKPROBE_SYMBOL(park_not_plain);

/**
 * costack_park() - leave the thread until an unpark (Go's gopark)
 *
 * An unpark that came since the coroutine was last switched in counts: the coroutine
 * does not leave then. So a waiter publishes itself, checks its condition, and parks. It
 * checks again afterwards, as several unparks before the resume count as one.
 *
 * The coroutine may continue in another thread and on another CPU: after a park, do not
 * use what was read from "current" or from a CPU before it. The thread of a coroutine of
 * costack_call() waits with it. Signals do not end the wait, and a freezable thread can be
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
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	return costack_switch_out(co);
}
EXPORT_SYMBOL_GPL(costack_park);
NOKPROBE_SYMBOL(costack_park);

/*
 * A thread that waits for its called coroutine may end as soon as it sees RUNNABLE; RCU
 * keeps its task_struct until the wake-up is done.
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

static __always_inline void unpark(struct costack *co, struct costack_runner *runner)
{
	if (trace_costack_unpark_enabled())
		unpark_traced(co, runner);
	else
		do_wake(co, runner);
}

/**
 * costack_unpark_from() - costack_unpark() on behalf of a coroutine
 * @co: the coroutine to make runnable
 * @by: runs on this CPU; has been found already, and is not cut off here
 *
 * Context: Coroutine stack or host stack of @by.
 */
void costack_unpark_from(struct costack *co, struct costack *by)
{
	unpark(co, by->host->runner);
}
NOKPROBE_SYMBOL(costack_unpark_from);

static enum costack_next do_unpark(struct costack *co)
{
	unpark(co->req.arg, co->host->runner);
	return COSTACK_CONTINUE;
}
NOKPROBE_SYMBOL(do_unpark);

/* Can @co make a request here? */
static bool can_switch(const struct costack *co)
{
	return !irqs_disabled() && !rcu_preempt_depth() &&
	       !(IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()) &&
	       !costack_holds_locks(co);
}

/*
 * The runner whose next may be a coroutine that @self wakes, or NULL. An interrupt must not fill
 * the next, because it may have come while @self fills it. That includes sections with softirqs
 * off, which the kernel does not tell from a softirq.
 */
static __always_inline struct costack_runner *runner_here(const struct costack *self)
{
	return self && likely(!in_interrupt()) ? self->host->runner : NULL;
}

/* The caller may be cut off: so the host stack does it, if the caller can make a request here. */
static noinline void unpark_before_cut(struct costack *co, struct costack *self)
{
	if (can_switch(self))
		costack_request(self, do_unpark, NULL, co);
	else
		unpark(co, runner_here(self));
}
NOKPROBE_SYMBOL(unpark_before_cut);

/**
 * costack_unpark() - make a parked coroutine runnable (Go's goready)
 * @co: a coroutine that has not ended
 *
 * If a coroutine of a work item calls this, @co goes to the caller's worker, which runs
 * it when the caller parks or ends. From an interrupt that came on the coroutine's stack,
 * or with softirqs off, @co goes to the run queue.
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_unpark(struct costack *co)
{
	struct costack *self = __costack_current();

	if (self && costack_may_be_cut_here(self))
		unpark_before_cut(co, self);
	else
		unpark(co, runner_here(self));
}
EXPORT_SYMBOL_GPL(costack_unpark);
NOKPROBE_SYMBOL(costack_unpark);

static enum costack_next do_yield(struct costack *co)
{
	unsigned int gen = READ_ONCE(costack_knobs.shrink_gen);

	co->req.ret = 0;
	if (!co->host->runner) {
		cond_resched_tasks_rcu_qs();
		return COSTACK_CONTINUE;
	}
	/* Heed a call to shrink here too, as Go does with preemptShrink. */
	if (unlikely(co->shrink_gen != gen)) {
		co->shrink_gen = gen;
		if (costack_move_shrinkable(co) &&
		    costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK)) {
			costack_move_shrink(co);
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
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	return costack_request(co, do_yield, NULL, NULL);
}
EXPORT_SYMBOL_GPL(costack_yield);
NOKPROBE_SYMBOL(costack_yield);
