// SPDX-License-Identifier: GPL-2.0
/*
 * Runners: the kernel's workers that run coroutines, and what they run next.
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
 * Nobody starves: a runner takes from the run queue every COSTACK_TURNS switches even
 * if it has a next. Where a runner's coroutine holds its worker (it sleeps in a
 * mutex, or computes) the watch, a timer that runs while a runner is active, hands
 * its next to the run queue after a tick, and activates a further runner when the
 * run queue has stood still (Go's sysmon, retake): as many more as sleep. One that
 * computes has a CPU, and a further one would only share it.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "costack.h"
#include "frames.h"
#include "grow.h"
#include "pool.h"
#include "runner.h"
#include "stats.h"
#include "thread.h"
#include "wait.h"
#include "work.h"

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

/**
 * costack_ready() - put a runnable coroutine into the run queue
 * @co: RUNNABLE, and made so by the caller
 *
 * Sees that a runner takes it.
 *
 * Context: Any context; any stack.
 */
void costack_ready(struct costack *co)
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

/* What its coroutines have changed, an administrator may have changed as well. */
static void put_back(struct costack_runner *runner)
{
	if (unlikely(costack_thread_changed(current, &runner->was)))
		costack_thread_put_back(&runner->was, NULL);
}

static struct costack *next(struct costack_runner *runner)
{
	struct costack *co;

	if (unlikely(costack_runner_turn(runner) % COSTACK_TURNS == 0)) {
		put_back(runner);
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
				costack_ready(co);
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
	if (co->flags & COSTACK_ABORTABLE && !co->cut && !co->pins &&
	    costack_frames_droppable(co, NULL, &walk) == COSTACK_MOVABLE)
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
			costack_ready(co);
			return;
		}
	}
	co->runner = runner;
	if (costack_is_cancelled(co))
		heed_cancel(co);
	co = costack_resume(co, runner->reserve);
	if (!co)
		return;
	costack_thread_clean(co, &runner->was);
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
	costack_thread_note(&runner->was);
	/* A function of a coroutine may return in another thread: no hooks in this one. */
	pause_graph_tracing();
	own = costack_arch_canary(canary);
	while ((co = next(runner)))
		dispatch(runner, co);
	costack_arch_canary(own);
	unpause_graph_tracing();
	put_back(runner);
	costack_reserve_put(runner->reserve);
	costack_stat_add(COSTACK_STAT_RUNNERS, -1);
}

/**
 * costack_runners_init() - make the workqueue and its runners
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_runners_init(void)
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
 * costack_runners_exit() - undo costack_runners_init()
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_runners_exit(void)
{
	destroy_workqueue(wq);
	del_timer_sync(&watch_timer);
}
