// SPDX-License-Identifier: GPL-2.0
/*
 * Call traces of all parked stacks, with identical ones folded into one: so a screen shows
 * what a million coroutines wait for.
 *
 * Each stack is claimed while it is walked, as for a move (COPYSTACK), and then released;
 * a waker leaves a wake-up meanwhile. The output is a snapshot that is complete before the
 * first line is printed; each stack in it was taken at another moment.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/sort.h>

#include "called.h"
#include "coroutine.h"
#include "pack.h"
#include "pool.h"
#include "report.h"
#include "traces.h"
#include "waiter.h"
#include "items.h"

/* Number of different traces, and of frames kept for each. */
#define MAX_TRACES	256U
#define MAX_FRAMES	32U

/* Number of traces printed, those with most coroutines; the others are summed up. */
#define MAX_PRINTED	32U

/**
 * struct trace - a call trace that some coroutines have in common
 * @hash: of the fields that follow, except @count
 * @count: number of these coroutines
 * @waits: what they wait for
 * @called: they were called, and their threads wait with them
 * @nr: number of frames that are known
 * @ip: code addresses of the frames, newest first
 */
struct trace {
	u32			hash;
	unsigned long		count;
	enum costack_waits	waits;
	bool			called;
	unsigned int		nr;
	unsigned long		ip[MAX_FRAMES];
};

/**
 * struct traces - a snapshot
 * @nr: number of traces in it
 * @waiting: number of parked coroutines; of work items, and called ones
 * @others: number of coroutines that are not parked; likewise
 * @lost: number of parked coroutines whose trace found no room
 * @state: state of the called coroutine that is being looked at
 * @trace: the traces
 * @now: the trace that is being taken
 * @copy: a stack for the copy of one that is packed, which stays packed
 */
struct traces {
	unsigned int	nr;
	unsigned long	waiting[2];
	unsigned long	others[2];
	unsigned long	lost;
	int		state;
	struct trace	trace[MAX_TRACES];
	struct trace	now;
	struct costack_slot *copy;
};

static bool same(const struct trace *a, const struct trace *b)
{
	return a->hash == b->hash && a->waits == b->waits && a->called == b->called &&
	       a->nr == b->nr &&
	       !memcmp(a->ip, b->ip, a->nr * sizeof(a->ip[0]));
}

static void fold(struct traces *traces)
{
	struct trace *now = &traces->now;
	unsigned int i = 0;

	while (i < traces->nr && !same(&traces->trace[i], now))
		i++;
	if (i == MAX_TRACES) {
		traces->lost++;
		return;
	}
	if (i == traces->nr) {
		traces->trace[i] = *now;
		traces->nr++;
	}
	traces->trace[i].count++;
}

/**
 * costack_traces_frames() - get the code addresses of the frames of a parked coroutine
 * @co: parked, and claimed; if it is packed, it stays so
 * @copy: a stack for the copy of one that is packed
 * @ip: out: the addresses, newest first
 * @max: room in @ip
 *
 * Context: Process context, any stack but @co's and @copy.
 * Return: as costack_report_frames().
 */
unsigned int costack_traces_frames(const struct costack *co, const struct costack_slot *copy,
				   unsigned long *ip, unsigned int max)
{
	const struct costack_slot *slot = co->slot;
	struct costack_ctx ctx = co->ctx;
	unsigned long base = co->base;

	if (!slot) {
		long delta = costack_packed_copy(co, copy);

		slot = copy;
		ctx.sp += delta;
		base += delta;
	}
	return costack_report_frames(slot, &ctx, base, ip, max);
}

/* Take the trace of a parked coroutine that is claimed. */
static void take(struct costack *co, void *arg)
{
	struct traces *traces = arg;
	struct trace *now = &traces->now;

	now->count = 0;
	now->waits = costack_waits(co);
	now->called = !co->work;
	traces->waiting[now->called]++;
	now->nr = costack_traces_frames(co, traces->copy, now->ip, MAX_FRAMES);
	now->hash = jhash(now->ip, now->nr * sizeof(now->ip[0]), now->waits);
	fold(traces);
}

static void count_others(struct costack *co, void *arg)
{
	struct traces *traces = arg;

	if (costack_state(co) != COSTACK_WAITING)
		traces->others[false]++;
}

static void see_called(const struct costack *co, const struct task_struct *thread, void *arg)
{
	struct traces *traces = arg;

	traces->state = costack_state(co);
}

static void count_other_called(void *arg)
{
	struct traces *traces = arg;

	if (traces->state != COSTACK_WAITING)
		traces->others[true]++;
}

static int more_first(const void *a, const void *b)
{
	const struct trace *one = a, *two = b;

	return one->count < two->count ? 1 : one->count > two->count ? -1 : 0;
}

/* Print a line to the file @m, or to the log if @m is NULL. */
static __printf(2, 3) void say(struct seq_file *m, const char *fmt, ...)
{
	struct va_format line = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	line.va = &args;
	if (m)
		seq_printf(m, "%pV\n", &line);
	else
		pr_info("%pV\n", &line);
	va_end(args);
}

static void print(struct seq_file *m, const struct traces *traces)
{
	unsigned int shown = min(traces->nr, MAX_PRINTED), i, j;
	unsigned long hidden = traces->lost;

	say(m, "%lu coroutines of work items are parked, %lu are not; %u traces",
	    traces->waiting[false], traces->others[false], traces->nr);
	if (traces->waiting[true] || traces->others[true])
		say(m, "%lu called ones are parked, %lu are not; their threads wait with them",
		    traces->waiting[true], traces->others[true]);
	for (i = 0; i < shown; i++) {
		const struct trace *trace = &traces->trace[i];

		say(m, "%lu %sparked, for: %s", trace->count, trace->called ? "called, " : "",
		    costack_waits_names[trace->waits]);
		for (j = 0; j < trace->nr; j++)
			say(m, "  %pS", (void *)trace->ip[j]);
		if (trace->nr == MAX_FRAMES)
			say(m, "  (and its callers)");
	}
	for (; i < traces->nr; i++)
		hidden += traces->trace[i].count;
	if (hidden)
		say(m, "%lu more, with other traces", hidden);
}

/**
 * costack_traces_show() - print the call traces of all parked coroutines
 * @m: the file to print to; %NULL: the kernel's log
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_traces_show(struct seq_file *m)
{
	struct costack_called_look look = { see_called, count_other_called };
	struct traces *traces = kvzalloc(sizeof(*traces), GFP_KERNEL);

	if (!traces)
		return -ENOMEM;
	traces->copy = costack_stackalloc(0, GFP_KERNEL);
	if (!traces->copy) {
		kvfree(traces);
		return -ENOMEM;
	}
	look.arg = traces;
	costack_items_each(count_others, traces);
	costack_called_each(&look);
	costack_items_each_parked(NULL, take, traces);
	costack_called_each_parked(take, traces);
	sort(traces->trace, traces->nr, sizeof(traces->trace[0]), more_first, NULL);
	print(m, traces);
	costack_stackfree(traces->copy);
	kvfree(traces);
	return 0;
}
