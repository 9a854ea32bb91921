// SPDX-License-Identifier: GPL-2.0
/*
 * Groups (Go's sync.WaitGroup and errgroup): work items that are started for one purpose, and
 * end before whoever started them goes on.
 *
 * A child is a work item that costack allocates. An entry on the item's own wait queue tells
 * the group that the child is done, whatever ended it. That call comes under the lock of the
 * item, so it takes note, and leaves all else to others: the first error has a worker of the
 * kernel cancel the other children, and who starts the next child or waits for all frees the
 * memory.
 *
 * The group is on the heap: children have its address, and the stack of a coroutine moves.
 *
 * Locks: the lock of the group is that of its wait queue. It is taken inside of the lock of an
 * item, so never call costack_cancel() under it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "arena.h"
#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "once.h"
#include "pool.h"
#include "roots.h"
#include "wait.h"

/**
 * struct costack_group - work items that are waited for together
 * @wait: who waits for the children; its lock covers all that follows
 * @alive: children that have not been cancelled
 * @told: children that have been
 * @ended: children that nobody uses any more; whoever takes them off frees them
 * @nr: number of the children on @alive and @told
 * @err: the first error
 * @idle: @nr is 0
 * @cancelled: no more children are started
 * @destroyed: somebody else than @creator is in costack_group_destroy(), or has been
 * @dead: and has returned: @creator frees the group
 * @creator: the coroutine that has a defer for this group; %NULL: none, or it has ended while the
 *	group was being destroyed, and whoever does that frees it
 * @place: where the group was created
 * @cancel: cancels the children after the first error
 */
struct costack_group {
	struct wait_queue_head	wait;
	struct list_head	alive;
	struct list_head	told;
	struct list_head	ended;
	unsigned int		nr;
	int			err;
	bool			idle;
	bool			cancelled;
	bool			destroyed;
	bool			dead;
	struct costack		*creator;
	unsigned long		place;
	struct work_struct	cancel;
};

/**
 * struct child - a work item of a group
 * @work: the item; nobody outside of this file knows it
 * @end: on the queue of @work, from before it is queued: the only entry there
 * @group: the group
 * @link: in one of the group's lists
 * @users: the item until it is done; who starts it; and who cancels it. The child counts as
 *	alive until all have gone. Under the lock of the group.
 */
struct child {
	struct costack_work	work;
	struct wait_queue_entry	end;
	struct costack_group	*group;
	struct list_head	link;
	unsigned int		users;
};

/* === Children === */

static void put_child(struct costack_group *group, struct child *child)
{
	lockdep_assert_held(&group->wait.lock);
	if (--child->users)
		return;
	list_move_tail(&child->link, &group->ended);
	if (--group->nr)
		return;
	/* Who waits may free the group as soon as it has had the lock. */
	WRITE_ONCE(group->idle, true);
	wake_up_all_locked(&group->wait);
}

static void note_error(struct costack_group *group, int err)
{
	lockdep_assert_held(&group->wait.lock);
	if (!group->err)
		group->err = err;
}

/* The item of a child is done: called under the item's lock, with interrupts off. */
static int child_is_done(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct child *child = container_of(entry, struct child, end);
	struct costack_group *group = child->group;

	spin_lock(&group->wait.lock);
	if (unlikely(child->work.ret < 0)) {
		note_error(group, child->work.ret);
		if (!group->cancelled && group->nr > 1)
			queue_work(system_dfl_wq, &group->cancel);
		group->cancelled = true;
	}
	put_child(group, child);
	spin_unlock(&group->wait.lock);
	return 1;
}

/*
 * Free children. Their items are done, but the one who has set them done may still hold the lock
 * of an item, and a reference to the module that owns it.
 */
static void free_children(struct list_head *ended)
{
	struct child *child, *next;

	list_for_each_entry_safe(child, next, ended, link) {
		spin_lock_irq(&child->work.wait.lock);
		spin_unlock_irq(&child->work.wait.lock);
		kfree(child);
		cond_resched();
	}
}

static void free_ended(struct costack_group *group)
{
	LIST_HEAD(ended);

	spin_lock_irq(&group->wait.lock);
	list_splice_init(&group->ended, &ended);
	spin_unlock_irq(&group->wait.lock);
	free_children(&ended);
}

/*
 * Cancel all children, each once. From here on no more are started, so this ends. Returns with
 * all of them cancelled, or about to be by others who do the same.
 */
static void cancel_children(struct costack_group *group, int err)
{
	struct child *child;
	unsigned long flags;

	spin_lock_irqsave(&group->wait.lock, flags);
	group->cancelled = true;
	if (err)
		note_error(group, err);
	while ((child = list_first_entry_or_null(&group->alive, struct child, link))) {
		list_move_tail(&child->link, &group->told);
		child->users++;
		spin_unlock_irqrestore(&group->wait.lock, flags);
		costack_cancel(&child->work);
		spin_lock_irqsave(&group->wait.lock, flags);
		put_child(group, child);
	}
	spin_unlock_irqrestore(&group->wait.lock, flags);
}

static void cancel_others(struct work_struct *work)
{
	cancel_children(container_of(work, struct costack_group, cancel), 0);
}

/* The group whose child @co is, or NULL. */
static struct costack_group *group_of(struct costack *co)
{
	struct costack_work *work = co->work;
	struct costack_group *group = NULL;
	struct wait_queue_entry *entry;

	if (!work)
		return NULL;
	/* Whoever waits for an item that is no child may go on at any time. */
	spin_lock_irq(&work->wait.lock);
	entry = list_first_entry_or_null(&work->wait.head, struct wait_queue_entry, entry);
	if (entry && entry->func == child_is_done)
		group = container_of(entry, struct child, end)->group;
	spin_unlock_irq(&work->wait.lock);
	return group;
}

/* === Start === */

/**
 * struct starting - the arguments of start()
 * @group: the group
 * @fn: what the child runs
 * @arg: argument of @fn
 * @attr: how to run it, or %NULL
 * @owner: the module to hold
 */
struct starting {
	struct costack_group		*group;
	costack_fn_t			fn;
	void				*arg;
	const struct costack_attr	*attr;
	struct module			*owner;
};

/* Have @child on the list before it is queued: from then on it is cancelled with the others. */
static bool add_child(struct costack_group *group, struct child *child)
{
	bool added;

	spin_lock_irq(&group->wait.lock);
	added = !group->cancelled;
	if (added) {
		list_add_tail(&child->link, &group->alive);
		group->nr++;
		WRITE_ONCE(group->idle, false);
	}
	spin_unlock_irq(&group->wait.lock);
	return added;
}

/* Returns whether the group has been cancelled: the cancel may have come before the queue. */
static bool child_is_queued(struct costack_group *group, struct child *child, int err)
{
	bool cancelled;

	spin_lock_irq(&group->wait.lock);
	/* Nobody will call child_is_done(). */
	if (unlikely(err))
		child->users--;
	cancelled = group->cancelled;
	if (likely(!cancelled || err))
		put_child(group, child);
	spin_unlock_irq(&group->wait.lock);
	return cancelled && !err;
}

static int start(void *arg)
{
	const struct starting *starting = arg;
	struct costack_group *group = starting->group;
	struct child *child;
	int err;

	/* data_race: it looks without the lock, and what it misses is freed the next time. */
	if (data_race(!list_empty(&group->ended)))
		free_ended(group);
	child = kmalloc(sizeof(*child), COSTACK_GFP);
	if (!child)
		return -ENOMEM;
	__costack_work_init(&child->work, starting->fn, starting->arg, starting->attr,
			    starting->owner);
	init_waitqueue_func_entry(&child->end, child_is_done);
	__add_wait_queue(&child->work.wait, &child->end);
	child->group = group;
	/* The item and this function. */
	child->users = 2;
	if (!add_child(group, child)) {
		kfree(child);
		return -ECANCELED;
	}
	err = costack_queue(&child->work);
	if (unlikely(child_is_queued(group, child, err))) {
		costack_cancel(&child->work);
		spin_lock_irq(&group->wait.lock);
		put_child(group, child);
		spin_unlock_irq(&group->wait.lock);
	}
	return err;
}

/* === Wait === */

static int cancel_on_host(void *group)
{
	cancel_children(group, 0);
	return 0;
}

static int parent_is_cancelled(void *group)
{
	cancel_children(group, -ECANCELED);
	return 0;
}

/* The end of each wait. */
static int collect(void *arg)
{
	struct costack_group *group = arg;

	/* This takes the lock that was held for the last access to the group. */
	free_ended(group);
	return group->err;
}

/* For a thread, or where a coroutine could not park: it waits with its thread. */
static int settle(void *arg)
{
	struct costack_group *group = arg;

	wait_event(group->wait, READ_ONCE(group->idle));
	return collect(group);
}

/*
 * On the coroutine stack. The children may use what the caller of the API has on its stack, or what
 * it holds. So even if it is cancelled it waits, once it has passed the cancel on.
 */
static int wait_as_coroutine(struct costack_group *group)
{
	int err = 0;

	if (!READ_ONCE(group->idle))
		err = costack_wait_flag(&group->wait, &group->idle, COSTACK_WAITS_GROUP);
	if (unlikely(err == -ECANCELED)) {
		costack_on_host(parent_is_cancelled, group);
		err = costack_wait_done(&group->wait, &group->idle, COSTACK_WAITS_GROUP);
	}
	return costack_on_host(unlikely(err) ? settle : collect, group);
}
NOKPROBE_SYMBOL(wait_as_coroutine);

/* === Groups that are forgotten === */

static int release(void *arg)
{
	struct costack_group *group = arg;

	if (group->err)
		cancel_work_sync(&group->cancel);
	kfree(group);
	return 0;
}

static int report_left(void *arg)
{
	static struct costack_once once;
	const struct costack_group *group = arg;

	if (costack_once(&once, group->place))
		pr_warn("%ps has ended without costack_group_destroy() for the group that %pS created, with %u children alive\n",
			group->creator->fn, (void *)group->place, READ_ONCE(group->nr));
	return 0;
}

static int begin_destroy(void *arg)
{
	struct costack_group *group = arg;

	spin_lock_irq(&group->wait.lock);
	group->destroyed = true;
	spin_unlock_irq(&group->wait.lock);
	return 0;
}

/* Whoever comes last, of the creator and of who destroys the group for it, frees the group. */
static int end_destroy(void *arg)
{
	struct costack_group *group = arg;
	bool last;

	spin_lock_irq(&group->wait.lock);
	last = !group->creator;
	group->dead = true;
	spin_unlock_irq(&group->wait.lock);
	return last ? release(group) : 0;
}

/* Returns whether somebody else destroys the group. */
static int leave(void *arg)
{
	struct costack_group *group = arg;
	bool destroyed, last;

	spin_lock_irq(&group->wait.lock);
	destroyed = group->destroyed;
	last = group->dead;
	if (destroyed)
		group->creator = NULL;
	spin_unlock_irq(&group->wait.lock);
	if (last)
		release(group);
	return destroyed;
}

/*
 * The defer of whoever created the group: the coroutine has ended, or was cut off, and the group
 * is still there. After a cut nobody is to blame.
 */
static void leave_group(void *arg)
{
	struct costack *co = __costack_current();
	struct costack_group *group = arg;

	if (costack_on_host(leave, group))
		return;
	if (!co->cut)
		costack_on_host(report_left, group);
	costack_on_host(cancel_on_host, group);
	wait_as_coroutine(group);
	costack_on_host(release, group);
}
NOKPROBE_SYMBOL(leave_group);

static struct costack_group *make_group(unsigned long place)
{
	struct costack_group *group = kzalloc(sizeof(*group), COSTACK_GFP);

	if (!group)
		return NULL;
	init_waitqueue_head(&group->wait);
	INIT_LIST_HEAD(&group->alive);
	INIT_LIST_HEAD(&group->told);
	INIT_LIST_HEAD(&group->ended);
	INIT_WORK(&group->cancel, cancel_others);
	group->idle = true;
	group->place = place;
	return group;
}

/* The defer and the group come into being, and go, in one request: no cut comes in between. */
static enum costack_next do_create(struct costack *co)
{
	struct costack_group *group = make_group((unsigned long)co->req.fn);

	if (group && costack_roots_defer(&co->roots, leave_group, group, co->ctx.sp)) {
		kfree(group);
		group = NULL;
	}
	if (group)
		group->creator = co;
	co->req.ret = (long)group;
	return COSTACK_CONTINUE;
}

static enum costack_next do_destroy(struct costack *co)
{
	struct costack_group *group = co->req.fn;

	costack_roots_undefer(&co->roots, leave_group, group);
	release(group);
	return COSTACK_CONTINUE;
}

/* === Public interface === */

/**
 * costack_group_create() - make a group of work items
 *
 * The group is for children that are started by costack_group_start().
 *
 * A coroutine that creates a group must destroy it. If it was cut off instead, at the limit of its
 * stack or by a cancel, the children are cancelled and waited for before its end, in the order of
 * its defers, and the group is freed. The same happens if its function returns and the group is
 * still there, which is reported once for each caller of this function.
 *
 * Context: Process context, any stack; may sleep.
 * Return: the group, or %NULL if there is no memory.
 */
struct costack_group *costack_group_create(void)
{
	struct costack *co = __costack_current();

	if (co)
		return (void *)costack_request(co, do_create, (void *)_RET_IP_, NULL);
	return make_group(_RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_group_create);
NOKPROBE_SYMBOL(costack_group_create);

/* Behind costack_group_start(); costack.h has the kernel-doc. */
int __costack_group_start(struct costack_group *group, costack_fn_t fn, void *arg,
			  const struct costack_attr *attr, struct module *owner)
{
	struct starting starting = {
		.group	= group,
		.fn	= fn,
		.arg	= arg,
		.attr	= attr,
		.owner	= owner,
	};

	might_sleep();
	/* costack_on_host() may refuse a thread that has hardly any stack left. */
	return __costack_current() ? costack_on_host(start, &starting) : start(&starting);
}
EXPORT_SYMBOL_GPL(__costack_group_start);
NOKPROBE_SYMBOL(__costack_group_start);

static int report_deadlock(void *place)
{
	static struct costack_once once;

	if (costack_once(&once, (unsigned long)place))
		pr_warn("%pS waits for the group that it is part of\n", place);
	return -EDEADLK;
}

/**
 * costack_group_wait() - wait for all children of a group
 * @group: the group
 *
 * A coroutine that waits does not hold its thread. If it is cancelled, it cancels the children, and
 * then waits until they have ended. An abortable one is cut off instead where it waits, if it can
 * be: see costack_group_create(). Children that are started meanwhile are waited for, too.
 *
 * Context: Process context; host or coroutine stack. May sleep or park.
 * Return: 0, or the first error by time:
 * * < 0		- what the first child that failed returned, or what costack_wait() would
 *			  have returned for it
 * * -ECANCELED		- no child had failed when the caller was cancelled
 * * -EDEADLK		- the caller is a child of @group; this is reported once for each place
 */
int costack_group_wait(struct costack_group *group)
{
	struct costack *co = __costack_current();

	if (!co)
		return settle(group);
	/* It would wait for itself. */
	if (unlikely(group_of(co) == group))
		return costack_on_host(report_deadlock, (void *)_RET_IP_);
	return wait_as_coroutine(group);
}
EXPORT_SYMBOL_GPL(costack_group_wait);
NOKPROBE_SYMBOL(costack_group_wait);

/**
 * costack_group_cancel() - cancel all children of a group
 * @group: the group
 *
 * See costack_cancel() for what becomes of them. No more children can be started in @group.
 * costack_group_wait() is still needed; it returns what the children then return.
 *
 * Context: As costack_cancel(); on a coroutine stack: process context, no lock held.
 */
void costack_group_cancel(struct costack_group *group)
{
	if (__costack_current())
		costack_on_host(cancel_on_host, group);
	else
		cancel_children(group, 0);
}
EXPORT_SYMBOL_GPL(costack_group_cancel);
NOKPROBE_SYMBOL(costack_group_cancel);

/**
 * costack_group_destroy() - wait for all children of a group, and free it
 * @group: the group, which nobody else uses or starts children in; %NULL is allowed
 *
 * It waits as costack_group_wait() does. If a coroutine has created the group and somebody else
 * calls this, a small part stays until that coroutine ends. A child that calls this for its own
 * group is reported, and nothing is done.
 *
 * Context: Process context; host or coroutine stack. May sleep or park.
 */
void costack_group_destroy(struct costack_group *group)
{
	struct costack *co = __costack_current();
	bool handed_over;

	if (!group)
		return;
	if (co && unlikely(group_of(co) == group)) {
		costack_on_host(report_deadlock, (void *)_RET_IP_);
		return;
	}
	/* A coroutine's defers are changed by itself only. */
	handed_over = group->creator && group->creator != co;
	if (co) {
		if (handed_over)
			costack_on_host(begin_destroy, group);
		wait_as_coroutine(group);
		if (group->creator == co)
			costack_request(co, do_destroy, group, NULL);
		else
			costack_on_host(handed_over ? end_destroy : release, group);
		return;
	}
	if (handed_over)
		begin_destroy(group);
	settle(group);
	if (handed_over)
		end_destroy(group);
	else
		release(group);
}
EXPORT_SYMBOL_GPL(costack_group_destroy);
NOKPROBE_SYMBOL(costack_group_destroy);
