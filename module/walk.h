/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk over a stack, which costack_arch_walk() does.
 */
#ifndef _COSTACK_WALK_H
#define _COSTACK_WALK_H

#include <linux/types.h>

struct costack_points;
struct task_struct;

/**
 * enum costack_refusal - why a stack is not moved
 * @COSTACK_MOVABLE: it may be
 * @COSTACK_REFUSED_PIN: pinned
 * @COSTACK_REFUSED_TEXT: a frame, or the interrupted code, is not movable text
 * @COSTACK_REFUSED_UNWIND: the unwinder is not sure
 * @COSTACK_REFUSED_HOOK: a return address is hooked (kretprobe, graph tracer)
 * @COSTACK_REFUSED_RESERVE: no stack to move to, as the policy changed meanwhile
 * @COSTACK_REFUSED_VERDICT: movable text without a verdict, or of a function that was
 *	not approved
 * @COSTACK_REFUSED_POINT: code that was approved, but no move may come just there
 * @COSTACK_REFUSED_OPAQUE: a range that was said to be opaque does not lie in a frame
 *
 * The tracepoint costack_refuse has words for the numbers.
 */
enum costack_refusal {
	COSTACK_MOVABLE,
	COSTACK_REFUSED_PIN,
	COSTACK_REFUSED_TEXT,
	COSTACK_REFUSED_UNWIND,
	COSTACK_REFUSED_HOOK,
	COSTACK_REFUSED_RESERVE,
	COSTACK_REFUSED_VERDICT,
	COSTACK_REFUSED_POINT,
	COSTACK_REFUSED_OPAQUE,
};

/**
 * struct costack_walk - a read-only walk over a stack
 * @lo: lowest mapped byte
 * @hi: first byte above
 * @base: stack pointer at the outermost frame; the walk must end there
 * @task: the thread that runs it
 * @frame: called with each frame's address and the stack pointer there, newest first;
 *	says why the walk is not to go on, or %COSTACK_MOVABLE
 * @any: walk over frames that could not be moved too, to show them
 * @frames: out: frames seen
 * @ip: out: where the frame is that was seen last
 * @wanted: for @frame: what kinds of point will do, for the newest frame at first
 * @points: for @frame: those of the text of the frame before
 * @rule: of @frame: of costack_arch_rule(), how the frame is left; 0: none is known
 * @from: for @frame: the lowest word that would be copied
 * @skip: for @frame: a bit for each word from there up; set: not to be rebased
 */
struct costack_walk {
	unsigned long		lo;
	unsigned long		hi;
	unsigned long		base;
	struct task_struct	*task;
	enum costack_refusal	(*frame)(struct costack_walk *walk, unsigned long ip,
					 unsigned long sp);
	bool			any;
	unsigned int		frames;
	unsigned long		ip;
	u32			wanted;
	const struct costack_points *points;
	u32			rule;
	unsigned long		from;
	unsigned long		*skip;
};

#endif /* _COSTACK_WALK_H */
