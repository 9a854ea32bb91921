// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for the first of several channels, and waiting with a limit of time.
 *
 *	select-many ROOM COUNT DEEP
 *				8 senders and 8 receivers at 8 channels, by select and otherwise:
 *				each value arrives once; an interrupt sends too. With DEEP, stacks
 *				shrink and are packed meanwhile
 *	select-timeout		the time ends: nothing has changed, and nobody is left behind
 *	select-timeout-race HOW ROUNDS
 *				an interrupt serves a wait just when its time ends
 *	select-cancel-race ABORTABLE ROUNDS
 *				a select is served and cancelled at the same time
 *	select-close		many wait when their channels are closed
 *	select-end ROUNDS	two threads race to serve a select whose item ends at once
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "items.h"

/* === Values === */

#define CHANS		8
#define SENDERS		8
#define RECEIVERS	8

/**
 * union value - what is sent
 * @word: the value of a channel whose values are one long each
 * @check: that of the others: the same in each word, but for its place
 */
union value {
	unsigned long	word;
	unsigned long	check[6];
};

/* Half the channels pass words: they are fast as long as nobody selects. */
static bool passes_words(unsigned int nr)
{
	return nr % 2;
}

static noinline void make_value(union value *value, unsigned long word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(value->check); i++)
		value->check[i] = word + ((unsigned long)i << 56);
	barrier_data(value);
}

static noinline bool is_value(const union value *value, unsigned int chan, unsigned long word)
{
	unsigned int i, nr = passes_words(chan) ? 1 : ARRAY_SIZE(value->check);
	bool whole = true;

	barrier_data(value);
	for (i = 0; i < nr; i++)
		whole &= value->check[i] == word + ((unsigned long)i << 56);
	return whole;
}

#define FOREVER		MAX_SCHEDULE_TIMEOUT
#define UNTOUCHED	0x5a5a5a5a5a5a5aUL

/* === Many === */

/**
 * struct traffic - what the coroutines of a case share
 * @chans: the channels
 * @count: values for each sender to send
 * @seen: a bit for each value that was received, by sender
 * @received: values received
 * @deep: bytes of stack that a coroutine uses before it waits
 * @done: for who hammers
 */
struct traffic {
	struct costack_chan	*chans[CHANS];
	long			count;
	unsigned long		*seen;
	atomic_long_t		received;
	long			deep;
	bool			done;
};

static void free_traffic(struct traffic *t)
{
	unsigned int i;

	for (i = 0; i < CHANS; i++)
		costack_chan_destroy(t->chans[i]);
	bitmap_free(t->seen);
	kfree(t);
}

static struct traffic *new_traffic(long room, long count)
{
	struct traffic *t = kzalloc(sizeof(*t), GFP_KERNEL);
	bool made = t;
	unsigned int i;

	for (i = 0; made && i < CHANS; i++) {
		t->chans[i] = costack_chan_create(passes_words(i) ? sizeof(long) :
						  sizeof(union value), room * (i % 3));
		made = t->chans[i];
	}
	if (made) {
		t->count = count;
		t->seen = bitmap_zalloc((SENDERS + 1) * count, GFP_KERNEL);
		made = t->seen;
	}
	if (CST_TRUE(made))
		return t;
	if (t)
		free_traffic(t);
	return NULL;
}

static void got(struct traffic *t, const union value *value, unsigned int chan)
{
	unsigned long word = value->word;

	CST_TRUE(is_value(value, chan, word));
	if (CST_TRUE(word < (SENDERS + 1) * t->count))
		CST_EQ(0, test_and_set_bit(word, t->seen));
	atomic_long_inc(&t->received);
}

static noinline void dig(const struct traffic *t, const struct cst_item *item)
{
	if (t->deep)
		cst_use_stack(t->deep >> (item->count % 3));
}

/* Send one value, by any means. Both the value and the cases are on the stack. */
static noinline int send_one(struct traffic *t, const struct cst_item *item)
{
	unsigned long word = item->nr * t->count + item->count;
	unsigned int i, first = item->count % CHANS;
	struct costack_select_case cases[CHANS + 1];
	long limit = item->count % 64 == 63 ? 1 : FOREVER;
	union value value;
	int ret;

	make_value(&value, word);
	/* The first channel twice. */
	for (i = 0; i <= CHANS; i++)
		cases[i] = (struct costack_select_case)
			COSTACK_SEND(t->chans[(first + i) % CHANS], &value);
	dig(t, item);
	switch (item->count % 64) {
	case 0:
		ret = costack_chan_send_timeout(t->chans[first], &value, 1);
		break;
	case 1 ... 16:
		ret = costack_chan_send(t->chans[first], &value);
		break;
	default:
		ret = costack_select_timeout(cases, CHANS + 1, limit);
		if (ret >= 0 && CST_TRUE(ret <= CHANS))
			ret = cases[ret].ret;
	}
	CST_TRUE(is_value(&value, 0, word));
	return ret;
}

static int sender(void *arg)
{
	struct cst_item *item = arg;
	struct traffic *t = item->group->data;
	int err;

	while (item->count < t->count) {
		err = send_one(t, item);
		if (err && err != -ETIMEDOUT)
			return err;
		item->count += !err;
	}
	return 0;
}

/* Receive from one of the channels that are not in @closed, or add one to @closed. */
static noinline int receive_one(struct traffic *t, const struct cst_item *item,
				unsigned long *closed)
{
	unsigned int i, chan = (item->count + item->nr) % CHANS;
	long limit = item->count % 64 == 63 ? 1 : FOREVER;
	struct costack_select_case cases[CHANS];
	union value values[CHANS];
	int ret;

	for (i = 0; i < CHANS; i++) {
		make_value(&values[i], UNTOUCHED);
		cases[i] = (struct costack_select_case)COSTACK_RECV(t->chans[i], &values[i]);
		if (test_bit(i, closed))
			cases[i].chan = NULL;
	}
	dig(t, item);
	if (item->count % 64 == 0) {
		ret = costack_chan_recv_timeout(t->chans[chan], &values[chan], 1);
	} else {
		ret = costack_select_timeout(cases, CHANS, limit);
		if (ret < 0)
			return ret;
		chan = ret;
		CST_TRUE(!test_bit(chan, closed));
		ret = cases[chan].ret;
	}
	if (!ret)
		got(t, &values[chan], chan);
	if (ret == -EPIPE)
		__set_bit(chan, closed);
	/* No other place was written to. */
	for (i = 0; i < CHANS; i++)
		CST_TRUE((!ret && i == chan) || is_value(&values[i], 0, UNTOUCHED));
	return ret;
}

/* Ends when all channels are closed and empty. */
static int receiver(void *arg)
{
	struct cst_item *item = arg;
	unsigned long closed = 0;
	int err;

	while (closed != BIT(CHANS) - 1) {
		err = receive_one(item->group->data, item, &closed);
		if (err && err != -EPIPE && !CST_EQ(-ETIMEDOUT, err))
			return err;
		item->count++;
	}
	return 42;
}

/**
 * struct tick - an interrupt that sends, as the last of the senders
 * @timer: the interrupt
 * @traffic: what it takes part in
 * @seq: how many it has sent
 * @value: the next one
 * @cases: where to
 */
struct tick {
	struct hrtimer			timer;
	struct traffic			*traffic;
	long				seq;
	union value			value;
	struct costack_select_case	cases[CHANS];
};

static enum hrtimer_restart tick_sends(struct hrtimer *timer)
{
	struct tick *tick = container_of(timer, struct tick, timer);
	struct traffic *t = tick->traffic;
	unsigned int i;
	int ret;

	make_value(&tick->value, SENDERS * t->count + tick->seq);
	for (i = 0; i < CHANS; i++)
		tick->cases[i] = (struct costack_select_case)
			COSTACK_SEND(t->chans[i], &tick->value);
	if (tick->seq % 2)
		ret = costack_chan_try_send(t->chans[tick->seq % CHANS], &tick->value);
	else
		ret = costack_try_select(tick->cases, CHANS);
	if (ret < 0)
		CST_EQ(-EAGAIN, ret);
	else if (++tick->seq == t->count)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(50 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static long moved(void)
{
	return cst_stat("shrunk") + cst_stat("packed");
}

static int move_hammer(void *arg)
{
	struct traffic *t = arg;

	while (!READ_ONCE(t->done)) {
		cst_knob("shrink", "1");
		cond_resched();
		cst_knob("pack", "1");
		cond_resched();
	}
	return 0;
}

static void many(struct traffic *t, struct cst_group *from, struct cst_group *to)
{
	long enough = moved() + SENDERS / 2;
	static struct cst_thread hammer;
	static struct tick tick;
	unsigned int i;

	tick = (struct tick) { .traffic = t };
	costack_hrtimer_setup(&tick.timer, tick_sends, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	cst_items_start(from);
	if (t->deep) {
		CST_EQ(0, cst_thread_start(&hammer, CST_ANY_CPU, move_hammer, t));
		CST_SOON(moved() >= enough);
	}
	cst_items_start(to);
	hrtimer_start(&tick.timer, ns_to_ktime(1000), HRTIMER_MODE_REL_HARD);
	CST_FINISH(from, 0);
	CST_SOON(READ_ONCE(tick.seq) == t->count);
	hrtimer_cancel(&tick.timer);
	for (i = 0; i < CHANS; i++)
		CST_EQ(0, costack_chan_close(t->chans[i]));
	CST_FINISH(to, 42);
	WRITE_ONCE(t->done, true);
	if (t->deep)
		wait_for_completion(&hammer.done);
	CST_EQ((SENDERS + 1) * t->count, atomic_long_read(&t->received));
	CST_EQ(true, bitmap_full(t->seen, (SENDERS + 1) * t->count));
}

static void select_many(const long *args)
{
	struct traffic *t = new_traffic(args[0], args[1]);
	struct cst_group *from = cst_items_new(SENDERS, false, sender, t, NULL);
	struct cst_group *to = cst_items_new(RECEIVERS, false, receiver, t, NULL);

	if (!t || !from || !to)
		return;
	t->deep = args[2];
	many(t, from, to);
	/* If coroutines hang, the case has failed, and the channels stay for them. */
	if (!cst_failures())
		free_traffic(t);
}

/* === Few: an empty channel and a full one === */

static struct costack_chan *empty, *full;

static bool make_channels(void)
{
	long value = 4713;

	empty = costack_chan_create(sizeof(long), 0);
	full = costack_chan_create(sizeof(long), 1);
	if (!CST_TRUE(empty && full))
		return false;
	return CST_EQ(0, costack_chan_try_send(full, &value));
}

/* Both are as if nobody had ever waited. */
static void destroy_channels(void)
{
	long value = 0;

	CST_EQ(-EAGAIN, costack_chan_try_send(empty, &value));
	CST_EQ(-EAGAIN, costack_chan_try_recv(empty, NULL));
	CST_EQ(0, costack_chan_try_recv(full, &value));
	CST_EQ(4713, value);
	CST_EQ(-EAGAIN, costack_chan_try_recv(full, NULL));
	costack_chan_destroy(empty);
	costack_chan_destroy(full);
}

static int timeout_body(void *arg)
{
	struct cst_item *item = arg;
	long value = 1, other = 2, timeout = item->nr % 3;
	struct costack_select_case cases[] = {
		COSTACK_RECV(empty, &value), COSTACK_SEND(full, &other),
		COSTACK_RECV(NULL, &value), COSTACK_RECV(empty, &other),
		COSTACK_SEND(full, &value), COSTACK_SEND(NULL, &value),
	};

	for (; item->count < 10; item->count++) {
		CST_EQ(-ETIMEDOUT, costack_select_timeout(cases, ARRAY_SIZE(cases), timeout));
		CST_EQ(-ETIMEDOUT, costack_select_timeout(cases, 1, timeout));
		CST_EQ(-ETIMEDOUT, costack_select_timeout(NULL, 0, timeout));
		CST_EQ(-ETIMEDOUT, costack_chan_recv_timeout(empty, &value, timeout));
		CST_EQ(-ETIMEDOUT, costack_chan_recv_timeout(empty, NULL, timeout));
		CST_EQ(-ETIMEDOUT, costack_chan_send_timeout(full, &value, timeout));
		CST_EQ(-ETIMEDOUT, costack_chan_send_timeout(full, &value, -1));
		CST_EQ(-ETIMEDOUT, costack_chan_recv_timeout(empty, &value, LONG_MIN));
		CST_EQ(-ETIMEDOUT, costack_select_timeout(cases, ARRAY_SIZE(cases), -1));
	}
	CST_EQ(-EINVAL, costack_select_timeout(cases, COSTACK_SELECT_MAX + 1, timeout));
	CST_EQ(1, value);
	CST_EQ(2, other);
	return 42;
}

static void select_timeout(const long *args)
{
	struct cst_group *group = cst_items_new(30, false, timeout_body, NULL, NULL);
	struct cst_group *called = cst_items_new(3, true, timeout_body, NULL, NULL);

	if (!make_channels() || !group || !called)
		return;
	cst_items_start(group);
	cst_items_start(called);
	if (CST_FINISH(group, 42) && CST_FINISH(called, 42))
		destroy_channels();
}

/* === An interrupt serves a wait that ends anyway === */

/**
 * struct server - an interrupt that serves one wait, if it still finds it
 * @timer: the interrupt
 * @takes: it takes a value, otherwise it gives one
 * @value: the value
 * @ret: what it got; 1: it has not come yet
 */
struct server {
	struct hrtimer	timer;
	bool		takes;
	long		value;
	int		ret;
};

static struct server server;

static enum hrtimer_restart serve(struct hrtimer *timer)
{
	server.ret = server.takes ? costack_chan_try_recv(empty, &server.value) :
				    costack_chan_try_send(empty, &server.value);
	return HRTIMER_NORESTART;
}

static void start_server(bool takes, u64 nsecs)
{
	server.takes = takes;
	server.value = 4711;
	server.ret = 1;
	hrtimer_start(&server.timer, ns_to_ktime(nsecs), HRTIMER_MODE_REL_HARD);
}

/* The ways of these races; the even ones give. */
enum { SELECT_RECV, SELECT_SEND, RECV, SEND };

static int race_how;

static int wait_for_server(long *value, long timeout)
{
	struct costack_select_case recv[] = {
		COSTACK_RECV(NULL, NULL), COSTACK_RECV(empty, value), COSTACK_RECV(empty, value),
	};
	struct costack_select_case send[] = {
		COSTACK_SEND(empty, value), COSTACK_SEND(full, value), COSTACK_SEND(empty, value),
	};
	int ret;

	switch (race_how) {
	case SELECT_RECV:
		ret = costack_select_timeout(recv, ARRAY_SIZE(recv), timeout);
		break;
	case SELECT_SEND:
		ret = costack_select_timeout(send, ARRAY_SIZE(send), timeout);
		break;
	case RECV:
		return costack_chan_recv_timeout(empty, value, timeout);
	default:
		return costack_chan_send_timeout(empty, value, timeout);
	}
	return ret < 0 ? ret : 0;
}

static int timeout_race_body(void *arg)
{
	struct cst_item *item = arg;
	long rounds = (long)item->group->data, value, served = 0;
	unsigned int takes = race_how % 2;
	int ret;

	for (; item->count < rounds && !cst_failures(); item->count++) {
		value = takes ? 4712 : 0;
		/* The time ends with the next jiffy but one: somewhere in this sweep. */
		start_server(takes, item->count % 64 * (2 * TICK_NSEC / 64) + 1);
		ret = wait_for_server(&value, 1);
		CST_SPIN(READ_ONCE(server.ret) != 1);
		if (ret == -ETIMEDOUT) {
			CST_EQ(-EAGAIN, server.ret);
			CST_EQ(takes ? 4712 : 0, value);
			continue;
		}
		served++;
		CST_EQ(0, ret);
		CST_EQ(0, server.ret);
		CST_EQ(takes ? 4712 : 4711, value);
		CST_EQ(takes ? 4712 : 4711, server.value);
	}
	/* In a sweep both happen. */
	CST_TRUE(served > 0 && served < rounds);
	return 42;
}

static void setup_server(void)
{
	costack_hrtimer_setup(&server.timer, serve, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
}

static void select_timeout_race(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, timeout_race_body, (void *)args[1], NULL);

	race_how = args[0];
	setup_server();
	if (!make_channels() || !group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	hrtimer_cancel(&server.timer);
	if (!cst_failures())
		destroy_channels();
}

static long race_value;

static int cancel_race_body(void *arg)
{
	struct cst_item *item = arg;
	long value = 0;
	int ret;

	WRITE_ONCE(item->count, 1);
	ret = wait_for_server(&value, MAX_SCHEDULE_TIMEOUT);
	race_value = value;
	return ret;
}

/*
 * The item gets the value, or the server keeps it. An item that is cut off may have got the value
 * before; nobody is told then.
 */
static bool cancel_race_once(struct cst_item *item, bool abortable, long round)
{
	int ret;

	item->count = 0;
	race_value = 0;
	if (!CST_EQ(0, costack_queue(&item->work)))
		return false;
	if (round % 3)
		CST_SPIN(READ_ONCE(item->count));
	else
		CST_SOON(cst_parked() == 1);
	start_server(race_how % 2, round % 16 * 1000 + 1);
	cst_spin_usecs(round / 16 % 16);
	costack_cancel(&item->work);
	ret = costack_wait(&item->work);
	hrtimer_cancel(&server.timer);
	if (abortable && ret == -ECANCELED)
		return true;
	if (ret)
		return CST_EQ(-ECANCELED, ret) && CST_TRUE(server.ret) && CST_EQ(0, race_value);
	return CST_EQ(0, server.ret) && CST_EQ(race_how % 2 ? 0 : 4711, race_value);
}

static void select_cancel_race(const long *args)
{
	struct costack_attr attr = { .flags = args[0] ? COSTACK_ABORTABLE : 0 };
	struct cst_group *group = cst_items_new(1, false, cancel_race_body, NULL, &attr);
	long round;

	setup_server();
	if (!make_channels() || !group)
		return;
	for (round = 0; round < args[1] && !cst_failures(); round++) {
		race_how = round % 2 ? SELECT_SEND : SELECT_RECV;
		cancel_race_once(&group->item[0], args[0], round);
	}
	cst_items_free(group);
	if (!cst_failures())
		destroy_channels();
}

/* === Close === */

/* More than costack_chan_close() releases at a time. */
#define MANY_WAITERS	150

static struct costack_chan *closing[3];

static int close_body(void *arg)
{
	struct cst_item *item = arg;
	long value = 7;
	struct costack_select_case cases[] = {
		COSTACK_RECV(closing[0], &value), COSTACK_RECV(closing[1], &value),
		COSTACK_SEND(closing[2], &value), COSTACK_RECV(closing[1], NULL),
	};
	unsigned int nr = 3 + item->nr % 2;
	int ret = costack_select(cases, nr);

	CST_EQ(7, value);
	if (!CST_TRUE(ret >= 0 && ret < nr))
		return ret;
	item->count = cases[ret].chan == closing[0];
	CST_EQ(-EPIPE, cases[ret].ret);
	/* From now on it is served at once, in both directions. */
	CST_EQ(0, costack_select(cases, 1));
	CST_EQ(-EPIPE, cases[0].ret);
	cases[0].send = true;
	CST_EQ(0, costack_try_select(cases, 1));
	CST_EQ(-EPIPE, cases[0].ret);
	return 42;
}

static void select_close(const long *args)
{
	struct cst_group *group = cst_items_new(MANY_WAITERS, false, close_body, NULL, NULL);
	unsigned int i, first = 0;
	long value = 0;

	if (!group)
		return;
	for (i = 0; i < ARRAY_SIZE(closing); i++) {
		closing[i] = costack_chan_create(sizeof(long), 0);
		if (!CST_TRUE(closing[i]))
			return;
	}
	cst_items_start(group);
	CST_SOON(cst_parked() == MANY_WAITERS);
	/* All of them wait for both; the first close ends each wait. */
	CST_EQ(0, costack_chan_close(closing[0]));
	CST_EQ(0, costack_chan_close(closing[1]));
	CST_JOIN(group);
	for (i = 0; i < MANY_WAITERS; i++) {
		CST_EQ(42, group->item[i].ret);
		first += group->item[i].count == 1;
	}
	CST_EQ(MANY_WAITERS, first);
	/* Nobody is left on the third. */
	CST_EQ(-EAGAIN, costack_chan_try_recv(closing[2], &value));
	CST_EQ(-EPIPE, costack_chan_try_recv(closing[0], &value));
	CST_EQ(-EPIPE, costack_chan_try_send(closing[1], &value));
	cst_items_free(group);
	if (cst_failures())
		return;
	for (i = 0; i < ARRAY_SIZE(closing); i++)
		costack_chan_destroy(closing[i]);
}

/* === The item ends at once === */

/**
 * struct giver - a thread that gives values all the time
 * @thread: the thread
 * @chan: where
 * @given: how many were taken
 */
struct giver {
	struct cst_thread	thread;
	struct costack_chan	*chan;
	long			given;
};

static struct giver givers[2];
static bool giving;
static atomic_long_t taken;

static int give(void *arg)
{
	struct giver *giver = arg;
	long value = 1;

	while (READ_ONCE(giving)) {
		giver->given += !costack_chan_try_send(giver->chan, &value);
		cond_resched();
	}
	return 0;
}

/* A channel twice, so that its queue has two sudogs of each item. */
static int take_and_end(void *arg)
{
	long values[3] = { };
	struct costack_select_case cases[] = {
		COSTACK_RECV(givers[0].chan, &values[0]), COSTACK_RECV(givers[1].chan, &values[1]),
		COSTACK_RECV(givers[0].chan, &values[2]),
	};
	int ret = costack_select(cases, ARRAY_SIZE(cases));

	if (!CST_TRUE(ret >= 0))
		return ret;
	CST_EQ(1, values[ret]);
	atomic_long_add(values[0] + values[1] + values[2], &taken);
	return 42;
}

static void select_end(const long *args)
{
	struct cst_group *group;
	long round;
	int i;

	atomic_long_set(&taken, 0);
	for (i = 0; i < 2; i++) {
		givers[i] = (struct giver) {
			.chan = costack_chan_create(sizeof(long), 0),
		};
		if (!CST_TRUE(givers[i].chan))
			return;
	}
	WRITE_ONCE(giving, true);
	for (i = 0; i < 2; i++)
		CST_EQ(0, cst_thread_start(&givers[i].thread, CST_ANY_CPU, give, &givers[i]));
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		group = cst_items_new(20, false, take_and_end, NULL, NULL);
		if (group && cst_items_start(group))
			CST_FINISH(group, 42);
	}
	WRITE_ONCE(giving, false);
	for (i = 0; i < 2; i++)
		wait_for_completion(&givers[i].thread.done);
	CST_EQ(20 * args[0], atomic_long_read(&taken));
	CST_EQ(20 * args[0], givers[0].given + givers[1].given);
	for (i = 0; i < 2 && !cst_failures(); i++)
		costack_chan_destroy(givers[i].chan);
}

static const struct cst_case cases[] = {
	{ "select-many", select_many },
	{ "select-timeout", select_timeout },
	{ "select-timeout-race", select_timeout_race },
	{ "select-cancel-race", select_cancel_race },
	{ "select-close", select_close },
	{ "select-end", select_end },
	{ }
};

struct cst_suite cst_select = { .owner = THIS_MODULE, .cases = cases };
