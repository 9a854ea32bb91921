// SPDX-License-Identifier: GPL-2.0
/*
 * A block plug: flushed when the coroutine leaves its thread, as schedule() does, and
 * still there when it goes on. What shows a flush is a callback, as of a driver of md.
 *
 *	plug CALLED		all calls that leave the thread flush the plug; it stays in force
 *	plug-stranger		other coroutines in the thread have no plug meanwhile
 *	plug-grow		the thread has the plug's address: the stack grows in place
 *	plug-moved		while parked it is a root: a stack that shrinks adjusts it
 *	plug-cut CALLED		flushed where its frame is cut off
 *	plug-cancelled
 *	plug-left CALLED	left over at the end: the thread forgets it
 *
 * plug-stranger is for one worker, plug-grow and plug-moved are for the copy policy.
 */
#include <linux/blkdev.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "items.h"

#ifdef CONFIG_BLOCK

static atomic_t flushed;
static struct task_struct *owner;

static void count_flush(struct blk_plug_cb *cb, bool from_schedule)
{
	atomic_inc(&flushed);
	kfree(cb);
}

static void ask_for_flush(void)
{
	CST_TRUE(blk_check_plugged(count_flush, NULL, sizeof(struct blk_plug_cb)));
}

/* Was it flushed once since the last request, and is it in force? Makes a new request. */
static void expect_flush(struct blk_plug *plug)
{
	CST_EQ(1, atomic_xchg(&flushed, 0));
	CST_TRUE(current->plug == plug);
	ask_for_flush();
}

static DECLARE_WAIT_QUEUE_HEAD(nobody_wakes);

static bool enough;

/* Until one has come when the other one was parked. */
static int unpark_again(void *co)
{
	while (!READ_ONCE(enough)) {
		costack_unpark(co);
		CST_EQ(0, costack_sleep(1));
	}
	return 42;
}

static int plug_body(void *arg)
{
	struct cst_item *item = arg;
	struct costack_chan *chan = item->group->data;
	struct costack_work *work;
	struct blk_plug plug;
	long value = 0;
	int i;

	work = kzalloc(sizeof(*work), GFP_KERNEL);
	if (!CST_TRUE(work))
		return 0;
	blk_start_plug(&plug);
	ask_for_flush();
	CST_EQ(0, costack_sleep(1));
	expect_flush(&plug);
	CST_EQ(0, costack_wait_event_timeout(nobody_wakes, false, 1));
	expect_flush(&plug);
	WRITE_ONCE(enough, false);
	costack_work_init(work, unpark_again, costack_current(), NULL);
	CST_EQ(0, costack_queue(work));
	for (i = 0; i < 1000 && !atomic_read(&flushed); i++)
		CST_EQ(0, costack_park());
	expect_flush(&plug);
	WRITE_ONCE(enough, true);
	CST_EQ(42, costack_wait(work));
	atomic_set(&flushed, 0);
	ask_for_flush();
	/* Nobody receives: the value stays in the channel. */
	CST_EQ(0, costack_chan_send(chan, &value));
	CST_EQ(0, atomic_read(&flushed));
	if (!item->group->called) {
		CST_EQ(0, costack_yield());
		expect_flush(&plug);
	}
	blk_finish_plug(&plug);
	CST_EQ(1, atomic_xchg(&flushed, 0));
	CST_TRUE(!current->plug);
	kfree(work);
	return 42;
}

static void plug(const long *args)
{
	struct costack_chan *chan = costack_chan_create(sizeof(long), 1);
	struct cst_group *group = cst_items_new(1, args[0], plug_body, chan, NULL);

	if (!CST_TRUE(chan) || !group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	costack_chan_destroy(chan);
}

/* === Strangers === */

static int stranger_body(void *arg)
{
	struct cst_item *item = arg;
	struct blk_plug plug;
	int i;

	if (item->nr)
		CST_TRUE(!current->plug);
	else
		blk_start_plug(&plug);
	for (i = 0; i < 100; i++) {
		CST_EQ(0, costack_yield());
		CST_TRUE(current->plug == (item->nr ? NULL : &plug));
	}
	if (!item->nr)
		blk_finish_plug(&plug);
	return 42;
}

static void plug_stranger(const long *args)
{
	struct cst_group *group = cst_items_new(4, false, stranger_body, NULL, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

/* === Moves === */

static int grow_body(void *arg)
{
	struct blk_plug plug;
	unsigned long disguised;

	blk_start_plug(&plug);
	disguised = cst_disguise(&plug);
	ask_for_flush();
	cst_outgrow();
	CST_EQ(0, costack_ensure(costack_stack_left() + 1));
	CST_TRUE(cst_disguise(&plug) == disguised && current->plug == &plug);
	blk_finish_plug(&plug);
	CST_EQ(1, atomic_xchg(&flushed, 0));
	cst_outgrow();
	CST_TRUE(cst_disguise(&plug) != disguised);
	return 42;
}

static void plug_grow(const long *args)
{
	CST_EQ(42, costack_call(grow_body, NULL));
}

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static int moved_body(void *arg)
{
	struct blk_plug plug;
	unsigned long disguised;

	cst_use_stack(12 << 10);
	blk_start_plug(&plug);
	disguised = cst_disguise(&plug);
	ask_for_flush();
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	CST_TRUE(cst_disguise(&plug) != disguised);
	expect_flush(&plug);
	blk_finish_plug(&plug);
	CST_EQ(1, atomic_xchg(&flushed, 0));
	return 42;
}

static void plug_moved(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, moved_body, NULL, NULL);
	long shrunk = cst_stat("shrunk");

	if (!group)
		return;
	WRITE_ONCE(gate_is_open, false);
	cst_items_start(group);
	CST_SOON(cst_parked() == 1);
	cst_knob("shrink", "1");
	CST_EQ(shrunk + 1, cst_stat("shrunk"));
	WRITE_ONCE(gate_is_open, true);
	wake_up(&gate);
	CST_FINISH(group, 42);
}

/* === Ends === */

static noinline int cut_body(void *arg)
{
	struct blk_plug plug;
	int ret;

	owner = get_task_struct(current);
	blk_start_plug(&plug);
	ask_for_flush();
	ret = cst_overflow();
	blk_finish_plug(&plug);
	return ret;
}

static int cancelled_body(void *arg)
{
	struct blk_plug plug;
	int ret;

	owner = get_task_struct(current);
	blk_start_plug(&plug);
	ask_for_flush();
	ret = costack_wait_event(nobody_wakes, false);
	blk_finish_plug(&plug);
	return ret;
}

static int left_body(void *arg)
{
	struct blk_plug plug;

	owner = get_task_struct(current);
	blk_start_plug(&plug);
	return 42;
}

static void expect_clean_owner(void)
{
	CST_TRUE(!READ_ONCE(owner->plug));
	put_task_struct(owner);
	owner = NULL;
}

static void run_to_the_end(bool called, costack_fn_t fn, int ret)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	struct cst_group *group = cst_items_new(1, called, fn, NULL, &attr);

	if (!group)
		return;
	cst_items_start(group);
	if (ret == -ECANCELED) {
		CST_SOON(cst_parked() == 1);
		CST_EQ(0, costack_cancel(&group->item[0].work));
	}
	CST_FINISH(group, ret);
	expect_clean_owner();
}

static void plug_cut(const long *args)
{
	run_to_the_end(args[0], cut_body, -EOVERFLOW);
	CST_EQ(1, atomic_xchg(&flushed, 0));
}

static void plug_cancelled(const long *args)
{
	run_to_the_end(false, cancelled_body, -ECANCELED);
	CST_EQ(1, atomic_xchg(&flushed, 0));
}

static void plug_left(const long *args)
{
	run_to_the_end(args[0], left_body, 42);
}

static const struct cst_case cases[] = {
	{ "plug", plug },
	{ "plug-stranger", plug_stranger },
	{ "plug-grow", plug_grow },
	{ "plug-moved", plug_moved },
	{ "plug-cut", plug_cut },
	{ "plug-cancelled", plug_cancelled },
	{ "plug-left", plug_left },
	{ }
};

#else /* !CONFIG_BLOCK */

static const struct cst_case cases[] = { { } };

#endif /* CONFIG_BLOCK */

struct cst_suite cst_plugs = { .owner = THIS_MODULE, .cases = cases };
