// SPDX-License-Identifier: GPL-2.0
/*
 * Coroutines that are stuck, and coroutines that hold their workers.
 *
 *	stuck-begin NR HOW	NR work items park until stuck-end; HOW is 1: they are packed;
 *				2: they wait for a channel, with a timeout of an hour;
 *				3: they run by costack_call(), in threads
 *	stuck-wake		wakes them all: they park again
 *	stuck-hold HOW		one work item holds its worker until stuck-end; HOW is 0: asleep;
 *				1: in costack_on_host(), so asleep on the host stack;
 *				2: it computes
 *	stuck-show ITEM		costack_show_items(), called by a thread or by a work item, finds
 *				as many items as stuck-begin has started, and that one
 *	stuck-end		they end
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>

#include <linux/costack.h>

#include "costack_test.h"
#include "items.h"

static bool over;
static struct costack_chan *chan;
static struct cst_group *group;
static DECLARE_COMPLETION(let_go);

static noinline void stuck_park(struct cst_item *item)
{
	CST_EQ(0, costack_park());
	WRITE_ONCE(item->count, item->count + 1);
}

static int stuck_body(void *arg)
{
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	while (!READ_ONCE(over))
		stuck_park(item);
	return 42;
}

static int stuck_timed(void *arg)
{
	long value;

	CST_EQ(-EPIPE, costack_chan_recv_timeout(chan, &value, 3600 * HZ));
	return 42;
}

static void stuck_begin(const long *args)
{
	const struct costack_attr attr = {
		.name	= "stuck one",
		.flags	= args[1] == 1 ? COSTACK_PACK : 0,
	};
	long before = cst_parked();

	over = false;
	chan = costack_chan_create(sizeof(long), 0);
	if (!CST_TRUE(chan))
		return;
	group = cst_items_new(args[0], args[1] == 3, args[1] == 2 ? stuck_timed : stuck_body, NULL,
			      &attr);
	if (group && CST_TRUE(cst_items_start(group)) && args[1] != 3)
		CST_SOON(cst_parked() - before == args[0]);
}

/* Each has had a turn, and has parked again. */
static void stuck_wake(const long *args)
{
	long before = cst_parked(), counts[2];
	unsigned int i;

	for (i = 0; i < group->started; i++) {
		counts[0] = READ_ONCE(group->item[i].count);
		costack_unpark(READ_ONCE(group->item[i].co));
		CST_SOON((counts[1] = READ_ONCE(group->item[i].count)) > counts[0]);
	}
	CST_SOON(cst_parked() == before);
}

static noinline void stuck_asleep(void)
{
	/* A sleep that lasts until somebody has looked at it. */
	while (!READ_ONCE(over))
		msleep(1000);
}

static int holds_asleep(void *arg)
{
	stuck_asleep();
	return 42;
}

static int holds_on_host(void *arg)
{
	return cst_hold_until(&let_go) ?: 42;
}

static int holds_computing(void *arg)
{
	while (!READ_ONCE(over))
		cond_resched();
	return 42;
}

static void stuck_hold(const long *args)
{
	static const costack_fn_t bodies[] = { holds_asleep, holds_on_host, holds_computing };

	over = false;
	reinit_completion(&let_go);
	group = cst_items_new(1, false, bodies[args[0]], NULL, NULL);
	if (group)
		CST_TRUE(cst_items_start(group));
}

static int show_body(void *arg)
{
	return costack_show_items();
}

static void stuck_show(const long *args)
{
	struct cst_group *shower;

	if (!args[0]) {
		CST_EQ(group->nr, costack_show_items());
		return;
	}
	shower = cst_items_new(1, false, show_body, NULL, NULL);
	if (!shower)
		return;
	cst_items_start(shower);
	CST_FINISH(shower, group->nr + 1);
}

static void stuck_end(const long *args)
{
	unsigned int i;

	WRITE_ONCE(over, true);
	complete(&let_go);
	if (chan)
		CST_EQ(0, costack_chan_close(chan));
	for (i = 0; i < group->started; i++)
		if (READ_ONCE(group->item[i].co))
			costack_unpark(READ_ONCE(group->item[i].co));
	if (CST_FINISH(group, 42) && chan)
		costack_chan_destroy(chan);
	group = NULL;
	chan = NULL;
}

static const struct cst_case cases[] = {
	{ "stuck-begin", stuck_begin },
	{ "stuck-wake", stuck_wake },
	{ "stuck-hold", stuck_hold },
	{ "stuck-show", stuck_show },
	{ "stuck-end", stuck_end },
	{ }
};

struct cst_suite cst_stuck = { .owner = THIS_MODULE, .cases = cases };
