// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: the place where stacks wait until they can be unmapped.
 *
 * The task_struct of a thread that slept on a stack holds a stack pointer to that stack
 * until the thread is next switched out. A reader that wants a call trace of the thread
 * (/proc/PID/stack, a hung-task report, sysrq-t, livepatch: all by __unwind_start()) takes
 * that stack pointer and reads two words at it, and meanwhile holds nothing that would keep
 * the thread on the stack. So a stack is unmapped only after a grace period of Tasks RCU
 * that begins after the last thread has left it. That is enough:
 *
 *  - A reader first tests whether the thread is on a CPU, and then reads its stack pointer.
 *    A thread that has just left the stack is on a CPU. If it is on none, it has been
 *    switched out since, and its stack pointer is elsewhere. So a reader that still reads
 *    this stack began before the thread left it, or at least before the grace period, whose
 *    beginning orders the two.
 *  - Between that test and reading the two words the reader does not sleep. It may be
 *    preempted, but that is no quiescent state for Tasks RCU. Each grace period of Tasks RCU
 *    includes an ordinary one, which waits for a reader in an interrupt or an NMI.
 *
 * (kgdb reads stacks too, but while all CPUs stand still, and only those of threads that
 * are on no CPU.)
 *
 * Nobody can use the memory meanwhile. An allocation that finds no memory waits for it.
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
#include "compat.h"
#include "limbo.h"

/* costack_limbo_drain() waits while limbo holds more pages than this: 16 MiB. */
#define MAX_PAGES	4096U
/* But no longer than this: the grace period may wait for a thread that computes. */
#define MAX_DRAIN	HZ

/* Stacks that are unmapped together, with one flush. */
#define BATCH		256U

/*
 * The longest wait for memory: a grace period ends only when all threads have slept, and
 * one of them may compute.
 */
#define MAX_WAIT	(10 * HZ)

static void end(struct work_struct *work);
static DECLARE_WORK(end_work, end);

/*
 * It has a rescuer, for the case that there is no memory for another worker. NULL in test
 * suites that use stacks without the module's init.
 */
static struct workqueue_struct *queue;

static struct {
	/* Protects the structure; taken in process context only, memory reclaim included. */
	spinlock_t		lock;
	/* Stacks whose grace period has not begun. */
	struct costack_slot	*list;
	/* Pages of all stacks that have not been unmapped yet. Changed under @lock. */
	unsigned int		pages;
	/* How often end() has unmapped stacks. Only end() changes it. */
	unsigned int		ended;
	/* end() wakes it after each change of @ended. */
	struct wait_queue_head	wait;
	/* Value of @ended when before_oom() last waited in vain. */
	unsigned int		in_vain;
} limbo = {
	.lock	= __SPIN_LOCK_UNLOCKED(limbo.lock),
	.wait	= __WAIT_QUEUE_HEAD_INITIALIZER(limbo.wait),
	.in_vain = ~0U,
};

/**
 * costack_limbo_unmap() - give stacks' memory back at once, and keep their addresses
 * @list: stacks, linked by their @next; nobody uses them, and no reader of a call trace
 *	can reach them either
 *
 * Flushes once for all of them. From then on every access to them faults.
 *
 * Context: Process context, interrupts on.
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
 * @list: stacks, linked by their @next; nobody uses them any more
 *
 * After that the slots go back to the arena.
 *
 * Context: Process context, memory reclaim included.
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
	queue_work(queue ?: system_dfl_wq, &end_work);
}

/* Cut a list behind its first BATCH stacks, and return the rest. */
static struct costack_slot *cut(struct costack_slot *list)
{
	struct costack_slot *rest;
	unsigned int nr;

	for (nr = 1; nr < BATCH && list->next; nr++)
		list = list->next;
	rest = list->next;
	list->next = NULL;
	return rest;
}

static void end(struct work_struct *work)
{
	struct costack_slot *list, *rest;
	unsigned int pages = 0;

	spin_lock(&limbo.lock);
	list = limbo.list;
	limbo.list = NULL;
	spin_unlock(&limbo.lock);
	if (!list)
		return;
	synchronize_rcu_tasks();
	for (; list; list = rest) {
		rest = cut(list);
		pages += count_pages(list);
		costack_limbo_unmap(list);
		costack_arena_put(list);
		cond_resched();
	}
	spin_lock(&limbo.lock);
	WRITE_ONCE(limbo.ended, limbo.ended + 1);
	/* A reader that sees 0 also sees the new @ended. Pairs with is_empty(). */
	smp_store_release(&limbo.pages, limbo.pages - pages);
	spin_unlock(&limbo.lock);
	wake_up_all(&limbo.wait);
}

/**
 * costack_limbo_drain() - wait until limbo holds no more than MAX_PAGES
 *
 * Waits no longer than a second; after that limbo does grow, but slowly. A thread that
 * only calls costack_call() sleeps here too; a grace period needs that sleep where
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
 * @gfp: flags of the allocation that failed
 * @ended: costack_limbo_ended() before that allocation; updated here
 *
 * Context: As @gfp says.
 * Return: true if memory has come back since, so that the caller should try again; false if
 * limbo is empty, if @gfp or memory reclaim forbids waiting, or after ten seconds.
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
 * The kernel is about to kill a process because it lacks memory: wait for the memory in
 * limbo first. After a wait in vain, do not wait again until some memory has come back: the
 * thread that needs the memory may be the one that delays the grace period.
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
 * costack_limbo_init() - get notified before the kernel kills a process to free memory
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
 * Context: Process context; may sleep. Nobody adds stacks any more.
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
