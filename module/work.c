// SPDX-License-Identifier: GPL-2.0
/*
 * Work items: functions queued to run as coroutines on the kernel's workers.
 *
 * Ownership: costack owns a queued item until it is done; the user must not free or queue
 * it before costack_wait() has returned. costack_queue() creates the coroutine, so that it
 * can return -ENOMEM, and a runner gives it a stack; the end of the coroutine frees both.
 * costack holds the module that called costack_work_init(), from costack_queue() until the
 * item is done.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <trace/events/costack.h>

#include "age.h"
#include "arena.h"
#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "costack.h"
#include "functions.h"
#include "move.h"
#include "pack.h"
#include "items.h"
#include "pool.h"
#include "runner.h"
#include "stats.h"
#include "wait.h"
#include "work.h"

static u8 to_pages(size_t bytes)
{
	return min_t(size_t, DIV_ROUND_UP(bytes, PAGE_SIZE), U8_MAX);
}

/**
 * __costack_work_init() - make a work item
 * @work: the item
 * @fn: what to run
 * @arg: argument of @fn
 * @attr: how to run it, or %NULL; copied, except for the name, which must stay valid
 * @owner: the module to hold from costack_queue() until the item is done
 *
 * Context: Any.
 */
void __costack_work_init(struct costack_work *work, costack_fn_t fn, void *arg,
			 const struct costack_attr *attr, struct module *owner)
{
	memset(work, 0, sizeof(*work));
	work->fn = fn;
	work->arg = arg;
	if (attr) {
		work->name = attr->name;
		work->first = to_pages(attr->stack_first);
		work->limit = to_pages(attr->stack_limit);
		/* All bits are more than costack_create() knows. */
		work->flags = min_t(unsigned int, attr->flags, U8_MAX);
	}
	work->owner = owner;
	work->done = true;
	init_waitqueue_head(&work->wait);
}
EXPORT_SYMBOL_GPL(__costack_work_init);

/* For a coroutine that queues: here no frame of the allocator keeps its stack from moving. */
static int queue_on_host(void *work)
{
	return costack_queue(work);
}

/*
 * Set done. Nobody can find the coroutine after this; @co has ended, %NULL: it is lost. This is the
 * last access to the item: the waiter may free it once it has taken
 * this lock and seen done. It also ends the use of @owner, whose code does not run any
 * more: a waiter that returns may unload it at once. If nothing waits, the item may be
 * part of @owner; RCU then keeps it, as a module is freed after a grace period. Interrupts
 * that are off hold RCU up to the store that releases the lock; with PREEMPT_RT they are on.
 */
static void set_done(struct costack_work *work, struct costack *co, struct module *owner)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
	spin_lock_irq(&work->wait.lock);
	work->co = NULL;
	if (likely(co))
		costack_set_own_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	WRITE_ONCE(work->done, true);
	/* Under the queue's lock, so whoever comes later sees done before it sleeps. */
	if (waitqueue_active(&work->wait))
		wake_up_locked(&work->wait);
	module_put(owner);
	spin_unlock_irq(&work->wait.lock);
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
}

/*
 * Has @owner more items than @max? Each has a reference to it, and so has the one that is to be
 * queued. Other references count as well; they are few, and the limit need not be exact.
 */
static noinline bool is_over(struct module *owner, unsigned int max)
{
	int refs = owner ? costack_module_refs(owner) : 0;

	return refs > 0 && refs > max;
}

/**
 * costack_queue() - queue a work item to run
 * @work: idle or done; must not be freed before costack_wait() has returned, not even by
 *	its own function
 *
 * The module that owns @work is in use until the item has ended.
 *
 * Context: Process context, any stack; may sleep.
 * Return:
 * * 0		- @work will run; costack_wait() returns how it ended
 * * -EINVAL	- bad attributes
 * * -EBUSY	- @work is queued or runs already
 * * -ENODEV	- its module is being unloaded
 * * -EAGAIN	- its module has as many items as the knob max_items allows
 * * -ENOMEM	- no memory for a coroutine; if there is none for its stack when it is to
 *		  start, costack_wait() returns this
 */
int costack_queue(struct costack_work *work)
{
	unsigned int max = READ_ONCE(costack_knobs.max_items);
	const struct costack_attr attr = {
		.name		= work->name,
		.stack_first	= work->first * PAGE_SIZE,
		.stack_limit	= work->limit * PAGE_SIZE,
		.flags		= work->flags,
	};
	struct mem_cgroup *memcg = NULL;
	struct costack *co;
	int err;

	might_sleep();
	if (__costack_current())
		return costack_on_host(queue_on_host, work);
	if (!try_module_get(work->owner))
		return -ENODEV;
	err = -EAGAIN;
	if (unlikely(max) && is_over(work->owner, max))
		goto err_put;
	co = costack_create(&attr, work->fn, work->arg, costack_owner_module(work->owner));
	err = PTR_ERR(co);
	if (IS_ERR(co))
		goto err_put;
	if (unlikely(attr.flags & COSTACK_ACCOUNT))
		memcg = get_mem_cgroup_from_mm(current->mm);
	co->work = work;
	co->packs = co->flags & COSTACK_PACK || READ_ONCE(costack_knobs.force_pack);
	costack_set_own_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	costack_items_add(co);

	/* One step: from here on others wait for @work, and it can be cancelled. */
	spin_lock_irq(&work->wait.lock);
	if (unlikely(!work->done))
		goto err_busy;
	WRITE_ONCE(work->done, false);
	work->memcg = memcg;
	work->co = co;
	spin_unlock_irq(&work->wait.lock);
	costack_stat_inc(COSTACK_STAT_QUEUED);
	costack_ready(co);
	return 0;

err_busy:
	spin_unlock_irq(&work->wait.lock);
	err = -EBUSY;
	mem_cgroup_put(memcg);
	costack_items_del(co);
	costack_set_own_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	costack_set_own_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	costack_destroy(co);
err_put:
	module_put(work->owner);
	return err;
}
EXPORT_SYMBOL_GPL(costack_queue);
NOKPROBE_SYMBOL(costack_queue);

/* At the end of an item: these fields share memory with @memcg. */
static __always_inline void note_growth(struct costack_work *work, const struct costack *co)
{
	if (unlikely(co->flags & COSTACK_ACCOUNT))
		mem_cgroup_put(work->memcg);
	work->growths = co->growths;
	work->deepest = co->deepest;
}

/**
 * costack_work_end() - free the coroutine of an item, and set the item done
 * @co: has ended; state RUNNING
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_work_end(struct costack *co)
{
	struct costack_work *work = co->work;
	struct module *owner = work->owner;

	work->ret = co->ret;
	note_growth(work, co);
	costack_functions_note(co);
	costack_items_del(co);
	/* All that belongs to @owner, or names it, before set_done(). A cancel needs none of it. */
	costack_finish(co);
	set_done(work, co, owner);
	costack_discard(co);
}

/* The item of each coroutine that is lost: one without an item would be taken for a call. */
static struct costack_work lost_work;

/**
 * costack_work_lost() - tell waiters that the worker of their item has died
 * @runner: its thread has died
 *
 * The coroutine stays as it is for good, and so does the reference to the item's module,
 * which cannot be unloaded any more.
 *
 * Context: Process context; may sleep.
 */
void costack_work_lost(const struct costack_runner *runner)
{
	struct costack *co = runner->taken;
	struct costack_work *work;

	if (co)
		costack_items_del(co);
	else
		co = costack_items_take_lost(&runner->reserve->host);
	if (!co)
		return;
	work = co->work;
	pr_err("coroutine %s, %ps: who waits for it gets %d\n",
	       co->name[0] ? co->name : "(no name)", co->fn, -EOWNERDEAD);
	spin_lock_irq(&work->wait.lock);
	work->co = NULL;
	spin_unlock_irq(&work->wait.lock);
	/* The item and its name belong to its user again. */
	WRITE_ONCE(co->work, &lost_work);
	WRITE_ONCE(co->name, "");
	work->ret = -EOWNERDEAD;
	note_growth(work, co);
	set_done(work, NULL, NULL);
}

static int settle(void *arg)
{
	struct costack_work *work = arg;

	wait_event(work->wait, READ_ONCE(work->done));
	/* Wait until set_done() has dropped the lock. */
	spin_lock_irq(&work->wait.lock);
	spin_unlock_irq(&work->wait.lock);
	return 0;
}

/**
 * costack_wait() - wait for a work item to be done
 * @work: queued by costack_queue()
 *
 * A coroutine that waits does not hold its thread. A coroutine that is itself cancelled
 * during the wait still waits until @work is done, and is not cut off before: @work may
 * be on its stack.
 *
 * Context: Process context; host or coroutine stack. May sleep or park.
 * Return: what the item's function returned, whether the item was cancelled or not;
 * -ECANCELED or -EOVERFLOW if the item was cut off; -ENOMEM if it was not started;
 * -EOWNERDEAD if its worker has died under it, by an oops; -EINVAL if the caller runs
 * @work itself.
 */
int costack_wait(struct costack_work *work)
{
	struct costack *co = __costack_current();

	if (co) {
		/* The wait would never end. */
		if (unlikely(READ_ONCE(co->work) == work))
			return -EINVAL;
		costack_wait_done(&work->wait, &work->done, COSTACK_WAITS_ITEM);
		/* If the coroutine could not park here, it waits with its thread now. */
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
 * An item that has not started does not start. A parked item that is %COSTACK_ABORTABLE and
 * not pinned, with only movable text on its stack, ends where it is parked, after its defers. Any
 * other parked item is made runnable, and the calls that park return -ECANCELED to it from
 * now on; its result is what it then returns. costack_wait() is still needed. A function that
 * the item has called by costack_call() is not told.
 *
 * Context: Any context but hard interrupts; any stack.
 * Return: 0, or -EINVAL if @work is done already.
 */
int costack_cancel(struct costack_work *work)
{
	unsigned long flags;
	struct costack *co;

	spin_lock_irqsave(&work->wait.lock, flags);
	co = work->co;
	if (co) {
		trace_costack_cancel(co->name, co->fn, costack_state(co) == COSTACK_WAITING);
		WRITE_ONCE(co->heed, co->heed | COSTACK_HEED_CANCEL);
		costack_unpark(co);
	}
	spin_unlock_irqrestore(&work->wait.lock, flags);
	return co ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(costack_cancel);

/**
 * struct cancelling - the arguments of cancel_one()
 * @owner: whose items to cancel; %NULL: those of the module that is called @name
 * @name: its name, or %NULL
 * @nr: out: how many were cancelled
 */
struct cancelling {
	const struct module	*owner;
	const char		*name;
	unsigned int		nr;
};

/* As long as @co is on its list, whose lock is held, its item is not done, so it is there. */
static void cancel_one(struct costack *co, void *arg)
{
	struct cancelling *cancelling = arg;
	const struct module *owner = co->work->owner;

	if (cancelling->name ? owner && sysfs_streq(cancelling->name, owner->name) :
			       owner == cancelling->owner)
		cancelling->nr += !costack_cancel(co->work);
}

static int cancel_all(void *arg)
{
	costack_items_each(cancel_one, arg);
	return 0;
}

/**
 * __costack_cancel_all() - costack_cancel_all() for a module
 * @owner: the module
 *
 * Context: As costack_cancel_all().
 * Return: as costack_cancel_all().
 */
unsigned int __costack_cancel_all(const struct module *owner)
{
	struct cancelling cancelling = { .owner = owner };

	might_sleep();
	if (__costack_current())
		costack_on_host(cancel_all, &cancelling);
	else
		cancel_all(&cancelling);
	return cancelling.nr;
}
EXPORT_SYMBOL_GPL(__costack_cancel_all);

/**
 * costack_work_cancel() - cancel all items of a module
 * @name: its name
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOENT: no module of that name has an item.
 */
int costack_work_cancel(const char *name)
{
	struct cancelling cancelling = { .name = name };

	cancel_all(&cancelling);
	return cancelling.nr ? 0 : -ENOENT;
}

static void shrink(struct costack *co, void *arg)
{
	unsigned long *failed = arg;

	/* Ask again, now that @co is claimed and does not change. */
	if (costack_move_shrinkable(co))
		*failed += costack_move_shrink(co) == -ENOMEM;
}

/**
 * costack_work_shrink() - move parked stacks that are too large
 *
 * Moves each stack that costack_move_shrinkable() selects to one of half the size. While a stack
 * is being moved no slot can be made for the new one, as that may sleep: so it may take two walks.
 *
 * Context: Process context; may sleep.
 */
void costack_work_shrink(void)
{
	u64 start = ktime_get_ns();
	unsigned long failed;

	WRITE_ONCE(costack_knobs.shrink_gen, costack_knobs.shrink_gen + 1);
	do {
		failed = 0;
		costack_items_each_parked(costack_move_shrinkable, shrink, &failed);
	} while (failed && costack_arena_fill(failed, COSTACK_GFP));
	costack_stat_add(COSTACK_STAT_SHRINK_NS, ktime_get_ns() - start);
}

static void pack(struct costack *co, void *unused)
{
	if (costack_pack_wanted(co))
		costack_pack(co);
}

/**
 * costack_work_pack() - pack all parked stacks that may be packed
 *
 * Context: Process context; may sleep.
 */
void costack_work_pack(void)
{
	costack_items_each_parked(costack_pack_wanted, pack, NULL);
}

/* === Memory pressure === */

static void pressure(struct work_struct *work)
{
	costack_age_pack_all();
	costack_work_shrink();
}

static DECLARE_WORK(pressure_work, pressure);

/* When the last round was asked for, in jiffies: one a second is enough. */
static unsigned long last_round;

static bool may_ask(void)
{
	return !time_before(jiffies, READ_ONCE(last_round) + HZ);
}

/* Moving stacks needs memory at first, and takes a while: so a worker does it. */
static void ask(void)
{
	WRITE_ONCE(last_round, jiffies);
	queue_work(system_dfl_wq, &pressure_work);
}

static unsigned long pressure_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	if (costack_items_none() || !may_ask())
		return SHRINK_EMPTY;
	return costack_stat_read(COSTACK_STAT_LIVE) ?: SHRINK_EMPTY;
}

static unsigned long pressure_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	ask();
	return SHRINK_STOP;
}

/**
 * costack_pressure() - have parked stacks packed, as there is no memory or place for another
 *
 * Context: Process context.
 */
void costack_pressure(void)
{
	if (may_ask())
		ask();
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
