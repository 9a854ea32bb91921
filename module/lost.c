// SPDX-License-Identifier: GPL-2.0
/*
 * Lost: calls whose thread has died under them.
 *
 * A thread that oopses in costack_call(), or ends itself there, never comes back to give
 * the coroutine up. The stack stays, as others may refer to what lies on it, and so does
 * this module, as an unload would free its stacks: costack_on_host() holds it while a
 * function runs on the host stack, and this file holds it for a death on the coroutine
 * stack. The runner takes care of a work item.
 *
 * The coroutine is marked, so that nobody looks at the task_struct of the thread any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "arena.h"
#include "compat.h"
#include "coroutine.h"
#include "lost.h"

/* Only this thread makes a coroutine run in it, so the answer does not change. */
static bool runs_here(const struct costack *co, const struct costack_slot *slot)
{
	enum costack_state state = costack_state(co);

	return (state == COSTACK_RUNNING || state == COSTACK_COPYSTACK) &&
	       READ_ONCE(co->task) == current && !READ_ONCE(co->work) &&
	       READ_ONCE(co->slot) == slot;
}

static void lose(struct costack_slot *slot, void *how)
{
	struct costack *co = READ_ONCE(slot->co);

	if (!co || !runs_here(co, slot) || co->flags & COSTACK_LOST)
		return;
	WRITE_ONCE(co->flags, co->flags | COSTACK_LOST);
	/* Its caller may have kept it on the stack that goes now. */
	WRITE_ONCE(co->name, "");
	pr_err("thread %s, pid %d, %s in costack_call(): %ps is lost; its stack and this module stay\n",
	       current->comm, task_pid_nr(current), (const char *)how, co->fn);
}

/* This thread dies, on the stack of @co if that is not NULL. Calls may be nested. */
static void lose_all(struct costack *co, char *how)
{
	if (co && !co->work)
		__module_get(THIS_MODULE);
	/* RCU: other slots name coroutines of other threads. */
	rcu_read_lock();
	costack_arena_each(lose, how);
	rcu_read_unlock();
}

/* The kernel finishes an oops on the thread's own stack; so this looks from where it began. */
static int on_die(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == DIE_OOPS && current->flags & PF_KTHREAD && !in_interrupt())
		lose_all(__costack_current(), "dies");
	return NOTIFY_DONE;
}

/* Called after the notifier of report.c, which prints where the oops happened. */
static struct notifier_block die_nb = {
	.notifier_call	= on_die,
	.priority	= -1,
};

/*
 * Does the host loop run on the thread's own stack, above @sp? As far as a glance can tell:
 * the loop returns to costack's text.
 */
static __always_inline bool may_be_host(unsigned long sp)
{
	unsigned long end = (unsigned long)task_stack_page(current) + THREAD_SIZE;
	unsigned long first, last, word;

	if (!costack_own_text(&first, &last))
		return true;
	for (sp = ALIGN(sp, sizeof(word)); sp < end; sp += sizeof(word)) {
		word = READ_ONCE_NOCHECK(*(unsigned long *)sp);
		if (word >= first && word < last)
			return true;
	}
	return false;
}

/* Called in the thread that ends, on the stack where the thread ended itself. */
static void probe_exit(void *data, struct task_struct *task)
{
	struct costack *co = __costack_current();

	if (unlikely(co) || (current->flags & PF_KTHREAD && may_be_host(current_stack_pointer)))
		lose_all(co, "ends");
}

/* The tracepoint has no symbol that a module may use. */
static struct tracepoint *exit_point;

static void find_exit_point(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "sched_process_exit"))
		exit_point = point;
}

/**
 * costack_lost_init() - watch for threads that die
 *
 * A kernel without tracepoints reports oopses only.
 *
 * Context: Process context; may sleep.
 * Return: 0, or what tracepoint_probe_register() returns.
 */
int costack_lost_init(void)
{
	int err = 0;

	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		for_each_kernel_tracepoint(find_exit_point, NULL);
	if (IS_ENABLED(CONFIG_TRACEPOINTS) && exit_point)
		err = tracepoint_probe_register(exit_point, probe_exit, NULL);
	if (!err)
		register_die_notifier(&die_nb);
	return err;
}

/**
 * costack_lost_exit() - undo costack_lost_init()
 *
 * Context: Process context; may sleep.
 */
void costack_lost_exit(void)
{
	unregister_die_notifier(&die_nb);
	if (IS_ENABLED(CONFIG_TRACEPOINTS) && exit_point)
		tracepoint_probe_unregister(exit_point, probe_exit, NULL);
	tracepoint_synchronize_unregister();
}
