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
 */
struct items {
	/*
	 * Covers the whole structure. A coroutine is added before it can run, and removed
	 * after its end: so one that is held in COPYSTACK stays on the list.
	 */
	spinlock_t		lock;
	struct list_head	list;
	unsigned long		seq;
} ____cacheline_aligned_in_smp;

static DEFINE_PER_CPU(struct items, items);

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
 * @co: has ended
 *
 * Context: Process context.
 */
void costack_items_del(struct costack *co)
{
	struct items *its = per_cpu_ptr(&items, co->cpu);

	spin_lock(&its->lock);
	list_del_init(&co->all);
	spin_unlock(&its->lock);
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

	for_each_possible_cpu(cpu)
		if (!list_empty(&per_cpu_ptr(&items, cpu)->list))
			return false;
	return true;
}

/**
 * costack_items_each() - look at all coroutines
 * @fn: called for each coroutine, which may run and change meanwhile
 * @arg: passed to @fn
 *
 * Context: Process context. @fn runs under a spinlock.
 */
void costack_items_each(void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct costack *co;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock(&its->lock);
		list_for_each_entry(co, &its->list, all)
			fn(co, arg);
		spin_unlock(&its->lock);
	}
}

/**
 * costack_items_each_parked() - claim each parked coroutine for a moment
 * @wanted: returns whether to claim a coroutine; its answer is a guess, as the coroutine
 *	may run meanwhile. %NULL: claim all
 * @fn: called for each claimed coroutine; nobody else runs it or touches its stack
 * @arg: passed to @fn
 *
 * The caller of this owns a stack while the state is COPYSTACK: a waker sees that the
 * coroutine is not WAITING and leaves a wake-up, which costack_release() finds.
 *
 * Context: Process context; may sleep, and so may @fn.
 */
void costack_items_each_parked(bool (*wanted)(const struct costack *co),
			       void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct costack *co;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock(&its->lock);
		list_for_each_entry(co, &its->list, all) {
			if (costack_state(co) != COSTACK_WAITING || (wanted && !wanted(co)))
				continue;
			if (!costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK))
				continue;
			/* No runner has it: find_lost() must not take it for the last one's. */
			co->runner = NULL;
			spin_unlock(&its->lock);
			fn(co, arg);
			cond_resched();
			/* Lock before @co can run and end: the loop needs it on the list. */
			spin_lock(&its->lock);
			if (costack_release(co))
				costack_ready(co);
		}
		spin_unlock(&its->lock);
	}
}

static struct costack *find_lost(const struct items *its, const struct costack_runner *runner)
{
	struct costack *co;

	list_for_each_entry(co, &its->list, all)
		if (co->runner == runner && (costack_state(co) == COSTACK_RUNNING ||
					     costack_state(co) == COSTACK_COPYSTACK))
			return co;
	return NULL;
}

/**
 * costack_items_take_lost() - remove the coroutine that a runner has switched in
 * @runner: its thread has died
 *
 * Context: Process context.
 * Return: the coroutine, or %NULL if the runner had none.
 */
struct costack *costack_items_take_lost(const struct costack_runner *runner)
{
	struct costack *co = NULL;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct items *its = per_cpu_ptr(&items, cpu);

		spin_lock(&its->lock);
		co = find_lost(its, runner);
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
		oldest = list_first_entry_or_null(&its->list, struct costack, all);
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
