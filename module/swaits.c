// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for the kernel's completions.
 *
 * A completion is a swait queue, which can only wake threads. So one thread of costack's queues
 * itself on all completions that coroutines of work items wait for: it has an entry for each.
 * A wake-up does not tell which entry it was for, so the thread looks at all of them. It takes
 * what was completed on behalf of the coroutine, which is then woken.
 *
 * The thread does with each completion just what wait_for_completion() does, under the lock of the
 * completion: either it takes what was completed and leaves the queue, or it is on the queue and
 * nothing is left to take. So no other waiter misses its wake-up, and nothing is lost.
 *
 * A cancel does not end this wait, so nobody is cut off in it: a completion mostly lies on the
 * stack, and whoever is to complete it does not know of the cancel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/wait.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "swaits.h"
#include "thread.h"
#include "wait.h"

/**
 * struct swait - a coroutine that waits for a completion of the kernel
 * @entry: on the queue of @x, under the lock of @x
 * @x: the completion; it exists as long as this struct
 * @new: link in the list of those that the thread has not seen yet
 * @list: link in the thread's list
 * @wq: where the coroutine waits
 * @told: it has got what it waits for; under the lock of @wq
 * @pins: @x lies on the stack of the coroutine, which is pinned for the wait
 */
struct swait {
	struct swait_queue	entry;
	struct completion	*x;
	struct llist_node	new;
	struct list_head	list;
	struct wait_queue_head	wq;
	bool			told;
	bool			pins;
};

/* What is waited for may be what frees memory. */
#define SWAIT_GFP	(GFP_NOIO | __GFP_NOWARN)

/* The thread, once there is one; and what it is to look at. */
static struct task_struct *thread;
static DEFINE_MUTEX(thread_lock);
static LLIST_HEAD(new_swaits);

/* === The thread === */

/* do_wait_for_common(), between two sleeps. Returns whether the wait has ended. */
static bool take_or_queue(struct swait *swait)
{
	struct completion *x = swait->x;
	bool taken;

	raw_spin_lock_irq(&x->wait.lock);
	taken = x->done;
	if (taken) {
		if (x->done != UINT_MAX)
			x->done--;
		list_del_init(&swait->entry.task_list);
	} else if (list_empty(&swait->entry.task_list)) {
		list_add_tail(&swait->entry.task_list, &x->wait.task_list);
	}
	raw_spin_unlock_irq(&x->wait.lock);
	return taken;
}

/*
 * Was the thread woken for this one? complete() increments @done before it wakes the thread and
 * takes the entry off. If @done is 0 again, somebody else was faster: that one has had the lock
 * after complete(), so that the entry is seen to be off the queue.
 */
static bool was_woken(const struct swait *swait)
{
	if (READ_ONCE(swait->x->done))
		return true;
	/* Pairs with the lock of the completion, as above. */
	smp_rmb();
	return list_empty_careful(&swait->entry.task_list);
}

/* As soon as the lock is dropped, the coroutine may free @swait. */
static void tell(struct swait *swait)
{
	list_del(&swait->list);
	spin_lock_irq(&swait->wq.lock);
	WRITE_ONCE(swait->told, true);
	wake_up_locked(&swait->wq);
	spin_unlock_irq(&swait->wq.lock);
}

static void look(struct list_head *swaits)
{
	struct llist_node *new = llist_reverse_order(llist_del_all(&new_swaits));
	struct swait *swait, *next;

	llist_for_each_entry_safe(swait, next, new, new) {
		swait->entry.task = current;
		list_add_tail(&swait->list, swaits);
	}
	list_for_each_entry_safe(swait, next, swaits, list)
		if (was_woken(swait) && take_or_queue(swait))
			tell(swait);
}

/* A wake-up that comes while it looks has it look again. */
static int run(void *unused)
{
	LIST_HEAD(swaits);

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		look(&swaits);
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Returns NULL if there is no memory. */
static struct task_struct *get_thread(void)
{
	/* Pairs with the release below: the thread exists. */
	struct task_struct *task = smp_load_acquire(&thread);

	if (likely(task))
		return task;
	mutex_lock(&thread_lock);
	task = thread;
	if (!task) {
		task = kthread_run(run, NULL, "costack_waits");
		if (IS_ERR(task))
			task = NULL;
		/* Pairs with the acquire above. */
		smp_store_release(&thread, task);
	}
	mutex_unlock(&thread_lock);
	return task;
}

/**
 * costack_swaits_exit() - stop the thread
 *
 * Context: Process context; no coroutine lives.
 */
void costack_swaits_exit(void)
{
	if (thread)
		kthread_stop(thread);
	thread = NULL;
}

/* === Coroutines === */

static enum costack_next do_begin(struct costack *co)
{
	struct completion *x = co->req.arg;
	struct task_struct *task = get_thread();
	struct swait *swait = task ? kmalloc(sizeof(*swait), SWAIT_GFP) : NULL;

	co->req.ret = (long)swait;
	if (!swait)
		return COSTACK_CONTINUE;
	INIT_LIST_HEAD(&swait->entry.task_list);
	swait->x = x;
	init_waitqueue_head(&swait->wq);
	swait->told = false;
	swait->pins = co->slot->hi - 1 - (unsigned long)x < COSTACK_SLOT_SIZE;
	co->pins += swait->pins;
	if (llist_add(&swait->new, &new_swaits))
		wake_up_process(task);
	return COSTACK_CONTINUE;
}

/* If the coroutine could not park, it waits with its thread now. */
static enum costack_next do_end(struct costack *co)
{
	struct swait *swait = co->req.fn;

	wait_event(swait->wq, READ_ONCE(swait->told));
	/* Wait until tell() has dropped the lock. */
	spin_lock_irq(&swait->wq.lock);
	spin_unlock_irq(&swait->wq.lock);
	co->pins -= swait->pins;
	kfree(swait);
	return COSTACK_CONTINUE;
}

static int wait_on_host(void *x)
{
	wait_for_completion(x);
	return 0;
}

static int wait_parked(struct costack *co, struct completion *x)
{
	struct swait *swait = (void *)costack_request(co, do_begin, NULL, x);

	if (!swait)
		return costack_on_host(wait_on_host, x);
	costack_wait_done(&swait->wq, &swait->told, COSTACK_WAITS_COMPLETION);
	costack_request(co, do_end, swait, NULL);
	return 0;
}
NOKPROBE_SYMBOL(wait_parked);

/**
 * costack_wait_for_completion() - wait for a completion of the kernel
 * @done: the completion
 *
 * A coroutine of a work item does not hold its thread, unless it is abortable, there is no memory,
 * or it has set something that belongs to the thread. If @done lies on its own stack, the stack
 * does not move during the wait. A cancel does not end the wait.
 *
 * One thread waits for all completions that coroutines wait for, and looks at all of them each
 * time that one is completed. For many, take a struct costack_completion.
 *
 * Context: Any stack, process context; may sleep or park.
 * Return: 0.
 */
int costack_wait_for_completion(struct completion *done)
{
	struct costack *co;

	if (try_wait_for_completion(done))
		return 0;
	co = __costack_current();
	if (!co)
		return wait_on_host(done);
	/* One that is cut off would leave the thread with a completion that may be gone. */
	if (co->work && !(co->flags & COSTACK_ABORTABLE) && costack_thread_plain(co))
		return wait_parked(co, done);
	return costack_on_host(wait_on_host, done);
}
EXPORT_SYMBOL_GPL(costack_wait_for_completion);
NOKPROBE_SYMBOL(costack_wait_for_completion);
