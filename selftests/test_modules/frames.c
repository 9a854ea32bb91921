// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of every size, started at many places of a page, so that the overflow
 * comes at a push, a call, in the middle of the frame, or beyond a page that
 * the frame does not touch (Go's TestStackSplit, issue 3310).
 *
 *	frames		each size at each place; also checks how often it grew
 */
#include <linux/kernel.h>
#include <linux/module.h>

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

/*
 * Grown once if the frame itself has no room. If it has, but hardly, an
 * interrupt may still come for more.
 */
static void run_at(costack_fn_t fn, size_t bytes, size_t left)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct run run = { fn, left };
	long grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");

	CST_EQ(0, costack_call_attr(&attr, run_body, &run));
	grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place") - grown;
	CST_GROWN(left < bytes || grown, grown);
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

static const struct cst_case cases[] = {
	{ "frames", all_frames },
	{ }
};

struct cst_suite cst_frames = { .owner = THIS_MODULE, .cases = cases };
