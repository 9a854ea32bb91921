// SPDX-License-Identifier: GPL-2.0
/*
 * Roots: pointers into a coroutine stack that must be registered with copystack,
 * because it cannot find them by walking the stack. The counterpart of Go's
 * adjustdefers, adjustpanics and adjustsudogs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "once.h"
#include "roots.h"

/* The function that registered this root should have unregistered it before it returned. */
static void report_late(const struct costack_record *record)
{
	static struct costack_once once;

	if (costack_once(&once, record->who))
		pr_warn("%pS has returned without costack_untrack(): what it tracked is tracked no more\n",
			(void *)record->who);
}

/* Drop roots that frames which are gone registered. Frees memory, so growth must not call it. */
static void drop(struct costack_record **list, size_t depth, bool late)
{
	struct costack_record *record;

	while ((record = *list) && costack_record_dead(record, depth)) {
		*list = record->next;
		if (late)
			report_late(record);
		kfree(record);
	}
}

/**
 * costack_roots_drop() - drop the roots of frames that are gone
 * @roots: roots of the coroutine
 * @depth: bytes of its stack in use
 * @late: report each root, because its function returned without unregistering it; false
 *	after an abort
 *
 * Defers are no such roots: they outlive the frame that registered them.
 *
 * Context: Process context, host stack; may not sleep.
 */
void costack_roots_drop(struct costack_roots *roots, size_t depth, bool late)
{
	drop(&roots->tracked, depth, late);
}

/**
 * costack_roots_track() - register a pointer variable
 * @roots: roots of the coroutine
 * @loc: the variable
 * @depth: bytes of the stack in use at the call that registers it
 * @who: return address in the function that registers it
 *
 * A variable that is registered twice has two records, but a move adjusts it only
 * once: after the first adjustment it no longer points into the old stack.
 *
 * Context: Process context, host stack; may sleep.
 * Return: 0, -EINVAL if @loc is %NULL or not aligned, -ENOMEM.
 */
int costack_roots_track(struct costack_roots *roots, void **loc, size_t depth, unsigned long who)
{
	struct costack_tracked *tracked;

	if (!loc || !IS_ALIGNED((unsigned long)loc, sizeof(*loc)))
		return -EINVAL;
	tracked = kmalloc(sizeof(*tracked), GFP_KERNEL);
	if (!tracked)
		return -ENOMEM;
	drop(&roots->tracked, depth, true);
	*tracked = (struct costack_tracked) {
		.record	= { .depth = depth, .who = who, .next = roots->tracked },
		.loc	= loc,
	};
	roots->tracked = &tracked->record;
	return 0;
}

/**
 * costack_roots_untrack() - remove the newest record of a pointer variable
 * @roots: roots of the coroutine
 * @loc: the variable
 *
 * Context: Process context, host stack.
 * Return: 0, or -EINVAL if @loc has no record.
 */
int costack_roots_untrack(struct costack_roots *roots, void **loc)
{
	struct costack_record **link = &roots->tracked, *record;

	for (; (record = *link); link = &record->next) {
		if (container_of(record, struct costack_tracked, record)->loc == loc) {
			*link = record->next;
			kfree(record);
			return 0;
		}
	}
	return -EINVAL;
}

/**
 * costack_roots_defer() - register a call
 * @roots: roots of the coroutine
 * @fn: function to call
 * @arg: its argument
 * @sp: stack pointer to run it from after an abort
 *
 * Context: Process context, host stack; may sleep.
 * Return: 0, -EINVAL if @fn is %NULL, -ENOMEM.
 */
int costack_roots_defer(struct costack_roots *roots, void (*fn)(void *), void *arg,
			unsigned long sp)
{
	struct costack_defer *defer;

	if (!fn)
		return -EINVAL;
	defer = kmalloc(sizeof(*defer), GFP_KERNEL);
	if (!defer)
		return -ENOMEM;
	*defer = (struct costack_defer){ .fn = fn, .arg = arg, .sp = sp, .next = roots->defers };
	roots->defers = defer;
	return 0;
}

/**
 * costack_roots_undefer() - take back a deferred call
 * @roots: roots of the coroutine
 * @fn: the function
 * @arg: its argument; the newest call of both is taken back
 *
 * Context: Process context, host stack.
 */
void costack_roots_undefer(struct costack_roots *roots, void (*fn)(void *), void *arg)
{
	struct costack_defer **link = &roots->defers, *defer;

	while ((defer = *link) && (defer->fn != fn || defer->arg != arg))
		link = &defer->next;
	if (!defer)
		return;
	*link = defer->next;
	kfree(defer);
}

/**
 * costack_roots_pop() - take the newest deferred call off the list
 * @roots: roots of the coroutine
 * @defer: out: the call
 *
 * Context: Process context, host stack.
 * Return: false if the list is empty.
 */
bool costack_roots_pop(struct costack_roots *roots, struct costack_defer *defer)
{
	struct costack_defer *first = roots->defers;

	if (!first)
		return false;
	*defer = *first;
	roots->defers = first->next;
	kfree(first);
	return true;
}

/* The values that a wait for channels sends or receives. */
static __always_inline size_t rebase_values(struct costack_roots *roots,
					    const struct costack_range *range)
{
	struct costack_select *select = costack_sudog_select(&roots->sudog);
	size_t rebased = 0;
	unsigned int i;

	for (i = 0; unlikely(select) && i < select->nr; i++)
		rebased += costack_rebase(range, (unsigned long *)&select->cases[i].sudog.elem);
	return rebased + costack_rebase(range, (unsigned long *)&roots->sudog.elem);
}

/**
 * costack_roots_adjust() - adjust every root for a move
 * @roots: roots of the coroutine that moves
 * @range: addresses to adjust
 * @depth: bytes of the stack in use
 *
 * The caller has copied the bytes already: a tracked variable that itself lies on the
 * stack has moved with them, and the copy adjusted its value. So this adjusts only the
 * address of such a variable, and ignores roots that frames which are gone registered.
 *
 * Context: Any context, host stack.
 * Return: how many words were adjusted.
 */
size_t costack_roots_adjust(struct costack_roots *roots, const struct costack_range *range,
			    size_t depth)
{
	struct costack_record *record;
	struct costack_defer *defer;
	size_t rebased = 0;

	for (record = roots->tracked; record; record = record->next) {
		struct costack_tracked *tracked =
			container_of(record, struct costack_tracked, record);

		if (costack_record_dead(record, depth))
			continue;
		if (costack_rebase(range, (unsigned long *)&tracked->loc))
			rebased++;
		else
			rebased += costack_rebase(range, (unsigned long *)tracked->loc);
	}
	for (defer = roots->defers; defer; defer = defer->next) {
		rebased += costack_rebase(range, (unsigned long *)&defer->arg);
		rebased += costack_rebase(range, &defer->sp);
	}
	return rebased + rebase_values(roots, range);
}
NOKPROBE_SYMBOL(costack_roots_adjust);

/**
 * costack_roots_redirect() - adjust the roots that others use while a coroutine is parked
 * @roots: its roots
 * @range: addresses to adjust
 * @lo: lowest address of what stands for its stack
 * @hi: highest one
 *
 * That is the values of a wait for channels, and the tracked variables outside of the stack.
 *
 * Context: As the callback of costack_roots_copy().
 */
void costack_roots_redirect(struct costack_roots *roots, const struct costack_range *range,
			    unsigned long lo, unsigned long hi)
{
	struct costack_record *record;

	for (record = roots->tracked; record; record = record->next) {
		struct costack_tracked *tracked =
			container_of(record, struct costack_tracked, record);

		if ((unsigned long)tracked->loc - lo > hi - lo)
			costack_rebase(range, (unsigned long *)tracked->loc);
	}
	rebase_values(roots, range);
}

/**
 * costack_roots_free() - forget all roots
 * @roots: roots of a coroutine that has ended
 *
 * Deferred calls that are left do not run.
 *
 * Context: Process context, host stack.
 */
void costack_roots_free(struct costack_roots *roots)
{
	struct costack_defer defer;

	while (roots->tracked) {
		struct costack_record *record = roots->tracked;

		roots->tracked = record->next;
		kfree(record);
	}
	while (costack_roots_pop(roots, &defer))
		;
}

/**
 * costack_roots_copy_waiting() - the slow half of costack_roots_copy()
 * @roots: as for costack_roots_copy(), like the other arguments
 * @copy: likewise
 * @arg: likewise
 *
 * The other side of a channel copies from or to the stack of a waiting coroutine. It
 * does so under the channel's lock, so this function takes that lock (Go's
 * syncadjustsudogs, with activeStackChans). There is no window while a coroutine is
 * about to park (Go's parkingOnChan): it enters the queue before it is WAITING, and
 * nobody else moves it before it is WAITING.
 *
 * The channel may be freed, by RCU, once the other side has taken the sudog off the
 * queue. So this function takes the lock under rcu_read_lock(). Holding the lock when it
 * is no longer needed does no harm.
 *
 * Context: Process context. @copy runs under RCU, and maybe under a raw spinlock.
 */
void costack_roots_copy_waiting(struct costack_roots *roots, void (*copy)(void *arg), void *arg)
{
	raw_spinlock_t *lock;
	unsigned long flags;

	rcu_read_lock();
	/* As in costack_roots_copy(): it may have become NULL. */
	lock = smp_load_acquire(&roots->sudog.lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		copy(arg);
		raw_spin_unlock_irqrestore(lock, flags);
	} else {
		copy(arg);
	}
	rcu_read_unlock();
}
