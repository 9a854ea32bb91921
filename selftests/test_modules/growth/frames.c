// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of every size, started at many places of a page, so that the overflow
 * comes at a push, a call, in the middle of the frame, or beyond a page that
 * the frame does not touch (Go's TestStackSplit, issue 3310).
 *
 *	frames		each size at each place; also checks how often it grew
 *	interrupt-depth BYTES
 *			the stack that an interrupt and a preemption after it take is at
 *			most so much
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/msr.h>

#include "costack_test.h"

/*
 * The frame, and a leaf below it. The leaf finds the frame through a pointer
 * and changes every word of it, wherever the frame is by then.
 */
static noinline int leaf(unsigned long *words, size_t nr)
{
	int bad = 0;

	OPTIMIZER_HIDE_VAR(words);
	for (; nr; nr--, words++) {
		bad += READ_ONCE(*words) != nr;
		WRITE_ONCE(*words, ~nr);
	}
	return bad;
}

static __always_inline int use_frame(unsigned long *words, size_t nr)
{
	size_t i;
	int bad;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(words[i], nr - i);
	bad = leaf(words, nr);
	for (i = 0; i < nr; i++)
		bad += READ_ONCE(words[i]) != ~(nr - i);
	return bad;
}

#define FRAME(bytes)							\
static noinline int frame_##bytes(void *unused)				\
{									\
	unsigned long words[(bytes) / sizeof(long)] __uninitialized;	\
									\
	return use_frame(words, ARRAY_SIZE(words));			\
}

#include "frame_sizes.h"
#undef FRAME

#define FRAME(bytes)	frame_##bytes,

static const costack_fn_t frames[] = {
#include "frame_sizes.h"
};

struct run {
	costack_fn_t	fn;
	size_t		left;
};

static int run_body(void *arg)
{
	const struct run *run = arg;

	return cst_call_with_left(run->left, run->fn, NULL);
}

/* More than an interrupt and a preemption after it take: see interrupt-depth. */
#define INTERRUPT_BYTES	1024

/*
 * The stack grows once if the frame itself has no room. If little room is left, before or
 * after the growth, an interrupt may make it grow once more.
 */
static void run_at(costack_fn_t fn, size_t bytes, size_t left)
{
	bool tight = PAGE_SIZE + left < bytes + INTERRUPT_BYTES;
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct run run = { fn, left };
	long grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");

	CST_EQ(0, costack_call_attr(&attr, run_body, &run));
	grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place") - grown;
	CST_GROWN((left < bytes || grown) + (tight && grown == 2), grown);
}

static void all_frames(const long *args)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(frames) && !cst_failures(); i++) {
		size_t bytes = (i + 1) * 16;
		/* From "no room for the return address" to "just fits". */
		const size_t lefts[] = {
			0, 8, 16, 40, bytes / 2 & ~7UL, bytes - 8, bytes, bytes + 8,
			bytes + 16, bytes + 24, bytes + 32, bytes + 48,
		};

		for (k = 0; k < ARRAY_SIZE(lefts); k++)
			run_at(frames[i], bytes, lefts[k]);
	}
}

/* === What comes from outside === */

#define DEPTH_FILL	0x5a5a5a5a5a5a5a5aUL

/* Of a call that may be at an end. */
#define CALL_BYTES	64

static bool stop_waking;

/* It wakes up on the CPU of the coroutine, and preempts it because it sleeps most. */
static int wake_all_the_time(void *unused)
{
	while (!READ_ONCE(stop_waking))
		usleep_range(50, 100);
	return 0;
}

/* How far below the caller's frame something has written by the end of @msecs. */
static noinline long depth_within(unsigned int msecs)
{
	unsigned long *low = (unsigned long *)cst_stack_lo(), *at;
	const unsigned long here = current_stack_pointer;
	const u64 deadline = cst_deadline(msecs);

	/* From here on only interrupts call functions. */
	for (at = low; (unsigned long)at < here - CALL_BYTES; at++)
		WRITE_ONCE(*at, DEPTH_FILL);
	while (rdtsc_ordered() < deadline)
		cpu_relax();
	for (at = low; (unsigned long)at < here && READ_ONCE(*at) == DEPTH_FILL; at++)
		;
	return here - (unsigned long)at;
}

static int depth_body(void *arg)
{
	const long *args = arg;
	/* The sanitizers add frames of their own. */
	bool more = IS_ENABLED(CONFIG_KASAN_STACK) || IS_ENABLED(CONFIG_KCSAN);
	long deepest = 0;
	int i;

	for (i = 0; i < 20; i++)
		deepest = max(deepest, depth_within(50));
	CST_TRUE(deepest > 0);
	CST_EQ(min(deepest, more ? 4 * args[0] : args[0]), deepest);
	return 0;
}

static int depth_thread(void *arg)
{
	struct costack_attr attr = { .stack_first = 4 * PAGE_SIZE, .flags = COSTACK_PINNED };

	return costack_call_attr(&attr, depth_body, arg);
}

static void interrupt_depth(const long *args)
{
	const int cpu = cpumask_first(cpu_online_mask);
	static struct cst_thread waker;

	WRITE_ONCE(stop_waking, false);
	if (!CST_EQ(0, cst_thread_start(&waker, cpu, wake_all_the_time, NULL)))
		return;
	CST_EQ(0, cst_thread_run(cpu, depth_thread, (void *)args));
	WRITE_ONCE(stop_waking, true);
	wait_for_completion(&waker.done);
}

static const struct cst_case cases[] = {
	{ "frames", all_frames },
	{ "interrupt-depth", interrupt_depth },
	{ }
};

struct cst_suite cst_frames = { .owner = THIS_MODULE, .cases = cases };
