// SPDX-License-Identifier: GPL-2.0
/*
 * Work items that stand still, for who looks at them from outside between the two cases.
 *
 *	standing-begin QUEUE CHANNEL GROWN	so many wait in a wait queue, so many to
 *						receive from a channel, and so many in the
 *						queue after their stacks have grown, once
 *	standing-end				all of them end
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool may_end;
static struct costack_chan *channel;

static int stands_in_queue(void *arg)
{
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(may_end)));
	return 42;
}

static int stands_in_channel(void *arg)
{
	long value;

	/* It is closed. */
	CST_TRUE(costack_chan_recv(channel, &value) < 0);
	return 42;
}

static int stands_grown(void *arg)
{
	cst_outgrow();
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(may_end)));
	return 42;
}

static const costack_fn_t ways[] = { stands_in_queue, stands_in_channel, stands_grown };
static const char * const names[] = { "in-queue", "in-channel", "grown" };
static struct cst_group *groups[ARRAY_SIZE(ways)];

static void standing_begin(const long *args)
{
	struct costack_attr attr = {};
	long before = cst_parked(), all = 0;
	unsigned int i;

	WRITE_ONCE(may_end, false);
	channel = costack_chan_create(sizeof(long), 0);
	if (!CST_TRUE(channel))
		return;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		attr.name = names[i];
		groups[i] = cst_items_new(args[i], false, ways[i], NULL, &attr);
		if (!groups[i] || !CST_TRUE(cst_items_start(groups[i])))
			return;
		all += args[i];
	}
	CST_SOON(cst_parked() - before == all);
}

static void standing_end(const long *args)
{
	unsigned int i;

	if (!CST_TRUE(channel))
		return;
	costack_chan_close(channel);
	WRITE_ONCE(may_end, true);
	wake_up_all(&queue);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct cst_group *group = groups[i];

		/* Who hangs keeps what it uses. */
		groups[i] = NULL;
		if (group && !CST_FINISH(group, 42))
			return;
	}
	costack_chan_destroy(channel);
	channel = NULL;
}

static const struct cst_case cases[] = {
	{ "standing-begin", standing_begin },
	{ "standing-end", standing_end },
	{ }
};

struct cst_suite cst_standing = { .owner = THIS_MODULE, .cases = cases };
