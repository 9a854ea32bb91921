// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that are run again and again: what their stacks start with.
 *
 *	first ITEMS BYTES EVERY		so many work items, each EVERY-th of which uses so many
 *					bytes
 *	first-calls CALLS BYTES		so many calls, all of which use so many bytes
 *	first-limit BYTES		items that may use no more than 8 KiB start with that
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "items.h"

/* So many are queued together: some workers are to take their turns. */
#define TOGETHER	50

struct plan {
	long	bytes;
	long	every;
};

static int first_item(void *arg)
{
	const struct cst_item *item = arg;
	const struct plan *plan = item->group->data;

	if (item->nr % plan->every == 0)
		cst_use_stack(plan->bytes);
	return 42;
}

static void first(const long *args)
{
	struct plan plan = { .bytes = args[1], .every = args[2] };
	struct cst_group *group;
	long left;

	for (left = args[0]; left > 0 && !cst_failures(); left -= TOGETHER) {
		group = cst_items_new(min_t(long, left, TOGETHER), false, first_item, &plan, NULL);
		if (!group)
			return;
		cst_items_start(group);
		CST_FINISH(group, 42);
	}
}

static int first_call(void *arg)
{
	cst_use_stack(*(long *)arg);
	return 42;
}

static void first_calls(const long *args)
{
	long bytes = args[1], i;

	for (i = 0; i < args[0] && !cst_failures(); i++)
		CST_EQ(42, costack_call(first_call, &bytes));
}

static int size_of_own(void *arg)
{
	long *bytes = arg;

	if (*bytes)
		cst_use_stack(*bytes);
	return costack_stack_size();
}

static int run_with_limit(size_t limit, long use)
{
	const struct costack_attr attr = { .stack_limit = limit };
	static struct costack_work work;
	static long bytes;

	bytes = use;
	costack_work_init(&work, size_of_own, &bytes, &attr);
	return costack_queue(&work) ?: costack_wait(&work);
}

static void first_limit(const long *args)
{
	int i, size, larger = 0;

	CST_TRUE(run_with_limit(0, args[0]) > SZ_8K);
	CST_TRUE(run_with_limit(0, 0) > SZ_8K);
	for (i = 0; i < 200; i++) {
		size = run_with_limit(SZ_8K, 0);
		CST_TRUE(size <= SZ_8K);
		larger += size == SZ_8K;
	}
	/* The others are probes. */
	CST_TRUE(larger >= 190);
}

static const struct cst_case cases[] = {
	{ "first", first },
	{ "first-calls", first_calls },
	{ "first-limit", first_limit },
	{ }
};

struct cst_suite cst_first = {
	.owner	= THIS_MODULE,
	.cases	= cases,
};
