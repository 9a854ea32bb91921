/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Park and unpark.
 */
#ifndef _COSTACK_SCHED_H
#define _COSTACK_SCHED_H

#include <linux/types.h>

#include "calls.h"
#include "coroutine.h"
#include "runner.h"
#include "thread.h"

void costack_unpark_from(struct costack *co, struct costack *by);
enum costack_next costack_park_commit(struct costack *co);
enum costack_next costack_park_plugged(struct costack *co);
int costack_switch_out(struct costack *co);

/**
 * costack_may_park() - can the running coroutine leave its thread here
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 * Return: true; or false if something that belongs to the thread is set or held (see
 * thread.c), which is reported once for each place that asks.
 */
static __always_inline bool costack_may_park(struct costack *co)
{
	return likely(costack_thread_plain(co)) ||
	       costack_thread_may_leave(co, costack_runner_was(co));
}

/**
 * costack_park_now() - park where costack_may_park() has answered true
 * @co: the running coroutine
 *
 * Of what belongs to a worker, only a plug may be set then, and only the host loop flushes
 * it. A coroutine of costack_call() may have more, as its thread waits with it; it is never
 * handed over.
 *
 * Unlike costack_park() this parks a cancelled coroutine too: the cancel wakes it.
 *
 * Context: Coroutine stack of @co. Nothing has been set in the thread since.
 */
static __always_inline void costack_park_now(struct costack *co)
{
	if (likely(!co->task->plug))
		costack_switch_out(co);
	else
		costack_request(co, costack_park_plugged, NULL, NULL);
}

#endif /* _COSTACK_SCHED_H */
