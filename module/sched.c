// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling: runnable coroutines, and the kernel's workers that run them.
 *
 * A runner is a work item of our workqueue; while it is active it holds one
 * kworker and runs coroutines, one after the other (Go's M with its P). There are
 * two places where a runnable coroutine waits:
 *
 *  - the run queue, first in first out, which any runner takes from;
 *  - a runner's next: the coroutine that its current one has made runnable last
 *    (Go's runnext). A hand-over between two coroutines stays in one worker and
 *    costs a switch. A second one moves the first to the run queue.
 *
 * Nobody starves: a runner takes from the run queue every TURNS switches even if
 * it has a next. Where a runner's coroutine holds its worker (it sleeps in a
 * mutex, or computes) the watch, a timer that runs while a runner is active, hands
 * its next to the run queue after a tick, and activates a further runner when the
 * run queue has stood still (Go's sysmon, retake): as many more as sleep. One that
 * computes has a CPU, and a further one would only share it.
 *
 * Park and unpark race as in Go. That an unpark has come is told in the word that
 * holds the state (state.h): so either the waiter finds it and does not park, or the
 * waker finds WAITING, and the cmpxchg lets exactly one make the coroutine runnable.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "grow.h"
#include "pool.h"
#include "sched.h"
#include "state.h"
#include "stats.h"
#include "wait.h"
#include "work.h"

/* Switches between two looks at the run queue (Go: 61). */
#define TURNS		64U

/**
 * struct costack_runner - one worker's worth of coroutines
 * @work: carries it to a kworker
 * @next: made runnable by the current coroutine; exchanged by the runner, by its
 *	coroutine, and by the watch
 * @turns: switches; read by the watch to see that it goes on
 * @seen: what the watch saw of @turns
 * @task: the kworker while it is active, under queue.lock: it cannot end as long
 *	as it is set
 * @reserve: what its coroutines grow into
 */
struct costack_runner {
	struct work_struct	work;
	struct costack		*next;
	unsigned int		turns;
	unsigned int		seen;
	struct task_struct	*task;
	struct costack_reserve	*reserve;
};

static struct workqueue_struct *wq;
static unsigned long canary;		/* of all coroutines of work items */
static struct costack_runner runners[COSTACK_MAX_RUNNERS];

static struct {
	/*
	 * Covers all of it. Taken in any context, hard interrupts included, so
	 * raw and with interrupts off.
	 */
	raw_spinlock_t	lock;
	struct costack	*head;
	struct costack	**tail;
	unsigned int	nr;
	/* Taken from the queue so far; the watch compares. */
	unsigned long	taken;
	unsigned long	seen;
	/* Runners that are not active: a set bit is owned by who clears it. */
	DECLARE_BITMAP(idle, COSTACK_MAX_RUNNERS);
	unsigned int	active;
} queue = {
	.lock	= __RAW_SPIN_LOCK_UNLOCKED(queue.lock),
	.tail	= &queue.head,
};

static void watch(struct timer_list *timer);
static DEFINE_TIMER(watch_timer, watch);

/* === The run queue === */

/* Take an idle runner to activate, unless @max are active already. */
static struct costack_runner *take_idle(unsigned int max)
{
	unsigned int i;

	lockdep_assert_held(&queue.lock);
	if (queue.active >= max)
		return NULL;
	i = find_first_bit(queue.idle, COSTACK_MAX_RUNNERS);
	if (i == COSTACK_MAX_RUNNERS)
		return NULL;
	__clear_bit(i, queue.idle);
	queue.active++;
	return &runners[i];
}

static void activate(struct costack_runner *runner)
{
	if (!runner)
		return;
	queue_work(wq, &runner->work);
	if (!timer_pending(&watch_timer))
		mod_timer(&watch_timer, jiffies + 1);
}

/* Append to the run queue, and see that somebody takes it. Any context. */
static void push(struct costack *co)
{
	struct costack_runner *runner;
	unsigned long flags;

	raw_spin_lock_irqsave(&queue.lock, flags);
	co->run_next = NULL;
	*queue.tail = co;
	queue.tail = &co->run_next;
	queue.nr++;
	runner = take_idle(READ_ONCE(costack_knobs.workers));
	raw_spin_unlock_irqrestore(&queue.lock, flags);
	activate(runner);
}

/* Take the first, or make @runner idle: in one step, so that no push is missed. */
static struct costack *pop_or_idle(struct costack_runner *runner, bool may_idle)
{
	struct costack *co;

	raw_spin_lock_irq(&queue.lock);
	co = queue.head;
	if (co) {
		queue.head = co->run_next;
		if (!queue.head)
			queue.tail = &queue.head;
		queue.nr--;
		queue.taken++;
	} else if (may_idle) {
		runner->task = NULL;
		__set_bit(runner - runners, queue.idle);
		queue.active--;
	}
	raw_spin_unlock_irq(&queue.lock);
	return co;
}

/* The watch looks whether it has changed, with no lock. */
static unsigned int count_turn(struct costack_runner *runner)
{
	unsigned int turns = runner->turns + 1;

	WRITE_ONCE(runner->turns, turns);
	return turns;
}

static struct costack *next(struct costack_runner *runner)
{
	struct costack *co;

	if (unlikely(count_turn(runner) % TURNS == 0)) {
		/* Coroutines that only hand over or yield never sleep. */
		cond_resched();
		co = pop_or_idle(runner, false);
		if (co)
			return co;
	}
	if (READ_ONCE(runner->next)) {
		co = xchg(&runner->next, NULL);
		if (likely(co))
			return co;
	}
	return pop_or_idle(runner, true);
}

/* What a runner holds back, and a queue that stands still. Softirq. */
static void watch(struct timer_list *timer)
{
	struct costack_runner *runner;
	struct costack *co;
	unsigned int i, held = 0;
	bool active;

	for (i = 0; i < COSTACK_MAX_RUNNERS; i++) {
		runner = &runners[i];
		if (READ_ONCE(runner->next) && READ_ONCE(runner->turns) == runner->seen) {
			co = xchg(&runner->next, NULL);
			if (co)
				push(co);
		}
		runner->seen = READ_ONCE(runner->turns);
	}
	raw_spin_lock_irq(&queue.lock);
	for (i = 0; i < COSTACK_MAX_RUNNERS; i++)
		held += runners[i].task && !task_is_running(runners[i].task);
	runner = NULL;
	if (queue.nr && queue.taken == queue.seen)
		runner = take_idle(READ_ONCE(costack_knobs.workers) + held);
	queue.seen = queue.taken;
	active = queue.active;
	raw_spin_unlock_irq(&queue.lock);
	activate(runner);
	if (active)
		mod_timer(&watch_timer, jiffies + 1);
}

/*
 * Put a coroutine that was made RUNNABLE where it will be run: next in @runner,
 * whose current coroutine made it so, or in the run queue.
 */
static void ready(struct costack *co, struct costack_runner *runner)
{
	if (runner)
		co = xchg(&runner->next, co);
	if (co)
		push(co);
}

/**
 * costack_ready() - put a runnable coroutine into the run queue
 * @co: RUNNABLE, and made so by the caller
 *
 * Context: Any context; any stack.
 */
void costack_ready(struct costack *co)
{
	push(co);
}

/* === Park === */

/**
 * costack_park_refused() - say why costack_may_park() says no
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 */
void costack_park_refused(struct costack *co)
{
	pr_warn_once("%ps wants to park with preempt count %x, interrupts %s, RCU depth %d, %d locks held: refused\n",
		     co->fn, preempt_count(), irqs_disabled() ? "off" : "on",
		     rcu_preempt_depth(), costack_locks_held() - co->locks_held);
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
	/* Once it waits it is not ours: not a word of it may be looked at after this. */
	if (likely(costack_set_state(co, COSTACK_RUNNING, COSTACK_WAITING)))
		return COSTACK_LEAVE;
	costack_heed_wakeup(co);
	if (unlikely(READ_ONCE(co->cancelled))) {
		costack_wait_forget(co);
		co->req.ret = -ECANCELED;
	}
	return COSTACK_CONTINUE;
}

static enum costack_next do_park(struct costack *co)
{
	costack_stat_inc(COSTACK_STAT_PARKS);
	return costack_park_commit(co);
}

/*
 * Whom @co may hand its thread over to: the next one of its runner, which takes its
 * place there. Not where either needs the host loop: @co, as it has grown, is to move,
 * or has been unparked already; the runner, to look at the run queue or to fill its
 * reserve; the next one, unless all it has to do is to return from switch_out(). And
 * neither may be cut off in between, as it has the other one in its hands.
 */
static struct costack *take_next(struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack_runner *runner = co->runner;
	struct costack *next;

	if (!runner || !READ_ONCE(runner->next) || !((runner->turns + 1) % TURNS) ||
	    unlikely(READ_ONCE(co->nr_events) || READ_ONCE(costack_knobs.force_move)) ||
	    unlikely(atomic_read(&co->state) & COSTACK_WAKEUP) ||
	    costack_may_be_cut(co, current_stack_pointer))
		return NULL;
	next = xchg(&runner->next, NULL);
	if (unlikely(!next))
		return NULL;
	if (unlikely(next->req.handler != do_park || READ_ONCE(next->cancelled) ||
		     costack_may_be_cut(next, next->ctx.sp) ||
		     !costack_reserve_full(co->reserve, next->limit, copies))) {
		ready(next, runner);
		return NULL;
	}
	count_turn(runner);
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
static bool park_prev(struct costack *prev)
{
	bool grown = prev->nr_events;

	costack_stat_inc(COSTACK_STAT_PARKS);
	costack_stat_inc(COSTACK_STAT_HANDOVERS);
	if (unlikely(!costack_set_state(prev, COSTACK_RUNNING, COSTACK_WAITING))) {
		costack_set_state(prev, COSTACK_RUNNING, COSTACK_RUNNABLE);
		push(prev);
	}
	return grown;
}

/* Let dispatch() fill the reserve. */
static enum costack_next do_refill(struct costack *co)
{
	co->req.ret = 0;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_RUNNABLE);
	push(co);
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

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(READ_ONCE(co->cancelled)))
		return -ECANCELED;
	return switch_out(co);
}
EXPORT_SYMBOL_GPL(costack_park);

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

static void unpark(struct costack *co, struct costack_runner *runner)
{
	if (unlikely(!co->work)) {
		unpark_called(co);
		return;
	}
	if (costack_wake(co))
		ready(co, runner);
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
	else if (costack_may_be_cut(self, current_stack_pointer) && costack_can_park(self))
		costack_request(self, do_unpark, NULL, co);
	else
		unpark(co, self->runner);
}
EXPORT_SYMBOL_GPL(costack_unpark);

static enum costack_next do_yield(struct costack *co)
{
	unsigned int gen = READ_ONCE(costack_knobs.shrink_gen);

	co->req.ret = 0;
	if (!co->runner) {
		cond_resched();
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
	costack_set_state(co, COSTACK_RUNNING, COSTACK_RUNNABLE);
	push(co);
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

/* === Runners === */

/*
 * A cancelled item is cut off where it was parked if it said that it may be, and
 * every frame is movable text: then no kernel function is left half done. Any
 * other goes on, and sees -ECANCELED.
 */
static void heed_cancel(struct costack *co)
{
	struct costack_walk walk;

	if (!co->started) {
		co->started = true;
		costack_cut(co, -ECANCELED);
		return;
	}
	costack_wait_forget(co);
	co->req.ret = -ECANCELED;
	if (co->flags & COSTACK_ABORTABLE && !co->cut &&
	    costack_grow_verify(co, &walk) == COSTACK_MOVABLE)
		costack_cut(co, -ECANCELED);
}

static void dispatch(struct costack_runner *runner, struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;

	if (unlikely(costack_reserve_refill(runner->reserve, co->limit, copies))) {
		/* Not started: it does not. Else it waits for memory, others first. */
		if (!co->started) {
			co->started = true;
			costack_cut(co, -ENOMEM);
		} else {
			schedule_timeout_uninterruptible(1);
			push(co);
			return;
		}
	}
	co->runner = runner;
	if (unlikely(READ_ONCE(co->cancelled)))
		heed_cancel(co);
	co = costack_resume(co, runner->reserve);
	if (co)
		costack_work_end(co);
}

/*
 * Coroutines move between threads, and their frames carry the stack protector's
 * canary. So all run under one canary of ours, which the worker takes on here.
 * Built without the protector: its own frame lies across the change.
 */
static void run(struct work_struct *work)
{
	struct costack_runner *runner = container_of(work, struct costack_runner, work);
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	unsigned long own;
	struct costack *co;

	while (!(runner->reserve = costack_reserve_get(READ_ONCE(costack_knobs.stack_max),
						       copies, COSTACK_GFP)))
		schedule_timeout_uninterruptible(1);
	costack_stat_inc(COSTACK_STAT_RUNNERS);
	raw_spin_lock_irq(&queue.lock);
	runner->task = current;
	raw_spin_unlock_irq(&queue.lock);
	/* A function of a coroutine may return in another thread: no hooks in this one. */
	pause_graph_tracing();
	own = costack_arch_canary(canary);
	while ((co = next(runner)))
		dispatch(runner, co);
	costack_arch_canary(own);
	unpause_graph_tracing();
	costack_reserve_put(runner->reserve);
	costack_stat_add(COSTACK_STAT_RUNNERS, -1);
}

/**
 * costack_sched_init() - make the workqueue and its runners
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_sched_init(void)
{
	unsigned int i;

	wq = alloc_workqueue("costack", WQ_UNBOUND, COSTACK_MAX_RUNNERS);
	if (!wq)
		return -ENOMEM;
	for (i = 0; i < COSTACK_MAX_RUNNERS; i++)
		INIT_WORK(&runners[i].work, run);
	bitmap_fill(queue.idle, COSTACK_MAX_RUNNERS);
	if (!costack_knobs.workers)
		costack_knobs.workers = clamp(2 * num_online_cpus(), 4U, COSTACK_MAX_RUNNERS);
	canary = get_random_canary();
	return 0;
}

/**
 * costack_sched_exit() - undo costack_sched_init()
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_sched_exit(void)
{
	destroy_workqueue(wq);
	del_timer_sync(&watch_timer);
}
