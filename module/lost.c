// SPDX-License-Identifier: GPL-2.0
/*
 * Lost: calls whose thread has died under them.
 *
 * A thread that oopses in costack_call(), or ends itself there, never comes back to give
 * the coroutine up. The stack stays, as others may refer to what lies on it, and so does
 * this module, as an unload would free its stacks. The runner takes care of a work item.
 * This file sees only deaths on the coroutine stack; while a function runs on the host
 * stack for a coroutine, costack_on_host() holds the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "arena.h"
#include "coroutine.h"
#include "lost.h"

static void lose(struct costack *co, const char *how)
{
	/* The runner takes care of a work item. */
	if (co->work)
		return;
	__module_get(THIS_MODULE);
	pr_err("thread %s, pid %d, %s in costack_call(): %ps is lost; its stack and this module stay\n",
	       current->comm, task_pid_nr(current), how, co->fn);
}

/* The kernel finishes an oops on the thread's own stack: only here is the coroutine known. */
static int on_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct costack *co = __costack_current();

	if (event == DIE_OOPS && co)
		lose(co, "dies");
	return NOTIFY_DONE;
}

/* Called after the notifier of report.c, which prints where the oops happened. */
static struct notifier_block die_nb = {
	.notifier_call	= on_die,
	.priority	= -1,
};

/* Called in the thread that ends, on the stack where the thread ended itself. */
static void probe_exit(void *data, struct task_struct *task)
{
	struct costack *co = __costack_current();

	if (unlikely(co))
		lose(co, "ends");
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
