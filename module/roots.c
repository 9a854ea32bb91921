// SPDX-License-Identifier: GPL-2.0
/*
 * Roots: the pointers into a coroutine stack that copystack is told about, as
 * it cannot find them by walking the stack. The counterpart of Go's
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

/* Who registered this should have taken it back before it returned. */
static void report_late(const struct costack_record *record)
{
	static struct costack_once once;

	if (costack_once(&once, record->who))
		pr_warn("%pS has returned without costack_untrack(): what it tracked is tracked no more\n",
			(void *)record->who);
}

/* Drop what was registered by frames that are gone. Frees: no growth calls it. */
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
 * @roots: of the coroutine
 * @depth: bytes of its stack in use
 * @late: report it, as who registered them has returned; not where it was cut off
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
 * @roots: of the coroutine
 * @loc: the variable
 * @depth: bytes of the stack in use by who registers it
 * @who: return address in that function
 *
 * A variable registered twice has two records and is adjusted once: after the
 * first adjustment it no longer points into the old stack.
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
 * @roots: of the coroutine
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
 * @roots: of the coroutine
 * @fn: what to call
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
 * costack_roots_pop() - take the newest deferred call off the list
 * @roots: of the coroutine
 * @defer: what it was
 *
 * Context: Process context, host stack.
 * Return: false if there is none.
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

/**
 * costack_roots_adjust() - adjust every root for a move
 * @roots: of the coroutine that moves
 * @range: addresses to adjust
 * @depth: bytes of the stack in use
 *
 * Called after the bytes were copied: a tracked variable that lies on the stack
 * itself has moved with them, and its value has been adjusted. It is not looked at,
 * nor is anything that was registered by a frame that is gone.
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
	rebased += costack_rebase(range, (unsigned long *)&roots->sudog.elem);
	return rebased;
}
NOKPROBE_SYMBOL(costack_roots_adjust);

/**
 * costack_roots_free() - forget all roots
 * @roots: of a coroutine that has ended
 *
 * Deferred calls that are still there do not run.
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
 * costack_roots_copy() - copy a stack while no other side uses it
 * @roots: of a coroutine that is switched out, in state COPYSTACK
 * @copy: does it, and adjusts the roots
 * @arg: its argument
 *
 * The other side of a channel copies from or to the stack of a coroutine that
 * waits; it does so under the channel's lock, which is taken here (Go's
 * syncadjustsudogs, with activeStackChans). There is no window while a
 * coroutine is about to park (Go's parkingOnChan): it is in the queue before it
 * is WAITING, and nobody else moves it until it is.
 *
 * The channel may be freed, by RCU, once it has taken the sudog off: so its lock
 * is taken under rcu_read_lock(). To hold it when it no longer matters is
 * harmless.
 *
 * Context: Process context. @copy runs under RCU, and maybe a raw spinlock.
 */
void costack_roots_copy(struct costack_roots *roots, void (*copy)(void *arg), void *arg)
{
	raw_spinlock_t *lock;
	unsigned long flags;

	rcu_read_lock();
	lock = READ_ONCE(roots->sudog.lock);
	if (lock) {
		raw_spin_lock_irqsave(lock, flags);
		copy(arg);
		raw_spin_unlock_irqrestore(lock, flags);
	} else {
		copy(arg);
	}
	rcu_read_unlock();
}
