/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Moving a stack.
 */
#ifndef _COSTACK_MOVE_H
#define _COSTACK_MOVE_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "arena.h"
#include "copy.h"
#include "coroutine.h"
#include "range.h"
#include "roots.h"
#include "walk.h"

struct costack_event;
struct costack_fault;

/*
 * Bytes that a grown stack has to spare below the access that made it grow. An interrupt
 * uses them, and so does a preemption on return from that interrupt. Measured
 * (frames.interrupt-depth): 208 bytes without preemption; with it 544 on Linux 6.1, 704 on
 * 6.12 and 720 on 7.3.
 */
#define COSTACK_HEADROOM	1024

/* Drop roots that functions which have returned registered. A move ignores them. */
static inline void costack_move_drop_roots(struct costack *co)
{
	if (unlikely(co->roots.tracked))
		costack_roots_drop(&co->roots, co->slot->hi - co->ctx.sp, true);
}

/**
 * costack_move_slot() - what a move treats as an address of the slot
 * @old: the slot that the move leaves
 * @new_hi: end of the stack that it moves to
 *
 * Known pointers are adjusted wherever in the slot they point.
 *
 * Context: Any context, any stack.
 * Return: the range.
 */
static __always_inline struct costack_range costack_move_slot(const struct costack_slot *old,
							      unsigned long new_hi)
{
	return (struct costack_range) {
		.lo	= costack_slot_start(old),
		.hi	= old->hi,
		.delta	= new_hi - old->hi,
	};
}

/**
 * costack_move_adjust_known() - adjust what a struct costack itself has of its stack
 * @co: the coroutine that moves
 * @slot: addresses to adjust
 *
 * Context: As for costack_copystack().
 * Return: how many words were adjusted.
 */
static __always_inline size_t costack_move_adjust_known(struct costack *co,
							const struct costack_range *slot)
{
	size_t rebased = costack_rebase(slot, &co->base);

	rebased += costack_rebase(slot, &co->ctx.sp);
	rebased += costack_rebase(slot, (unsigned long *)&co->req.arg);
	rebased += costack_rebase(slot, (unsigned long *)&co->opaque);
	rebased += costack_rebase(slot, (unsigned long *)&co->plug);
	return rebased;
}

struct costack_range costack_move_range(const struct costack *co,
					const struct costack_fault *fault, unsigned long new_hi);
size_t costack_move_adjust(struct costack *co, const struct costack_fault *fault,
			   const struct costack_range *used, const struct costack_range *slot,
			   size_t depth);
bool costack_copystack(struct costack *co, struct costack_slot *new, struct costack_fault *fault,
		       unsigned long *skip, bool scan, struct costack_event *event);
enum costack_refusal costack_move_verify(struct costack *co, const struct costack_fault *fault,
					 struct costack_walk *walk, unsigned long *skip);
int costack_move_force(struct costack *co);
bool costack_move_shrinkable(const struct costack *co);
int costack_move_shrink(struct costack *co);

#endif /* _COSTACK_MOVE_H */
