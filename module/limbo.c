// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: where a stack waits that is to be unmapped.
 *
 * A thread that slept on a stack has its stack pointer there, in its task_struct, until
 * it is next switched out. Who wants its call trace (/proc/PID/stack, a hung-task report,
 * sysrq-t, livepatch: all of them by __unwind_start()) takes the stack pointer from there
 * and reads two words at it, and holds nothing meanwhile that would keep the thread where
 * it is. So a stack is unmapped a grace period of Tasks RCU after the last thread has left
 * it. That is enough:
 *
 *  - A reader looks first whether the thread is on a CPU, and then at its stack pointer.
 *    Once the thread has left the stack it is on a CPU; and if it is on none, it has been
 *    switched out since, and its stack pointer is elsewhere. So who reads here began
 *    before the thread left, or at least before the grace period, whose beginning orders
 *    the two.
 *  - Between that look and its reading the two words it does not sleep. It may be
 *    preempted: that is no quiescent state for Tasks RCU. In an interrupt or an NMI, the
 *    ordinary grace period waits for it that each one of Tasks RCU includes.
 *
 * (kgdb reads too, while all CPUs stand still, and of threads that are on none of them.)
 *
 * Meanwhile the memory is nobody's. Who finds none waits for it.
 */
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "arena.h"
#include "limbo.h"

/* Who may wait in costack_limbo_drain() waits while there are more: 16 MiB. */
#define MAX_PAGES	4096U
/* And so long, as somebody may compute meanwhile, whom the grace period waits for. */
#define MAX_DRAIN	HZ

/* A grace period ends only when all threads have slept, and one of them may compute. */
#define MAX_WAIT	(10 * HZ)

static void end(struct work_struct *work);
static DECLARE_WORK(end_work, end);

/*
 * Its rescuer comes when there is no memory for another worker. NULL where suites use
 * stacks in a kernel that the module does not start in.
 */
static struct workqueue_struct *queue;

static struct {
	/* Covers all of it; taken in process context only, memory reclaim included. */
	spinlock_t		lock;
	/* Stacks that no grace period has begun for. */
	struct costack_slot	*list;
	/* Of all that have not been unmapped yet. Changed under @lock. */
	unsigned int		pages;
	/* Times that some were. Changed by end() only. */
	unsigned int		ended;
	/* Woken after that. */
	struct wait_queue_head	wait;
	/* What @ended was when before_oom() last waited in vain. */
	unsigned int		in_vain;
} limbo = {
	.lock	= __SPIN_LOCK_UNLOCKED(limbo.lock),
	.wait	= __WAIT_QUEUE_HEAD_INITIALIZER(limbo.wait),
	.in_vain = ~0U,
};

/**
 * costack_limbo_unmap() - give stacks' memory back at once, and keep their addresses
 * @list: stacks, linked by their @next; nobody stands on them, and no reader of a call
 *	trace may come to them either
 *
 * One flush for all. From then on every access to them faults.
 *
 * Context: Process context, interrupts on; may sleep.
 */
void costack_limbo_unmap(struct costack_slot *list)
{
	struct costack_slot *slot;
	LIST_HEAD(pages);
	struct page *page, *tmp;

	for (slot = list; slot; slot = slot->next) {
		while (slot->pages) {
			page = costack_arena_unmap(slot);
			list_add(&page->lru, &pages);
		}
		slot->use = COSTACK_FRESH;
		slot->owner = NULL;
	}
	costack_arch_flush();
	list_for_each_entry_safe(page, tmp, &pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static unsigned int count_pages(const struct costack_slot *list)
{
	unsigned int pages = 0;

	for (; list; list = list->next)
		pages += list->pages;
	return pages;
}

/**
 * costack_limbo_add() - unmap stacks as soon as that is safe
 * @list: stacks, linked by their @next; nobody stands on them any more
 *
 * Then their slots go back to the arena.
 *
 * Context: Process context; memory reclaim as well.
 */
void costack_limbo_add(struct costack_slot *list)
{
	unsigned int pages = count_pages(list);
	struct costack_slot *last = list;

	if (!list)
		return;
	while (last->next)
		last = last->next;
	spin_lock(&limbo.lock);
	last->next = limbo.list;
	limbo.list = list;
	WRITE_ONCE(limbo.pages, limbo.pages + pages);
	spin_unlock(&limbo.lock);
	queue_work(queue ?: system_unbound_wq, &end_work);
}

static void end(struct work_struct *work)
{
	struct costack_slot *list;
	unsigned int pages;

	spin_lock(&limbo.lock);
	list = limbo.list;
	limbo.list = NULL;
	spin_unlock(&limbo.lock);
	if (!list)
		return;
	pages = count_pages(list);
	synchronize_rcu_tasks();
	costack_limbo_unmap(list);
	costack_arena_put(list);
	spin_lock(&limbo.lock);
	WRITE_ONCE(limbo.ended, limbo.ended + 1);
	/* Who sees none sees that they came back. Pairs with is_empty(). */
	smp_store_release(&limbo.pages, limbo.pages - pages);
	spin_unlock(&limbo.lock);
	wake_up_all(&limbo.wait);
}

/**
 * costack_limbo_drain() - wait until limbo holds no more than it should
 *
 * But no longer than a second: then it grows all the same, slowly. A thread that only
 * calls costack_call() sleeps here, too; that is what the grace period waits for where
 * cond_resched() does nothing.
 *
 * Context: Process context; may sleep.
 */
void costack_limbo_drain(void)
{
	wait_event_timeout(limbo.wait, READ_ONCE(limbo.pages) <= MAX_PAGES, MAX_DRAIN);
}

static bool is_empty(void)
{
	/* Pairs with the release in end(). */
	return !smp_load_acquire(&limbo.pages);
}

/**
 * costack_limbo_ended() - how often memory has come back from limbo
 *
 * Context: Any.
 * Return: a number for costack_limbo_wait().
 */
unsigned int costack_limbo_ended(void)
{
	return READ_ONCE(limbo.ended);
}

/**
 * costack_limbo_wait() - wait for memory that comes back from limbo
 * @gfp: what the caller found none with
 * @ended: costack_limbo_ended() before that; brought up to date
 *
 * Context: As @gfp says.
 * Return: true if some has come back since: to be tried again; false if there is none to
 * come, if @gfp or memory reclaim forbids to wait, or if it takes longer than ten seconds.
 */
bool costack_limbo_wait(gfp_t gfp, unsigned int *ended)
{
	unsigned int before = *ended;

	if (!gfpflags_allow_blocking(gfp) || current->flags & PF_MEMALLOC)
		return false;
	wait_event_timeout(limbo.wait, is_empty() || READ_ONCE(limbo.ended) != before, MAX_WAIT);
	*ended = READ_ONCE(limbo.ended);
	return *ended != before;
}

/**
 * costack_limbo_flush() - wait until what is in limbo now is unmapped
 *
 * Context: Process context; may sleep.
 */
void costack_limbo_flush(void)
{
	flush_work(&end_work);
}

/*
 * The kernel is about to kill a process for want of memory: none dies for what comes back.
 * After a wait in vain none is waited for until something has come back: who needs the
 * memory may be who keeps it from coming.
 */
static int before_oom(struct notifier_block *unused, unsigned long zero, void *parm)
{
	unsigned int pages = READ_ONCE(limbo.pages), ended = costack_limbo_ended();
	unsigned long *freed = parm;

	if (!pages || READ_ONCE(limbo.in_vain) == ended)
		return NOTIFY_OK;
	if (costack_limbo_wait(GFP_KERNEL, &ended))
		*freed += pages;
	else
		WRITE_ONCE(limbo.in_vain, ended);
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = { .notifier_call = before_oom };

/**
 * costack_limbo_init() - be asked before a process is killed for want of memory
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_limbo_init(void)
{
	int err;

	queue = alloc_workqueue("costack_limbo", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!queue)
		return -ENOMEM;
	err = register_oom_notifier(&oom_notifier);
	if (err) {
		destroy_workqueue(queue);
		queue = NULL;
	}
	return err;
}

/**
 * costack_limbo_exit() - wait until limbo is empty
 *
 * Context: Process context; may sleep. Nobody adds to it any more.
 */
void costack_limbo_exit(void)
{
	costack_limbo_flush();
	if (!queue)
		return;
	unregister_oom_notifier(&oom_notifier);
	destroy_workqueue(queue);
	queue = NULL;
}
