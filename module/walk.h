/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk over a stack, as costack_arch_walk() does it.
 */
#ifndef _COSTACK_WALK_H
#define _COSTACK_WALK_H

#include <linux/types.h>

struct costack_points;
struct task_struct;

/**
 * enum costack_refusal - why a stack is not moved, or not packed
 * @COSTACK_MOVABLE: it may be moved
 * @COSTACK_REFUSED_PIN: the stack is pinned
 * @COSTACK_REFUSED_TEXT: a frame, or the interrupted code, is not movable text
 * @COSTACK_REFUSED_UNWIND: the unwinder is not sure
 * @COSTACK_REFUSED_HOOK: a return address is hooked (kretprobe, graph tracer)
 * @COSTACK_REFUSED_RESERVE: the reserve has no stack to move to, because the policy has
 *	changed since
 * @COSTACK_REFUSED_VERDICT: movable text that has no verdict, or a function that the
 *	checker did not approve
 * @COSTACK_REFUSED_POINT: the checker approved the function, but not this instruction
 * @COSTACK_REFUSED_OPAQUE: a range declared opaque does not lie in a frame
 * @COSTACK_REFUSED_LARGE: too much of it is in use for it to be packed
 * @COSTACK_REFUSED_MEMORY: there is no memory to pack it into
 *
 * The tracepoint costack_refuse translates these numbers to words.
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
	COSTACK_REFUSED_LARGE,
	COSTACK_REFUSED_MEMORY,
};

/**
 * struct costack_walk - a read-only walk over a stack
 * @lo: lowest mapped byte
 * @hi: first byte above
 * @base: stack pointer at the outermost frame; the walk must end there
 * @task: the thread that runs it
 * @frame: called with each frame's address and the stack pointer there, newest first;
 *	returns %COSTACK_MOVABLE, or why the walk must stop
 * @any: also walk over frames that could not be moved, to show them
 * @compare: check each rule with the unwinder
 * @frames: out: frames seen
 * @ip: out: address of the last frame seen
 * @wanted: for @frame: the kinds of point that are acceptable; initially for the newest
 *	frame
 * @points: for @frame: the points of the text of the previous frame
 * @rule: set by @frame: how to leave the frame, from costack_arch_rule(); 0: no rule
 * @from: for @frame: the lowest word that a move would copy
 * @nr: for @frame: how many words a move would copy
 * @mapped: for a scan: what may be a frame has numbers
 * @skip: for @frame: a bit for each word from @from up; set: do not rebase the word
 */
struct costack_walk {
	unsigned long		lo;
	unsigned long		hi;
	unsigned long		base;
	struct task_struct	*task;
	enum costack_refusal	(*frame)(struct costack_walk *walk, unsigned long ip,
					 unsigned long sp);
	bool			any;
	bool			compare;
	bool			mapped;
	unsigned int		frames;
	unsigned long		ip;
	u32			wanted;
	const struct costack_points *points;
	u32			rule;
	unsigned long		from;
	unsigned long		nr;
	unsigned long		*skip;
};

#endif /* _COSTACK_WALK_H */
