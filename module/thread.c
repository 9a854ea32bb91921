// SPDX-License-Identifier: GPL-2.0
/*
 * State that belongs to the thread, and not to the coroutine that runs in it.
 *
 * A coroutine that parks leaves its thread to other coroutines and may continue in another
 * thread. The kernel keeps much state in task_struct that code sets for a while and expects
 * to find again: a coroutine that parked with such state set would lose it, the next
 * coroutine would run with it, and the worker would keep it. So costack refuses to park
 * while such state is set, or carries it over the park. When a coroutine has ended in a
 * worker, costack checks the worker and undoes what is left. things.c has the table.
 *
 * Why costack does not carry more: an inline function usually undoes such state, and the
 * compiler may keep "current" across the park in the function around it. The undo would
 * then write to the thread that the coroutine has left. State that others can change from
 * outside as well (by renice, ionice, kill) must not make a park fail: costack puts it back
 * when a coroutine has ended, every so many switches, and when the worker is given back.
 *
 * None of this concerns a coroutine of costack_call(), as its thread waits with it. There
 * costack only refuses to park with what forbids to sleep, and undoes what code that was
 * cut off has set.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/kernel.h>
#include <linux/sched.h>

#include "coroutine.h"
#include "once.h"
#include "report.h"
#include "things.h"
#include "thread.h"

static void print_locks(const struct costack *co)
{
	if (costack_holds_locks(co))
		pr_warn("  %d locks\n", costack_locks_held(co));
}

/**
 * costack_thread_may_leave() - can the running coroutine leave its thread here
 * @co: the running coroutine
 * @was: how the thread was, if it is a worker; %NULL if the thread waits with @co
 *
 * Context: Coroutine stack of @co, any context.
 * Return: true; or false if something is set or held that belongs to the thread and not
 * to @co, which is reported once for each place that asks.
 */
bool costack_thread_may_leave(struct costack *co, const struct costack_thread *was)
{
	enum costack_at_park last = was ? COSTACK_PARK_REFUSED : COSTACK_PARK_NEVER;
	static struct costack_once once;
	unsigned long caller;

	if (!costack_holds_locks(co) &&
	    !costack_things_any(co->task, was, COSTACK_PARK_NEVER, last))
		return true;
	caller = costack_report_caller(co);
	if (!costack_once(&once, caller))
		return false;
	pr_warn("%pS wants to park while its thread has:\n", (void *)caller);
	costack_things_print(co->task, was, COSTACK_PARK_NEVER, last);
	print_locks(co);
	pr_warn("refused: end these first%s\n",
		was ? ", or wait on the host stack: costack_on_host()" : "");
	costack_report_trace(co);
	return false;
}

/**
 * costack_thread_put_back() - put back what coroutines have changed for good in a worker
 * @was: how the current thread was
 * @fn: the function that has run in it, or %NULL if several may be to blame
 *
 * The change may also be an administrator's: then it is lost.
 *
 * Context: Process context, host stack; may sleep.
 */
void costack_thread_put_back(struct costack_thread *was, const void *fn)
{
	static struct costack_once once;

	if (costack_once(&once, (unsigned long)fn ?: _THIS_IP_)) {
		if (fn)
			pr_warn("%ps, or a coroutine before it, has left their thread with:\n",
				fn);
		else
			pr_warn("coroutines have left their thread with:\n");
		costack_things_print(current, was, COSTACK_PARK_KEPT, COSTACK_PARK_KEPT);
		pr_warn("put back as far as possible, as other code runs in the thread\n");
	}
	costack_things_undo(current, was, COSTACK_PARK_KEPT, COSTACK_PARK_KEPT);
}

/**
 * costack_thread_leave() - flush and carry the plug of a coroutine that leaves its worker
 * @co: switched out
 *
 * Flushes the plug, as schedule() does before a thread sleeps, and carries it: with empty
 * lists the plug is again as blk_start_plug() has initialized it.
 *
 * Context: Host stack of @co; may sleep.
 */
void costack_thread_leave(struct costack *co)
{
	struct blk_plug *plug = current->plug;

	blk_finish_plug(plug);
	current->plug = NULL;
	co->plug = plug;
}

/**
 * costack_thread_unplug() - end a plug in frames that a coroutine does not return to
 * @co: switched out, and cut off; if it was cut off while parked, the plug is flushed
 *
 * Context: Host stack; may sleep.
 */
void costack_thread_unplug(struct costack *co)
{
	struct blk_plug *plug = current->plug;

	co->plug = NULL;
	if (plug && (unsigned long)plug - costack_slot_start(co->slot) < COSTACK_SLOT_SIZE) {
		blk_finish_plug(plug);
		current->plug = NULL;
	}
}

/**
 * costack_thread_forget() - drop a thread's addresses of a stack that is given up
 * @co: has ended, in this thread
 *
 * Context: Process context, host stack.
 */
void costack_thread_forget(struct costack *co)
{
	static struct costack_once once;

	if (!costack_thread_points_to(current, co->slot))
		return;
	if (costack_once(&once, (unsigned long)co->fn))
		pr_warn("%ps has ended with a plug or journal_info in one of its frames: dropped\n",
			co->fn);
	costack_drop_plug(current);
	current->journal_info = NULL;
}

/**
 * costack_thread_note() - note how the current thread is
 * @was: where to note it
 *
 * Context: Process context, host stack.
 */
void costack_thread_note(struct costack_thread *was)
{
	struct task_struct *task = current;

	*was = (struct costack_thread) {
		.flags			= task->flags,
		.journal_info		= task->journal_info,
		.bio_list		= task->bio_list,
		.mm			= task->mm,
		.cred			= current_cred(),
		.pagefault_disabled	= task->pagefault_disabled,
		.normal_prio		= task->normal_prio,
		.nr_cpus_allowed	= task->nr_cpus_allowed,
		.fs			= task->fs,
	};
#ifdef CONFIG_MEMCG
	was->active_memcg = task->active_memcg;
#endif
#ifdef CONFIG_SMP
	was->migration_disabled = task->migration_disabled;
#endif
#ifdef CONFIG_BLOCK
	was->ioprio = task->io_context ? task->io_context->ioprio : IOPRIO_DEFAULT;
#endif
}

/**
 * costack_thread_put_right() - undo what a coroutine has left in a thread
 * @co: has ended, in this thread
 * @was: how the thread was
 *
 * A coroutine that was cut off could not undo it. Any other is reported, once for each
 * function.
 *
 * Context: Host stack. Process context, unless @co has left it otherwise.
 */
void costack_thread_put_right(struct costack *co, struct costack_thread *was)
{
	static struct costack_once once;

	if (!costack_holds_locks(co) &&
	    !costack_things_any(current, was, COSTACK_PARK_NEVER, COSTACK_PARK_HIDDEN))
		return;
	if (!co->cut && costack_once(&once, (unsigned long)co->fn)) {
		pr_warn("%ps has ended and left its thread with:\n", co->fn);
		costack_things_print(current, was, COSTACK_PARK_NEVER, COSTACK_PARK_HIDDEN);
		print_locks(co);
		pr_warn("undone as far as possible, as other code runs in the thread\n");
	}
	costack_things_undo(current, was, COSTACK_PARK_NEVER, COSTACK_PARK_HIDDEN);
}
