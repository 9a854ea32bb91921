// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: what the kernel itself cannot print about a coroutine stack.
 *
 * For an oops at an address that a coroutine was moved away from, costack names the
 * coroutine and prints where that byte is now: some code kept an address where copystack
 * does not see it. The knobs force_move and unmap find such code.
 *
 * A WARN or an oops prints a call trace, which is empty where the kernel does not know the
 * stack. So after one on a coroutine stack, costack prints a trace of that stack.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <asm/costack.h>
#include <trace/events/error_report.h>

#include "arena.h"
#include "compat.h"
#include "coroutine.h"
#include "fault.h"
#include "report.h"
#include "walk.h"

/* === Call traces === */

static bool is_ours(unsigned long ip)
{
	unsigned long start, end;

	return costack_own_text(&start, &end) && ip >= start && ip < end;
}

/* A walk that prints the frames, except for the innermost ones that are costack's own. */
struct print {
	struct costack_walk	walk;
	bool			begun;
};

static enum costack_refusal print_frame(struct costack_walk *walk, unsigned long ip,
					unsigned long sp)
{
	struct print *print = container_of(walk, struct print, walk);

	print->begun |= !is_ours(ip);
	if (print->begun)
		pr_warn(" %pS\n", (void *)ip);
	return COSTACK_MOVABLE;
}

/* Print the trace from @fault, or from here if @fault is NULL. */
static void print_trace(struct costack *co, const struct costack_fault *fault)
{
	struct print print = {
		.walk = {
			.lo	 = costack_slot_lo(co->slot),
			.hi	 = co->slot->hi,
			.base	 = co->base,
			.task	 = co->task,
			.frame	 = print_frame,
			.any	 = true,
		},
		/* A trace from a fault does not begin with the frames of this report. */
		.begun = fault,
	};

	pr_warn("on the stack of coroutine %s, %ps, %u pages, %u growths:\n",
		co->name[0] ? co->name : "(no name)", co->fn, co->slot->pages, co->growths);
	if (costack_arch_walk(&print.walk, NULL, fault) != COSTACK_MOVABLE)
		pr_warn(" (the unwinder knows no more)\n");
}

/* WARN(), KASAN and KFENCE call this on the stack where the error happened. */
static void probe_error_report(void *data, enum error_detector detector, unsigned long id)
{
	struct costack *co = __costack_current();

	if (co)
		print_trace(co, NULL);
}

/* If @addr is on a stack that a coroutine was moved away from, report it. */
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
	pr_err("its user kept it where copystack does not see it: not movable\n");
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
	struct costack *co = __costack_current();
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

/* === Callers and frames === */

/* Stops the walk at the first frame that is not costack's. */
static enum costack_refusal pass_ours(struct costack_walk *walk, unsigned long ip,
				      unsigned long sp)
{
	return is_ours(ip) ? COSTACK_MOVABLE : COSTACK_REFUSED_TEXT;
}

/**
 * costack_report_caller() - who called an API function
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co, inside of the API function.
 * Return: the return address in the first function that is not costack's; 0 if the
 * unwinder does not find it.
 */
unsigned long costack_report_caller(struct costack *co)
{
	struct costack_walk walk = {
		.lo	 = costack_slot_lo(co->slot),
		.hi	 = co->slot->hi,
		.base	 = co->base,
		.task	 = co->task,
		.frame	 = pass_ours,
	};

	return costack_arch_walk(&walk, NULL, NULL) == COSTACK_REFUSED_TEXT ? walk.ip : 0;
}

/* A walk that notes the addresses of the frames. */
struct notes {
	struct costack_walk	walk;
	unsigned long		*ip;
	unsigned int		nr;
	unsigned int		max;
};

static enum costack_refusal note_frame(struct costack_walk *walk, unsigned long ip,
				       unsigned long sp)
{
	struct notes *notes = container_of(walk, struct notes, walk);

	if (notes->nr == notes->max)
		return COSTACK_REFUSED_UNWIND;
	notes->ip[notes->nr++] = ip;
	return COSTACK_MOVABLE;
}

/**
 * costack_report_frames() - get the code addresses of a coroutine's frames
 * @co: switched out; nobody else may run or move it
 * @ip: out: the addresses, newest first
 * @max: room in @ip
 *
 * Context: Process context, any stack but @co's.
 * Return: the number of frames; less than there are, if the unwinder knows no more or @ip
 * is full.
 */
unsigned int costack_report_frames(struct costack *co, unsigned long *ip, unsigned int max)
{
	struct notes notes = {
		.walk	= {
			.lo	= costack_slot_lo(co->slot),
			.hi	= co->slot->hi,
			.base	= co->base,
			.task	= current,
			.frame	= note_frame,
			.any	= true,
		},
		.ip	= ip,
		.max	= max,
	};

	costack_arch_walk(&notes.walk, &co->ctx, NULL);
	return notes.nr;
}

/**
 * costack_report_trace() - print the call trace of a coroutine
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 */
void costack_report_trace(struct costack *co)
{
	print_trace(co, NULL);
}

/**
 * costack_report_init() - watch for WARNs and oopses
 *
 * Context: Process context; may sleep.
 * Return: 0, or what register_trace_error_report_end() returns.
 */
int costack_report_init(void)
{
	int err = 0;

	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		err = register_trace_error_report_end(probe_error_report, NULL);
	if (!err)
		register_die_notifier(&die_nb);
	return err;
}

/**
 * costack_report_exit() - undo costack_report_init()
 *
 * Context: Process context; may sleep.
 */
void costack_report_exit(void)
{
	unregister_die_notifier(&die_nb);
	unregister_trace_error_report_end(probe_error_report, NULL);
	tracepoint_synchronize_unregister();
}
