// SPDX-License-Identifier: GPL-2.0
/*
 * All coroutines of work items, for whoever has to look at them: to shrink their stacks,
 * to print them, to know when the last of them has ended.
 *
 * Each CPU has a list of its own (as Go has one of all Gs, and a cache of free ones for
 * each P). A coroutine is on the list of the CPU that queued its item, so in the steady
 * state no two CPUs take the same lock.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "coroutine.h"
#include "items.h"
#include "runner.h"

/**
 * struct items - the coroutines of the items that one CPU has queued
 * @lock: see below
 * @list: oldest first, and so in the order of @gen of struct costack
 * @seq: number of the last coroutine that was added
 * @cursor: on @list, in front of what a walk has yet to come to, while there is a walk
 */
struct items {
	/*
	 * Covers the whole structure. A coroutine is added before it can run, and removed
	 * after its end: so one that is held in COPYSTACK stays on the list.
	 */
	spinlock_t		lock;
	struct list_head	list;
	unsigned long		seq;
	struct list_head	cursor;
} ____cacheline_aligned_in_smp;

static DEFINE_PER_CPU(struct items, items);

/* There is one walk at a time, as each list has one cursor. */
static DEFINE_MUTEX(walk_lock);

/* How many coroutines a walk passes before it lets go of the lock: there may be a million. */
#define WALK_BATCH	100U

/* How many marks there are. Written rarely; a coroutine notes it when it is added. */
static atomic_t marks = ATOMIC_INIT(0);

/**
 * costack_items_add() - add a coroutine
 * @co: of a work item; cannot run yet
 *
 * Context: Process context.
 */
void costack_items_add(struct costack *co)
{
	int cpu = raw_smp_processor_id();
	struct items *own = per_cpu_ptr(&items, cpu);

	co->cpu = cpu;
	spin_lock(&own->lock);
	co->gen = atomic_read(&marks);
	own->seq += nr_cpu_ids;
	co->seq = own->seq;
	list_add_tail(&co->all, &own->list);
	spin_unlock(&own->lock);
}

/**
 * costack_items_del() - remove a coroutine
 * @co: has ended, or its worker has died
 *
 * Context: Process context.
 */
void costack_items_del(struct costack *co)
{
	struct items *its = per_cpu_ptr(&items, co->cpu);

	spin_lock(&its->lock);
	__list_del_entry(&co->all);
	spin_unlock(&its->lock);
}

/* The first coroutine behind @link, or NULL. */
static struct costack *behind(const struct items *its, const struct list_head *link)
{
	link = link->next;
	if (link == &its->cursor)
		link = link->next;
	return link == &its->list ? NULL : list_entry(link, struct costack, all);
}

/**
 * costack_items_none() - is there no coroutine at all
 *
 * Context: Any; a guess.
 * Return: true if so.
 */
bool costack_items_none(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct items *its = per_cpu_ptr(&items, cpu);

		if (!list_empty(&its->list) && READ_ONCE(its->list.next) != &its->cursor)
			return false;
	}
	return true;
}

/* Let others have the lock, at the cursor. */
static void pause(struct items *its)
{
	spin_unlock(&its->lock);
	cond_resched();
	spin_lock(&its->lock);
}

/* Ends at the coroutine that is the last one now, or others could add more for ever. */
static void walk(struct items *its, void (*fn)(struct costack *co, void *arg), void *arg)
{
	unsigned int passed = 0;
	unsigned long last;
	struct costack *co;

	lockdep_assert_held(&walk_lock);
	spin_lock(&its->lock);
	last = its->seq;
	list_add(&its->cursor, &its->list);
	while ((co = behind(its, &its->cursor)) && (long)(co->seq - last) <= 0) {
		list_move(&its->cursor, &co->all);
		fn(co, arg);
		if (!(++passed % WALK_BATCH))
			pause(its);
	}
	list_del(&its->cursor);
	spin_unlock(&its->lock);
}

/**
 * costack_items_each() - look at all coroutines
 * @fn: called for each coroutine, which may run and change meanwhile
 * @arg: passed to @fn
 *
 * Coroutines that are added or end meanwhile may be left out.
 *
 * Context: Process context; may sleep. @fn runs under a spinlock.
 */
void costack_items_each(void (*fn)(struct costack *co, void *arg), void *arg)
{
	int cpu;

	mutex_lock(&walk_lock);
	for_each_possible_cpu(cpu)
		walk(per_cpu_ptr(&items, cpu), fn, arg);
	mutex_unlock(&walk_lock);
}

/**
 * struct claim - the arguments of claim_parked()
 * @its: the list
 * @wanted: see costack_items_each_parked(), like the other two
 * @fn: likewise
 * @arg: likewise
 */
struct claim {
	struct items	*its;
	bool		(*wanted)(const struct costack *co);
	void		(*fn)(struct costack *co, void *arg);
	void		*arg;
};

static void unclaim(struct costack *co)
{
	if (costack_unclaim(co))
		costack_ready(co);
}

static void claim_parked(struct costack *co, void *arg)
{
	struct claim *claim = arg;

	if (costack_state(co) != COSTACK_WAITING || (claim->wanted && !claim->wanted(co)) ||
	    !costack_claim(co))
		return;
	/* No runner has it: find_lost() must not find it for the runner that had it last. */
	if (!costack_is_packed(co))
		co->host = NULL;
	spin_unlock(&claim->its->lock);
	claim->fn(co, claim->arg);
	unclaim(co);
	cond_resched();
	spin_lock(&claim->its->lock);
}

/**
 * costack_items_each_parked() - claim each parked coroutine for a moment
 * @wanted: returns whether to claim a coroutine; its answer is a guess, as the coroutine
 *	may run meanwhile. %NULL: claim all
 * @fn: called for each claimed coroutine; nobody else runs it or touches its stack
 * @arg: passed to @fn
 *
 * The caller of this owns a stack while the state is COPYSTACK: a waker sees that the
 * coroutine is not WAITING and leaves a wake-up, which costack_unclaim() finds.
 *
 * Context: Process context; may sleep. @fn must not sleep, nor walk itself.
 */
void costack_items_each_parked(bool (*wanted)(const struct costack *co),
			       void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct claim claim = { .wanted = wanted, .fn = fn, .arg = arg };
	int cpu;

	mutex_lock(&walk_lock);
	for_each_possible_cpu(cpu) {
		claim.its = per_cpu_ptr(&items, cpu);
		walk(claim.its, claim_parked, &claim);
	}
	mutex_unlock(&walk_lock);
}

static struct costack *find_lost(const struct items *its, const struct costack_host *host)
{
	struct costack *co;

	for (co = behind(its, &its->list); co; co = behind(its, &co->all))
		if (co->host == host && (costack_state(co) == COSTACK_RUNNING ||
					 costack_state(co) == COSTACK_COPYSTACK))
			return co;
	return NULL;
}

/**
 * costack_items_take_lost() - remove the coroutine that a thread has switched in
 * @host: what the thread had to lend; it has died
 *
 * Context: Process context.
 * Return: the coroutine, or %NULL if the thread had none.
 */
struct costack *costack_items_take_lost(const struct costack_host *host)
{
	struct costack *co = NULL;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock(&its->lock);
		co = find_lost(its, host);
		if (co)
			list_del_init(&co->all);
		spin_unlock(&its->lock);
		if (co)
			break;
	}
	return co;
}

static void count_parked(struct costack *co, void *arg)
{
	unsigned int *parked = arg;

	*parked += costack_state(co) == COSTACK_WAITING;
}

/**
 * costack_items_parked() - count parked coroutines
 *
 * Context: Process context.
 * Return: the number of coroutines that are parked at this moment.
 */
unsigned int costack_items_parked(void)
{
	unsigned int parked = 0;

	costack_items_each(count_parked, &parked);
	return parked;
}

/**
 * costack_items_mark() - tell the coroutines that exist from those to come
 *
 * Context: Any.
 * Return: a mark for costack_items_ended().
 */
unsigned int costack_items_mark(void)
{
	return atomic_fetch_inc(&marks);
}

/**
 * costack_items_ended() - have all coroutines ended that existed at a mark
 * @mark: from costack_items_mark()
 *
 * A coroutine that was being added when the mark was made has noted a number under the
 * lock of its list. So it is on the list when this function has got that lock, or its
 * number is newer.
 *
 * Context: Process context.
 * Return: true if so.
 */
bool costack_items_ended(unsigned int mark)
{
	const struct costack *oldest;
	bool ended = true;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock(&its->lock);
		oldest = behind(its, &its->list);
		ended &= !oldest || (int)(oldest->gen - mark) > 0;
		spin_unlock(&its->lock);
	}
	return ended;
}

/**
 * costack_items_init() - make the lists
 *
 * Context: Process context.
 */
void costack_items_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock_init(&its->lock);
		INIT_LIST_HEAD(&its->list);
		/* The first coroutine that this CPU adds is number @cpu + 1. */
		its->seq = cpu + 1UL - nr_cpu_ids;
	}
}
