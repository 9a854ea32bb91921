// SPDX-License-Identifier: GPL-2.0
/*
 * The knob unmap: stacks that a coroutine was moved from (Go's stackFaultOnFree).
 *
 * The knob finds code that claims to be movable and is not: such code may still use an
 * address of a stack that the coroutine has left, and that access must fault. So the old
 * stack is unmapped, and its slot keeps naming the coroutine, so that the report of such an
 * access can name it too (see report.c).
 *
 * The stack is not always unmapped at once. If a thread has slept on it, somebody may be
 * taking a call trace of that thread and about to read the stack: then it goes to limbo
 * first (see limbo.c). To know that no thread has slept on it, a coroutine with the knobs
 * unmap and force_move uses new stacks only, and the host loop compares how often its
 * thread had been switched out before it switched the coroutine in and after the coroutine
 * came back. A coroutine that has parked may come back in another thread: the stack that it
 * parked on counts as slept on.
 */
#include <linux/sched.h>
#include <linux/types.h>

#include "arena.h"
#include "coroutine.h"
#include "left.h"
#include "pool.h"
#include "stats.h"

/* Unmapped stacks that each coroutine keeps, so that a stale access can be recognised. */
#define KEEP_LEFT	8U

/* A value that goes up when this thread is switched out, and differs after the knob changed. */
static u64 switches(void)
{
	/* The thread may be switched out here, too: then it is another value, and not wrong. */
	unsigned long times = data_race(current->nvcsw + current->nivcsw);

	return times + ((u64)READ_ONCE(costack_knobs.force_gen) << 32);
}

/**
 * costack_left_start() - begin on a stack that nobody has used
 * @co: RUNNING, and has not begun
 *
 * If there is no memory for one, @co begins on the stack that it has.
 *
 * Context: Process context, host stack; may sleep. With the knob force_move.
 */
void costack_left_start(struct costack *co)
{
	struct costack_slot *old = co->slot, *new = NULL;

	if (READ_ONCE(costack_knobs.unmap) && old->use != COSTACK_FRESH)
		new = costack_stackalloc_for(costack_class(old->pages), costack_owner_of(co),
					     COSTACK_GFP);
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
 * costack_left_add() - unmap a stack that a coroutine has left
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
 * costack_left_retired() - unmap the stacks that growth has moved a coroutine from
 * @co: the coroutine
 * @reserve: reserve that holds those stacks, and maybe stacks of other coroutines
 *
 * Does nothing without the knob. Stacks that name nobody any more are unmapped, too: see
 * costack_grow_settle().
 *
 * Context: As for costack_left_add().
 */
void costack_left_retired(struct costack *co, struct costack_reserve *reserve)
{
	struct costack_slot **link = &reserve->retired, *slot;

	while (READ_ONCE(costack_knobs.unmap) && (slot = *link)) {
		if (slot->co && slot->co != co) {
			link = &slot->next;
			continue;
		}
		*link = slot->next;
		costack_left_add(co, slot);
	}
}

/**
 * costack_left_forget() - give up the stacks that a coroutine has left
 * @co: a coroutine that has ended
 *
 * Context: Process context.
 */
void costack_left_forget(struct costack *co)
{
	put(co->left);
	co->left = NULL;
}
