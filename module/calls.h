/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls from the coroutine stack to the host stack.
 */
#ifndef _COSTACK_CALLS_H
#define _COSTACK_CALLS_H

#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/types.h>

#include "arena.h"
#include "coroutine.h"

/*
 * An abortable coroutine may be cut off where costack's own code exceeds the limit of the
 * stack. So with less room left than that code needs, work that must not be left half done
 * is done on the host stack. The same goes for a coroutine that is beyond its limit already,
 * however much room it has: kernel functions that it called may have got that room, and a
 * request is where costack_grow_over() notices. @sp is the stack pointer of @co.
 */
#define COSTACK_CUT_ROOM	512UL

static __always_inline bool costack_may_be_cut(const struct costack *co, unsigned long sp)
{
	const struct costack_slot *slot;

	if (likely(!(READ_ONCE(co->heed) & COSTACK_HEED_LIMIT)))
		return false;
	slot = READ_ONCE(co->slot);
	return sp - costack_slot_lo(slot) < COSTACK_CUT_ROOM ||
	       sp + co->limit * PAGE_SIZE < slot->hi;
}

/* The same for the running coroutine. Reads the stack pointer only if @co is abortable. */
static __always_inline bool costack_may_be_cut_here(const struct costack *co)
{
	return unlikely(READ_ONCE(co->heed) & COSTACK_HEED_LIMIT) &&
	       costack_may_be_cut(co, current_stack_pointer);
}

/*
 * Bytes that a thread's own stack must have left when the thread calls a coroutine: for
 * the host loop, a growth by copy, an allocation that has to reclaim memory, and interrupts
 * meanwhile. Each nested call takes some of them. A function that costack_on_host() then
 * runs on the host stack has at least half of them.
 */
#define COSTACK_HOST_ROOM	(THREAD_SIZE / 4)

/*
 * Bytes left on the calling thread's own stack; more than THREAD_SIZE if the caller runs
 * on any other stack.
 */
static __always_inline size_t costack_host_left(void)
{
	return current_stack_pointer - (unsigned long)end_of_stack(current);
}

long costack_request(struct costack *co, enum costack_next (*handler)(struct costack *co),
		     void *fn, void *arg);

#endif /* _COSTACK_CALLS_H */
