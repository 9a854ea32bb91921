// SPDX-License-Identifier: GPL-2.0
/*
 * Coroutines to look at.
 *
 *	watched NR	NR of each kind wait, until .../test/release is written: for a wait
 *			queue, a channel, time, an unpark, another item. The first kind has
 *			grown and then moved no more, as it was pinned
 *	watched-short NR	NR that end at once
 *	watched-warn CALLED	one warns, three calls deep; as a work item or called
 */
#include <linux/completion.h>
#include <linux/wait.h>

#include <linux/costack.h>

#include "costack_test.h"
#include "items.h"

#define KINDS	5

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;
static struct costack_chan *chan;

static noinline int watched_queue(struct cst_item *item)
{
	CST_EQ(0, costack_pin());
	cst_use_stack(6000);
	CST_EQ(0, costack_unpin());
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return 42;
}

static noinline int watched_channel(struct cst_item *item)
{
	long value;

	CST_EQ(-EPIPE, costack_chan_recv(chan, &value));
	return 42;
}

static noinline int watched_time(struct cst_item *item)
{
	while (!READ_ONCE(gate_is_open))
		costack_sleep(3600 * HZ);
	return 42;
}

static noinline int watched_unpark(struct cst_item *item)
{
	while (!READ_ONCE(gate_is_open))
		CST_EQ(0, costack_park());
	return 42;
}

static noinline int watched_item(struct cst_item *item)
{
	CST_EQ(42, costack_wait(&item->group->item[0].work));
	return 42;
}

static int watched_body(void *arg)
{
	static int (* const kinds[KINDS])(struct cst_item *item) = {
		watched_queue, watched_channel, watched_time, watched_unpark, watched_item,
	};
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	return kinds[item->nr % KINDS](item);
}

static void watched_case(const long *args)
{
	const struct costack_attr attr = { .name = "watched by all" };
	struct cst_group *group = cst_items_new(args[0] * KINDS, false, watched_body, NULL, &attr);
	unsigned int i;

	chan = costack_chan_create(sizeof(long), 0);
	if (!group || !CST_TRUE(chan))
		return;
	WRITE_ONCE(gate_is_open, false);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0] * KINDS);
	wait_for_completion(&cst_release);
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
	CST_EQ(0, costack_chan_close(chan));
	for (i = 0; i < group->nr; i++)
		if (i % KINDS == 2 || i % KINDS == 3)
			costack_unpark(READ_ONCE(group->item[i].co));
	if (CST_FINISH(group, 42))
		costack_chan_destroy(chan);
}

static int watched_short_body(void *arg)
{
	return 42;
}

static void watched_short(const long *args)
{
	struct cst_group *group = cst_items_new(args[0], false, watched_short_body, NULL, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

static noinline int watched_warn(int calls)
{
	int ret = 42;

	if (calls)
		ret = watched_warn(calls - 1);
	else
		WARN(1, "as it was asked to\n");
	/* So that each call has a frame. */
	barrier_data(&ret);
	return ret;
}

static int watched_warn_body(void *arg)
{
	int ret = watched_warn(2);

	barrier_data(&ret);
	return ret;
}

static void watched_warns(const long *args)
{
	const struct costack_attr attr = { .name = "warner" };
	struct cst_group *group = cst_items_new(1, args[0], watched_warn_body, NULL, &attr);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

static const struct cst_case cases[] = {
	{ "watched", watched_case },
	{ "watched-short", watched_short },
	{ "watched-warn", watched_warns },
	{ }
};

struct cst_suite cst_watched = { .owner = THIS_MODULE, .cases = cases };
