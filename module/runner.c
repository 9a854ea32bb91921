// SPDX-License-Identifier: GPL-2.0
/*
 * Runners: how many of the kernel's workers run coroutines, and what each runs next.
 * worker.c has what a runner does in its worker.
 *
 * A runner is a work item of costack's workqueue. While it is active, it holds one
 * kworker and runs coroutines, one after the other (Go's M with its P). There are
 * two places where a runnable coroutine waits:
 *
 *  - the run queue of the CPU on which it became runnable, first in first out. A runner
 *    takes from the queue of the CPU that it runs on; if that is empty, it steals half of
 *    another CPU's queue;
 *  - a runner's next: the coroutine that the runner's current one has last made runnable
 *    (Go's runnext). So a hand-over between two coroutines stays in one worker and costs
 *    one switch. A new next moves the previous one to the run queue.
 *
 * So runners that have work share no lock and no cache line that is written often. They touch
 * what all of them share, runners, only to become active or idle.
 *
 * No coroutine starves: every COSTACK_TURNS switches a runner takes from a run queue even if
 * it has a next, alternately from that of its CPU and from that of another one, of which it takes
 * half: there may be no runner on that CPU at all. The watch, a timer that runs while
 * any runner is active, deals with a coroutine that holds its worker: after a tick it hands
 * the runner's next to a run queue (Go's sysmon, retake), and activates further runners if the
 * queues are not empty. The knob "workers" limits how many runners are active, with two
 * exceptions, for which memory is the only limit:
 *
 *  - A runner that sleeps in the kernel, for a tick at least, does not count: for each
 *    such runner another one may be active at once.
 *  - A runner that has computed for HOG_MS does not count either. But it uses a CPU, and
 *    a further runner only shares that CPU. So further ones are activated one by one,
 *    each after the run queues have stood still for some ticks: the more such runners there
 *    are, the more ticks. They become idle when there are more than the knob allows.
 *
 * A runner that finds nothing to run keeps its worker for a moment and rests, asleep (Go's
 * stopm): waking it costs less than having the workqueue start a worker, and needs hardly any
 * work in this module. At most one runner for each CPU rests, and the watch dismisses each after
 * REST_MS. Any other runner that is not active is a struct and nothing else. Runners are
 * activated in any context. So they are allocated ahead of time, in herds and in process
 * context.
 *
 * A worker can die under its coroutine, by an oops. The watch notices: the runner is
 * given up with the worker, and another runner replaces it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "coroutine.h"
#include "held.h"
#include "pool.h"
#include "runner.h"
#include "runq.h"
#include "stats.h"
#include "thread.h"

/* A runner whose coroutine has computed for this long does not count. */
#define HOG_MS		10

/* A runner with nothing to run gives its worker back after this time. */
#define REST_MS		20

/*
 * Runners made together, for one workqueue. From Linux 6.9 on, the NUMA nodes share the
 * max_active of an unbound workqueue; but each may run eight items, WQ_DFL_MIN_ACTIVE.
 */
#define HERD		8

/* With fewer idle runners than this, the next herd is made. */
#define FEW_IDLE	64

/* At how many runners the watch looks in a tick. */
#define MAX_LOOKS	256

/*
 * States of a runner whose worker lives. RESTING: the worker sleeps in rest() until a waker makes
 * the runner ACTIVE, or the watch DISMISSED.
 */
enum {
	RUNNER_IDLE,
	RUNNER_RESTING,
	RUNNER_DISMISSED,
	RUNNER_ACTIVE,
};

/**
 * struct herd - runners, and the workqueue that they are items of
 * @wq: for these runners alone, so they cannot reach its limit, on whatever node they are
 * @older: the herd made before this one
 * @runner: the runners
 */
struct herd {
	struct workqueue_struct	*wq;
	struct herd		*older;
	struct costack_runner	runner[HERD];
};

static DEFINE_PER_CPU(struct costack_runq, runqs);

static struct {
	/*
	 * Covers the whole structure. Raw and taken with interrupts off, as it is
	 * taken in any context, hard interrupts included.
	 */
	raw_spinlock_t	lock;
	/*
	 * Coroutines taken from the queues so far, as many as the watch saw last, and
	 * the ticks since that number changed.
	 */
	unsigned long	seen;
	unsigned int	still;
	/* All runners; lists of those that are idle, rest, or have died, newest first. */
	struct herd	*herds;
	struct costack_runner *idle;
	struct costack_runner *resting;
	struct costack_runner *died;
	/* Active runners, and those that were active at the last look; looked at from the front. */
	struct list_head watched;
	unsigned int	nr_watched;
	/*
	 * These two, and @held and @hogs, are also read without the lock, as a guess.
	 * @nr_idle counts the runners on @idle and @resting.
	 */
	unsigned int	nr_active;
	unsigned int	nr_idle;
	unsigned int	nr_resting;
	/* The timer of the watch is started. */
	bool		watching;
	/* Active runners that the watch last saw asleep, or computing: they do not count. */
	unsigned int	held;
	unsigned int	hogs;
} runners = {
	.lock		= __RAW_SPIN_LOCK_UNLOCKED(runners.lock),
	.watched	= LIST_HEAD_INIT(runners.watched),
};

/*
 * The watch runs in a hard interrupt: a softirq may have to wait for ksoftirqd, and
 * ksoftirqd may have to wait for the very coroutine that computes.
 */
static struct hrtimer watch_timer;

static void make_more(struct work_struct *work);
static DECLARE_WORK(make_more_work, make_more);

/* Functions that worker.c has passed to costack_runners_init(). */
static work_func_t run_fn;
static struct work_struct died_work;

/* === Active and idle === */

/* How many runners may be active at once. */
static unsigned int most_active(void)
{
	return READ_ONCE(costack_knobs.workers) + READ_ONCE(runners.held);
}

/* Out of line, so that the caller saves no registers where this is not needed. */
static noinline void begin_watch(struct costack_runner *runner)
{
	list_add(&runner->watched, &runners.watched);
	runners.nr_watched++;
	if (!runners.watching) {
		runners.watching = true;
		hrtimer_start(&watch_timer, TICK_NSEC, HRTIMER_MODE_REL_HARD);
	}
}

/*
 * Take a runner to activate, unless @max are active already. *@sleeper is the worker of one
 * that rests.
 */
static struct costack_runner *take_idle(unsigned int max, struct task_struct **sleeper)
{
	struct costack_runner *runner = runners.resting ?: runners.idle;

	lockdep_assert_held(&runners.lock);
	if (runners.nr_active >= max || !runner)
		return NULL;
	*sleeper = runner->task;
	if (runners.resting) {
		runners.resting = runner->idle;
		runners.nr_resting--;
	} else {
		runners.idle = runner->idle;
	}
	WRITE_ONCE(runner->state, RUNNER_ACTIVE);
	WRITE_ONCE(runners.nr_idle, runners.nr_idle - 1);
	WRITE_ONCE(runners.nr_active, runners.nr_active + 1);
	runner->still = 0;
	if (unlikely(list_empty(&runner->watched)))
		begin_watch(runner);
	return runner;
}

static void activate(struct costack_runner *runner, struct task_struct *sleeper)
{
	if (sleeper)
		wake_up_process(sleeper);
	else
		queue_work(runner->wq, &runner->work);
	if (READ_ONCE(runners.nr_idle) < FEW_IDLE)
		queue_work(system_dfl_wq, &make_more_work);
}

static void add_idle(struct costack_runner *runner)
{
	lockdep_assert_held(&runners.lock);
	runner->state = RUNNER_IDLE;
	runner->idle = runners.idle;
	runners.idle = runner;
	WRITE_ONCE(runners.nr_idle, runners.nr_idle + 1);
}

/*
 * Activate a runner, if one is idle and may be active. A runner that rests may be awake by
 * chance, and go on as soon as it is ACTIVE; so preemption is off, for RCU to keep its worker
 * until the wake-up is done.
 */
static noinline void activate_idle(void)
{
	struct costack_runner *runner;
	struct task_struct *sleeper;
	unsigned long flags;

	costack_stat_inc(COSTACK_STAT_RUNNER_LOCKS);
	preempt_disable();
	raw_spin_lock_irqsave(&runners.lock, flags);
	runner = take_idle(most_active(), &sleeper);
	raw_spin_unlock_irqrestore(&runners.lock, flags);
	if (runner)
		activate(runner, sleeper);
	preempt_enable();
}

/* Out of line is only what saves registers: with many to run, all runners are active. */
static __always_inline void activate_one(void)
{
	if (READ_ONCE(runners.nr_active) < most_active() && READ_ONCE(runners.nr_idle))
		activate_idle();
}

static bool any_runnable(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(&runqs, cpu)->nr))
			return true;
	return false;
}

/* Whoever has made a runner idle or resting calls this after that. */
static void look_again(void)
{
	/*
	 * Pairs with the barrier in appended(): either this finds the coroutine that was
	 * appended, or appended() finds that one runner more can be activated.
	 */
	smp_mb();
	if (any_runnable())
		activate_one();
}

/* Let @runner rest, unless enough do. */
static bool begin_rest(struct costack_runner *runner)
{
	bool rests;

	costack_stat_inc(COSTACK_STAT_RUNNER_LOCKS);
	raw_spin_lock_irq(&runners.lock);
	WRITE_ONCE(runners.nr_active, runners.nr_active - 1);
	rests = runners.nr_resting < num_online_cpus();
	if (rests) {
		runner->state = RUNNER_RESTING;
		runner->still = 0;
		runner->idle = runners.resting;
		runners.resting = runner;
		runners.nr_resting++;
		WRITE_ONCE(runners.nr_idle, runners.nr_idle + 1);
	} else {
		runner->task = NULL;
		add_idle(runner);
	}
	raw_spin_unlock_irq(&runners.lock);
	look_again();
	return rests;
}

/*
 * Make @runner idle, which has found nothing to run, or is one too many. Returns true if it
 * has been activated again while it rested.
 */
static bool rest(struct costack_runner *runner)
{
	if (!begin_rest(runner))
		return false;
	for (;;) {
		/* Pairs with the wake-up, which comes after the change of state. */
		set_current_state(TASK_IDLE);
		if (READ_ONCE(runner->state) != RUNNER_RESTING)
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	if (READ_ONCE(runner->state) == RUNNER_ACTIVE)
		return true;
	raw_spin_lock_irq(&runners.lock);
	runner->task = NULL;
	add_idle(runner);
	raw_spin_unlock_irq(&runners.lock);
	look_again();
	return false;
}

/* === Run queues === */

/* Somebody has appended to a run queue: activate a runner, if one is idle and may be active. */
static void appended(void)
{
	/* Pairs with the barrier in look_again(). */
	smp_mb();
	activate_one();
}

/**
 * costack_ready() - put a runnable coroutine into the run queue of this CPU
 * @co: RUNNABLE, and made so by the caller
 *
 * Activates a runner to take @co, if one is idle and may be active.
 *
 * Context: Any context; any stack.
 */
void costack_ready(struct costack *co)
{
	/* If the thread moves to another CPU now, that is as good. */
	costack_runq_push(raw_cpu_ptr(&runqs), co);
	appended();
}

/* The run queue of another CPU, each in its turn. */
static struct costack_runq *next_victim(struct costack_runner *runner)
{
	runner->victim = cpumask_next(runner->victim, cpu_possible_mask);
	if (runner->victim >= nr_cpu_ids)
		runner->victim = cpumask_first(cpu_possible_mask);
	return per_cpu_ptr(&runqs, runner->victim);
}

/*
 * Take half of the next queue, other than @own, that is not empty (Go's stealWork). CPUs that
 * are offline have queues, too, until these are empty.
 *
 * What is stolen is in no queue for a moment: a runner that looked then has become idle. So
 * if there is more than one to run, another runner is activated (Go's wakep).
 */
static struct costack *steal(struct costack_runner *runner, struct costack_runq *own)
{
	unsigned int tries = nr_cpu_ids;
	struct costack_runq *from;
	struct costack *co = NULL;

	while (!co && tries--) {
		from = next_victim(runner);
		if (from != own)
			co = costack_runq_steal(from, own);
	}
	if (!co)
		return NULL;
	costack_stat_inc(COSTACK_STAT_STOLEN);
	if (READ_ONCE(own->nr))
		appended();
	return co;
}

/**
 * costack_runner_put_back() - put back what coroutines have changed for good in the worker
 * @runner: the caller runs in it
 *
 * The change may also be an administrator's.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_runner_put_back(struct costack_runner *runner)
{
	if (unlikely(costack_thread_changed(current, &runner->was)))
		costack_thread_put_back(&runner->was, NULL);
}

/* What @runner runs next, or NULL if there is nothing. */
static struct costack *next(struct costack_runner *runner)
{
	struct costack_runq *own = raw_cpu_ptr(&runqs);
	unsigned int turns = costack_runner_turn(runner);
	struct costack *co = NULL;

	if (unlikely(turns % COSTACK_TURNS == 0)) {
		costack_runner_put_back(runner);
		/*
		 * Coroutines that only hand over or yield never sleep. Here the thread
		 * runs on its own stack, and no coroutine runs in it.
		 */
		cond_resched_tasks_rcu_qs();
		if (turns / COSTACK_TURNS % 2)
			co = steal(runner, own) ?: costack_runq_pop(own);
		else
			co = costack_runq_pop(own) ?: steal(runner, own);
		if (co)
			return co;
	}
	if (READ_ONCE(runner->next)) {
		co = xchg(&runner->next, NULL);
		if (likely(co))
			return co;
	}
	if (likely(READ_ONCE(runners.nr_active) <= most_active() + READ_ONCE(runners.hogs)))
		return costack_runq_pop(own) ?: steal(runner, own);
	return NULL;
}

/**
 * costack_runner_next() - what a runner runs next (Go's schedule)
 * @runner: the caller runs in it; it has no coroutine
 *
 * If there is nothing to run, @runner rests.
 *
 * Context: Process context, host stack; may sleep.
 * Return: a RUNNABLE coroutine; or %NULL: @runner is idle, and gives its worker back.
 */
struct costack *costack_runner_next(struct costack_runner *runner)
{
	struct costack *co;

	do
		co = next(runner);
	while (!co && rest(runner));
	return co;
}

/* === The watch === */

/* Count a watched runner in @nr, one of @held and @hogs, or in none. */
static void count_in(struct costack_runner *runner, unsigned int *nr)
{
	if (runner->counted)
		WRITE_ONCE(*runner->counted, *runner->counted - 1);
	if (nr)
		WRITE_ONCE(*nr, *nr + 1);
	runner->counted = nr;
}

static void unwatch(struct costack_runner *runner)
{
	list_del_init(&runner->watched);
	runners.nr_watched--;
	runner->hold.entry = NULL;
}

/*
 * Look at an active runner. If it has not switched since the last look, its coroutine holds the
 * worker: hand its next to a run queue, and count it in @held or @hogs.
 */
static void look_at(struct costack_runner *runner)
{
	unsigned int turns = READ_ONCE(runner->turns);
	struct costack *co;

	if (turns != runner->seen) {
		runner->seen = turns;
		runner->still = 0;
		runner->hold.entry = NULL;
		return;
	}
	runner->still++;
	if (READ_ONCE(runner->next)) {
		co = xchg(&runner->next, NULL);
		if (co) {
			costack_runq_push(this_cpu_ptr(&runqs), co);
			costack_stat_inc(COSTACK_STAT_RETAKEN);
		}
	}
	/* It has no worker yet, or waits for memory: it has no coroutine. */
	if (!runner->task)
		return;
	/* data_race: the thread changes other flags by plain stores (memalloc_noio_save()). */
	if (unlikely(data_race(READ_ONCE(runner->task->flags)) & PF_EXITING)) {
		unwatch(runner);
		runner->idle = runners.died;
		runners.died = runner;
		WRITE_ONCE(runners.nr_active, runners.nr_active - 1);
		queue_work(system_dfl_wq, &died_work);
	} else if (!task_is_running(runner->task)) {
		count_in(runner, &runners.held);
		costack_held_look(&runner->hold, &runner->reserve->host, runner->task);
	} else if (runner->still >= msecs_to_jiffies(HOG_MS)) {
		count_in(runner, &runners.hogs);
		costack_held_look(&runner->hold, &runner->reserve->host, runner->task);
	}
}

/*
 * Look at some watched runners, each in its turn. There may be one for each coroutine that is
 * asleep in the kernel: too many to look at with interrupts off.
 */
static void look_at_some(void)
{
	unsigned int nr = min(runners.nr_watched, MAX_LOOKS);
	struct costack_runner *runner;

	lockdep_assert_held(&runners.lock);
	while (nr--) {
		runner = list_first_entry(&runners.watched, struct costack_runner, watched);
		count_in(runner, NULL);
		if (runner->state == RUNNER_ACTIVE) {
			list_move_tail(&runner->watched, &runners.watched);
			look_at(runner);
		} else {
			unwatch(runner);
		}
	}
}

/* How many runners to activate. */
static unsigned int missing(void)
{
	unsigned int max = most_active(), nr = 0;
	unsigned long taken = 0;
	int cpu;

	lockdep_assert_held(&runners.lock);
	for_each_possible_cpu(cpu) {
		nr += READ_ONCE(per_cpu_ptr(&runqs, cpu)->nr);
		taken += READ_ONCE(per_cpu_ptr(&runqs, cpu)->taken);
	}
	runners.still = nr && taken == runners.seen ? runners.still + 1 : 0;
	runners.seen = taken;
	if (runners.nr_active < max)
		return min(nr, max - runners.nr_active);
	return runners.nr_active < max + runners.hogs && runners.still > runners.hogs / 8;
}

/* Take a runner that has rested for long, and return its worker, to be woken. */
static struct task_struct *dismiss_one(void)
{
	struct costack_runner **link, *runner;
	struct task_struct *task = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&runners.lock, flags);
	for (link = &runners.resting; (runner = *link); link = &runner->idle)
		if (runner->still > msecs_to_jiffies(REST_MS))
			break;
	if (runner) {
		*link = runner->idle;
		runners.nr_resting--;
		WRITE_ONCE(runners.nr_idle, runners.nr_idle - 1);
		task = runner->task;
		WRITE_ONCE(runner->state, RUNNER_DISMISSED);
	}
	raw_spin_unlock_irqrestore(&runners.lock, flags);
	return task;
}

/* Runs every tick, in hard interrupt context: so RCU keeps the tasks that it wakes. */
static enum hrtimer_restart watch(struct hrtimer *timer)
{
	struct costack_runner *runner;
	struct task_struct *task;
	unsigned long flags;
	unsigned int more;
	bool again;

	raw_spin_lock_irqsave(&runners.lock, flags);
	look_at_some();
	for (runner = runners.resting; runner; runner = runner->idle)
		runner->still++;
	more = missing();
	again = runners.nr_active || runners.nr_resting || runners.nr_watched;
	runners.watching = again;
	raw_spin_unlock_irqrestore(&runners.lock, flags);
	while (more--) {
		raw_spin_lock_irqsave(&runners.lock, flags);
		runner = take_idle(UINT_MAX, &task);
		raw_spin_unlock_irqrestore(&runners.lock, flags);
		if (!runner) {
			queue_work(system_dfl_wq, &make_more_work);
			break;
		}
		activate(runner, task);
	}
	while ((task = dismiss_one()))
		wake_up_process(task);
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
		INIT_LIST_HEAD(&herd->runner[i].watched);
		herd->runner[i].wq = herd->wq;
	}
	raw_spin_lock_irq(&runners.lock);
	herd->older = runners.herds;
	runners.herds = herd;
	for (i = 0; i < HERD; i++)
		add_idle(&herd->runner[i]);
	raw_spin_unlock_irq(&runners.lock);
	return 0;
}

/* If there is no memory, the watch queues this again. */
static void make_more(struct work_struct *work)
{
	while (READ_ONCE(runners.nr_idle) < FEW_IDLE && !make_herd())
		;
}

/**
 * costack_runner_take_died() - take a runner whose worker has died
 *
 * Context: Process context.
 * Return: a runner that has not been taken yet, or %NULL. The runner keeps its reference
 * to the task.
 */
struct costack_runner *costack_runner_take_died(void)
{
	struct costack_runner *found;

	raw_spin_lock_irq(&runners.lock);
	found = runners.died;
	if (found)
		runners.died = found->idle;
	raw_spin_unlock_irq(&runners.lock);
	return found;
}

/**
 * costack_runner_begin() - record that a runner has its worker
 * @runner: active; its worker is the current thread
 *
 * Context: Process context, host stack.
 */
void costack_runner_begin(struct costack_runner *runner)
{
	raw_spin_lock_irq(&runners.lock);
	runner->task = current;
	raw_spin_unlock_irq(&runners.lock);
}

/**
 * costack_runners_init() - make the first runners
 * @run: called in a kworker for an active runner; runs coroutines until
 *	costack_runner_next() returns no more
 * @died: called when costack_runner_take_died() has a runner to return
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_runners_init(work_func_t run, work_func_t died)
{
	int cpu;

	for_each_possible_cpu(cpu)
		costack_runq_init(per_cpu_ptr(&runqs, cpu));
	if (!costack_knobs.workers)
		costack_knobs.workers = clamp_t(unsigned int, 2 * num_online_cpus(), 4,
						COSTACK_MAX_WORKERS);
	run_fn = run;
	INIT_WORK(&died_work, died);
	costack_hrtimer_setup(&watch_timer, watch, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	make_more(NULL);
	if (READ_ONCE(runners.nr_idle) < FEW_IDLE) {
		costack_runners_exit();
		return -ENOMEM;
	}
	return 0;
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
	for (herd = runners.herds; herd; herd = herd->older)
		destroy_workqueue(herd->wq);
	hrtimer_cancel(&watch_timer);
	costack_held_flush();
	while (runners.herds) {
		herd = runners.herds;
		runners.herds = herd->older;
		kvfree(herd);
	}
}
