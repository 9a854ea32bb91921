/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Park and unpark.
 */
#ifndef _COSTACK_SCHED_H
#define _COSTACK_SCHED_H

#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "costack.h"

void costack_unpark_from(struct costack *by, struct costack *co);
enum costack_next costack_park_commit(struct costack *co);
void costack_park_refused(struct costack *co);

/* costack_may_park() without a warning. */
static __always_inline bool costack_can_park(const struct costack *co)
{
	return !irqs_disabled() && !rcu_preempt_depth() &&
	       !(IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()) &&
	       !costack_holds_locks(co);
}

/**
 * costack_may_park() - can the running coroutine leave its thread here
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 * Return: true; false, with one warning for all, where preemption or interrupts
 * are off, in an RCU read section, or with a lock held that lockdep knows of.
 */
static __always_inline bool costack_may_park(struct costack *co)
{
	if (likely(costack_can_park(co)))
		return true;
	costack_park_refused(co);
	return false;
}

#endif /* _COSTACK_SCHED_H */
