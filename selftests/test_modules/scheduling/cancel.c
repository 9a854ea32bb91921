// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a work item: queued, cancelled at any time, and queued again.
 *
 *	cancel-new		an item that was not started never starts
 *	cancel-waiting HOW	cancelled while it waits, see ways[]; it goes on and is told
 *	cancel-abort HOW DEPTH	the same, and it is cut off there: defers, frames
 *	cancel-refuse-abort	it is not cut off, because its stack is pinned
 *	cancel-running, cancel-done
 *	cancel-all HOW ITEMS	all items of this module, which wait: 0 by a call, 1 by a call of
 *				an item, 2 by the file
 *	item-limit ITEMS	no more than the knob max_items allows
 *	cancel-race HOW ROUNDS	cancelled just when it is about to wait
 *	item-again ROUNDS	queued when done, and not before
 *	item-result
 *	item-start, item-end	one that waits between two cases
 *	item-leave ITEMS	items that end when nobody waits for them any more
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "items.h"

/* === Ways to wait === */

static DECLARE_WAIT_QUEUE_HEAD(never);
static struct costack_chan *empty, *full;

static int wait_park(void)
{
	return costack_park();
}

static int wait_sleep(void)
{
	return costack_sleep(1000 * HZ);
}

static int wait_event_never(void)
{
	return costack_wait_event(never, false);
}

static int wait_event_long(void)
{
	return costack_wait_event_timeout(never, false, 1000 * HZ);
}

static int wait_recv(void)
{
	long value = 4711;
	int err = costack_chan_recv(empty, &value);

	CST_EQ(4711, value);
	return err;
}

static int wait_send(void)
{
	long value = 4712;

	return costack_chan_send(full, &value);
}

static int wait_select_for(long timeout)
{
	long value = 4714;
	struct costack_select_case cases[] = {
		COSTACK_RECV(empty, &value), COSTACK_SEND(full, &value),
		COSTACK_RECV(NULL, &value), COSTACK_RECV(empty, NULL),
	};
	int ret = costack_select_timeout(cases, ARRAY_SIZE(cases), timeout);

	CST_EQ(4714, value);
	return ret;
}

static int wait_select(void)
{
	return wait_select_for(MAX_SCHEDULE_TIMEOUT);
}

static int wait_select_timeout(void)
{
	return wait_select_for(1000 * HZ);
}

/* Go's select {}. */
static int wait_select_nothing(void)
{
	return costack_select(NULL, 0);
}

static int wait_recv_timeout(void)
{
	long value = 4716;
	int err = costack_chan_recv_timeout(empty, &value, 1000 * HZ);

	CST_EQ(4716, value);
	return err;
}

static int wait_send_timeout(void)
{
	long value = 4717;

	return costack_chan_send_timeout(full, &value, 1000 * HZ);
}

static int wait_yield(void)
{
	int err;

	do
		err = costack_yield();
	while (!err);
	return err;
}

static int (* const ways[])(void) = {
	wait_park, wait_sleep, wait_event_never, wait_event_long, wait_recv, wait_send,
	wait_yield, wait_select, wait_select_timeout, wait_select_nothing, wait_recv_timeout,
	wait_send_timeout,
};

static int way;

#define YIELD	6

/* Both are as if nobody had ever waited. */
static void destroy_channels(void)
{
	long value = 0;

	CST_EQ(-EAGAIN, costack_chan_try_recv(empty, NULL));
	CST_EQ(0, costack_chan_try_recv(full, &value));
	CST_EQ(4713, value);
	CST_EQ(-EAGAIN, costack_chan_try_recv(full, NULL));
	costack_chan_destroy(empty);
	costack_chan_destroy(full);
}

static bool make_channels(void)
{
	long value = 4713;

	empty = costack_chan_create(sizeof(long), 0);
	full = costack_chan_create(sizeof(long), 1);
	if (!CST_TRUE(empty && full))
		return false;
	return CST_EQ(0, costack_chan_try_send(full, &value));
}

/* === While it waits === */

static int waiting_body(void *arg)
{
	struct cst_item *item = arg;
	unsigned int i;

	WRITE_ONCE(item->count, 1);
	CST_EQ(-ECANCELED, ways[way]());
	/* And so do all others from now on. */
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		CST_EQ(-ECANCELED, ways[i]());
	return item->nr ? 42 : 0;
}

static void wait_until_waiting(const struct cst_group *group)
{
	unsigned int i;

	/* Several workers start them: they may begin in any order. */
	for (i = 0; i < group->nr; i++)
		CST_SOON(READ_ONCE(group->item[i].count));
	if (way != YIELD)
		CST_SOON(cst_parked() == group->nr);
}

static void cancel_all(struct cst_group *group)
{
	unsigned int i;

	for (i = 0; i < group->nr; i++) {
		CST_EQ(0, costack_cancel(&group->item[i].work));
		/* A second cancel makes no difference; the item may have ended by now. */
		costack_cancel(&group->item[i].work);
	}
}

static void cancel_waiting(const long *args)
{
	struct cst_group *group = cst_items_new(3, false, waiting_body, NULL, NULL);

	way = args[0];
	if (!make_channels() || !group)
		return;
	cst_items_start(group);
	wait_until_waiting(group);
	cancel_all(group);
	CST_JOIN(group);
	/* They were not cut off: their results are their own. */
	CST_EQ(0, group->item[0].ret);
	CST_EQ(42, group->item[1].ret);
	CST_EQ(42, group->item[2].ret);
	cst_items_free(group);
	CST_TRUE(cst_nobody_waits(&never));
	destroy_channels();
}

/* === Cut off === */

#define MAGIC	0x6d61676963UL

/**
 * struct mark - a local that a defer gets the address of
 * @level: of the frame that it is in
 * @magic: MAGIC + @level
 * @self: address of this struct, wherever it is
 */
struct mark {
	long		level;
	unsigned long	magic;
	struct mark	*self;
};

static long ran;
static bool wrong_order, wrong_mark, waits_again;

static noinline void undo(void *arg)
{
	const struct mark *mark = arg;

	wrong_mark |= mark->magic != MAGIC + mark->level || mark->self != mark ||
		      (unsigned long)mark - cst_stack_lo() >= costack_stack_size();
	/* The deepest comes first. */
	wrong_order |= mark->level != ran;
	/* It is still cancelled. */
	waits_again |= costack_yield() != -ECANCELED;
	ran++;
}

static noinline int dig(struct cst_item *item, long levels)
{
	struct mark mark = { levels, MAGIC + levels, &mark };
	int err;

	barrier_data(&mark);
	CST_EQ(0, costack_defer(undo, &mark));
	if (levels) {
		err = dig(item, levels - 1);
	} else {
		WRITE_ONCE(item->count, 1);
		err = ways[way]();
	}
	barrier_data(&mark);
	return err + (mark.level != levels);
}

static long depth;

static int abort_body(void *arg)
{
	dig(arg, depth);
	/* Not reached. */
	CST_EQ(0, 1);
	return 42;
}

static void cancel_abort(const long *args)
{
	struct costack_attr attr = { .name = "cancel-abort", .flags = COSTACK_ABORTABLE };
	struct cst_group *group = cst_items_new(1, false, abort_body, NULL, &attr);

	way = args[0];
	depth = args[1];
	ran = 0;
	wrong_order = false;
	wrong_mark = false;
	waits_again = false;
	if (!make_channels() || !group)
		return;
	cst_items_start(group);
	wait_until_waiting(group);
	CST_EQ(0, costack_cancel(&group->item[0].work));
	CST_FINISH(group, -ECANCELED);
	CST_EQ(depth + 1, ran);
	CST_EQ(false, wrong_order);
	CST_EQ(false, wrong_mark);
	CST_EQ(false, waits_again);
	CST_TRUE(cst_nobody_waits(&never));
	destroy_channels();
}

static void cancel_refuse_abort(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE | COSTACK_PINNED };
	struct cst_group *group = cst_items_new(3, false, waiting_body, NULL, &attr);

	way = 0;
	if (!make_channels() || !group)
		return;
	cst_items_start(group);
	wait_until_waiting(group);
	cancel_all(group);
	CST_JOIN(group);
	CST_EQ(42, group->item[1].ret);
	CST_EQ(42, group->item[2].ret);
	cst_items_free(group);
	destroy_channels();
}

/* === Before, while and after it runs === */

static int count_body(void *arg)
{
	struct cst_item *item = arg;

	item->count++;
	return 42;
}

/*
 * There is only one worker, so that nobody else runs them in between, unless an emulated
 * CPU stands still for so long that costack starts another worker.
 */
static int cancel_new_body(void *arg)
{
	struct cst_item *item = arg;
	struct cst_group *group = item->group->data;
	unsigned int i;

	cst_items_start(group);
	/* All but one. */
	for (i = 1; i < group->nr; i++)
		costack_cancel(&group->item[i].work);
	return 42;
}

/* Returns how many were not started. */
static unsigned int cancel_new_once(void)
{
	struct cst_group *group = cst_items_new(5, false, count_body, NULL, NULL);
	struct cst_group *canceller = cst_items_new(1, false, cancel_new_body, group, NULL);
	unsigned int i, new = 0;

	if (!group || !canceller)
		return 0;
	cst_items_start(canceller);
	CST_FINISH(canceller, 42);
	CST_JOIN(group);
	CST_EQ(42, group->item[0].ret);
	for (i = 0; i < group->nr; i++) {
		CST_EQ(group->item[i].count ? 42 : -ECANCELED, group->item[i].ret);
		new += !group->item[i].count;
	}
	cst_items_free(group);
	return new;
}

static void cancel_new(const long *args)
{
	unsigned int round, all = 0;

	for (round = 0; round < 10 && !cst_failures(); round++)
		all += cancel_new_once() == 4;
	CST_TRUE(all > 0);
}

static bool is_cancelled;

static int running_body(void *arg)
{
	struct cst_item *item = arg;

	WRITE_ONCE(item->count, 1);
	CST_SPIN(READ_ONCE(is_cancelled));
	/* What does not wait works as ever. */
	CST_EQ(0, costack_ensure(10000));
	CST_EQ(0, costack_pin());
	CST_EQ(0, costack_unpin());
	CST_EQ(-ECANCELED, costack_park());
	return 43;
}

static void cancel_running(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, running_body, NULL, NULL);

	if (!group)
		return;
	WRITE_ONCE(is_cancelled, false);
	cst_items_start(group);
	CST_SOON(READ_ONCE(group->item[0].count));
	CST_EQ(0, costack_cancel(&group->item[0].work));
	WRITE_ONCE(is_cancelled, true);
	CST_FINISH(group, 43);
}

static void cancel_done(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, count_body, NULL, NULL);
	struct costack_work *work;

	if (!group)
		return;
	work = &group->item[0].work;
	CST_EQ(-EINVAL, costack_cancel(work));
	cst_items_start(group);
	CST_JOIN(group);
	CST_EQ(-EINVAL, costack_cancel(work));
	CST_EQ(42, costack_wait(work));
	/* The cancel does not stay in force. */
	CST_EQ(0, costack_queue(work));
	CST_EQ(42, costack_wait(work));
	cst_items_free(group);
}

/* === All of a module, and how many it may have === */

static int parked_body(void *arg)
{
	return costack_park();
}

static int cancelling_body(void *arg)
{
	unsigned int *nr = ((struct cst_item *)arg)->group->data;

	*nr = costack_cancel_all();
	return costack_park();
}

static void cancel_module(const long *args)
{
	static const char file[] = "/sys/kernel/costack/cancel";
	unsigned int nr = 0;
	struct cst_group *group = cst_items_new(args[1], false, parked_body, NULL, NULL);
	struct cst_group *last = cst_items_new(1, false, cancelling_body, &nr, NULL);

	if (!group || !last)
		return;
	cst_items_start(group);
	CST_SOON(cst_parked() == args[1]);
	CST_EQ(-ENOENT, cst_write_file(file, "costack_test_"));
	CST_EQ(-ENOENT, cst_write_file(file, "costack"));
	CST_EQ(args[1], cst_parked());
	switch (args[0]) {
	case 0:
		CST_EQ(args[1], costack_cancel_all());
		break;
	case 1:
		cst_items_start(last);
		CST_FINISH(last, -ECANCELED);
		CST_EQ(args[1] + 1, nr);
		break;
	default:
		CST_EQ(0, cst_write_file(file, KBUILD_MODNAME "\n"));
	}
	CST_FINISH(group, -ECANCELED);
	CST_EQ(0, costack_cancel_all());
	CST_EQ(-ENOENT, cst_write_file(file, KBUILD_MODNAME));
	if (args[0] != 1)
		cst_items_free(last);
}

static void item_limit(const long *args)
{
	int others = module_refcount(THIS_MODULE);
	struct cst_group *group = cst_items_new(args[0], false, parked_body, NULL, NULL);
	unsigned int i;
	char text[16];

	if (!group)
		return;
	snprintf(text, sizeof(text), "%ld", others + args[0] - 1);
	cst_knob("max_items", text);
	for (i = 0; i < args[0] - 1; i++)
		CST_EQ(0, costack_queue(&group->item[i].work));
	CST_EQ(-EAGAIN, costack_queue(&group->item[i].work));
	CST_EQ(-EAGAIN, costack_queue(&group->item[i].work));
	/* There is room again when one has ended. */
	CST_EQ(0, costack_cancel(&group->item[0].work));
	CST_EQ(-ECANCELED, costack_wait(&group->item[0].work));
	CST_EQ(0, costack_queue(&group->item[i].work));
	CST_EQ(-EAGAIN, costack_queue(&group->item[0].work));
	cst_knob("max_items", "0");
	CST_EQ(0, costack_queue(&group->item[0].work));
	group->started = args[0];
	CST_EQ(args[0], costack_cancel_all());
	CST_FINISH(group, -ECANCELED);
	CST_EQ(others, module_refcount(THIS_MODULE));
}

/* === Just when it is about to wait === */

static int racing_body(void *arg)
{
	struct cst_item *item = arg;
	int err;

	WRITE_ONCE(item->count, 1);
	err = ways[way]();
	WRITE_ONCE(item->count, 2);
	return err;
}

/* The item is cancelled so long after it has begun to wait. */
static bool race_once(struct cst_item *item, unsigned int nsecs)
{
	u64 start;

	item->count = 0;
	if (!CST_EQ(0, costack_queue(&item->work)))
		return false;
	item->group->started = 1;
	CST_SPIN(READ_ONCE(item->count));
	for (start = ktime_get_ns(); ktime_get_ns() - start < nsecs; )
		cpu_relax();
	CST_EQ(0, costack_cancel(&item->work));
	/* The join reports an item that hangs. */
	return CST_SPIN(READ_ONCE(item->count) == 2) &&
	       CST_EQ(-ECANCELED, costack_wait(&item->work));
}

static void cancel_race(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, racing_body, NULL, NULL);
	long round;

	way = args[0];
	if (!make_channels() || !group)
		return;
	for (round = 0; round < args[1] && !cst_failures(); round++)
		race_once(&group->item[0], round % 64 * 100);
	CST_FINISH(group, -ECANCELED);
	if (!cst_failures())
		destroy_channels();
}

/* === Again, and what came of it === */

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static void set_gate(bool open)
{
	WRITE_ONCE(gate_is_open, open);
	wake_up_all(&gate);
}

static int gate_body(void *arg)
{
	struct cst_item *item = arg;

	item->count++;
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return 42;
}

static void item_again(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, gate_body, NULL, NULL);
	struct costack_work *work;
	long round;

	if (!group)
		return;
	work = &group->item[0].work;
	for (round = 1; round <= args[0] && !cst_failures(); round++) {
		set_gate(false);
		CST_EQ(0, costack_queue(work));
		CST_EQ(-EBUSY, costack_queue(work));
		if (round % 10 == 1)
			CST_SOON(cst_parked() == 1);
		CST_EQ(-EBUSY, costack_queue(work));
		set_gate(true);
		CST_EQ(42, costack_wait(work));
		CST_EQ(round, group->item[0].count);
	}
	cst_items_free(group);
}

static int deep_body(void *arg)
{
	struct cst_item *item = arg;

	cst_use_stack(item->nr * 10000);
	return item->nr;
}

static void count_up(void *arg)
{
	struct cst_item *item = arg;

	item->count++;
}

static int bottomless_body(void *arg)
{
	CST_EQ(0, costack_defer(count_up, arg));
	cst_use_stack(20000);
	return 42;
}

static void item_result(const long *args)
{
	struct costack_attr bad = { .stack_limit = 1 << 20 };
	struct costack_attr attr = { .stack_limit = 16384, .flags = COSTACK_ABORTABLE };
	struct cst_group *group = cst_items_new(6, false, deep_body, NULL, NULL);
	unsigned int i;

	if (!group)
		return;
	cst_items_start(group);
	CST_JOIN(group);
	for (i = 0; i < group->nr; i++) {
		const struct costack_work *work = &group->item[i].work;

		CST_EQ(i, work->ret);
		CST_EQ(i, group->item[i].ret);
		CST_TRUE(i ? work->growths >= 1 && work->growths <= 4 : !work->growths);
		CST_TRUE(i ? work->deepest > i * 5000 && work->deepest < 65536 : !work->deepest);
	}
	cst_items_free(group);
	group = cst_items_new(1, false, deep_body, NULL, &bad);
	if (!group)
		return;
	CST_EQ(-EINVAL, costack_queue(&group->item[0].work));
	CST_EQ(-EINVAL, costack_queue(&group->item[0].work));
	cst_items_free(group);
	group = cst_items_new(3, false, bottomless_body, NULL, &attr);
	if (!group)
		return;
	cst_items_start(group);
	CST_JOIN(group);
	for (i = 0; i < group->nr; i++) {
		CST_EQ(-EOVERFLOW, group->item[i].ret);
		CST_EQ(1, group->item[i].count);
	}
	cst_items_free(group);
}

static struct cst_group *kept;

static void item_start(const long *args)
{
	kept = cst_items_new(1, false, gate_body, NULL, NULL);
	if (!kept)
		return;
	set_gate(false);
	cst_items_start(kept);
	CST_SOON(cst_parked() == 1);
}

static void item_end(const long *args)
{
	if (!CST_TRUE(kept))
		return;
	set_gate(true);
	CST_FINISH(kept, 42);
	kept = NULL;
}

/* Part of the module: gone when it is unloaded, which is when the last has ended. */
static struct costack_work leaving[64];

static int leaving_body(void *arg)
{
	unsigned int nr = (struct costack_work *)arg - leaving;

	CST_EQ(0, costack_sleep(nr % 16));
	cst_outgrow();
	return 0;
}

static void item_leave(const long *args)
{
	unsigned int i;

	for (i = 0; i < min_t(long, args[0], ARRAY_SIZE(leaving)); i++) {
		costack_work_init(&leaving[i], leaving_body, &leaving[i], NULL);
		CST_EQ(0, costack_queue(&leaving[i]));
	}
}

static const struct cst_case cases[] = {
	{ "cancel-new", cancel_new },
	{ "cancel-waiting", cancel_waiting },
	{ "cancel-abort", cancel_abort },
	{ "cancel-refuse-abort", cancel_refuse_abort },
	{ "cancel-running", cancel_running },
	{ "cancel-done", cancel_done },
	{ "cancel-all", cancel_module },
	{ "item-limit", item_limit },
	{ "cancel-race", cancel_race },
	{ "item-again", item_again },
	{ "item-result", item_result },
	{ "item-start", item_start },
	{ "item-end", item_end },
	{ "item-leave", item_leave },
	{ }
};

struct cst_suite cst_cancel = { .owner = THIS_MODULE, .cases = cases };
