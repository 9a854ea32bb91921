// SPDX-License-Identifier: GPL-2.0
/*
 * The host stack does not grow: calls are refused well before it ends.
 *
 *	nest-calls		coroutines that call the next one, until one is refused
 *	nest-host		the same, each from the host stack of the one before
 *	nest-deep STEP		a host stack that is deep already, every STEP bytes of it:
 *				what is called there is refused, or has all the room that
 *				it needs to grow, to move and to allocate
 *	nest-plain		costack_on_host() on a host stack that is deep already
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "costack_test.h"

/* This must be left of a host stack at the deepest point that costack itself reaches. */
#define SPARE		(THREAD_SIZE / 16)

/* === Calls from coroutines === */

static int levels;

static int call_level(void *arg)
{
	int ret;

	levels++;
	ret = costack_call(call_level, arg);
	/* The innermost coroutine that was started got the refusal. */
	return ret == -EOVERFLOW ? 1 : ret + 1;
}

static int host_level(void *arg);

static int host_call(void *arg)
{
	return costack_call(host_level, arg);
}

static int host_level(void *arg)
{
	int ret;

	levels++;
	ret = costack_on_host(host_call, arg);
	return ret == -EOVERFLOW ? 1 : ret + 1;
}

/* All coroutines that were started have returned, and there were more than a few. */
static void nest(costack_fn_t fn)
{
	int ret;

	levels = 0;
	ret = costack_call(fn, NULL);
	CST_EQ(levels, ret);
	CST_TRUE(levels >= 8);
	CST_EQ(0, cst_stat("live"));
}

static void nest_calls(const long *args)
{
	nest(call_level);
}

static void nest_host(const long *args)
{
	nest(host_level);
}

/* === A host stack that is deep already === */

#define PAINT	0x636f737461636b21UL

/* Words of the calling thread's stack below @sp, but for the last, which ends it. */
static unsigned long *first_word(void)
{
	return end_of_stack(current) + 1;
}

static void __no_sanitize_address paint(unsigned long sp)
{
	unsigned long *word;

	for (word = first_word(); (unsigned long)word < sp; word++)
		WRITE_ONCE(*word, PAINT);
}

/* Bytes that nobody has written to since. */
static size_t __no_sanitize_address painted(void)
{
	unsigned long *word = first_word();

	while (READ_ONCE(*word) == PAINT)
		word++;
	return (void *)word - (void *)first_word();
}

static int work(void *arg)
{
	cst_use_stack(6000);
	CST_EQ(0, costack_ensure(20000));
	cst_outgrow();
	CST_EQ(0, costack_yield());
	cst_use_stack(24000);
	return (long)arg;
}

static int called_deep(void *arg)
{
	/* Leave out what the functions called from here push. */
	paint(current_stack_pointer - 256);
	return costack_call(work, arg);
}

static void nest_deep(const long *args)
{
	size_t left, least = THREAD_SIZE;
	int ret, refused = 0;

	for (left = THREAD_SIZE / 2; left > THREAD_SIZE / 8; left -= args[0] ?: 64) {
		ret = cst_call_on((unsigned long)end_of_stack(current) + left, called_deep,
				  (void *)7L);
		if (left < THREAD_SIZE / 4)
			CST_EQ(-EOVERFLOW, ret);
		else if (left > THREAD_SIZE / 4 + THREAD_SIZE / 8)
			CST_EQ(7, ret);
		refused += ret != 7;
		if (ret == 7)
			least = min(least, painted());
	}
	pr_info("nest-deep: %zu of %lu bytes left at least, %d refused\n", least, THREAD_SIZE,
		refused);
	CST_TRUE(refused > 0);
	CST_TRUE(least >= SPARE);
	CST_EQ(0, cst_stat("live"));
}

static int give_back(void *arg)
{
	return (long)arg;
}

static int plain(void *arg)
{
	return costack_on_host(give_back, arg);
}

static void nest_plain(const long *args)
{
	unsigned long end = (unsigned long)end_of_stack(current);

	CST_EQ(5, cst_call_on(end + THREAD_SIZE / 4, plain, (void *)5L));
	CST_EQ(-EOVERFLOW, cst_call_on(end + THREAD_SIZE / 8, plain, (void *)5L));
}

static const struct cst_case cases[] = {
	{ "nest-calls", nest_calls },
	{ "nest-host", nest_host },
	{ "nest-deep", nest_deep },
	{ "nest-plain", nest_plain },
	{ }
};

struct cst_suite cst_nest = { .owner = THIS_MODULE, .cases = cases };
