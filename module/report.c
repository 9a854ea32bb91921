// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: what the kernel cannot say of a coroutine stack.
 *
 * An oops for an address that a coroutine was moved away from names the coroutine,
 * and says where that byte is now: somebody kept an address where copystack does
 * not see it. That is found with force_move and unmap.
 *
 * A WARN or an oops prints a call trace, which is empty where the kernel does not
 * know the stack. So what happened on a coroutine stack is followed by a trace of
 * that stack. And debugfs has a line for each coroutine:
 *
 *	/sys/kernel/debug/costack/stacks	root only, as it shows addresses of code
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <asm/costack.h>
#include <trace/events/error_report.h>

#include "arena.h"
#include "costack.h"
#include "grow.h"
#include "report.h"
#include "state.h"
#include "work.h"

/* === Call traces === */

static bool print_frame(unsigned long ip)
{
	pr_warn(" %pS\n", (void *)ip);
	return true;
}

/* From @fault, or from here. */
static void print_trace(struct costack *co, const struct costack_fault *fault)
{
	struct costack_walk walk = {
		.lo	 = costack_slot_lo(co->slot),
		.hi	 = co->slot->hi,
		.base	 = co->base,
		.task	 = co->task,
		.movable = print_frame,
		.any	 = true,
	};

	pr_warn("on the stack of coroutine %s, %ps, %u pages, %u growths:\n",
		co->name[0] ? co->name : "(no name)", co->fn, co->slot->pages, co->growths);
	if (costack_arch_walk(&walk, NULL, fault) != COSTACK_MOVABLE)
		pr_warn(" (the unwinder knows no more)\n");
}

/* Called on the stack where it happened: by WARN(), KASAN, KFENCE. */
static void probe_error_report(void *data, enum error_detector detector, unsigned long id)
{
	struct costack *co = costack_current();

	if (co)
		print_trace(co, NULL);
}

/* Is @addr one of a stack that was left: see leave() in grow.c. Then it is reported. */
static bool print_stale(unsigned long addr)
{
	struct costack_slot *slot = costack_arena_lookup(addr);
	struct costack_slot *now;
	struct costack *co;

	co = slot ? READ_ONCE(slot->co) : NULL;
	now = co ? READ_ONCE(co->slot) : NULL;
	if (!now || now == slot)
		return false;
	pr_err("coroutine %s, %ps, has moved: address %lx is stale, what was there is at %lx\n",
	       co->name[0] ? co->name : "(no name)", co->fn, addr, addr - slot->hi + now->hi);
	pr_err("who used it has kept it where copystack does not see it: not movable\n");
	return true;
}

static void print_stale_word(const struct die_args *args)
{
	unsigned long words[COSTACK_ARCH_OOPS_WORDS];
	unsigned int i;

	costack_arch_oops_words(args, words);
	for (i = 0; i < COSTACK_ARCH_OOPS_WORDS; i++)
		if (print_stale(words[i]))
			return;
}

static int on_die(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct die_args *args = data;
	struct costack *co = costack_current();
	struct costack_fault fault = { .words = (unsigned long *)args->regs };

	if (event != DIE_OOPS || !args->regs)
		return NOTIFY_DONE;
	print_stale_word(args);
	if (co)
		print_trace(co, &fault);
	return NOTIFY_DONE;
}

static struct notifier_block die_nb = {
	.notifier_call = on_die,
};

/* === debugfs === */

static struct dentry *dir;

static const char * const state_names[COSTACK_NR_STATES] = {
	[COSTACK_IDLE]		= "idle",
	[COSTACK_RUNNABLE]	= "runnable",
	[COSTACK_RUNNING]	= "running",
	[COSTACK_COPYSTACK]	= "copystack",
	[COSTACK_WAITING]	= "waiting",
	[COSTACK_DEAD]		= "dead",
};

static void show_one(struct costack *co, void *arg)
{
	int state = costack_state(co);
	struct costack_slot *slot = READ_ONCE(co->slot);
	struct seq_file *m = arg;

	seq_printf(m, "%-23s %-9s %7lu %7lu %7u %4u  %ps\n", co->name[0] ? co->name : "-",
		   state_names[state], slot->pages * PAGE_SIZE,
		   state == COSTACK_WAITING ? slot->hi - READ_ONCE(co->ctx.sp) : 0,
		   co->deepest, co->growths, co->fn);
}

static int stacks_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "name                    state        size    used deepest grew  function\n");
	costack_work_each(show_one, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stacks);

/**
 * costack_report_init() - watch for WARNs and oopses, and make debugfs files
 *
 * Context: Process context; may sleep.
 * Return: 0, or what register_trace_error_report_end() returns.
 */
int costack_report_init(void)
{
	int err = register_trace_error_report_end(probe_error_report, NULL);

	if (err)
		return err;
	register_die_notifier(&die_nb);
	dir = debugfs_create_dir("costack", NULL);
	debugfs_create_file("stacks", 0400, dir, NULL, &stacks_fops);
	return 0;
}

/**
 * costack_report_exit() - undo costack_report_init()
 *
 * Context: Process context; may sleep.
 */
void costack_report_exit(void)
{
	debugfs_remove(dir);
	unregister_die_notifier(&die_nb);
	unregister_trace_error_report_end(probe_error_report, NULL);
	tracepoint_synchronize_unregister();
}
