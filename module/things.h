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
 * enum costack_at_park - what a park does about a thing that the thread has
 * @COSTACK_PARK_NEVER: the park is refused, in any thread: the thing forbids to sleep
 * @COSTACK_PARK_REFUSED: the park is refused in a worker
 * @COSTACK_PARK_FLUSHED: the thing is flushed and carried
 * @COSTACK_PARK_HIDDEN: the thing is checked only when the coroutine has ended, as the
 *	kernel sets it inside of its own functions
 * @COSTACK_PARK_KEPT: nothing: the thing belongs to the worker, and is put back now and then
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
