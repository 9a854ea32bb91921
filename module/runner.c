// SPDX-License-Identifier: GPL-2.0
/*
 * Runners: how many of the kernel's workers run coroutines, and what each runs next. What
 * it does then is worker.c.
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
 * if it has a next. Where a runner's coroutine holds its worker the watch, a timer that
 * runs while a runner is active, hands its next to the run queue after a tick (Go's
 * sysmon, retake), and activates further runners if somebody is in the queue. There are
 * as many runners as are needed and as there is memory for:
 *
 *  - one that sleeps in the kernel, for a tick at least, does not count: as many more
 *    may be active, at once;
 *  - one that has computed for HOG_MS does not count either. But it has a CPU, and a
 *    further one only shares it. So those come one by one, each after the run queue has
 *    stood still for as many ticks as there are many of them, and go when there are more
 *    than the knob allows.
 *
 * A runner that is not active is a struct and nothing else. They are made in herds, in
 * process context and ahead of time, as they are activated in any.
 *
 * A worker can die under its coroutine, by an oops. The watch sees that: the runner goes
 * with it, and another one takes its place.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "coroutine.h"
#include "runner.h"
#include "stats.h"
#include "thread.h"

/* A runner whose coroutine has computed for so long does not count. */
#define HOG_MS		10

/* Runners made together: as many as can be active in one workqueue. */
#define HERD		64

/* With fewer idle ones the next herd is made. */
#define FEW_IDLE	16

/* States of a runner. One that died has been seen to, or is to be: see bury(). */
enum {
	RUNNER_IDLE,
	RUNNER_ACTIVE,
	RUNNER_DIED,
	RUNNER_BURIED,
};

/**
 * struct herd - runners, and the workqueue that they are items of
 * @wq: for these alone: so it has no limit that they could reach
 * @older: the herd made before
 * @runner: they
 */
struct herd {
	struct workqueue_struct	*wq;
	struct herd		*older;
	struct costack_runner	runner[HERD];
};

static struct {
	/*
	 * Covers all of it. Taken in any context, hard interrupts included, so
	 * raw and with interrupts off.
	 */
	raw_spinlock_t	lock;
	struct costack	*head;
	struct costack	**tail;
	unsigned int	nr;
	/* Taken from the queue so far; the watch compares, and counts the ticks. */
	unsigned long	taken;
	unsigned long	seen;
	unsigned int	still;
	/* All runners there are, and a list of those that are idle. */
	struct herd	*herds;
	struct costack_runner *idle;
	unsigned int	nr_active;
	unsigned int	nr_idle;
	/* The watch is to come. */
	bool		watched;
	/* Active ones that do not count, as the watch saw it last: asleep, computing. */
	unsigned int	held;
	unsigned int	hogs;
} queue = {
	.lock	= __RAW_SPIN_LOCK_UNLOCKED(queue.lock),
	.tail	= &queue.head,
};

/*
 * In a hard interrupt: a softirq may have to wait for ksoftirqd, and that for the very
 * coroutine that computes.
 */
static struct hrtimer watch_timer;

static void make_more(struct work_struct *work);
static DECLARE_WORK(make_more_work, make_more);

/* What a runner does, and who sees to those that died: see costack_runners_init(). */
static work_func_t run_fn;
static struct work_struct died_work;

/* === The run queue === */

/* Take an idle runner to activate, unless @max are active already. */
static struct costack_runner *take_idle(unsigned int max)
{
	struct costack_runner *runner = queue.idle;

	lockdep_assert_held(&queue.lock);
	if (queue.nr_active >= max || !runner)
		return NULL;
	runner->state = RUNNER_ACTIVE;
	queue.idle = runner->idle;
	queue.nr_idle--;
	queue.nr_active++;
	runner->still = 0;
	if (!queue.watched) {
		queue.watched = true;
		hrtimer_start(&watch_timer, TICK_NSEC, HRTIMER_MODE_REL_HARD);
	}
	return runner;
}

static void activate(struct costack_runner *runner)
{
	queue_work(runner->wq, &runner->work);
	if (READ_ONCE(queue.nr_idle) < FEW_IDLE)
		queue_work(system_unbound_wq, &make_more_work);
}

static void add_idle(struct costack_runner *runner)
{
	lockdep_assert_held(&queue.lock);
	runner->state = RUNNER_IDLE;
	runner->idle = queue.idle;
	queue.idle = runner;
	queue.nr_idle++;
}

static void append(struct costack *co)
{
	lockdep_assert_held(&queue.lock);
	co->run_next = NULL;
	*queue.tail = co;
	queue.tail = &co->run_next;
	queue.nr++;
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
	append(co);
	runner = take_idle(READ_ONCE(costack_knobs.workers) + queue.held);
	raw_spin_unlock_irqrestore(&queue.lock, flags);
	if (runner)
		activate(runner);
}

/*
 * Take the first, or make @runner idle: in one step, so that nothing is appended
 * unseen. It also goes if there are more than are needed now.
 */
static struct costack *pop_or_idle(struct costack_runner *runner, bool may_idle)
{
	struct costack *co;

	raw_spin_lock_irq(&queue.lock);
	co = queue.head;
	if (may_idle && (!co || queue.nr_active > READ_ONCE(costack_knobs.workers) +
						  queue.held + queue.hogs)) {
		co = NULL;
		runner->task = NULL;
		add_idle(runner);
		queue.nr_active--;
	} else if (co) {
		queue.head = co->run_next;
		if (!queue.head)
			queue.tail = &queue.head;
		queue.nr--;
		queue.taken++;
	}
	raw_spin_unlock_irq(&queue.lock);
	return co;
}

/**
 * costack_runner_put_back() - give its worker back what coroutines have changed for good
 * @runner: the caller runs in it
 *
 * An administrator may have changed it as well.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_runner_put_back(struct costack_runner *runner)
{
	if (unlikely(costack_thread_changed(current, &runner->was)))
		costack_thread_put_back(&runner->was, NULL);
}

/**
 * costack_runner_next() - what a runner runs next (Go's schedule)
 * @runner: the caller runs in it; it has no coroutine
 *
 * Context: Process context, host stack; may sleep.
 * Return: RUNNABLE; %NULL: there is none, and @runner is idle.
 */
struct costack *costack_runner_next(struct costack_runner *runner)
{
	struct costack *co;

	if (unlikely(costack_runner_turn(runner) % COSTACK_TURNS == 0)) {
		costack_runner_put_back(runner);
		/*
		 * Coroutines that only hand over or yield never sleep. Here the thread
		 * is on its own stack, with nothing of theirs.
		 */
		cond_resched_tasks_rcu_qs();
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

/* === The watch === */

/*
 * Look at an active runner. One that has not switched for a tick holds its worker: what
 * comes next in it goes to the run queue.
 */
static void look_at(struct costack_runner *runner)
{
	unsigned int turns = READ_ONCE(runner->turns);
	struct costack *co;

	lockdep_assert_held(&queue.lock);
	if (turns != runner->seen) {
		runner->seen = turns;
		runner->still = 0;
		return;
	}
	runner->still++;
	if (READ_ONCE(runner->next)) {
		co = xchg(&runner->next, NULL);
		if (co) {
			append(co);
			costack_stat_inc(COSTACK_STAT_RETAKEN);
		}
	}
	/* Not there yet, or waiting for memory: it has no coroutine. */
	if (!runner->task)
		return;
	if (unlikely(READ_ONCE(runner->task->flags) & PF_EXITING)) {
		runner->state = RUNNER_DIED;
		queue.nr_active--;
		queue_work(system_unbound_wq, &died_work);
	} else if (!task_is_running(runner->task)) {
		queue.held++;
	} else if (runner->still >= msecs_to_jiffies(HOG_MS)) {
		queue.hogs++;
	}
}

/* How many runners are to be activated. */
static unsigned int missing(void)
{
	unsigned int max = READ_ONCE(costack_knobs.workers) + queue.held;

	lockdep_assert_held(&queue.lock);
	queue.still = queue.nr && queue.taken == queue.seen ? queue.still + 1 : 0;
	queue.seen = queue.taken;
	if (queue.nr_active < max)
		return min(queue.nr, max - queue.nr_active);
	return queue.nr_active < max + queue.hogs && queue.still > queue.hogs / 8;
}

/* Each tick; hard interrupt. */
static enum hrtimer_restart watch(struct hrtimer *timer)
{
	struct costack_runner *runner;
	unsigned int more, i;
	unsigned long flags;
	struct herd *herd;
	bool again;

	raw_spin_lock_irqsave(&queue.lock, flags);
	queue.held = 0;
	queue.hogs = 0;
	for (herd = queue.herds; herd; herd = herd->older)
		for (i = 0; i < HERD; i++)
			if (herd->runner[i].state == RUNNER_ACTIVE)
				look_at(&herd->runner[i]);
	more = missing();
	again = queue.nr_active;
	queue.watched = again;
	raw_spin_unlock_irqrestore(&queue.lock, flags);
	while (more--) {
		raw_spin_lock_irqsave(&queue.lock, flags);
		runner = take_idle(UINT_MAX);
		raw_spin_unlock_irqrestore(&queue.lock, flags);
		if (!runner) {
			queue_work(system_unbound_wq, &make_more_work);
			break;
		}
		activate(runner);
	}
	if (!again)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, TICK_NSEC);
	return HRTIMER_RESTART;
}

/* === Runners === */

static int make_herd(void)
{
	struct herd *herd = kvzalloc(sizeof(*herd), GFP_KERNEL);
	unsigned int i;

	if (!herd)
		return -ENOMEM;
	herd->wq = alloc_workqueue("costack", WQ_UNBOUND, HERD);
	if (!herd->wq) {
		kvfree(herd);
		return -ENOMEM;
	}
	for (i = 0; i < HERD; i++) {
		INIT_WORK(&herd->runner[i].work, run_fn);
		herd->runner[i].wq = herd->wq;
	}
	raw_spin_lock_irq(&queue.lock);
	herd->older = queue.herds;
	queue.herds = herd;
	for (i = 0; i < HERD; i++)
		add_idle(&herd->runner[i]);
	raw_spin_unlock_irq(&queue.lock);
	return 0;
}

/* Where there is no memory, the watch asks again. */
static void make_more(struct work_struct *work)
{
	if (READ_ONCE(queue.nr_idle) < FEW_IDLE)
		make_herd();
}

/**
 * costack_runner_take_died() - take a runner whose worker has died
 *
 * Context: Process context.
 * Return: one that has not been seen to, or %NULL. It keeps its reference to the task.
 */
struct costack_runner *costack_runner_take_died(void)
{
	struct costack_runner *found = NULL;
	struct herd *herd;
	unsigned int i;

	raw_spin_lock_irq(&queue.lock);
	for (herd = queue.herds; herd; herd = herd->older)
		for (i = 0; i < HERD; i++)
			if (herd->runner[i].state == RUNNER_DIED)
				found = &herd->runner[i];
	if (found)
		found->state = RUNNER_BURIED;
	raw_spin_unlock_irq(&queue.lock);
	return found;
}

/**
 * costack_runner_begin() - tell that a runner has its worker
 * @runner: active; its worker is the current thread
 *
 * Context: Process context, host stack.
 */
void costack_runner_begin(struct costack_runner *runner)
{
	raw_spin_lock_irq(&queue.lock);
	runner->task = current;
	raw_spin_unlock_irq(&queue.lock);
}

/**
 * costack_runners_init() - make the first runners
 * @run: called in a kworker, for a runner that is active: runs coroutines until
 *	costack_runner_next() has no more
 * @died: called when a runner is to be had from costack_runner_take_died()
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_runners_init(work_func_t run, work_func_t died)
{
	if (!costack_knobs.workers)
		costack_knobs.workers = clamp(2 * num_online_cpus(), 4U, COSTACK_MAX_WORKERS);
	run_fn = run;
	INIT_WORK(&died_work, died);
	costack_hrtimer_setup(&watch_timer, watch, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	return make_herd();
}

/**
 * costack_runners_exit() - undo costack_runners_init()
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_runners_exit(void)
{
	struct herd *herd;

	cancel_work_sync(&make_more_work);
	for (herd = queue.herds; herd; herd = herd->older)
		destroy_workqueue(herd->wq);
	hrtimer_cancel(&watch_timer);
	while (queue.herds) {
		herd = queue.herds;
		queue.herds = herd->older;
		kvfree(herd);
	}
}
