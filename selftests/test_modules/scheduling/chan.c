// SPDX-License-Identifier: GPL-2.0
/*
 * Channels. All values lie on the stacks of those that send and receive.
 *
 *	chan-order ROOM COUNT	one sender, one receiver, a buffer of ROOM values
 *	chan-try		the forms that do not wait, from a thread
 *	chan-blocked		the same, with a coroutine at the other side
 *	chan-close		waiters are told, buffered values can still be received
 *	chan-misuse
 *	chan-many SENDERS RECEIVERS COUNT ROOM
 *				each value arrives once; an interrupt sends too
 *	chan-shrink ROOM COUNT	stacks move while their values are waited for
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "items.h"

/**
 * struct value - what is sent
 * @from: number of the sender
 * @seq: how many it had sent before
 * @check: tells whether it is whole
 */
struct value {
	u64	from;
	u64	seq;
	u64	check[6];
};

static noinline void make_value(struct value *value, u64 from, u64 seq)
{
	unsigned int i;

	value->from = from;
	value->seq = seq;
	for (i = 0; i < ARRAY_SIZE(value->check); i++)
		value->check[i] = (from << 32) + seq * 31 + i;
	barrier_data(value);
}

static noinline bool is_whole(const struct value *value)
{
	unsigned int i;
	bool whole = true;

	barrier_data(value);
	for (i = 0; i < ARRAY_SIZE(value->check); i++)
		whole &= value->check[i] == (value->from << 32) + value->seq * 31 + i;
	return whole;
}

/**
 * struct traffic - what the coroutines of a case share
 * @chan: the channel
 * @count: values for each sender to send
 * @seen: a bit for each value that was received, by sender
 * @received: values received
 * @deep: bytes of stack that a coroutine uses before it sends or receives
 * @done: for who hammers
 */
struct traffic {
	struct costack_chan	*chan;
	long			count;
	unsigned long		*seen;
	atomic_long_t		received;
	long			deep;
	bool			done;
};

static struct traffic *new_traffic(unsigned int room, long senders, long count)
{
	struct traffic *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!CST_TRUE(t))
		return NULL;
	t->chan = costack_chan_create(sizeof(struct value), room);
	t->seen = bitmap_zalloc(senders * count, GFP_KERNEL);
	t->count = count;
	if (CST_TRUE(t->chan && t->seen))
		return t;
	costack_chan_destroy(t->chan);
	bitmap_free(t->seen);
	kfree(t);
	return NULL;
}

/* If coroutines hang, the case has failed, and the channel stays for them. */
static void free_traffic(struct traffic *t)
{
	if (cst_failures())
		return;
	costack_chan_destroy(t->chan);
	bitmap_free(t->seen);
	kfree(t);
}

static void got(struct traffic *t, const struct value *value)
{
	CST_TRUE(is_whole(value));
	CST_EQ(0, test_and_set_bit(value->from * t->count + value->seq, t->seen));
	atomic_long_inc(&t->received);
}

static void got_all(struct traffic *t, long senders)
{
	CST_EQ(senders * t->count, atomic_long_read(&t->received));
	CST_EQ(true, bitmap_full(t->seen, senders * t->count));
}

static noinline void dig(const struct traffic *t, const struct cst_item *item)
{
	if (t->deep)
		cst_use_stack(t->deep >> (item->count % 3));
}

/* Ends when it has sent all, or the channel is closed. */
static int sender(void *arg)
{
	struct cst_item *item = arg;
	struct traffic *t = item->group->data;
	struct value value;
	int err = 0;

	for (; item->count < t->count && !err; item->count++) {
		make_value(&value, item->nr, item->count);
		dig(t, item);
		err = costack_chan_send(t->chan, &value);
		CST_EQ(item->nr, value.from);
		CST_EQ(item->count, value.seq);
		CST_TRUE(is_whole(&value));
	}
	return err;
}

/* Ends when the channel is closed and empty. */
static int receiver(void *arg)
{
	struct cst_item *item = arg;
	struct traffic *t = item->group->data;
	struct value value;
	int err;

	for (;; item->count++) {
		memset(&value, 0x5a, sizeof(value));
		dig(t, item);
		err = costack_chan_recv(t->chan, &value);
		if (err)
			break;
		got(t, &value);
	}
	/* A receive that fails writes nothing. */
	CST_TRUE(!memchr_inv(&value, 0x5a, sizeof(value)));
	return err;
}

/* === One and one === */

static int receiver_in_order(void *arg)
{
	struct cst_item *item = arg;
	struct traffic *t = item->group->data;
	struct value value;

	for (; item->count < t->count; item->count++) {
		CST_EQ(0, costack_chan_recv(t->chan, &value));
		CST_EQ(item->count, value.seq);
		got(t, &value);
	}
	return 42;
}

static void chan_order(const long *args)
{
	struct traffic *t = new_traffic(args[0], 1, args[1]);
	struct cst_group *from = cst_items_new(1, false, sender, t, NULL);
	struct cst_group *to = cst_items_new(1, false, receiver_in_order, t, NULL);

	if (!t || !from || !to)
		return;
	cst_items_start(from);
	cst_items_start(to);
	CST_FINISH(from, 0);
	CST_FINISH(to, 42);
	got_all(t, 1);
	free_traffic(t);
}

/* === Without waiting === */

static void chan_try(const long *args)
{
	unsigned int room, i, round;
	struct value value;

	for (room = 0; room < 4; room++) {
		struct costack_chan *chan = costack_chan_create(sizeof(value), room);

		if (!CST_TRUE(chan))
			return;
		/* Fill and empty it often enough for the buffer to wrap around. */
		for (round = 0; round < 3; round++) {
			CST_EQ(-EAGAIN, costack_chan_try_recv(chan, &value));
			for (i = 0; i < room; i++) {
				make_value(&value, round, i);
				CST_EQ(0, costack_chan_try_send(chan, &value));
			}
			CST_EQ(-EAGAIN, costack_chan_try_send(chan, &value));
			for (i = 0; i < room; i++) {
				memset(&value, 0, sizeof(value));
				CST_EQ(0, costack_chan_try_recv(chan, &value));
				CST_EQ(i, value.seq);
				CST_TRUE(is_whole(&value));
			}
			/* Half full for the next round, which begins elsewhere. */
			if (room) {
				CST_EQ(0, costack_chan_try_send(chan, &value));
				CST_EQ(0, costack_chan_try_recv(chan, NULL));
			}
		}
		costack_chan_destroy(chan);
	}
}

/* A thread at one side, ten coroutines that wait at the other. */
#define WAITERS	10

static void take_from_senders(struct traffic *t, unsigned int room)
{
	struct cst_group *group = cst_items_new(WAITERS, false, sender, t, NULL);
	struct value value;
	unsigned int i;

	if (!group)
		return;
	cst_items_start(group);
	CST_SOON(cst_parked() == WAITERS - room);
	for (i = 0; i < WAITERS - 1; i++) {
		CST_EQ(0, costack_chan_try_recv(t->chan, &value));
		got(t, &value);
	}
	/* The value of the last one is discarded. */
	CST_EQ(0, costack_chan_try_recv(t->chan, NULL));
	CST_EQ(-EAGAIN, costack_chan_try_recv(t->chan, &value));
	CST_EQ(WAITERS - 1, atomic_long_read(&t->received));
	CST_FINISH(group, 0);
}

static void give_to_receivers(struct traffic *t)
{
	struct cst_group *group = cst_items_new(WAITERS, false, receiver, t, NULL);
	struct value value;
	unsigned int i;

	if (!group)
		return;
	bitmap_zero(t->seen, WAITERS);
	atomic_long_set(&t->received, 0);
	cst_items_start(group);
	CST_SOON(cst_parked() == WAITERS);
	for (i = 0; i < WAITERS; i++) {
		make_value(&value, i, 0);
		CST_EQ(0, costack_chan_try_send(t->chan, &value));
	}
	CST_SOON(atomic_long_read(&t->received) == WAITERS);
	CST_SOON(cst_parked() == WAITERS);
	CST_EQ(0, costack_chan_close(t->chan));
	CST_FINISH(group, -EPIPE);
	got_all(t, WAITERS);
}

static void chan_blocked(const long *args)
{
	unsigned int room;

	for (room = 0; room < 4 && !cst_failures(); room++) {
		struct traffic *t = new_traffic(room, WAITERS, 1);

		if (!t)
			return;
		take_from_senders(t, room);
		give_to_receivers(t);
		free_traffic(t);
	}
}

/* === Closing === */

static int null_receiver(void *arg)
{
	struct cst_item *item = arg;
	struct traffic *t = item->group->data;

	return costack_chan_recv(t->chan, NULL);
}

/* More than costack_chan_close() releases at a time. */
#define MANY_WAITERS	150

/* Some senders have found room, the others wait: these are told. */
static void close_with_senders(unsigned int room)
{
	struct traffic *t = new_traffic(room, MANY_WAITERS, 1);
	struct cst_group *group = cst_items_new(MANY_WAITERS, false, sender, t, NULL);
	struct value value;
	unsigned int i, sent = 0;

	if (!t || !group)
		return;
	cst_items_start(group);
	CST_SOON(cst_parked() == MANY_WAITERS - room);
	CST_EQ(0, costack_chan_close(t->chan));
	CST_EQ(-EPIPE, costack_chan_close(t->chan));
	CST_JOIN(group);
	for (i = 0; i < MANY_WAITERS; i++) {
		sent += group->item[i].ret == 0;
		CST_TRUE(group->item[i].ret == 0 || group->item[i].ret == -EPIPE);
	}
	cst_items_free(group);
	CST_EQ(room, sent);
	CST_EQ(-EPIPE, costack_chan_try_send(t->chan, &value));
	for (i = 0; i < room; i++) {
		CST_EQ(0, costack_chan_try_recv(t->chan, &value));
		got(t, &value);
	}
	CST_EQ(-EPIPE, costack_chan_try_recv(t->chan, &value));
	CST_EQ(-EPIPE, costack_chan_try_recv(t->chan, NULL));
	/* Whoever comes now does not wait. */
	group = cst_items_new(1, false, sender, t, NULL);
	if (group && cst_items_start(group))
		CST_FINISH(group, -EPIPE);
	group = cst_items_new(1, false, receiver, t, NULL);
	if (group && cst_items_start(group))
		CST_FINISH(group, -EPIPE);
	free_traffic(t);
}

static void close_with_receivers(unsigned int room)
{
	struct traffic *t = new_traffic(room, 1, 1);
	struct cst_group *group = cst_items_new(MANY_WAITERS, false, receiver, t, NULL);
	struct cst_group *nulls = cst_items_new(MANY_WAITERS, false, null_receiver, t, NULL);

	if (!t || !group || !nulls)
		return;
	cst_items_start(group);
	cst_items_start(nulls);
	CST_SOON(cst_parked() == 2 * MANY_WAITERS);
	CST_EQ(0, costack_chan_close(t->chan));
	CST_FINISH(group, -EPIPE);
	CST_FINISH(nulls, -EPIPE);
	free_traffic(t);
}

static void chan_close(const long *args)
{
	unsigned int room;

	for (room = 0; room < 4 && !cst_failures(); room++) {
		close_with_senders(room);
		close_with_receivers(room);
	}
}

static void chan_misuse(const long *args)
{
	CST_TRUE(!costack_chan_create(0, 1));
	CST_TRUE(!costack_chan_create(SIZE_MAX, 2));
	CST_TRUE(!costack_chan_create(SIZE_MAX, 1));
	CST_TRUE(!costack_chan_create(SIZE_MAX / 2, 1));
	/* The allocator cannot give that much, and must not warn. */
	CST_TRUE(!costack_chan_create(1UL << 40, 1));
	CST_TRUE(!costack_chan_create(1024, UINT_MAX));
	costack_chan_destroy(NULL);
}

/* === Many === */

/**
 * struct tick - an interrupt that sends, as the last of the senders
 * @timer: the interrupt
 * @traffic: what it takes part in
 * @from: its number
 * @seq: how many it has sent
 * @refused: how often it found no room
 */
struct tick {
	struct hrtimer	timer;
	struct traffic	*traffic;
	long		from;
	long		seq;
	long		refused;
};

static enum hrtimer_restart tick_sends(struct hrtimer *timer)
{
	struct tick *tick = container_of(timer, struct tick, timer);
	struct value value;
	int err;

	make_value(&value, tick->from, tick->seq);
	err = costack_chan_try_send(tick->traffic->chan, &value);
	if (err) {
		CST_EQ(-EAGAIN, err);
		tick->refused++;
	} else if (++tick->seq == tick->traffic->count) {
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(30 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

/* How many parked stacks have been moved. */
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

static void many(struct traffic *t, long senders, long receivers)
{
	struct cst_group *from = cst_items_new(senders - 1, false, sender, t, NULL);
	struct cst_group *to = cst_items_new(receivers, false, receiver, t, NULL);
	/* At least so many wait to send, on large stacks. */
	long enough = moved() + senders / 2;
	static struct cst_thread hammer;
	static struct tick tick;

	if (!from || !to)
		return;
	tick = (struct tick) { .traffic = t, .from = senders - 1 };
	costack_hrtimer_setup(&tick.timer, tick_sends, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	cst_items_start(from);
	if (t->deep) {
		CST_SOON(cst_parked() == senders - 1);
		CST_EQ(0, cst_thread_start(&hammer, CST_ANY_CPU, move_hammer, t));
		CST_SOON(moved() >= enough);
	}
	cst_items_start(to);
	hrtimer_start(&tick.timer, ns_to_ktime(1000), HRTIMER_MODE_REL_HARD);
	CST_FINISH(from, 0);
	CST_SOON(READ_ONCE(tick.seq) == t->count);
	hrtimer_cancel(&tick.timer);
	CST_EQ(0, costack_chan_close(t->chan));
	CST_FINISH(to, -EPIPE);
	WRITE_ONCE(t->done, true);
	if (t->deep)
		wait_for_completion(&hammer.done);
	got_all(t, senders);
}

static void chan_many(const long *args)
{
	struct traffic *t = new_traffic(args[3], args[0] + 1, args[2]);

	if (!t)
		return;
	many(t, args[0] + 1, args[1]);
	free_traffic(t);
}

/* Each uses much stack, and then waits with little of it in use. */
static void chan_shrink(const long *args)
{
	struct traffic *t = new_traffic(args[0], 20, args[1]);

	if (!t)
		return;
	t->deep = 50000;
	many(t, 20, 3);
	free_traffic(t);
}

static const struct cst_case cases[] = {
	{ "chan-order", chan_order },
	{ "chan-try", chan_try },
	{ "chan-blocked", chan_blocked },
	{ "chan-close", chan_close },
	{ "chan-misuse", chan_misuse },
	{ "chan-many", chan_many },
	{ "chan-shrink", chan_shrink },
	{ }
};

struct cst_suite cst_chan = { .owner = THIS_MODULE, .cases = cases };
