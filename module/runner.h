/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runners: the kernel's workers that run coroutines.
 */
#ifndef _COSTACK_RUNNER_H
#define _COSTACK_RUNNER_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "coroutine.h"
#include "held.h"
#include "thread.h"

struct costack_reserve;
struct task_struct;

/* Maximum of the knob "workers"; more runners may be active while some are held up. */
#define COSTACK_MAX_WORKERS	64

/* Switches between two looks at the run queues (Go: 61). */
#define COSTACK_TURNS		64U

/**
 * struct costack_runner - what runs coroutines in one worker
 * @work: carries the runner to a kworker
 * @wq: the workqueue for @work
 * @state: an enum of runner.c; changed under runners.lock
 * @idle: link in the list of idle runners, of those that rest, or that have died, under
 *	runners.lock
 * @watched: in the list of watched runners, or empty; under runners.lock
 * @counted: number of held runners, or of those that compute, whichever this one counts in;
 *	%NULL: in neither. Under runners.lock
 * @victim: the CPU whose run queue it has last looked at
 * @next: the coroutine that the current one has made runnable. Filled by the runner's worker
 *	only, and not in an interrupt; emptied by the worker and by the watch, with xchg()
 * @taken: the coroutine that the worker prepares to run, for those who bury the worker
 * @turns: number of switches; the watch reads it to see that the runner makes progress
 * @seen: @turns as the watch last saw it
 * @still: number of looks at which the watch has seen no change, or ticks of its rest
 * @hold: whether its coroutine holds the worker; under runners.lock
 * @task: the kworker while it runs coroutines or rests, under runners.lock; run() in
 *	worker.c holds a reference
 * @reserve: what its coroutines grow into
 * @spare: a stack for a packed coroutine when there is no memory; %NULL if there was no packed
 *	coroutine yet, or if the stack is in use
 * @was: how the kworker was when the runner became active
 */
struct costack_runner {
	struct work_struct	work;
	struct workqueue_struct	*wq;
	int			state;
	struct costack_runner	*idle;
	struct list_head	watched;
	unsigned int		*counted;
	unsigned int		victim;
	struct costack		*next;
	struct costack		*taken;
	unsigned int		turns;
	unsigned int		seen;
	unsigned int		still;
	struct costack_hold	hold;
	struct task_struct	*task;
	struct costack_reserve	*reserve;
	struct costack_slot	*spare;
	struct costack_thread	was;
};

void costack_ready(struct costack *co);
struct costack *costack_runner_next(struct costack_runner *runner);
void costack_runner_begin(struct costack_runner *runner);
void costack_runner_put_back(struct costack_runner *runner);
struct costack_runner *costack_runner_take_died(void);
int costack_runners_init(work_func_t run, work_func_t died);
void costack_runners_exit(void);

/* How the thread of @co was, if it is a worker; %NULL if the thread waits with @co. */
static __always_inline const struct costack_thread *costack_runner_was(const struct costack *co)
{
	return co->host->runner ? &co->host->runner->was : NULL;
}

/**
 * costack_ready_next() - put a runnable coroutine where it will be run next
 * @co: RUNNABLE, and made so by the caller
 * @runner: the runner whose current coroutine made @co runnable; %NULL: put @co into
 *	the run queue of this CPU
 *
 * If the runner's next is empty, nobody else fills it, so this needs no locked instruction. The
 * handler of a probe could fill it in between, so all callers are NOKPROBE.
 *
 * Context: Any context; any stack. With @runner: its worker, not in an interrupt.
 */
static __always_inline void costack_ready_next(struct costack *co, struct costack_runner *runner)
{
	if (likely(runner && !READ_ONCE(runner->next))) {
		/* Who takes @co sees what was done before. */
		smp_store_release(&runner->next, co);
		return;
	}
	if (runner)
		co = xchg(&runner->next, co);
	if (co)
		costack_ready(co);
}

/**
 * costack_runner_turn() - count a switch
 * @runner: the caller runs in it
 *
 * The watch reads the count without a lock, to see whether it has changed.
 *
 * Context: Process context, any stack.
 * Return: the number of switches so far.
 */
static __always_inline unsigned int costack_runner_turn(struct costack_runner *runner)
{
	unsigned int turns = runner->turns + 1;

	WRITE_ONCE(runner->turns, turns);
	return turns;
}

#endif /* _COSTACK_RUNNER_H */
