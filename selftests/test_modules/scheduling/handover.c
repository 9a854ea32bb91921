// SPDX-License-Identifier: GPL-2.0
/*
 * Hand-overs: a coroutine parks, and the next one goes on in its thread without the
 * host stack in between.
 *
 *	handover-edge STEP USECS	with too little room for it, STEP bytes less from
 *					place to place, under a storm of timers every USECS;
 *					and the next one needs the whole reserve to grow
 *	handover-limit STEP USECS	the same at the limit: the coroutine that hands over may be
 *					cut off, and the other one is not lost
 *	handover-ring ITEMS ROUNDS	from one to the next, all of which grow
 *	handover-cancel ROUNDS		one of two is cancelled while they hand over
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/random.h>

#include "items.h"

/**
 * struct ring - coroutines of which one has the turn
 * @turn: number of that one
 * @rounds: for each
 * @passed: turns so far
 * @left: bytes that the first one has when it hands over
 * @ended: those that unpark nobody any more
 */
struct ring {
	int		turn;
	long		rounds;
	long		passed;
	size_t		left;
	atomic_t	ended;
};

static struct ring ring;

static int await_turn(struct cst_item *item)
{
	int err = 0;

	while (READ_ONCE(ring.turn) != item->nr && !err)
		err = costack_park();
	return err;
}

static void pass_turn(struct cst_item *item)
{
	struct cst_item *next = &item->group->item[(item->nr + 1) % item->group->nr];

	/* Exact as long as only one has the turn; after a cancel both pass it. */
	WRITE_ONCE(ring.passed, READ_ONCE(ring.passed) + 1);
	WRITE_ONCE(ring.turn, next->nr);
	costack_unpark(READ_ONCE(next->co));
}

/* Do not end before all have returned from their unparks. */
static int leave_ring(struct cst_item *item)
{
	atomic_inc(&ring.ended);
	while (atomic_read(&ring.ended) < item->group->nr && !costack_yield())
		;
	return 42;
}

/* Nobody has the turn until all can be unparked: the first one waits for that. */
static void enter_ring(struct cst_item *item)
{
	unsigned int i;

	WRITE_ONCE(item->co, costack_current());
	for (i = 0; !item->nr && i < item->group->nr; i++)
		while (!READ_ONCE(item->group->item[i].co) && CST_EQ(0, costack_yield()))
			;
}

static struct cst_group *start_ring(unsigned int nr, costack_fn_t fn,
				    const struct costack_attr *attr)
{
	struct cst_group *group = cst_items_new(nr, false, fn, NULL, attr);

	ring.turn = 0;
	ring.passed = 0;
	atomic_set(&ring.ended, 0);
	if (group)
		cst_items_start(group);
	return group;
}

/* === At the edge === */

/* Half the limit: to grow from here takes half of the reserve. */
#define EDGE_SIZE	(8 * PAGE_SIZE)
/* More than pass_turn() and a park use. */
#define EDGE_MOST	640
/* Less than that: six registers and their calls. */
#define EDGE_LEAST	80L

static int hand_over_here(void *arg)
{
	pass_turn(arg);
	return await_turn(arg);
}

/* Grow to that size; the reserve is full, and the other one is parked meanwhile. */
static void grow_to_edge(void)
{
	while (costack_stack_size() < EDGE_SIZE)
		cst_outgrow();
	CST_EQ(0, costack_sleep(1));
}

static int edge_body(void *arg)
{
	struct cst_item *item = arg;
	size_t size;

	enter_ring(item);
	if (item->nr) {
		CST_EQ(0, await_turn(item));
		/* Grow to the limit, though the first one has just taken half of the reserve. */
		cst_use_stack(2 * EDGE_SIZE - 2 * PAGE_SIZE);
		CST_EQ(2 * EDGE_SIZE, costack_stack_size());
		pass_turn(item);
	} else {
		grow_to_edge();
		size = costack_stack_size();
		CST_EQ(0, cst_call_with_left(ring.left, hand_over_here, item));
		item->count = costack_stack_size() > size;
	}
	return leave_ring(item);
}

static void handover_edge(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct cst_group *group;
	long grown = 0;

	CST_EQ(0, cst_storm(args[1]));
	for (ring.left = EDGE_MOST; (long)ring.left >= 0 && !cst_failures();
	     ring.left -= args[0]) {
		group = start_ring(2, edge_body, &attr);
		if (!group)
			break;
		if (CST_JOIN(group))
			grown += group->item[0].count;
		CST_FINISH(group, 42);
	}
	CST_EQ(0, cst_storm(0));
	/* At least those with less room than a hand-over takes. */
	CST_EQ(EDGE_LEAST / args[0], min(grown, EDGE_LEAST / args[0]));
}

/* === At the limit === */

static int pass_and_park(void *arg)
{
	pass_turn(arg);
	return costack_park();
}

static int limit_body(void *arg)
{
	struct cst_item *item = arg;
	int err;

	enter_ring(item);
	if (item->nr) {
		err = await_turn(item);
		WRITE_ONCE(item->count, 1);
		return err ?: 42;
	}
	grow_to_edge();
	err = cst_call_with_left(ring.left, pass_and_park, item);
	/* Only the cancel unparks it. */
	CST_EQ(-ECANCELED, err);
	return err;
}

static void handover_limit(const long *args)
{
	struct costack_attr attr = {
		.stack_first = PAGE_SIZE, .stack_limit = EDGE_SIZE, .flags = COSTACK_ABORTABLE,
	};
	struct cst_group *group;
	long cut_off = 0, parked = 0;

	CST_EQ(0, cst_storm(args[1]));
	for (ring.left = EDGE_MOST; (long)ring.left >= 0 && !cst_failures();
	     ring.left -= args[0]) {
		group = start_ring(2, limit_body, &attr);
		if (!group)
			break;
		CST_SOON(READ_ONCE(group->item[1].count) || READ_ONCE(group->item[0].work.done));
		costack_cancel(&group->item[0].work);
		/* If the first was cut off before it woke this one, it is parked: this ends it. */
		costack_cancel(&group->item[1].work);
		if (CST_JOIN(group)) {
			cut_off += group->item[0].ret == -EOVERFLOW;
			parked += group->item[0].ret == -ECANCELED;
			CST_TRUE(group->item[1].ret == 42 || group->item[0].ret == -EOVERFLOW);
		}
		cst_items_free(group);
	}
	CST_EQ(0, cst_storm(0));
	/* Some with hardly any room were cut off, and all others did park. */
	CST_TRUE(cut_off >= 2);
	CST_TRUE(parked >= 2);
	if (!cst_failures())
		CST_EQ(EDGE_MOST / args[0] + 1, cut_off + parked);
}

/* === In a ring === */

static int ring_body(void *arg)
{
	struct cst_item *item = arg;
	/* From shallow to the limit, each at another turn. */
	const long deep[] = { 200, 3000, 9000, 20000, 40000 };

	enter_ring(item);
	for (; item->count < ring.rounds; item->count++) {
		CST_EQ(0, await_turn(item));
		CST_EQ(item->count * item->group->nr + item->nr, ring.passed);
		cst_use_stack(deep[(item->count + item->nr) % ARRAY_SIZE(deep)]);
		pass_turn(item);
	}
	return leave_ring(item);
}

static void handover_ring(const long *args)
{
	struct cst_group *group;

	ring.rounds = args[1];
	group = start_ring(args[0], ring_body, NULL);
	if (group)
		CST_FINISH(group, 42);
	CST_EQ(args[0] * args[1], ring.passed);
}

/* === Cancelled === */

/* Two that go on until either is told to end; then the other has to be told too. */
static int cancel_body(void *arg)
{
	struct cst_item *item = arg;
	int err = 0;

	enter_ring(item);
	while (!err && !READ_ONCE(ring.rounds)) {
		err = await_turn(item);
		WRITE_ONCE(item->count, item->count + 1);
		pass_turn(item);
	}
	CST_TRUE(!err || err == -ECANCELED);
	WRITE_ONCE(ring.rounds, 1);
	costack_unpark(READ_ONCE(item->group->item[!item->nr].co));
	atomic_inc(&ring.ended);
	/* A cancelled coroutine cannot wait. Neither ends while it may still be unparked. */
	while (atomic_read(&ring.ended) < 2) {
		WRITE_ONCE(ring.turn, !item->nr);
		costack_unpark(READ_ONCE(item->group->item[!item->nr].co));
		cst_relax();
	}
	atomic_inc(&ring.ended);
	while (atomic_read(&ring.ended) < 4)
		cst_relax();
	return err ? 42 : 0;
}

static void handover_cancel(const long *args)
{
	struct cst_group *group;
	long round;

	for (round = 0; round < args[0] && !cst_failures(); round++) {
		const int which = round % 2;

		WRITE_ONCE(ring.rounds, 0);
		group = start_ring(2, cancel_body, NULL);
		if (!group)
			return;
		CST_SOON(READ_ONCE(group->item[0].count) > 10);
		udelay(get_random_u32() % 500);
		CST_EQ(0, costack_cancel(&group->item[which].work));
		if (CST_JOIN(group)) {
			CST_EQ(42, group->item[which].ret);
			CST_EQ(0, group->item[!which].ret);
		}
		cst_items_free(group);
	}
}

static const struct cst_case cases[] = {
	{ "handover-edge", handover_edge },
	{ "handover-limit", handover_limit },
	{ "handover-ring", handover_ring },
	{ "handover-cancel", handover_cancel },
	{ }
};

struct cst_suite cst_handover = { .owner = THIS_MODULE, .cases = cases };
