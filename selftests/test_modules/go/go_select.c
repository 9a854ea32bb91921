// SPDX-License-Identifier: GPL-2.0
/*
 * Select: what Go's tests of it and of channels assert (see go.h).
 *
 *	go.Chan			a channel blocks when it is empty or full, passes its values in
 *				order and once, and gives what it has after it was closed
 *	go.Select3		which selects block, and which do not
 *	go.NonblockRecvRace	a select with a default sees a value that is there, while the
 *				channel is closed
 *	go.NonblockSelectRace	it sees all channels at one moment: one of two is always ready
 *	go.NonblockSelectRace2	the same with a close
 *	go.SelfSelect		two coroutines send and receive at one channel in each select, and
 *				nobody gets the value that it sends
 *	go.SelectStress		all channels of a select keep their own count of values
 *	go.SelectFairness	two channels that are always ready are served alike
 *	go.PseudoRandomSend	a select of two sends to one channel takes either
 *	go.MultiConsumer	many workers between two channels: the sum is right
 *	go.SelectDuplicateChannel
 *				a coroutine is on the queue of a channel twice, and leaves it
 *				without harm to others
 *	go.SelectStackAdjust	places on the stack that hold addresses of the stack follow its
 *				moves, all cases of one select
 *	go.ShrinkStackDuringBlockedSend-select
 *				a sender's stack shrinks while it is blocked in a select
 *
 * Go's select with a default is costack_try_select().
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "go.h"
#include "items.h"

/* Make @nr channels for words; the case has failed if that fails. */
static bool make_chans(struct costack_chan **chans, unsigned int nr, unsigned int room)
{
	unsigned int i;
	bool made = true;

	for (i = 0; i < nr; i++) {
		chans[i] = costack_chan_create(sizeof(long), room);
		made &= !!chans[i];
	}
	return CST_TRUE(made);
}

/* If coroutines hang, the channels stay for them. */
static void free_chans(struct costack_chan **chans, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && !cst_failures(); i++)
		costack_chan_destroy(chans[i]);
}

/* === Chan === */

static struct costack_chan *c[4];

static int recv_until_closed(void *arg)
{
	struct cst_item *item = arg;
	long value, before = -1;
	int err;

	while (!(err = costack_chan_recv(c[0], &value))) {
		CST_TRUE(value > before);
		before = value;
		item->count++;
	}
	return err;
}

static int send_in_order(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data;

	for (; item->count < rounds; item->count++)
		CST_EQ(0, costack_chan_send(c[0], &item->count));
	return 42;
}

static void chan_with_room(unsigned int room, long rounds)
{
	struct cst_group *from, *to;
	long value = 1;
	unsigned int i;

	if (!make_chans(c, 1, room))
		return;
	/* Receiving from an empty one blocks, sending to a full one blocks. */
	to = cst_items_new(1, false, recv_until_closed, NULL, NULL);
	from = cst_items_new(1, false, send_in_order, (void *)rounds, NULL);
	if (!to || !from)
		return;
	CST_EQ(-EAGAIN, costack_chan_try_recv(c[0], &value));
	cst_items_start(from);
	if (room < rounds)
		go_wait_parked(1);
	for (i = 0; i < room && i < rounds; i++) {
		CST_EQ(0, costack_chan_try_recv(c[0], &value));
		CST_EQ(i, value);
	}
	/* The others arrive in order. */
	cst_items_start(to);
	CST_FINISH(from, 42);
	go_wait_parked(1);
	CST_EQ(rounds - i, READ_ONCE(to->item[0].count));
	/* The close tells the one that waits, and what is in the buffer stays. */
	for (i = 0; i < 2; i++) {
		CST_EQ(0, costack_chan_close(c[0]));
		CST_FINISH(to, -EPIPE);
		CST_EQ(-EPIPE, costack_chan_try_recv(c[0], &value));
		free_chans(c, 1);
		if (!room || i || !make_chans(c, 1, room))
			return;
		CST_EQ(0, costack_chan_try_send(c[0], &value));
		to = cst_items_new(1, false, recv_until_closed, NULL, NULL);
		if (!to)
			return;
		cst_items_start(to);
	}
}

/* Go's TestChan, without the many at the end, which test-chan.sh has. */
static void chan(const long *args)
{
	unsigned int room;

	for (room = 0; room < args[0] && !cst_failures(); room++)
		chan_with_room(room, 100);
}

/* === Select3 === */

enum channel { NIL, EMPTY, ONE, FULL, CLOSED, NO_ROOM, NR_CHANNELS };

static struct costack_chan *table[NR_CHANNELS];

/* What a select has, and what it does: the index of the case that is served, or BLOCKS. */
#define BLOCKS		-1

static const struct row {
	struct {
		enum channel	chan;
		bool		send;
	} cases[2];
	int nr;
	int served;
	int ret;
} rows[] = {
	{ .nr = 0, .served = BLOCKS },
	{ .cases = { { NIL, false } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { NIL, true } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { NIL, true }, { NIL, false } }, .nr = 2, .served = BLOCKS },
	{ .cases = { { EMPTY, false } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { EMPTY, true } }, .nr = 1, .served = 0 },
	{ .cases = { { ONE, false } }, .nr = 1, .served = 0 },
	{ .cases = { { FULL, true } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { FULL, false } }, .nr = 1, .served = 0 },
	{ .cases = { { FULL, true }, { EMPTY, false } }, .nr = 2, .served = BLOCKS },
	{ .cases = { { FULL, true }, { EMPTY, true } }, .nr = 2, .served = 1 },
	{ .cases = { { NIL, true }, { ONE, false } }, .nr = 2, .served = 1 },
	{ .cases = { { CLOSED, false } }, .nr = 1, .served = 0, .ret = -EPIPE },
	{ .cases = { { CLOSED, true } }, .nr = 1, .served = 0, .ret = -EPIPE },
	{ .cases = { { EMPTY, false }, { CLOSED, false } }, .nr = 2, .served = 1, .ret = -EPIPE },
	{ .cases = { { CLOSED, true }, { FULL, true } }, .nr = 2, .served = 0, .ret = -EPIPE },
	{ .cases = { { NO_ROOM, false } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { NO_ROOM, true } }, .nr = 1, .served = BLOCKS },
	{ .cases = { { NO_ROOM, true }, { NO_ROOM, false } }, .nr = 2, .served = BLOCKS },
};

static bool make_table(void)
{
	static const unsigned int rooms[] = { 0, 2, 2, 1, 1, 0 };
	long value = 7;
	int i;

	for (i = EMPTY; i < NR_CHANNELS; i++) {
		table[i] = costack_chan_create(sizeof(long), rooms[i]);
		if (!CST_TRUE(table[i]))
			return false;
	}
	CST_EQ(0, costack_chan_try_send(table[ONE], &value));
	CST_EQ(0, costack_chan_try_send(table[FULL], &value));
	return CST_EQ(0, costack_chan_close(table[CLOSED]));
}

static void fill_cases(const struct row *row, struct costack_select_case *cases, long *value)
{
	int i;

	for (i = 0; i < row->nr; i++) {
		struct costack_chan *at = table[row->cases[i].chan];

		cases[i] = (struct costack_select_case)COSTACK_RECV(at, value);
		cases[i].send = row->cases[i].send;
	}
}

static int select_row(void *arg)
{
	struct cst_item *item = arg;
	const struct row *row = item->group->data;
	struct costack_select_case cases[2];
	long value = 8;
	int ret;

	fill_cases(row, cases, &value);
	ret = costack_select(cases, row->nr);
	if (ret >= 0)
		CST_EQ(row->ret, cases[ret].ret);
	return ret;
}

static void check_row(const struct row *row)
{
	struct cst_group *group = cst_items_new(1, false, select_row, (void *)row, NULL);
	struct costack_select_case cases[2];
	static long value;

	if (!make_table() || !group)
		return;
	if (row->served == BLOCKS) {
		/* With a default it does not block, before, while and after somebody waits. */
		fill_cases(row, cases, &value);
		CST_EQ(-EAGAIN, costack_try_select(cases, row->nr));
		cst_items_start(group);
		go_wait_parked(1);
		CST_EQ(1, cst_stat("live"));
		CST_EQ(0, costack_cancel(&group->item[0].work));
		CST_FINISH(group, -ECANCELED);
		CST_EQ(-EAGAIN, costack_try_select(cases, row->nr));
	} else {
		cst_items_start(group);
		CST_FINISH(group, row->served);
	}
	free_chans(&table[EMPTY], NR_CHANNELS - EMPTY);
}

static void select3(const long *args)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows) && !cst_failures(); i++)
		check_row(&rows[i]);
}

/* === A default while others change the channels === */

static int try_first(void *unused)
{
	struct costack_select_case recv = COSTACK_RECV(c[0], NULL);

	return costack_try_select(&recv, 1);
}

/* Go's TestNonblockRecvRace. */
static void nonblock_recv_race(const long *args)
{
	struct costack_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	long round, value = 1;

	if (!CST_TRUE(work))
		return;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		if (!make_chans(c, 1, 1))
			break;
		CST_EQ(0, costack_chan_try_send(c[0], &value));
		costack_work_init(work, try_first, NULL, NULL);
		CST_EQ(0, costack_queue(work));
		CST_EQ(0, costack_chan_close(c[0]));
		/* Go's test takes the value if the other one has not yet. */
		CST_EQ(0, costack_wait(work));
		CST_EQ(-EPIPE, costack_chan_try_recv(c[0], &value));
		free_chans(c, 1);
	}
	kfree(work);
}

static int try_both(void *unused)
{
	struct costack_select_case both[] = { COSTACK_RECV(c[0], NULL), COSTACK_RECV(c[1], NULL) };

	return costack_try_select(both, 2);
}

/* The first is ready; then the second is, and only then the first is not. */
static void nonblock_select_race(const long *args, bool by_close)
{
	struct costack_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	long round, value = 1;
	int ret;

	if (!CST_TRUE(work))
		return;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		if (!make_chans(c, 2, 1))
			break;
		CST_EQ(0, costack_chan_try_send(c[0], &value));
		costack_work_init(work, try_both, NULL, NULL);
		CST_EQ(0, costack_queue(work));
		cst_spin_usecs(round % 32);
		if (by_close)
			CST_EQ(0, costack_chan_close(c[1]));
		else
			CST_EQ(0, costack_chan_try_send(c[1], &value));
		costack_chan_try_recv(c[0], &value);
		ret = costack_wait(work);
		CST_TRUE(ret == 0 || ret == 1);
		free_chans(c, 2);
	}
	kfree(work);
}

static void nonblock_select_race_send(const long *args)
{
	nonblock_select_race(args, false);
}

static void nonblock_select_race_close(const long *args)
{
	nonblock_select_race(args, true);
}

/* === SelfSelect === */

static bool unbuffered;

static int self_select(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, mine = item->nr, value;
	struct costack_select_case cases[] = {
		COSTACK_SEND(c[0], &mine), COSTACK_RECV(c[0], &value),
	};
	int ret;

	for (; item->count < rounds; item->count++) {
		/* Go's test has each order in the source. */
		if (item->nr == 0 || item->count % 2 == 0)
			swap(cases[0], cases[1]);
		value = 77;
		ret = costack_select(cases, 2);
		if (ret == -ECANCELED)
			return ret;
		if (!CST_TRUE(ret >= 0))
			return ret;
		if (cases[ret].ret == -EPIPE)
			break;
		if (!cases[ret].send && unbuffered)
			CST_EQ(!mine, value);
		else if (!cases[ret].send)
			CST_TRUE(value == 0 || value == 1);
		else
			CST_EQ(77, value);
	}
	/* The other one may wait for its last partner. */
	costack_chan_close(c[0]);
	return 42;
}

static void self_select_both(const long *args)
{
	unsigned int room;

	for (room = 0; room <= 10 && !cst_failures(); room += 10) {
		struct cst_group *group = cst_items_new(2, false, self_select, (void *)args[0],
							NULL);

		if (!make_chans(c, 1, room) || !group)
			return;
		unbuffered = !room;
		cst_items_start(group);
		CST_FINISH(group, 42);
		free_chans(c, 1);
	}
}

/* === SelectStress === */

static int stress_send(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data;

	for (; item->count < rounds; item->count++)
		CST_EQ(0, costack_chan_send(c[item->nr], &item->count));
	return 42;
}

static int stress_recv(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, value;

	for (; item->count < rounds; item->count++)
		CST_EQ(0, costack_chan_recv(c[item->nr], &value));
	return 42;
}

/* Number 0 sends, number 1 receives: as many values at each channel. */
static int stress_select(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, value = 1, done[4] = { };
	struct costack_select_case cases[4];
	int i, ret;

	for (i = 0; i < 4; i++) {
		cases[i] = (struct costack_select_case)COSTACK_RECV(c[i], &value);
		cases[i].send = item->nr == 0;
	}
	for (; item->count < 4 * rounds; item->count++) {
		ret = costack_select(cases, 4);
		if (!CST_TRUE(ret >= 0 && cases[ret].chan && !cases[ret].ret))
			return ret;
		/* Go sets the variable to nil: the case is never served again. */
		if (++done[ret] == rounds)
			cases[ret].chan = NULL;
	}
	return 42;
}

static void select_stress(const long *args)
{
	void *rounds = (void *)args[0];
	struct cst_group *from = cst_items_new(4, false, stress_send, rounds, NULL);
	struct cst_group *to = cst_items_new(4, false, stress_recv, rounds, NULL);
	struct cst_group *both = cst_items_new(2, false, stress_select, rounds, NULL);

	/* Go's have room for 0, 0, 2 and 3 values. */
	if (!make_chans(c, 2, 0) || !make_chans(&c[2], 1, 2) || !make_chans(&c[3], 1, 3) ||
	    !from || !to || !both)
		return;
	cst_items_start(from);
	cst_items_start(both);
	cst_items_start(to);
	CST_FINISH(from, 42);
	CST_FINISH(to, 42);
	CST_FINISH(both, 42);
	free_chans(c, 4);
}

/* === SelectFairness, PseudoRandomSend === */

#define TRIALS		10000
/*
 * Six and a half standard deviations of a fair coin, 50 each. It exceeds that once in ten billion
 * runs.
 */
#define UNFAIR		325

static int fairness_body(void *arg)
{
	struct cst_item *item = arg;
	struct costack_select_case cases[] = {
		COSTACK_RECV(c[2], NULL), COSTACK_RECV(c[3], NULL),
		COSTACK_RECV(c[0], NULL), COSTACK_RECV(c[1], NULL),
	};
	int i, ret, first = 0;

	for (i = 0; i < TRIALS; i++) {
		ret = costack_select(cases, 4);
		if (!CST_TRUE(ret == 2 || ret == 3))
			return ret;
		first += ret == 2;
	}
	item->count = first;
	return 42;
}

static void select_fairness(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, fairness_body, NULL, NULL);
	long i;

	/* Two that are always ready, and two that never are. */
	if (!make_chans(c, 2, TRIALS) || !make_chans(&c[2], 2, 0) || !group)
		return;
	for (i = 0; i < 2 * TRIALS; i++)
		CST_EQ(0, costack_chan_try_send(c[i % 2], &i));
	cst_items_start(group);
	CST_JOIN(group);
	CST_EQ(42, group->item[0].ret);
	CST_TRUE(abs(group->item[0].count - TRIALS / 2) <= UNFAIR);
	cst_items_free(group);
	free_chans(c, 4);
}

#define SENDS		400

static int random_recv(void *arg)
{
	struct cst_item *item = arg;
	long value, ones = 0;
	int i;

	for (i = 0; i < SENDS; i++) {
		CST_EQ(0, costack_yield());
		CST_EQ(0, costack_chan_recv(c[0], &value));
		ones += value;
	}
	item->count = ones;
	return 42;
}

static int random_send(void *arg)
{
	long one = 1, zero = 0;
	struct costack_select_case cases[] = {
		COSTACK_SEND(c[0], &one), COSTACK_SEND(c[0], &zero),
	};
	int i;

	for (i = 0; i < SENDS; i++)
		CST_TRUE(costack_select(cases, 2) >= 0);
	return 42;
}

/* Less than a tenth of either, of 400, comes once in 10^60 runs. */
static void pseudo_random_send(const long *args)
{
	unsigned int room;

	for (room = 0; room <= SENDS && !cst_failures(); room += SENDS) {
		struct cst_group *from = cst_items_new(1, false, random_send, NULL, NULL);
		struct cst_group *to = cst_items_new(1, false, random_recv, NULL, NULL);

		if (!make_chans(c, 1, room) || !from || !to)
			return;
		cst_items_start(to);
		cst_items_start(from);
		CST_FINISH(from, 42);
		CST_JOIN(to);
		CST_TRUE(to->item[0].count > SENDS / 10 && to->item[0].count < SENDS * 9 / 10);
		cst_items_free(to);
		free_chans(c, 1);
	}
}

/* === MultiConsumer === */

#define WORKERS		23

static int consumer(void *arg)
{
	static const int primes[] = { 2, 3, 7, 11, 13, 17, 19, 23, 27, 31 };
	struct cst_item *item = arg;
	long value;
	struct costack_select_case from[] = {
		COSTACK_RECV(c[2], NULL), COSTACK_RECV(c[0], &value),
	};
	struct costack_select_case to[] = {
		COSTACK_SEND(c[1], &value), COSTACK_RECV(c[2], NULL),
	};

	for (;; item->count++) {
		if (!CST_EQ(1, costack_select(from, 2)) || from[1].ret)
			return from[1].ret;
		if (value % primes[item->count % ARRAY_SIZE(primes)] == 0)
			CST_EQ(0, costack_yield());
		CST_EQ(0, costack_select(to, 2));
		CST_EQ(0, to[0].ret);
	}
}

static int feeder(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data;

	for (; item->count < rounds; item->count++)
		CST_EQ(0, costack_chan_send(c[0], &item->count));
	return costack_chan_close(c[0]);
}

static int adder(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, value, sum = 0;

	for (; item->count < rounds; item->count++) {
		CST_EQ(0, costack_chan_recv(c[1], &value));
		sum += value;
	}
	CST_EQ(rounds * (rounds - 1) / 2, sum);
	return 42;
}

static void multi_consumer(const long *args)
{
	void *rounds = (void *)args[0];
	struct cst_group *workers = cst_items_new(WORKERS, false, consumer, NULL, NULL);
	struct cst_group *from = cst_items_new(1, false, feeder, rounds, NULL);
	struct cst_group *to = cst_items_new(1, false, adder, rounds, NULL);

	/* The third is never ready. */
	if (!make_chans(c, 2, WORKERS * 3) || !make_chans(&c[2], 1, 0) || !workers || !from || !to)
		return;
	cst_items_start(workers);
	cst_items_start(to);
	cst_items_start(from);
	CST_FINISH(from, 0);
	CST_FINISH(to, 42);
	CST_FINISH(workers, -EPIPE);
	free_chans(c, 3);
}

/* === SelectDuplicateChannel === */

static int duplicate_first(void *unused)
{
	long value[3] = { };
	struct costack_select_case cases[] = {
		COSTACK_RECV(c[0], &value[0]), COSTACK_RECV(c[0], &value[1]),
		COSTACK_RECV(c[1], &value[2]),
	};

	CST_EQ(2, costack_select(cases, 3));
	CST_EQ(7, value[2]);
	return value[0] + value[1];
}

static int duplicate_second(void *unused)
{
	long value = 0;

	CST_EQ(0, costack_chan_recv(c[0], &value));
	return value;
}

/*
 * Go's TestSelectDuplicateChannel: the first coroutine is on the queue of a channel twice, the
 * second behind it. When another channel wakes the first, it takes itself off the queue, and
 * the second is woken by the next value.
 */
static void select_duplicate_channel(const long *args)
{
	struct cst_group *first = cst_items_new(1, false, duplicate_first, NULL, NULL);
	struct cst_group *second = cst_items_new(1, false, duplicate_second, NULL, NULL);
	long value;

	if (!make_chans(c, 2, 0) || !first || !second)
		return;
	cst_items_start(first);
	go_wait_parked(1);
	cst_items_start(second);
	go_wait_parked(2);
	value = 7;
	CST_EQ(0, costack_chan_try_send(c[1], &value));
	CST_FINISH(first, 0);
	value = 8;
	CST_EQ(0, costack_chan_try_send(c[0], &value));
	CST_FINISH(second, 8);
	CST_EQ(-EAGAIN, costack_chan_try_send(c[0], &value));
	free_chans(c, 2);
}

/* === SelectStackAdjust === */

#define BRIEFLY		10240

/* Its address is the value that is received. */
static long received;

/**
 * struct adjust - a coroutine that waits for channels at places of its stack
 * @item: the item
 * @dup: both cases have the first channel
 * @packed: it is packed meanwhile
 * @served: the case that was served
 */
struct adjust {
	struct costack_work	item;
	bool			dup;
	bool			packed;
	int			served;
};

static int adjust_body(void *arg)
{
	struct adjust *adjust = arg;
	long val = 42, *cx = &val, *dx = &val, *sx = &val;
	struct costack_select_case cases[] = {
		COSTACK_RECV(c[0], &cx), COSTACK_RECV(adjust->dup ? c[0] : c[1], &dx),
		COSTACK_SEND(c[2], &sx),
	};
	unsigned long disguised;
	bool got;

	cst_use_stack(BRIEFLY);
	CST_EQ(16384, costack_stack_size());
	disguised = cst_disguise(&val);
	barrier_data(&cx);
	barrier_data(&dx);
	adjust->served = costack_select(cases, ARRAY_SIZE(cases));
	/* What was packed may get its old stack again. */
	if (!adjust->packed)
		CST_TRUE(go_has_moved(&val, disguised));
	CST_EQ(42, READ_ONCE(val));
	/* The cases have moved, too. */
	CST_TRUE(cases[0].elem == &cx && cases[1].elem == &dx && cases[2].elem == &sx);
	if (!CST_TRUE(adjust->served == 0 || adjust->served == 1))
		return 0;
	/* What was received is as it was sent; what was not follows the stack. */
	got = !cases[adjust->served].ret;
	CST_EQ(got && adjust->served == 0, READ_ONCE(cx) == &received);
	CST_EQ(got && adjust->served == 1, READ_ONCE(dx) == &received);
	CST_TRUE(READ_ONCE(cx) == &received || READ_ONCE(cx) == &val);
	CST_TRUE(READ_ONCE(dx) == &received || READ_ONCE(dx) == &val);
	WRITE_ONCE(*sx, 43);
	CST_EQ(43, READ_ONCE(val));
	return 62 - got;
}

/* By file: shrink or pack. */
static void adjust_by(const char *file, const char *counter, long times)
{
	struct adjust *adjust = kcalloc(4, sizeof(*adjust), GFP_KERNEL);
	long *value = &received, moves = cst_stat(counter);
	int i, got = 0;

	if (!CST_TRUE(adjust) || !make_chans(c, 3, 0))
		return;
	for (i = 0; i < 4; i++) {
		adjust[i].dup = i % 2;
		adjust[i].packed = !strcmp(file, "pack");
		costack_work_init(&adjust[i].item, adjust_body, &adjust[i], NULL);
		CST_EQ(0, costack_queue(&adjust[i].item));
	}
	go_wait_parked(4);
	for (i = 0; i < times; i++)
		go_set_knob(file, "1");
	CST_EQ(4 * times, cst_stat(counter) - moves);
	/* Two get a value, the others find the first channel closed. */
	CST_EQ(0, costack_chan_try_send(c[0], &value));
	CST_EQ(0, costack_chan_try_send(c[0], &value));
	CST_EQ(0, costack_chan_close(c[0]));
	for (i = 0; i < 4; i++)
		got += costack_wait(&adjust[i].item) == 61;
	CST_EQ(2, got);
	for (i = 0; i < 4; i++)
		CST_TRUE(adjust[i].served == 0 || adjust[i].dup);
	kfree(adjust);
	free_chans(c, 3);
}

/* Go's TestSelectStackAdjust. */
static void select_stack_adjust(const long *args)
{
	adjust_by("shrink", "shrunk", args[0]);
	if (args[1] && !cst_failures())
		adjust_by("pack", "packed", 1);
}

/* === ShrinkStackDuringBlockedSend-select === */

static int blocked_send(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, words[2];
	struct costack_select_case cases[] = {
		COSTACK_RECV(c[1], &words[1]), COSTACK_SEND(c[0], &words[0]),
		COSTACK_SEND(c[0], &words[0]),
	};
	int ret;

	for (; item->count < rounds; item->count++) {
		words[0] = 1000 + item->count;
		words[1] = 77;
		barrier_data(words);
		ret = costack_select(cases, ARRAY_SIZE(cases));
		CST_TRUE(ret > 0);
		CST_EQ(1000 + item->count, READ_ONCE(words[0]));
		CST_EQ(77, READ_ONCE(words[1]));
		cst_use_stack(BRIEFLY);
	}
	return 42;
}

/* The script counts how often it shrinks. */
static void shrink_stack_during_blocked_select(const long *args)
{
	void *rounds = (void *)args[0];
	struct cst_group *group = cst_items_new(1, false, blocked_send, rounds, NULL);
	long i, value;

	if (!make_chans(c, 2, 0) || !group)
		return;
	cst_items_start(group);
	for (i = 0; i < args[0] && !cst_failures(); i++) {
		go_wait_parked(1);
		go_gc();
		value = 0;
		CST_EQ(0, costack_chan_try_recv(c[0], &value));
		CST_EQ(1000 + i, value);
		CST_SOON(READ_ONCE(group->item[0].count) == i + 1);
	}
	CST_FINISH(group, 42);
	free_chans(c, 2);
}

static const struct cst_case cases[] = {
	{ "go.Chan", chan },
	{ "go.Select3", select3 },
	{ "go.NonblockRecvRace", nonblock_recv_race },
	{ "go.NonblockSelectRace", nonblock_select_race_send },
	{ "go.NonblockSelectRace2", nonblock_select_race_close },
	{ "go.SelfSelect", self_select_both },
	{ "go.SelectStress", select_stress },
	{ "go.SelectFairness", select_fairness },
	{ "go.PseudoRandomSend", pseudo_random_send },
	{ "go.MultiConsumer", multi_consumer },
	{ "go.SelectDuplicateChannel", select_duplicate_channel },
	{ "go.SelectStackAdjust", select_stack_adjust },
	{ "go.ShrinkStackDuringBlockedSend-select", shrink_stack_during_blocked_select },
	{ }
};

struct cst_suite cst_go_select = { .owner = THIS_MODULE, .cases = cases };
