// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: what a kworker does while it is a runner (Go's mstart and execute).
 *
 * The worker takes the next coroutine, fills the reserve that it lends to the coroutine,
 * switches in, and ends the work items whose coroutine has ended. A worker can also die
 * under its coroutine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/stackprotector.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "compat.h"
#include "coroutine.h"
#include "costack.h"
#include "first.h"
#include "frames.h"
#include "pack.h"
#include "pool.h"
#include "runner.h"
#include "stats.h"
#include "thread.h"
#include "waiter.h"
#include "work.h"
#include "worker.h"

static unsigned long canary;		/* shared by all coroutines of work items */

/*
 * A cancelled item is cut off where it was parked if it is COSTACK_ABORTABLE and every
 * frame is of movable text: then no kernel function is left half done. Any other item
 * continues, and gets -ECANCELED; so does one that waits for a lock, see locks.c.
 */
static void heed_cancel(struct costack *co)
{
	struct costack_walk walk;

	if (!co->started) {
		co->started = true;
		costack_cut(co, -ECANCELED);
		return;
	}
	costack_waiters_forget(co);
	co->req.ret = -ECANCELED;
	if (co->flags & COSTACK_ABORTABLE && !co->cut && !co->pins &&
	    !costack_is_locking(co) &&
	    costack_frames_droppable(co, NULL, &walk) == COSTACK_MOVABLE)
		costack_cut(co, -ECANCELED);
}

/*
 * Fill the reserve for @co. If there is no memory for stacks to move to, a coroutine that has
 * started does without them, and grows in place.
 */
static int refill(struct costack_runner *runner, const struct costack *co, bool copies)
{
	int err = costack_reserve_refill(runner->reserve, co->limit, copies);

	if (unlikely(err && copies && co->started))
		err = costack_reserve_refill(runner->reserve, co->limit, false);
	return err;
}

/*
 * Give @co its stack, and the runner what it lends. Allocations can oops: if the thread dies of
 * one, bury() finds @co by @taken. Returns false if there is no memory.
 */
static noinline bool prepare(struct costack_runner *runner, struct costack *co, bool copies)
{
	unsigned int flags = 0;
	bool done;

	/* It was cancelled before it began: dispatch() ends it, and that takes neither. */
	if (!co->started && costack_is_cancelled(co))
		return true;
	runner->taken = co;
	/* @co may be what others wait for to free memory: do not wait for them here. */
	if (co->started)
		flags = memalloc_noio_save();
	/* With a stack kept aside, one packed coroutine can go on even without memory. */
	if (costack_is_packed(co) && !runner->spare)
		runner->spare = costack_stackalloc_for(0, (struct costack_owner) { }, COSTACK_GFP);
	done = !refill(runner, co, copies) && costack_unpack(co, &runner->spare);
	if (co->started)
		memalloc_noio_restore(flags);
	runner->taken = NULL;
	return done;
}

static void dispatch(struct costack_runner *runner, struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY, ready;

	if (unlikely(costack_first_any()) && !co->started && costack_first_maybe(co->fn) &&
	    !costack_is_cancelled(co))
		costack_first_begin(co);
	ready = likely(co->slot) &&
		likely(costack_reserve_full(runner->reserve, co->limit, copies));
	if (unlikely(!ready && !prepare(runner, co, copies))) {
		/*
		 * Without memory, @co does not start. If it has started, it waits for
		 * memory in the run queue, behind the others.
		 */
		costack_pressure();
		if (!co->started) {
			co->started = true;
			costack_cut(co, -ENOMEM);
		} else {
			schedule_timeout_uninterruptible(1);
			costack_ready(co);
			return;
		}
	}
	if (costack_is_cancelled(co))
		heed_cancel(co);
	co = costack_resume(co, runner->reserve);
	if (!co)
		return;
	costack_thread_clean(co, &runner->was);
	costack_work_end(co);
}

/*
 * Run coroutines until there are no more.
 *
 * Coroutines move between threads, and their frames carry the stack protector's canary.
 * So all run under one canary of costack's, which the worker adopts here. This function
 * is built without the protector, as the canary changes while its frame exists.
 */
static void run(struct work_struct *work)
{
	struct costack_runner *runner = container_of(work, struct costack_runner, work);
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	unsigned int flags = memalloc_noio_save();	/* as in prepare() */
	unsigned long own;
	struct costack *co;

	while (!(runner->reserve = costack_reserve_get(0, false, COSTACK_GFP)))
		schedule_timeout_uninterruptible(1);
	/*
	 * Fill it before costack_runner_begin(): while this waits for memory, the watch must not
	 * count the runner as held. dispatch() adds what is lacking, or does without it.
	 */
	costack_reserve_refill(runner->reserve, READ_ONCE(costack_knobs.stack_max), copies);
	memalloc_noio_restore(flags);
	runner->reserve->host.runner = runner;
	costack_stat_inc(COSTACK_STAT_RUNNERS);
	/* If the thread dies here, the watch still looks at its task. */
	get_task_struct(current);
	costack_runner_begin(runner);
	costack_thread_note(&runner->was);
	/* A function of a coroutine may return in another thread: do not hook returns. */
	pause_graph_tracing();
	own = costack_arch_canary(canary);
	while ((co = costack_runner_next(runner)))
		dispatch(runner, co);
	costack_arch_canary(own);
	unpause_graph_tracing();
	costack_runner_put_back(runner);
	put_task_struct(current);
	runner->reserve->host.runner = NULL;
	costack_reserve_put(runner->reserve);
	if (runner->spare)
		costack_stackfree(runner->spare);
	runner->spare = NULL;
	costack_stat_add(COSTACK_STAT_RUNNERS, -1);
}

/*
 * Workers have died under their coroutines. The kernel's workqueue keeps referring to the
 * task and to its item: neither is ever freed, nor is this module unloaded. The stack of
 * the coroutine stays, as others may refer to what lies on it. But waiters for the
 * coroutine's work item are told, and the coroutine that the worker would have run next
 * runs elsewhere.
 */
static void bury(struct work_struct *work)
{
	struct costack_runner *runner;
	struct costack *co;

	while ((runner = costack_runner_take_died())) {
		/* Nobody claims its coroutine by mistake any more: see claim() in called.c. */
		synchronize_rcu();
		__module_get(THIS_MODULE);
		costack_stat_inc(COSTACK_STAT_WORKERS_DIED);
		costack_stat_add(COSTACK_STAT_RUNNERS, -1);
		pr_err("worker %s, pid %d, has died: its coroutine is lost\n",
		       runner->task->comm, task_pid_nr(runner->task));
		costack_work_lost(runner);
		co = xchg(&runner->next, NULL);
		if (co)
			costack_ready(co);
	}
}

/**
 * costack_workers_init() - prepare to run work items
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_workers_init(void)
{
	canary = get_random_canary();
	return costack_runners_init(run, bury);
}
