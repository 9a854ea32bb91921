// SPDX-License-Identifier: GPL-2.0
/*
 * Work items: functions queued to run as coroutines on the kernel's workers.
 *
 * Who owns what: a queued item is ours until it is done; its owner must not free
 * or queue it before costack_wait() has returned. The coroutine is made when the
 * item is queued, so that -ENOMEM is told then, and freed when it ends. The
 * module that queued it is held for as long.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <trace/events/costack.h>

#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "costack.h"
#include "functions.h"
#include "grow.h"
#include "runner.h"
#include "stats.h"
#include "wait.h"
#include "work.h"

/*
 * All coroutines of work items, for shrinking. An entry is added before the
 * coroutine can run and removed, under the lock, after its end: so one that is
 * held in COPYSTACK stays on the list.
 */
static LIST_HEAD(all);
/* The number of the last one on it; they are in the order of their numbers. */
static unsigned long last_seq;
static DEFINE_SPINLOCK(all_lock);

/**
 * __costack_work_init() - make a work item
 * @work: the item
 * @fn: what to run
 * @arg: its argument
 * @attr: how to run it, or %NULL; copied, but for the name, which must last
 * @owner: the module to hold while it runs
 *
 * Context: Any.
 */
void __costack_work_init(struct costack_work *work, costack_fn_t fn, void *arg,
			 const struct costack_attr *attr, struct module *owner)
{
	memset(work, 0, sizeof(*work));
	work->fn = fn;
	work->arg = arg;
	if (attr)
		work->attr = *attr;
	work->owner = owner;
	work->done = true;
	init_waitqueue_head(&work->wait);
}
EXPORT_SYMBOL_GPL(__costack_work_init);

/* From a coroutine: so that no frame of the allocator keeps its stack from moving. */
static int queue_on_host(void *work)
{
	return costack_queue(work);
}

/*
 * The last that is done to an item: the waiter may free it once it has taken this lock
 * and seen done. And the last that is done for @owner, whose code does not run any more:
 * a waiter that comes back may unload it at once. Where nobody waits, the item may be
 * part of the module, which is then freed after a grace period.
 */
static void set_done(struct costack_work *work, struct module *owner)
{
	rcu_read_lock();
	spin_lock_irq(&work->wait.lock);
	WRITE_ONCE(work->done, true);
	wake_up_locked(&work->wait);
	module_put(owner);
	spin_unlock_irq(&work->wait.lock);
	rcu_read_unlock();
}

/**
 * costack_queue() - have a work item run
 * @work: idle or done; not to be freed before costack_wait() has returned, not even by its
 *	own function
 *
 * Until it has ended the module of its function is in use.
 *
 * Context: Process context, any stack; may sleep.
 * Return:
 * * 0		- it will run; costack_wait() tells how it ended
 * * -EINVAL	- bad attributes
 * * -EBUSY	- it is queued or runs already
 * * -ENODEV	- its module is being unloaded
 * * -ENOMEM	- no memory for a stack
 */
int costack_queue(struct costack_work *work)
{
	struct costack *co;
	int err;

	might_sleep();
	if (__costack_current())
		return costack_on_host(queue_on_host, work);
	spin_lock_irq(&work->wait.lock);
	err = work->done ? 0 : -EBUSY;
	WRITE_ONCE(work->done, false);
	spin_unlock_irq(&work->wait.lock);
	if (err)
		return err;

	err = -ENODEV;
	if (!try_module_get(work->owner))
		goto err_done;
	co = costack_create(&work->attr, work->fn, work->arg);
	err = PTR_ERR(co);
	if (IS_ERR(co))
		goto err_put;
	co->work = work;
	spin_lock(&all_lock);
	co->seq = ++last_seq;
	list_add_tail(&co->all, &all);
	spin_unlock(&all_lock);

	/* From here on it can be cancelled. */
	spin_lock_irq(&work->wait.lock);
	work->co = co;
	spin_unlock_irq(&work->wait.lock);
	costack_stat_inc(COSTACK_STAT_QUEUED);
	costack_set_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	costack_ready(co);
	return 0;

err_put:
	module_put(work->owner);
err_done:
	/* Somebody may wait for it already. */
	set_done(work, NULL);
	return err;
}
EXPORT_SYMBOL_GPL(costack_queue);
NOKPROBE_SYMBOL(costack_queue);

/**
 * costack_work_end() - tell how an item has ended, and free its coroutine
 * @co: has ended; state RUNNING
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_work_end(struct costack *co)
{
	struct costack_work *work = co->work;
	struct module *owner = work->owner;

	/* Nobody can find the coroutine after this. */
	spin_lock_irq(&work->wait.lock);
	work->co = NULL;
	spin_unlock_irq(&work->wait.lock);

	work->ret = co->ret;
	work->growths = co->growths;
	work->deepest = co->deepest;
	costack_functions_note(co);
	costack_set_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	spin_lock(&all_lock);
	list_del_init(&co->all);
	spin_unlock(&all_lock);
	costack_destroy(co);
	set_done(work, owner);
}

/* The coroutine that @runner has switched in; it goes off the list. */
static struct costack *take_lost(const struct costack_runner *runner)
{
	struct costack *co, *found = NULL;

	spin_lock(&all_lock);
	list_for_each_entry(co, &all, all)
		if (co->runner == runner && (costack_state(co) == COSTACK_RUNNING ||
					     costack_state(co) == COSTACK_COPYSTACK))
			found = co;
	if (found)
		list_del_init(&found->all);
	spin_unlock(&all_lock);
	return found;
}

/**
 * costack_work_lost() - tell that an item's worker has died under it
 * @runner: its thread has died
 *
 * The coroutine stays as it is for good, and so does what its item's module has: it
 * cannot be unloaded.
 *
 * Context: Process context; may sleep.
 */
void costack_work_lost(const struct costack_runner *runner)
{
	struct costack *co = take_lost(runner);
	struct costack_work *work;

	if (!co)
		return;
	work = co->work;
	pr_err("coroutine %s, %ps: who waits for it gets %d\n",
	       co->name[0] ? co->name : "(no name)", co->fn, -EOWNERDEAD);
	spin_lock_irq(&work->wait.lock);
	work->co = NULL;
	spin_unlock_irq(&work->wait.lock);
	/* The item is its owner's again. */
	WRITE_ONCE(co->work, NULL);
	work->ret = -EOWNERDEAD;
	work->growths = co->growths;
	work->deepest = co->deepest;
	set_done(work, NULL);
}

static int settle(void *arg)
{
	struct costack_work *work = arg;

	wait_event(work->wait, READ_ONCE(work->done));
	/* Wait for who set done to let go: see set_done(). */
	spin_lock_irq(&work->wait.lock);
	spin_unlock_irq(&work->wait.lock);
	return 0;
}

/**
 * costack_wait() - wait for a work item to be done
 * @work: queued by costack_queue()
 *
 * A coroutine that waits does not hold its thread. One that is itself cancelled
 * meanwhile waits to the end all the same, and is not cut off before: the item may
 * be on its stack.
 *
 * Context: Process context; host or coroutine stack. May sleep or park.
 * Return: what the item's function returned, whether the item was cancelled or not;
 * -ECANCELED or -EOVERFLOW if it was cut off; -ENOMEM if it was not started;
 * -EOWNERDEAD if its worker has died under it, by an oops. Where costack_queue() has
 * failed meanwhile, what it was before.
 */
int costack_wait(struct costack_work *work)
{
	if (__costack_current()) {
		costack_wait_done(&work->wait, &work->done);
		/* Done, unless it cannot park here: then it waits with its thread. */
		costack_on_host(settle, work);
	} else {
		settle(work);
	}
	return work->ret;
}
EXPORT_SYMBOL_GPL(costack_wait);
NOKPROBE_SYMBOL(costack_wait);

/**
 * costack_cancel() - end a work item early
 * @work: queued by costack_queue()
 *
 * One that has not started does not. One that is parked ends there, after its
 * defers, if it is %COSTACK_ABORTABLE and only movable text is on its stack; any
 * other is made runnable, and the calls that park return -ECANCELED to it from
 * now on; what it returns then is its result. costack_wait() is still needed.
 *
 * Context: Any context but hard interrupts; any stack.
 * Return: 0, or -EINVAL if it is done already.
 */
int costack_cancel(struct costack_work *work)
{
	unsigned long flags;
	struct costack *co;

	spin_lock_irqsave(&work->wait.lock, flags);
	co = work->co;
	if (co) {
		trace_costack_cancel(co->name, co->fn, costack_state(co) == COSTACK_WAITING);
		WRITE_ONCE(co->cancelled, true);
		costack_unpark(co);
	}
	spin_unlock_irqrestore(&work->wait.lock, flags);
	return co ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(costack_cancel);

/**
 * costack_work_each_parked() - have each parked coroutine for a moment
 * @wanted: whether to take it; a guess, as it may run meanwhile. %NULL: all
 * @fn: called with it; it is not run by others and its stack is not touched
 * @arg: passed on
 *
 * Claiming the state COPYSTACK makes this the only one to touch a stack: a waker sees
 * that its coroutine is not WAITING and leaves a wake-up, which is looked for when the
 * state is given back.
 *
 * Context: Process context; may sleep, and so may @fn.
 */
void costack_work_each_parked(bool (*wanted)(const struct costack *co),
			      void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct costack *co;

	spin_lock(&all_lock);
	list_for_each_entry(co, &all, all) {
		if (costack_state(co) != COSTACK_WAITING || (wanted && !wanted(co)))
			continue;
		if (!costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK))
			continue;
		spin_unlock(&all_lock);
		fn(co, arg);
		cond_resched();
		/* Before it can run, and end: so that it is on the list for the next step. */
		spin_lock(&all_lock);
		if (costack_release(co))
			costack_ready(co);
	}
	spin_unlock(&all_lock);
}

static void shrink(struct costack *co, void *unused)
{
	/* Now that it does not change any more. */
	if (costack_grow_shrinkable(co))
		costack_grow_shrink(co);
}

/**
 * costack_work_shrink() - move parked stacks that are too large
 *
 * Each to half its size, by the rule of costack_grow_shrinkable().
 *
 * Context: Process context; may sleep.
 */
void costack_work_shrink(void)
{
	u64 start = ktime_get_ns();

	WRITE_ONCE(costack_knobs.shrink_gen, costack_knobs.shrink_gen + 1);
	costack_work_each_parked(costack_grow_shrinkable, shrink, NULL);
	costack_stat_add(COSTACK_STAT_SHRINK_NS, ktime_get_ns() - start);
}

/**
 * costack_work_each() - look at all that run work items
 * @fn: called for each; it may run, and change, meanwhile
 * @arg: passed on
 *
 * Context: Process context. @fn runs under a spinlock.
 */
void costack_work_each(void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct costack *co;

	spin_lock(&all_lock);
	list_for_each_entry(co, &all, all)
		fn(co, arg);
	spin_unlock(&all_lock);
}

/**
 * costack_work_seq() - the number of the newest coroutine of a work item
 *
 * Context: Process context.
 * Return: for costack_work_ended().
 */
unsigned long costack_work_seq(void)
{
	unsigned long seq;

	spin_lock(&all_lock);
	seq = last_seq;
	spin_unlock(&all_lock);
	return seq;
}

/**
 * costack_work_ended() - have all up to a number ended
 * @seq: from costack_work_seq()
 *
 * Context: Process context.
 * Return: true if so.
 */
bool costack_work_ended(unsigned long seq)
{
	const struct costack *oldest;
	bool ended;

	spin_lock(&all_lock);
	oldest = list_first_entry_or_null(&all, struct costack, all);
	ended = !oldest || oldest->seq > seq;
	spin_unlock(&all_lock);
	return ended;
}

static void count_parked(struct costack *co, void *arg)
{
	unsigned int *parked = arg;

	*parked += costack_state(co) == COSTACK_WAITING;
}

/**
 * costack_work_parked() - count parked work items
 *
 * Context: Process context.
 * Return: coroutines that wait, at this moment.
 */
unsigned int costack_work_parked(void)
{
	unsigned int parked = 0;

	costack_work_each(count_parked, &parked);
	return parked;
}

/* === Memory pressure === */

static void pressure(struct work_struct *work)
{
	costack_work_shrink();
}

static DECLARE_WORK(pressure_work, pressure);

/* When the last round began, jiffies: one round a second is enough. */
static unsigned long last_round;

static unsigned long pressure_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	if (list_empty(&all) || time_before(jiffies, READ_ONCE(last_round) + HZ))
		return SHRINK_EMPTY;
	return costack_stat_read(COSTACK_STAT_LIVE) ?: SHRINK_EMPTY;
}

/* Moving stacks takes memory first: not here, but from a worker. */
static unsigned long pressure_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	WRITE_ONCE(last_round, jiffies);
	schedule_work(&pressure_work);
	return SHRINK_STOP;
}

static struct shrinker *pressure_shrinker;

/**
 * costack_pressure_init() - shrink parked stacks on memory pressure
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_pressure_init(void)
{
	last_round = jiffies - HZ;
	pressure_shrinker = costack_shrinker_new("costack-parked", pressure_count, pressure_scan);
	return pressure_shrinker ? 0 : -ENOMEM;
}

/**
 * costack_pressure_exit() - undo costack_pressure_init()
 *
 * Context: Process context; may sleep.
 */
void costack_pressure_exit(void)
{
	costack_shrinker_free(pressure_shrinker);
	cancel_work_sync(&pressure_work);
}
