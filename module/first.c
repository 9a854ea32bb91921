// SPDX-License-Identifier: GPL-2.0
/*
 * First sizes: a function that has needed a larger stack starts on one the next time (Go's
 * adaptivestackstart, but for each function by itself).
 *
 * A coroutine that grows teaches the size class that it has needed. The next one of the same
 * function starts with that class, if its limit allows it, and does not grow. So nothing more
 * is learnt of what it needs: a stack that never faults tells nobody how much of it is used. To
 * notice that a function needs less than it did, one in COSTACK_FIRST_ONE_IN starts one class
 * lower, as a probe:
 *
 *	it grows		the class is still needed
 *	it does not		one more in a row; if these are as many as @patience says, the
 *				class goes down by one
 *
 * If a function needs much only now and then, the class still goes down at some time, and up
 * again at the next growth. Each time this happens @patience doubles, so that the class
 * of such a function soon stays up. A probe that does not grow has cost nothing, and of those
 * that do grow there are fewer than one in a hundred.
 *
 * What is remembered belongs to the function and not to a CPU: items often start on one CPU
 * and end on another, and no CPU has to learn by itself. Nobody writes to the table but a
 * coroutine that has grown and a probe, so all CPUs may keep its lines in their caches.
 *
 * The table is bounded: a function has a place in one set only. If others have taken that set,
 * it is not remembered, and its stacks grow as ever.
 */
#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "first.h"
#include "grow.h"
#include "pool.h"
#include "stats.h"

/**
 * struct size - what a function has needed
 * @fn: the function; %NULL: nobody's
 * @class: size class that its coroutines start with
 * @in_a_row: probes that have not grown since the last one that has
 * @patience: so many must these be for @class to go down
 * @lowered: @class has gone down, and not up since
 *
 * @fn and @class are read without the lock. They need not be of the same moment: whatever
 * class a coroutine starts with, it grows from there.
 */
struct size {
	const void	*fn;
	u8		class;
	u8		in_a_row;
	u8		patience;
	bool		lowered;
};

static struct size sizes[COSTACK_FIRST_SETS][COSTACK_FIRST_WAYS] ____cacheline_aligned;

/* Covers @sizes and the word below; taken in process context only. */
static DEFINE_SPINLOCK(lock);

/* A bit for each set, set if one of its entries is somebody's; also read without the lock. */
unsigned long costack_first_sets;

/* Counts what could start on a larger stack, to find the next probe. */
static DEFINE_PER_CPU(unsigned int, larger);

static struct size *find(const void *fn)
{
	struct size *set = sizes[costack_first_set(fn)];
	unsigned int i;

	for (i = 0; i < COSTACK_FIRST_WAYS; i++)
		if (READ_ONCE(set[i].fn) == fn)
			return &set[i];
	return NULL;
}

/* Take a free entry, or one of a function that needs no more than the smallest stack by now. */
static struct size *add(const void *fn)
{
	unsigned int nr = costack_first_set(fn), i;
	struct size *set = sizes[nr], *size = NULL;

	lockdep_assert_held(&lock);
	for (i = 0; i < COSTACK_FIRST_WAYS; i++)
		if (!set[i].fn || (!size && !set[i].class))
			size = &set[i];
	if (!size)
		return NULL;
	WRITE_ONCE(costack_first_sets, costack_first_sets | BIT(nr));
	WRITE_ONCE(size->class, 0);
	WRITE_ONCE(size->fn, fn);
	size->in_a_row = 0;
	size->patience = COSTACK_FIRST_PATIENCE;
	size->lowered = false;
	return size;
}

/**
 * costack_first_class() - the size that is remembered of a function
 * @fn: the function
 *
 * Context: Any. The answer may be outdated.
 * Return: a size class; 0: none is remembered.
 */
unsigned int costack_first_class(const void *fn)
{
	const struct size *size = find(fn);

	return size ? READ_ONCE(size->class) : 0;
}

/* === The start === */

/*
 * Give @co a stack of @class. It is no loss if there is no memory for that now: @co then grows
 * into its reserve.
 */
static bool give(struct costack *co, unsigned int class)
{
	struct costack_owner owner = costack_owner_of(co);
	struct costack_slot *old = co->slot;
	struct costack_slot *new = costack_stackalloc_for(class, owner, GFP_NOWAIT | __GFP_NOWARN);

	if (!new)
		return false;
	new->co = co;
	WRITE_ONCE(co->slot, new);
	if (old)
		costack_stackfree_of(old, owner);
	return true;
}

/**
 * costack_first_begin() - give a coroutine a stack as large as its function has needed
 * @co: has not begun, and only the caller runs it
 *
 * Changes nothing if @co is to have a stack of that size anyway, or if there is no memory.
 *
 * Context: Process context, any stack but @co's; may sleep.
 */
void costack_first_begin(struct costack *co)
{
	unsigned int first = co->slot ? costack_class(co->slot->pages) : co->class;
	unsigned int class = min(costack_first_class(co->fn), costack_class(co->limit));

	if (class <= first)
		return;
	if (this_cpu_inc_return(larger) % COSTACK_FIRST_ONE_IN == 0)
		co->probe = class--;
	if (class > first && give(co, class))
		costack_stat_inc(COSTACK_STAT_STARTED_LARGER);
}

/* === The end === */

/* @co has grown: remember at least the size that it has needed. */
static void raise(const struct costack *co)
{
	unsigned int pages = costack_grow_pages(1, co->deepest, co->limit), class;
	struct size *size;

	/* It has grown beyond its limit. */
	if (!pages)
		return;
	class = costack_class(pages);
	spin_lock(&lock);
	size = find(co->fn);
	if (!size && READ_ONCE(costack_knobs.adaptive_start))
		size = add(co->fn);
	if (size && class >= size->class)
		size->in_a_row = 0;
	if (size && class > size->class) {
		if (size->lowered)
			size->patience = min(2U * size->patience, COSTACK_FIRST_MOST);
		size->lowered = false;
		WRITE_ONCE(size->class, class);
	}
	spin_unlock(&lock);
}

/* @co was a probe, and has not grown. */
static void lower(const struct costack *co)
{
	struct size *size;

	spin_lock(&lock);
	size = find(co->fn);
	/* The class may have changed since it began. */
	if (size && co->probe == size->class && ++size->in_a_row == size->patience) {
		size->in_a_row = 0;
		size->lowered = true;
		WRITE_ONCE(size->class, size->class - 1);
	}
	spin_unlock(&lock);
}

/**
 * costack_first_end() - learn from a coroutine that has grown, or was a probe
 * @co: has ended; the module of its function is still loaded
 *
 * What was cut off, or did not start, is no evidence that less is enough.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_first_end(struct costack *co)
{
	if (co->growths)
		raise(co);
	else if (co->probe && co->started && !co->cut)
		lower(co);
	co->probe = 0;
}

/* === Forgetting === */

/**
 * costack_first_forget() - forget the functions of a module that goes
 * @start: its text
 * @end: end of that
 *
 * Another function may get the same address.
 *
 * Context: Process context; may sleep.
 */
void costack_first_forget(unsigned long start, unsigned long end)
{
	unsigned long sets = 0, fn;
	unsigned int nr, i;

	spin_lock(&lock);
	for (nr = 0; nr < COSTACK_FIRST_SETS; nr++) {
		for (i = 0; i < COSTACK_FIRST_WAYS; i++) {
			fn = (unsigned long)sizes[nr][i].fn;
			if (fn >= start && fn < end) {
				WRITE_ONCE(sizes[nr][i].fn, NULL);
				WRITE_ONCE(sizes[nr][i].class, 0);
			} else if (fn) {
				sets |= BIT(nr);
			}
		}
	}
	WRITE_ONCE(costack_first_sets, sets);
	spin_unlock(&lock);
}

/**
 * costack_first_forget_all() - forget all functions
 *
 * Context: Process context; may sleep.
 */
void costack_first_forget_all(void)
{
	costack_first_forget(0, ULONG_MAX);
}
