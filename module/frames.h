/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames on a stack: may they be moved, or dropped, and what of them are numbers.
 */
#ifndef _COSTACK_FRAMES_H
#define _COSTACK_FRAMES_H

#include <linux/mm.h>
#include <linux/types.h>

#include "walk.h"

struct costack;
struct costack_fault;

/*
 * So far below what is used an address still counts as one of the stack. The checker
 * (scripts/movability/effects.py) takes an address for plain down to there.
 */
#define COSTACK_BELOW	4096UL

/**
 * costack_frames_from() - the lowest word that a move copies
 * @lo: lowest mapped byte
 * @sp: stack pointer; may lie in the guard, then all that is mapped is used
 *
 * Return: its address.
 */
static inline unsigned long costack_frames_from(unsigned long lo, unsigned long sp)
{
	return ALIGN_DOWN(max(sp, lo), sizeof(long));
}

enum costack_refusal costack_frames_movable(struct costack *co, const struct costack_fault *fault,
					    struct costack_walk *walk, unsigned long *skip);
enum costack_refusal costack_frames_droppable(struct costack *co,
					      const struct costack_fault *fault,
					      struct costack_walk *walk);
enum costack_refusal costack_frames_refusal(unsigned long ip);

#endif /* _COSTACK_FRAMES_H */
