/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The things that belong to a thread. For thread.c.
 */
#ifndef _COSTACK_THINGS_H
#define _COSTACK_THINGS_H

#include <linux/types.h>

struct costack_thread;
struct task_struct;

/**
 * enum costack_at_park - what is done with a thing when a coroutine is to leave its thread
 * @COSTACK_PARK_NEVER: refused, in any thread: it forbids to sleep
 * @COSTACK_PARK_REFUSED: refused in a worker
 * @COSTACK_PARK_FLUSHED: flushed and carried
 * @COSTACK_PARK_HIDDEN: not looked at before it ends: the kernel sets it in functions of its own
 * @COSTACK_PARK_KEPT: nothing: it is the worker's, and put back now and then
 */
enum costack_at_park {
	COSTACK_PARK_NEVER,
	COSTACK_PARK_REFUSED,
	COSTACK_PARK_FLUSHED,
	COSTACK_PARK_HIDDEN,
	COSTACK_PARK_KEPT,
};

bool costack_things_any(struct task_struct *task, const struct costack_thread *was,
			enum costack_at_park from, enum costack_at_park to);
void costack_things_print(struct task_struct *task, const struct costack_thread *was,
			  enum costack_at_park from, enum costack_at_park to);
void costack_things_undo(struct task_struct *task, struct costack_thread *was,
			 enum costack_at_park from, enum costack_at_park to);

#endif /* _COSTACK_THINGS_H */
