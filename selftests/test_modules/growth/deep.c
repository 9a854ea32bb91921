// SPDX-License-Identifier: GPL-2.0
/*
 * Deep recursion and large frames (Go's TestStackGrowth).
 *
 *	deep FIRST LAST STEP	recurse so deep, each time on a fresh stack
 *	deep-parallel THREADS ROUNDS
 *				the same in many threads at once
 *	big BYTES FIRST		one frame of that size, on a stack of FIRST bytes
 *	chain FRAMES		a chain of frames of 3 KiB
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "costack_test.h"

/* === Recursion through pointers into the caller's frame === */

#define ADDED		0x5a000000
/* A level takes at least this: return address, canary, its local. */
#define LEVEL_BYTES	24

struct descent {
	int	depth;
	size_t	used;
};

/*
 * Each level changes its caller's local through a pointer, and looks at its own
 * after the call. The compiler must not see through any of it, nor make a loop.
 */
static noinline int descend(struct descent *descent, int *above, int level)
{
	int here = level, bad = 0;

	OPTIMIZER_HIDE_VAR(above);
	*above += ADDED;
	if (level) {
		bad = descend(descent, &here, level - 1);
		here -= ADDED;
	} else {
		descent->used = costack_stack_used();
	}
	return bad + (here != level);
}

static int descend_body(void *arg)
{
	struct descent *descent = arg;
	int top = 0, bad;

	bad = descend(descent, &top, descent->depth);
	CST_EQ(ADDED, top);
	return bad;
}

static void deep(const long *args)
{
	long depth;

	for (depth = args[0]; depth <= args[1] && !cst_failures(); depth += args[2] ?: 1) {
		struct descent descent = { .depth = depth };

		CST_EQ(0, costack_call(descend_body, &descent));
		CST_TRUE(descent.used > depth * LEVEL_BYTES);
	}
}

/* === Use of stack for other suites === */

static noinline void use_stack(const char *from, long bytes)
{
	char room[240] __uninitialized;

	WRITE_ONCE(room[0], 0);
	if (from - room < bytes)
		use_stack(from, bytes);
	barrier_data(room);
}

/**
 * cst_use_stack() - call so deep, and come back
 * @bytes: of stack to use below the caller; up to 400 more are used
 *
 * Context: Any stack with that much room.
 */
void cst_use_stack(long bytes)
{
	char here;

	use_stack(&here, bytes);
}
EXPORT_SYMBOL_GPL(cst_use_stack);

/**
 * cst_outgrow() - make the stack grow, once
 *
 * Context: Coroutine stack, below its limit.
 */
void cst_outgrow(void)
{
	size_t size = costack_stack_size();

	cst_use_stack(costack_stack_left() + 64);
	CST_TRUE(costack_stack_size() > size);
}
EXPORT_SYMBOL_GPL(cst_outgrow);

/* Always true; the compiler must not know. */
static bool forever = true;

static noinline long overflow(long level)
{
	long room[16] = { level };

	barrier_data(room);
	if (READ_ONCE(forever))
		level += overflow(level + 1);
	barrier_data(room);
	return level + room[0];
}

/**
 * cst_overflow() - recurse until the stack is at its limit and beyond
 *
 * Context: Coroutine stack that is abortable.
 * Return: never, in fact.
 */
long cst_overflow(void)
{
	return overflow(0);
}

/* === In many threads === */

static int parallel_fn(void *arg)
{
	const long rounds = *(const long *)arg;
	long round;

	for (round = 0; round < rounds && !cst_failures(); round++) {
		struct descent descent = { .depth = (round * 37) % 1000 };

		CST_EQ(0, costack_call(descend_body, &descent));
	}
	return 0;
}

static void deep_parallel(const long *args)
{
	static struct cst_thread threads[16];
	int i, n, cpu = -1;

	for (n = 0; n < min_t(long, args[0], ARRAY_SIZE(threads)); n++) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		if (!CST_EQ(0, cst_thread_start(&threads[n], cpu, parallel_fn, (void *)&args[1])))
			break;
	}
	for (i = 0; i < n; i++)
		wait_for_completion(&threads[i].done);
}

/* === Large frames === */

/*
 * Filled without a call: a kernel function at the end of the stack, whose text is not
 * movable, would make the growth one in place.
 */
static __always_inline int fill_and_check(unsigned long *room, size_t words)
{
	size_t i;
	int bad = 0;

	for (i = 0; i < words; i++)
		WRITE_ONCE(room[i], ~i);
	for (i = 0; i < words; i++)
		bad += READ_ONCE(room[i]) != ~i;
	return bad;
}

/*
 * The functions called from the frame fit into the spare room that the growth left: a
 * function at the edge does not fault at each of its calls (Go's hot split).
 */
#define SPARE_BYTES	600

#define BIG(bytes)							\
static noinline int big_##bytes(void)					\
{									\
	unsigned long room[(bytes) / sizeof(long)] __uninitialized;	\
									\
	CST_TRUE(costack_stack_used() >= sizeof(room));			\
	cst_use_stack(SPARE_BYTES);					\
	return fill_and_check(room, ARRAY_SIZE(room));			\
}

BIG(2048)
BIG(4080)
BIG(6144)
BIG(7936)
BIG(12288)
BIG(20480)
BIG(30720)
BIG(49152)
BIG(61440)

static const struct {
	long bytes;
	int (*fn)(void);
} bigs[] = {
	{ 2048, big_2048 }, { 4080, big_4080 }, { 6144, big_6144 },
	{ 7936, big_7936 }, { 12288, big_12288 }, { 20480, big_20480 },
	{ 30720, big_30720 }, { 49152, big_49152 }, { 61440, big_61440 },
};

static int big_body(void *arg)
{
	int (*fn)(void) = arg;

	return fn();
}

static void big(const long *args)
{
	struct costack_attr attr = { .stack_first = args[1] };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bigs); i++) {
		if (bigs[i].bytes == args[0]) {
			CST_EQ(0, costack_call_attr(&attr, big_body, bigs[i].fn));
			return;
		}
	}
	CST_EQ(args[0], 0); /* no function has such a frame */
}

static noinline int link_of_chain(long frames)
{
	unsigned long room[3072 / sizeof(long)] __uninitialized;
	int bad = fill_and_check(room, ARRAY_SIZE(room));
	unsigned int i;

	if (frames > 1)
		bad += link_of_chain(frames - 1);
	for (i = 0; i < ARRAY_SIZE(room); i++)
		bad += READ_ONCE(room[i]) != ~(unsigned long)i;
	return bad;
}

/**
 * cst_chain() - a chain of frames of 3 KiB
 * @frames: how many
 *
 * Context: Coroutine stack; calls nothing else.
 * Return: how many of their words have changed.
 */
int cst_chain(void *frames)
{
	return link_of_chain((long)frames);
}

static void chain(const long *args)
{
	CST_EQ(0, costack_call(cst_chain, (void *)args[0]));
}

static const struct cst_case cases[] = {
	{ "deep", deep },
	{ "deep-parallel", deep_parallel },
	{ "big", big },
	{ "chain", chain },
	{ }
};

struct cst_suite cst_deep = { .owner = THIS_MODULE, .cases = cases };
