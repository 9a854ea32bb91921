// SPDX-License-Identifier: GPL-2.0
/*
 * Shrinking: a parked stack of which less than a quarter is used moves to one of
 * half its size.
 *
 *	shrink KEEP FLAGS	one call to shrink after the other, with KEEP bytes in
 *				use; FLAGS as in struct costack_attr
 *	shrink-fixed		the same with text that may not be moved
 *	shrink-yield		a running coroutine shrinks its stack when it yields
 *	shrink-pressure ITEMS	stacks shrink when memory is short
 *	shrink-storm ITEMS SHRINKS
 *				calls all the time, while they grow, park and go on
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static void set_gate(bool open)
{
	WRITE_ONCE(gate_is_open, open);
	wake_up_all(&gate);
}

static int pass_gate(void *unused)
{
	return costack_wait_event(gate, READ_ONCE(gate_is_open)) ?: 42;
}

/* The largest stack there is; what is used of it at first. */
#define LARGEST		SZ_64K
#define USE_AT_FIRST	60000

/* === Frames that know where they are === */

/**
 * struct frame - a local that is looked at after a move
 * @above: that of the caller; %NULL in the first
 * @self: address of this struct, wherever it is
 * @bytes: used up to here
 * @room: filled with the lowest byte of @bytes
 */
struct frame {
	struct frame	*above;
	struct frame	*self;
	size_t		bytes;
	char		room[200];
};

/* The newest frame. The pointer is not on the stack, so it has to be tracked. */
struct where {
	struct frame	*frame;
};

static noinline void check_frames(const struct frame *frame)
{
	barrier_data(frame);
	for (; frame; frame = frame->above) {
		CST_TRUE(frame->self == frame);
		CST_TRUE(!memchr_inv(frame->room, (char)frame->bytes, sizeof(frame->room)));
		CST_TRUE((unsigned long)frame - cst_stack_lo() < costack_stack_size());
	}
}

/* Call @fn with @keep bytes of the stack in use above it. */
static noinline int with_frames(struct frame *above, size_t keep, struct where *where,
				int (*fn)(void *arg), void *arg)
{
	struct frame frame;
	int ret;

	frame.above = above;
	frame.self = &frame;
	frame.bytes = costack_stack_used();
	memset(frame.room, (char)frame.bytes, sizeof(frame.room));
	barrier_data(&frame);
	if (frame.bytes < keep) {
		ret = with_frames(&frame, keep, where, fn, arg);
	} else {
		where->frame = &frame;
		ret = fn(arg);
		CST_TRUE(where->frame == &frame);
	}
	check_frames(&frame);
	return ret;
}

/* === One call after the other === */

/**
 * struct plan - what a coroutine does, and what it saw
 * @where: its frames
 * @keep: bytes to keep in use
 * @used: bytes in use when it parks
 * @sizes: of its stack, after each call to shrink
 * @calls: how many there were
 */
struct plan {
	struct where	where;
	size_t		keep;
	size_t		used;
	size_t		sizes[8];
	unsigned int	calls;
};

static int park_and_measure(void *arg)
{
	struct cst_item *item = arg;
	struct plan *plan = item->group->data;

	plan->used = costack_stack_used();
	plan->sizes[0] = costack_stack_size();
	for (item->count = 1; item->count < ARRAY_SIZE(plan->sizes); ) {
		WRITE_ONCE(item->co, costack_current());
		CST_EQ(0, costack_park());
		check_frames(plan->where.frame);
		plan->sizes[item->count] = costack_stack_size();
		WRITE_ONCE(item->count, item->count + 1);
	}
	return 42;
}

static int shrink_body(void *arg)
{
	struct cst_item *item = arg;
	struct plan *plan = item->group->data;
	int ret;

	cst_use_stack(USE_AT_FIRST);
	CST_EQ(0, costack_track(&plan->where.frame));
	ret = with_frames(NULL, plan->keep, &plan->where, park_and_measure, arg);
	CST_EQ(0, costack_untrack(&plan->where.frame));
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return ret;
}

/* Each round: it parks, its stack is shrunk, it goes on and measures. */
static bool measure(costack_fn_t fn, struct plan *plan, const struct costack_attr *attr)
{
	struct cst_group *group = cst_items_new(1, false, fn, plan, attr);
	struct cst_item *item;
	long i;

	if (!group)
		return false;
	item = &group->item[0];
	set_gate(false);
	cst_items_start(group);
	for (i = 1; i < ARRAY_SIZE(plan->sizes) && !cst_failures(); i++) {
		CST_SOON(READ_ONCE(item->count) == i && cst_parked() == 1);
		cst_knob("shrink", "1");
		costack_unpark(item->co);
		CST_SOON(READ_ONCE(item->count) == i + 1);
	}
	set_gate(true);
	return CST_FINISH(group, 42) && CST_EQ(LARGEST, plan->sizes[0]);
}

/* Less than a quarter, including 1 KiB that must always be free. */
static size_t size_after(size_t size, size_t used)
{
	return size > PAGE_SIZE && used + 1024 < size / 4 ? size / 2 : size;
}

static void shrink(const long *args)
{
	struct costack_attr attr = { .flags = args[1] };
	struct plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);
	long shrunk = cst_stat("shrunk"), bytes = cst_stat("bytes_shrunk");
	size_t size = LARGEST;
	unsigned int i;

	if (!CST_TRUE(plan))
		return;
	plan->keep = args[0];
	if (!measure(shrink_body, plan, &attr))
		return;
	for (i = 1; i < ARRAY_SIZE(plan->sizes); i++) {
		/* A little more is in use where it parks than where it measures. */
		size_t small = size_after(size, plan->used);
		size_t large = size_after(size, plan->used + 400);

		if (attr.flags & COSTACK_PINNED)
			CST_EQ(LARGEST, plan->sizes[i]);
		else
			CST_TRUE(plan->sizes[i] == small || plan->sizes[i] == large);
		size = plan->sizes[i];
	}
	CST_EQ(ilog2(LARGEST / size), cst_stat("shrunk") - shrunk);
	CST_EQ(LARGEST - size, cst_stat("bytes_shrunk") - bytes);
	/* The case is of no use if it does not get there. */
	if (!args[0] && !args[1])
		CST_EQ(PAGE_SIZE, size);
	kfree(plan);
}

/* === Text that may not be moved === */

static struct cst_item *in_kernel;
static int in_kernel_ret;

/* sort() calls it once for two. */
static int compare(const void *a, const void *b)
{
	in_kernel_ret = park_and_measure(in_kernel);
	return 0;
}

static int fixed_body(void *arg)
{
	int numbers[2] = { 1, 2 };

	cst_use_stack(USE_AT_FIRST);
	in_kernel = arg;
	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return in_kernel_ret;
}

static void shrink_fixed(const long *args)
{
	struct plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);
	unsigned int i;

	if (!CST_TRUE(plan))
		return;
	if (!measure(fixed_body, plan, NULL))
		return;
	for (i = 1; i < ARRAY_SIZE(plan->sizes); i++)
		CST_EQ(LARGEST, plan->sizes[i]);
	kfree(plan);
}

/* === While it runs === */

static int yield_body(void *arg)
{
	struct cst_item *item = arg;

	cst_use_stack(USE_AT_FIRST);
	while (!READ_ONCE(gate_is_open)) {
		CST_EQ(0, costack_yield());
		WRITE_ONCE(item->count, costack_stack_size());
	}
	return 42;
}

static void shrink_yield(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, yield_body, NULL, NULL);
	size_t size;

	if (!group)
		return;
	set_gate(false);
	cst_items_start(group);
	CST_SOON(READ_ONCE(group->item[0].count) == LARGEST);
	for (size = LARGEST; size > PAGE_SIZE && !cst_failures(); size /= 2) {
		usleep_range(5000, 6000);
		CST_EQ(size, READ_ONCE(group->item[0].count));
		cst_knob("shrink", "1");
		CST_SOON(READ_ONCE(group->item[0].count) == size / 2);
	}
	set_gate(true);
	CST_FINISH(group, 42);
}

/* === Memory pressure === */

static int pressure_body(void *arg)
{
	struct cst_item *item = arg;
	struct where *where = (struct where *)item->group->data + item->nr;
	int ret;

	cst_use_stack(USE_AT_FIRST);
	CST_EQ(LARGEST, costack_stack_size());
	CST_EQ(0, costack_track(&where->frame));
	/* More than can be packed: that would come first. */
	ret = with_frames(NULL, 2100, where, pass_gate, NULL);
	CST_EQ(0, costack_untrack(&where->frame));
	return ret;
}

static void shrink_pressure(const long *args)
{
	struct where *where = kcalloc(args[0], sizeof(*where), GFP_KERNEL);
	struct cst_group *group = cst_items_new(args[0], false, pressure_body, where, NULL);
	long shrunk = cst_stat("shrunk");
	unsigned long end;

	if (!CST_TRUE(where) || !group)
		return;
	set_gate(false);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	/* This asks for all that can be freed; costack shrinks stacks once a second. */
	end = jiffies + CST_PATIENCE;
	while (cst_stat("shrunk") < shrunk + args[0] && time_before(jiffies, end)) {
		CST_EQ(0, cst_write_file("/proc/sys/vm/drop_caches", "2"));
		msleep(100);
	}
	CST_TRUE(cst_stat("shrunk") >= shrunk + args[0]);
	set_gate(true);
	CST_FINISH(group, 42);
	kfree(where);
}

/* === All the time === */

static int storm_leave(void *arg)
{
	struct cst_item *item = arg;

	return item->count % 4 ? costack_yield() : costack_sleep(1);
}

static int storm_body(void *arg)
{
	struct cst_item *item = arg;
	struct where *where = (struct where *)item->group->data + item->nr;

	CST_EQ(0, costack_track(&where->frame));
	while (!READ_ONCE(gate_is_open) && !cst_failures()) {
		item->count++;
		cst_use_stack(USE_AT_FIRST >> (item->count + item->nr) % 4);
		CST_EQ(0, with_frames(NULL, 500 << item->count % 5, where, storm_leave, item));
	}
	CST_EQ(0, costack_untrack(&where->frame));
	return 42;
}

static void shrink_storm(const long *args)
{
	struct where *where = kcalloc(args[0], sizeof(*where), GFP_KERNEL);
	struct cst_group *group = cst_items_new(args[0], false, storm_body, where, NULL);
	long enough = cst_stat("shrunk") + args[1];
	unsigned long end = jiffies + CST_PATIENCE;

	if (!CST_TRUE(where) || !group)
		return;
	set_gate(false);
	cst_items_start(group);
	/* How many are found parked with a large stack is a matter of chance. */
	while (cst_stat("shrunk") < enough && time_before(jiffies, end) && !cst_failures()) {
		cst_knob("shrink", "1");
		cond_resched();
	}
	CST_TRUE(cst_stat("shrunk") >= enough);
	set_gate(true);
	CST_FINISH(group, 42);
	kfree(where);
}

static const struct cst_case cases[] = {
	{ "shrink", shrink },
	{ "shrink-fixed", shrink_fixed },
	{ "shrink-yield", shrink_yield },
	{ "shrink-pressure", shrink_pressure },
	{ "shrink-storm", shrink_storm },
	{ }
};

struct cst_suite cst_shrink = { .owner = THIS_MODULE, .cases = cases };
