// SPDX-License-Identifier: GPL-2.0
/*
 * The knob unmap: stacks that a coroutine was moved from (Go's stackFaultOnFree).
 *
 * To find code that says it is movable and is not: who still has an address of a stack
 * that a coroutine has left must not find anything there. So it is unmapped, and its
 * slot keeps naming the coroutine, that the report of such an access can tell (see
 * report.c).
 *
 * Not always at once. If a thread has slept on it, somebody who wants a call trace of
 * that thread may be on the way there: then it goes to limbo first (see limbo.c). To know
 * that nobody has, with the knobs unmap and force_move a coroutine stands on new stacks
 * only, and the host loop compares how often its thread was switched out before it
 * switched in and after it came back. One that has parked may come back in another
 * thread: the stack that it parked on counts as slept on.
 */
#include <linux/sched.h>
#include <linux/types.h>

#include "arena.h"
#include "coroutine.h"
#include "left.h"
#include "pool.h"
#include "stats.h"

/* Stacks that are kept to be recognised. */
#define KEEP_LEFT	8U

/* Goes up when this thread is switched out; and is another when the knob was changed. */
static u64 switches(void)
{
	return current->nvcsw + current->nivcsw + ((u64)READ_ONCE(costack_knobs.force_gen) << 32);
}

/**
 * costack_left_start() - begin on a stack that nobody has stood on
 * @co: RUNNING, and has not begun
 *
 * Where there is no memory for one, it begins on the one that it has.
 *
 * Context: Process context, host stack; may sleep. With the knob force_move.
 */
void costack_left_start(struct costack *co)
{
	struct costack_slot *old = co->slot, *new = NULL;

	if (READ_ONCE(costack_knobs.unmap) && old->use != COSTACK_FRESH)
		new = costack_stackalloc(costack_class(old->pages), COSTACK_GFP);
	if (new) {
		new->co = co;
		WRITE_ONCE(co->slot, new);
		costack_stackfree(old);
	}
	costack_left_depart(co);
}

/**
 * costack_left_arrive() - see whether a stack can be unmapped at once
 * @co: just switched out for a request
 *
 * Context: Host stack. With the knob force_move.
 */
void costack_left_arrive(struct costack *co)
{
	struct costack_slot *slot = co->slot;

	if (slot->use == COSTACK_FRESH && slot->owner == current &&
	    slot->owner_start == switches())
		slot->use = COSTACK_QUIET;
	else if (slot->use != COSTACK_DIRTY)
		slot->use = COSTACK_CLEAN;
}

/**
 * costack_left_depart() - note that a coroutine is about to be switched in
 * @co: switched out
 *
 * Context: Host stack. With the knob force_move.
 */
void costack_left_depart(struct costack *co)
{
	struct costack_slot *slot = co->slot;

	if (slot->use != COSTACK_FRESH)
		return;
	slot->owner = current;
	slot->owner_start = switches();
}

static void put(struct costack_slot *slots)
{
	struct costack_slot *slot;

	for (slot = slots; slot; slot = slot->next)
		WRITE_ONCE(slot->co, NULL);
	costack_arena_put(slots);
}

/**
 * costack_left_add() - unmap what a coroutine has left
 * @co: the coroutine
 * @old: the stack
 *
 * Context: Process context; may sleep. Nobody else runs or moves @co.
 */
void costack_left_add(struct costack *co, struct costack_slot *old)
{
	struct costack_slot **link = &co->left;
	unsigned int i;

	old->next = NULL;
	if (old->use != COSTACK_QUIET) {
		WRITE_ONCE(old->co, NULL);
		costack_stack_limbo(old);
		return;
	}
	costack_stack_unmap(old);
	old->next = co->left;
	co->left = old;
	for (i = 0; i < KEEP_LEFT && *link; i++)
		link = &(*link)->next;
	if (*link) {
		put(*link);
		*link = NULL;
	}
}

/**
 * costack_left_retired() - unmap what growth has moved a coroutine from
 * @co: the coroutine
 * @reserve: where those stacks are; others' may be there too
 *
 * Does nothing without the knob.
 *
 * Context: As costack_left_add().
 */
void costack_left_retired(struct costack *co, struct costack_reserve *reserve)
{
	struct costack_slot **link = &reserve->retired, *slot;

	while (READ_ONCE(costack_knobs.unmap) && (slot = *link)) {
		if (slot->co != co) {
			link = &slot->next;
			continue;
		}
		*link = slot->next;
		costack_left_add(co, slot);
	}
}

/**
 * costack_left_forget() - give up the stacks that a coroutine has left
 * @co: has ended
 *
 * Context: Process context.
 */
void costack_left_forget(struct costack *co)
{
	put(co->left);
	co->left = NULL;
}
