// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail on purpose: -ENOMEM comes before a function starts, or from
 * a call that may give it, and never to one that grows.
 *
 *	scarce-call ROUNDS	costack_call(), and what a coroutine may ask for
 *	scarce-queue ITEMS ROUNDS
 *				the same for items, whose workers lack memory, too
 *	scarce-pack ITEMS ROUNDS
 *				for items that are packed at each park
 *	scarce-spare-begin, scarce-spare-end
 *				one that is packed goes on although its worker gets no memory at
 *				all from the second call on; this needs the knobs workers=1 and
 *				unmap=1
 *	scarce-seen		some calls have failed, and some have not
 *	scarce-fill BYTES	parked items of that size until there is no memory left;
 *				the machine lives, and so do they
 *
 * For all but the last the kernel must have been told to let some fail (failslab,
 * fail_page_alloc), for tasks that ask for it (task-filter): see debug-scarcity.sh.
 * Elsewhere none fails.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "costack_test.h"
#include "items.h"
#include "kept.h"

static atomic_long_t nr_failed, nr_done;

static void let_fail(bool fail)
{
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = fail;
#endif
}

/* 0 or -ENOMEM; anything else fails the case. */
static bool tally(int err)
{
	if (err == -ENOMEM)
		atomic_long_inc(&nr_failed);
	else if (CST_EQ(0, err))
		atomic_long_inc(&nr_done);
	return !err;
}

/* === Calls === */

struct caller {
	bool	started;
	long	deferred;
	long	ran;
};

static void count_defer(void *arg)
{
	long *ran = arg;

	++*ran;
}

static noinline int descend(int depth)
{
	char room[200];
	int below = 0;

	memset(room, depth, sizeof(room));
	barrier_data(room);
	if (depth)
		below = descend(depth - 1);
	barrier_data(room);
	return below + (room[0] != (char)depth);
}

static int channel(void *arg)
{
	struct costack_chan *chan = costack_chan_create(sizeof(long), 8);

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	costack_chan_destroy(chan);
	return 0;
}

/* A wait that needs memory and ends with its time. */
static int select_in_vain(void)
{
	struct costack_select_case never = COSTACK_RECV(NULL, NULL);
	int err = costack_select_timeout(&never, 1, 1);

	return err == -ETIMEDOUT ? 0 : err;
}

/* All that may fail does so with -ENOMEM, and growth does not fail. */
static int caller_body(void *arg)
{
	struct caller *caller = arg;
	void *local = caller;
	int i;

	caller->started = true;
	for (i = 0; i < 4; i++)
		caller->deferred += tally(costack_defer(count_defer, &caller->ran));
	if (tally(costack_track(&local)))
		CST_EQ(0, costack_untrack(&local));
	CST_EQ(0, descend(20));
	tally(costack_ensure(20000));
	tally(costack_on_host(channel, NULL));
	tally(select_in_vain());
	CST_EQ(0, descend(120));
	return 7;
}

static void scarce_call(const long *args)
{
	long round;
	int ret;

	for (round = 0; round < args[0]; round++) {
		/* Not on this stack: what a move does not follow is none of it. */
		static struct caller caller;

		caller = (struct caller) { };
		let_fail(true);
		ret = costack_call(caller_body, &caller);
		let_fail(false);
		CST_EQ(caller.started ? 7 : -ENOMEM, ret);
		CST_EQ(caller.deferred, caller.ran);
		tally(caller.started ? 0 : ret);
	}
}

/* === Items === */

static int item_body(void *arg)
{
	long round;

	/* The worker's: it stays so, which means nothing once none is to fail. */
	let_fail(true);
	for (round = 0; round < 4; round++) {
		CST_EQ(0, descend(10 + 30 * round));
		CST_EQ(0, costack_yield());
	}
	return 7;
}

struct batch {
	long			nr;
	struct costack_work	item[];
};

static void run_batch(struct batch *batch)
{
	long i, queued;
	int err, ret;

	for (i = 0; i < batch->nr; i++)
		costack_work_init(&batch->item[i], item_body, NULL, NULL);
	let_fail(true);
	for (queued = 0; queued < batch->nr; queued++) {
		err = costack_queue(&batch->item[queued]);
		if (!tally(err))
			break;
	}
	let_fail(false);
	for (i = 0; i < queued; i++) {
		ret = costack_wait(&batch->item[i]);
		if (ret != 7)
			tally(ret);
	}
}

static void scarce_queue(const long *args)
{
	struct batch *batch = kvzalloc(struct_size(batch, item, args[0]), GFP_KERNEL);
	long round;

	if (!CST_TRUE(batch))
		return;
	batch->nr = args[0];
	for (round = 0; round < args[1]; round++)
		run_batch(batch);
	kvfree(batch);
	CST_SOON(cst_stat("runners") == 0);
}

/* === Packed items === */

static const struct costack_attr packs = { .flags = COSTACK_PACK };

/* Once it has begun it goes on, sooner or later. */
static int packed_body(void *arg)
{
	struct cst_item *item = arg;
	long rounds = *(long *)item->group->data;
	struct kept kept;

	WRITE_ONCE(item->co, costack_current());
	while (item->count < rounds) {
		keep(&kept, item->nr + item->count);
		WRITE_ONCE(item->count, item->count + 1);
		CST_EQ(0, costack_park());
		CST_TRUE(is_kept(&kept, item->nr + item->count - 1));
		let_fail(true);
	}
	return 7;
}

/* How many have come to this round. */
static long nr_at(const struct cst_group *group, long round)
{
	unsigned int i;
	long nr = 0;

	for (i = 0; i < group->started; i++)
		nr += READ_ONCE(group->item[i].count) == round;
	return nr;
}

/* An item for which there is no memory at first has no round at all. */
static void scarce_pack(const long *args)
{
	long rounds = args[1], round;
	struct cst_group *group = cst_items_new(args[0], false, packed_body, &rounds, &packs);
	unsigned int i;

	if (!group)
		return;
	cst_items_start(group);
	for (round = 1; round <= rounds && !cst_failures(); round++) {
		CST_SOON(nr_at(group, round) == cst_stat("live"));
		for (i = 0; i < group->started; i++)
			if (group->item[i].count)
				costack_unpark(group->item[i].co);
	}
	if (!CST_JOIN(group))
		return;
	CST_TRUE(nr_at(group, rounds));
	for (i = 0; i < group->started; i++)
		CST_EQ(group->item[i].count ? 7 : -ENOMEM, group->item[i].ret);
	cst_items_free(group);
	CST_EQ(0, cst_stat("packed_now"));
	CST_SOON(cst_stat("runners") == 0);
}

static bool fails(void)
{
#ifdef CONFIG_FAULT_INJECTION
	return current->make_it_fail;
#else
	return false;
#endif
}

static struct cst_group *pair;
static bool may_go_on;

/*
 * Two items, in this order: the first one is unpacked while there is memory, so its runner has
 * a stack to spare from then on. It grows, which takes a stack of the runner's reserve. From then
 * on the runner's thread gets no memory, and the second one is to go on in it.
 */
static int spare_body(void *arg)
{
	struct cst_item *item = arg, *other = item + (item->nr ? -1 : 1);

	WRITE_ONCE(item->co, costack_current());
	CST_EQ(0, costack_park());
	item->count = fails();
	/* An earlier case may have left it so. */
	let_fail(false);
	if (item->nr) {
		costack_unpark(other->co);
		return 7;
	}
	cst_use_stack(6000);
	while (!READ_ONCE(may_go_on))
		msleep(20);
	let_fail(true);
	costack_unpark(other->co);
	CST_EQ(0, costack_park());
	return 7;
}

static void scarce_spare_begin(const long *args)
{
	pair = cst_items_new(2, false, spare_body, NULL, &packs);
	may_go_on = false;
	if (!pair || !cst_items_start(pair) || !CST_SOON(cst_stat("packed_now") == 2))
		return;
	costack_unpark(pair->item[0].co);
	CST_SOON(cst_stat("packed_now") == 1 && cst_parked() == 1);
}

static void scarce_spare_end(const long *args)
{
	WRITE_ONCE(may_go_on, true);
	if (!CST_JOIN(pair))
		return;
	CST_EQ(1, pair->item[1].count);
	CST_EQ(7, pair->item[0].ret);
	CST_EQ(7, pair->item[1].ret);
	cst_items_free(pair);
}

/* === A machine that is full === */

#define FILL_MAX	40000

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

/* Items that have begun; reset by the case. */
static atomic_t begun;

static int gate_body(void *arg)
{
	atomic_inc(&begun);
	return costack_wait_event(gate, READ_ONCE(gate_is_open)) ?: 7;
}

/* Runners there can be: as many sleep in here at once. */
#define WORKERS		64

static atomic_t napping;

static int nap_body(void *arg)
{
	atomic_inc(&napping);
	CST_UNTIL(atomic_read(&napping) >= WORKERS, "napping", msleep(50));
	return 42;
}

/*
 * costack starts another runner for one that waits for memory. The kernel makes the thread
 * for it, and kills processes if there is no memory for that. So all runners are made
 * before.
 */
static void make_threads(void)
{
	struct cst_group *group = cst_items_new(WORKERS, false, nap_body, NULL, NULL);

	atomic_set(&napping, 0);
	if (group) {
		cst_items_start(group);
		CST_FINISH(group, 42);
	}
}

/* Has one of the last 64 of @nr items been refused a stack? Reads what costs no memory. */
static bool any_refused(struct batch *batch, long nr)
{
	long i;

	for (i = max(nr - 64, 0L); i < nr; i++)
		if (READ_ONCE(batch->item[i].done))
			return true;
	return false;
}

static void scarce_fill(const long *args)
{
	const struct costack_attr attr = { .stack_first = args[0] };
	struct batch *batch = kvzalloc(struct_size(batch, item, FILL_MAX), GFP_KERNEL);
	long i, queued, ended = 0, refused = 0;
	int err = 0, ret;

	if (!CST_TRUE(batch))
		return;
	make_threads();
	atomic_set(&begun, 0);
	WRITE_ONCE(gate_is_open, false);
	for (queued = 0; queued < FILL_MAX; queued++) {
		costack_work_init(&batch->item[queued], gate_body, NULL, &attr);
		err = costack_queue(&batch->item[queued]);
		if (err)
			break;
		/* An item gets its stack when it starts: let them start, until one cannot. */
		if (queued % 64)
			continue;
		CST_SOON(atomic_read(&begun) > queued || any_refused(batch, queued + 1));
		if (any_refused(batch, queued + 1) || cst_failures())
			break;
	}
	queued += !err && queued < FILL_MAX;
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
	for (i = 0; i < queued; i++) {
		ret = costack_wait(&batch->item[i]);
		CST_TRUE(ret == 7 || ret == -ENOMEM);
		ended += ret == 7;
		refused += ret == -ENOMEM;
	}
	CST_TRUE(err == -ENOMEM || refused);
	/* At least those that had started by then. */
	CST_TRUE(ended > 100);
	kvfree(batch);
}

static void scarce_seen(const long *args)
{
	CST_TRUE(atomic_long_read(&nr_failed));
	CST_TRUE(atomic_long_read(&nr_done));
}

static const struct cst_case cases[] = {
	{ "scarce-call", scarce_call },
	{ "scarce-queue", scarce_queue },
	{ "scarce-pack", scarce_pack },
	{ "scarce-spare-begin", scarce_spare_begin },
	{ "scarce-spare-end", scarce_spare_end },
	{ "scarce-seen", scarce_seen },
	{ "scarce-fill", scarce_fill },
	{ }
};

struct cst_suite cst_scarce = { .owner = THIS_MODULE, .cases = cases };
