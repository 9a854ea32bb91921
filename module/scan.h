/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deciding whether a stack may be moved without a walk.
 */
#ifndef _COSTACK_SCAN_H
#define _COSTACK_SCAN_H

#include <linux/types.h>

#include "range.h"
#include "walk.h"

struct costack;
struct costack_fault;

/**
 * enum costack_doubt - why a scan leaves the decision to a walk
 * @COSTACK_CERTAIN: it does not: every frame may be moved
 * @COSTACK_DOUBT_STACK: the stack is pinned, has opaque ranges or is not to be scanned here,
 *	or the interrupted instruction is no point
 * @COSTACK_DOUBT_TEXT: a word may be the return address of a frame that is not movable
 * @COSTACK_DOUBT_POINT: a word is in movable text, and no call returns there at a point
 * @COSTACK_DOUBT_NUMBER: a word looks like an address of the stack, and is a number if a
 *	certain word below it is the return address of a frame
 */
enum costack_doubt {
	COSTACK_CERTAIN,
	COSTACK_DOUBT_STACK,
	COSTACK_DOUBT_TEXT,
	COSTACK_DOUBT_POINT,
	COSTACK_DOUBT_NUMBER,
};

enum costack_doubt costack_scan_stack(const struct costack *co, const struct costack_fault *fault,
				      const struct costack_range *range, unsigned long *skip);
enum costack_doubt costack_scan_copy(const struct costack *co, const struct costack_fault *fault,
				     const struct costack_range *range, unsigned long *words,
				     unsigned long *skip, unsigned int *rebased);
void costack_scan_judge(enum costack_doubt doubt, enum costack_refusal refusal);

#endif /* _COSTACK_SCAN_H */
