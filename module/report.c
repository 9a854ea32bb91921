// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: what the kernel itself cannot print about a coroutine stack.
 *
 * For an oops at an address that a coroutine was moved away from, costack names the
 * coroutine and prints where that byte is now: some code kept an address where copystack
 * does not see it. The knobs force_move and unmap find such code.
 *
 * The kernel's own call trace is empty where the kernel does not know the stack. So costack
 * has ftrace call it where the kernel begins to show what this CPU does, and prints the trace
 * of the coroutine that it runs there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
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

/* More frames than this are not printed: the two ends of the stack say most. */
#define NEWEST_FRAMES	48U
#define OLDEST_FRAMES	16U
/* The functions of a report that is being printed are among the newest so many. */
#define REPORT_FRAMES	24U

/**
 * struct report - the trace of a coroutine
 * @busy: in use
 * @walk: a walk over its stack
 * @fn: what it runs
 * @name: its name
 * @pages: size of its stack
 * @growths: times it has grown
 * @complete: the walk came to the end of the stack
 * @seen: frames seen in a walk from here
 * @nr: number of frames
 * @ip: their addresses: the newest, and then a ring with the oldest
 */
struct report {
	bool			busy;
	struct costack_walk	walk;
	const void		*fn;
	char			name[COSTACK_NAME_LEN];
	unsigned int		pages;
	unsigned int		growths;
	bool			complete;
	unsigned int		seen;
	unsigned int		nr;
	unsigned long		ip[NEWEST_FRAMES + OLDEST_FRAMES];
};

/* Not on the stack, which may be that of an NMI. One for NMIs, and one with interrupts off. */
static DEFINE_PER_CPU(struct report, reports[2]);

static unsigned long *place(struct report *report, unsigned int nr)
{
	if (nr >= NEWEST_FRAMES)
		nr = NEWEST_FRAMES + (nr - NEWEST_FRAMES) % OLDEST_FRAMES;
	return &report->ip[nr];
}

static enum costack_refusal keep_frame(struct costack_walk *walk, unsigned long ip,
				       unsigned long sp)
{
	struct report *report = container_of(walk, struct report, walk);

	*place(report, report->nr++) = ip;
	return COSTACK_MOVABLE;
}

/* Do the frames of what is reported begin after this one? */
static bool is_reporter(unsigned long ip)
{
	char name[sizeof("dump_stack_lvl") + 1];

	snprintf(name, sizeof(name), "%ps", (void *)ip);
	return !strcmp(name, "dump_stack_lvl");
}

/* The same for a walk from here, whose first frames belong to the report itself. */
static enum costack_refusal keep_caller(struct costack_walk *walk, unsigned long ip,
					unsigned long sp)
{
	struct report *report = container_of(walk, struct report, walk);

	if (!report->nr && is_ours(ip))
		return COSTACK_MOVABLE;
	keep_frame(walk, ip, sp);
	if (report->seen++ < REPORT_FRAMES && is_reporter(ip))
		report->nr = 0;
	return COSTACK_MOVABLE;
}

/* Walk the stack from @fault, or from here if @fault is NULL. */
static noinline void take_trace(struct report *report, struct costack *co,
				const struct costack_fault *fault)
{
	report->fn = co->fn;
	strscpy(report->name, co->name[0] ? co->name : "(no name)", sizeof(report->name));
	report->pages = co->slot->pages;
	report->growths = co->growths;
	report->seen = 0;
	report->nr = 0;
	report->walk = (struct costack_walk) {
		.lo	 = costack_slot_lo(co->slot),
		.hi	 = co->slot->hi,
		.base	 = co->base,
		.task	 = co->task,
		.frame	 = fault ? keep_frame : keep_caller,
		.any	 = true,
	};
	report->complete = costack_arch_walk(&report->walk, NULL, fault) == COSTACK_MOVABLE;
}

static void print_trace(struct report *report)
{
	unsigned int i;

	pr_warn("on the stack of coroutine %s, %ps, %u pages, %u growths:\n",
		report->name, report->fn, report->pages, report->growths);
	for (i = 0; i < report->nr; i++) {
		if (i < NEWEST_FRAMES || i + OLDEST_FRAMES >= report->nr)
			pr_warn(" %pS\n", (void *)*place(report, i));
		else if (i == NEWEST_FRAMES)
			pr_warn(" (%u frames)\n", report->nr - NEWEST_FRAMES - OLDEST_FRAMES);
	}
	if (!report->complete)
		pr_warn(" (the unwinder knows no more)\n");
}

/* Report @co; from an interrupt, from @fault. */
static void trace(struct costack *co, const struct costack_fault *fault)
{
	struct report *report;
	unsigned long flags;

	local_irq_save(flags);
	report = this_cpu_ptr(&reports[!!in_nmi()]);
	/* An oops in here must not come back. */
	if (!report->busy) {
		report->busy = true;
		take_trace(report, co, fault);
		print_trace(report);
		report->busy = false;
	}
	local_irq_restore(flags);
}

static bool is_coroutine_sp(unsigned long sp)
{
	return costack_arena_lookup(sp);
}

/* Report the coroutine that was interrupted, at @regs or beneath the interrupt we are in. */
static void trace_interrupted(void *regs)
{
	struct costack_fault fault = { };
	struct costack_slot *slot;
	struct costack *co;

	fault.words = costack_arch_interrupted(regs, is_coroutine_sp, &fault.sp);
	slot = fault.words ? costack_arena_lookup(*fault.sp) : NULL;
	co = slot ? READ_ONCE(slot->co) : NULL;
	/* In the middle of a move the two may differ. */
	if (co && READ_ONCE(co->slot) == slot)
		trace(co, &fault);
}

/* === The kernel's reports === */

/*
 * What show_regs() has last shown on this CPU. An oops calls it and then the notifiers of die(),
 * both with interrupts off; but the compiler may have put it into die(), where ftrace does not
 * see it. So the notifier prints the trace unless show_regs() has. The address of the registers
 * would not do: an earlier WARN() may have had its own there, and the stack may have moved.
 */
struct shown {
	struct task_struct	*task;
	unsigned long		ip;
};

static DEFINE_PER_CPU(struct shown, shown);

static bool is_shown(const struct die_args *args)
{
	return this_cpu_read(shown.task) == current &&
	       this_cpu_read(shown.ip) == instruction_pointer(args->regs);
}

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_REGS

/*
 * show_regs() shows what @regs are of; all reports about this CPU call it, or show_stack()
 * without a task. With a task, that shows a thread that need not run here.
 */
static void notrace on_show_regs(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	void *regs;

	regs = (void *)regs_get_kernel_argument(ftrace_get_regs(fregs), 0);
	this_cpu_write(shown.task, current);
	this_cpu_write(shown.ip, instruction_pointer(regs));
	trace_interrupted(regs);
}

static void notrace on_show_stack(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
	struct costack *co = __costack_current();

	if (regs_get_kernel_argument(ftrace_get_regs(fregs), 0))
		return;
	if (co)
		trace(co, NULL);
	else
		trace_interrupted(NULL);
}

static struct ftrace_ops show_ops[] = {
	{ .func = on_show_regs, .flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION },
	{ .func = on_show_stack, .flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION },
};

static void unhook(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(show_ops); i++) {
		if (show_ops[i].flags & FTRACE_OPS_FL_ENABLED)
			unregister_ftrace_function(&show_ops[i]);
		ftrace_free_filter(&show_ops[i]);
	}
}

static int hook(void)
{
	static char * const names[] = { "show_regs", "show_stack" };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(show_ops) && !err; i++)
		err = ftrace_set_filter(&show_ops[i], names[i], strlen(names[i]), 1) ?:
		      register_ftrace_function(&show_ops[i]);
	if (err)
		unhook();
	return err;
}

#else

static int hook(void)
{
	return -EOPNOTSUPP;
}

static void unhook(void)
{
}

#endif

static bool hooked;

/*
 * WARN(), KASAN and KFENCE call this on the stack where the error happened; KFENCE uses
 * neither of the two functions.
 */
static void probe_error_report(void *data, enum error_detector detector, unsigned long id)
{
	struct costack *co = __costack_current();

	if (co && (!hooked || detector == ERROR_DETECTOR_KFENCE))
		trace(co, NULL);
}

/* === Stale addresses === */

/* If @addr is on a stack that a coroutine was moved away from, report it. */
static bool print_stale(unsigned long addr)
{
	struct costack_slot *slot = costack_arena_lookup(addr);
	struct costack_slot *now;
	struct costack *co;

	if (slot && slot->use == COSTACK_HOME) {
		pr_err("address %lx is of a stack that was packed when it was used\n", addr);
		goto kept;
	}
	co = slot ? READ_ONCE(slot->co) : NULL;
	now = co ? READ_ONCE(co->slot) : NULL;
	if (!now || now == slot)
		return false;
	pr_err("coroutine %s, %ps, has moved: address %lx is stale, what was there is at %lx\n",
	       co->name[0] ? co->name : "(no name)", co->fn, addr, addr - slot->hi + now->hi);
kept:
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

	if (event != DIE_OOPS || !args->regs)
		return NOTIFY_DONE;
	print_stale_word(args);
	if (!is_shown(args))
		trace_interrupted(args->regs);
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
 * costack_report_frames() - get the code addresses of the frames on a stack
 * @slot: the stack; nobody else may use or move it
 * @ctx: where its coroutine was switched out
 * @base: stack pointer at the outermost frame
 * @ip: out: the addresses, newest first
 * @max: room in @ip
 *
 * Context: Process context, any stack but @slot's.
 * Return: the number of frames; less than there are, if the unwinder knows no more or @ip
 * is full.
 */
unsigned int costack_report_frames(const struct costack_slot *slot,
				   const struct costack_ctx *ctx, unsigned long base,
				   unsigned long *ip, unsigned int max)
{
	struct notes notes = {
		.walk	= {
			.lo	= costack_slot_lo(slot),
			.hi	= slot->hi,
			.base	= base,
			.task	= current,
			.frame	= note_frame,
			.any	= true,
		},
		.ip	= ip,
		.max	= max,
	};

	costack_arch_walk(&notes.walk, ctx, NULL);
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
	trace(co, NULL);
}

/**
 * costack_report_init() - watch for reports of the kernel
 *
 * Where ftrace cannot be used, only a WARN and the like are followed by a trace.
 *
 * Context: Process context; may sleep.
 * Return: 0, or what register_trace_error_report_end() returns.
 */
int costack_report_init(void)
{
	int err = 0;

	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		err = register_trace_error_report_end(probe_error_report, NULL);
	if (err)
		return err;
	hooked = !hook();
	register_die_notifier(&die_nb);
	return 0;
}

/**
 * costack_report_exit() - undo costack_report_init()
 *
 * Context: Process context; may sleep.
 */
void costack_report_exit(void)
{
	unregister_die_notifier(&die_nb);
	if (hooked)
		unhook();
	unregister_trace_error_report_end(probe_error_report, NULL);
	tracepoint_synchronize_unregister();
}
