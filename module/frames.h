/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames on a stack: may they be moved or dropped, and which of their words are
 * numbers.
 */
#ifndef _COSTACK_FRAMES_H
#define _COSTACK_FRAMES_H

#include <linux/mm.h>
#include <linux/types.h>

#include "walk.h"

struct costack;
struct costack_fault;

/*
 * An address this many bytes below the used part still counts as an address of the stack.
 * The checker (scripts/movability/effects.py) treats addresses as plain down to there.
 */
#define COSTACK_BELOW	4096UL

/**
 * costack_frames_from() - the lowest word that a move copies
 * @lo: lowest mapped byte
 * @sp: stack pointer; may lie in the guard, then all mapped bytes are in use
 *
 * Return: its address.
 */
static inline unsigned long costack_frames_from(unsigned long lo, unsigned long sp)
{
	return ALIGN_DOWN(max(sp, lo), sizeof(long));
}

bool costack_frames_prepare(const struct costack *co, const struct costack_fault *fault,
			    struct costack_walk *walk, unsigned long *skip);
enum costack_refusal costack_frames_movable(struct costack *co, const struct costack_fault *fault,
					    struct costack_walk *walk, unsigned long *skip);
enum costack_refusal costack_frames_droppable(struct costack *co,
					      const struct costack_fault *fault,
					      struct costack_walk *walk);
enum costack_refusal costack_frames_refusal(unsigned long ip);

#endif /* _COSTACK_FRAMES_H */
