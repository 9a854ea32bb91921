// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of select: which case is served, and what is left on the other channels.
 *
 * The test runs the coroutines step by step, see party.h. For moves the suite vouches for its
 * own frames, as follow_test.c does, and old stacks are filled with poison.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/jiffies.h>
#include <linux/string.h>
#include <asm/costack.h>

#include "../module/arena.h"
#include "../module/chan.h"
#include "../module/grow.h"
#include "../module/move.h"
#include "../module/pack.h"
#include "../module/sudog.h"
#include "party.h"

#define UNTOUCHED	0xdeadL

static int select_init(struct kunit *test)
{
	int err = party_init(test);

	costack_um_movable = true;
	costack_knobs.poison = true;
	return err;
}

static void select_exit(struct kunit *test)
{
	costack_um_movable = false;
	party_exit(test);
}

/**
 * struct chooser - a coroutine that selects once
 * @guest: the coroutine
 * @timeout: the limit of its time
 * @nr: number of cases
 * @cases: the cases
 * @values: what each case sends or has received
 */
struct chooser {
	struct guest			*guest;
	long				timeout;
	unsigned int			nr;
	struct costack_select_case	cases[4];
	long				values[4];
};

static int choose(void *arg)
{
	struct chooser *chooser = arg;

	return costack_select_timeout(chooser->cases, chooser->nr, chooser->timeout);
}

static struct chooser *make_chooser(struct kunit *test)
{
	struct chooser *chooser = kunit_kzalloc(test, sizeof(*chooser), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, chooser);
	chooser->timeout = MAX_SCHEDULE_TIMEOUT;
	return chooser;
}

/* Add a case. What it sends is its number. */
static void add_case(struct chooser *chooser, struct costack_chan *chan, bool send)
{
	unsigned int nr = chooser->nr++;

	chooser->values[nr] = send ? nr : UNTOUCHED;
	chooser->cases[nr] = (struct costack_select_case)
		COSTACK_RECV(chan, &chooser->values[nr]);
	chooser->cases[nr].send = send;
	chooser->cases[nr].ret = 1;
}

/* Start it. On return it has parked or ended. */
static void begin(struct kunit *test, struct chooser *chooser)
{
	chooser->guest = start(test, NULL, choose, chooser);
}

/* Make one that receives from two channels and waits. */
static struct chooser *wait_for_two(struct kunit *test, struct costack_chan *a,
				    struct costack_chan *b)
{
	struct chooser *chooser = make_chooser(test);

	add_case(chooser, a, false);
	add_case(chooser, b, false);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_WAITING);
	return chooser;
}

static void expect_untouched(struct kunit *test, const struct chooser *chooser, unsigned int nr)
{
	KUNIT_EXPECT_EQ(test, chooser->values[nr], UNTOUCHED);
	KUNIT_EXPECT_EQ(test, chooser->cases[nr].ret, 1);
}

/* Nobody waits at @chan, and it is fast again. */
static void expect_quiet(struct kunit *test, const struct costack_chan *chan)
{
	KUNIT_EXPECT_TRUE(test, list_empty(&chan->senders));
	KUNIT_EXPECT_TRUE(test, list_empty(&chan->receivers));
	KUNIT_EXPECT_TRUE(test, list_empty(&chan->ending));
	KUNIT_EXPECT_EQ(test, chan->odd & ~(COSTACK_CHAN_CLOSED | COSTACK_CHAN_SIZED), 0);
}

static int give(struct costack_chan *chan, long value)
{
	return costack_chan_try_send(chan, &value);
}

static int receive_one(void *arg)
{
	struct chooser *side = arg;

	return costack_chan_recv(side->cases[0].chan, &side->values[0]);
}

/* === The order === */

/* Each entry of a list once. */
static bool is_permutation(const u8 *list, unsigned int nr)
{
	u8 seen[COSTACK_SELECT_MAX] = { };
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (list[i] >= nr || seen[list[i]]++)
			return false;
	return true;
}

/* Channels of @nr cases, some of them twice and some of none, are locked by address. */
static void check_order(struct kunit *test, struct costack_select_case *cases, unsigned int nr)
{
	u8 polls[COSTACK_SELECT_MAX], locks[COSTACK_SELECT_MAX];
	unsigned int i, wrong = 0;

	KUNIT_EXPECT_EQ(test, costack_try_select(cases, nr), -EAGAIN);
	for (i = 0; i < nr; i++) {
		polls[i] = cases[i].poll;
		locks[i] = cases[i].lock;
	}
	KUNIT_EXPECT_TRUE(test, is_permutation(polls, nr));
	KUNIT_ASSERT_TRUE(test, is_permutation(locks, nr));
	for (i = 1; i < nr; i++)
		wrong += cases[locks[i - 1]].chan > cases[locks[i]].chan;
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "of %u", nr);
}

static void channels_are_locked_by_address(struct kunit *test)
{
	struct costack_select_case *cases;
	struct costack_chan *chans[PARTY_MAX];
	unsigned int i, nr;

	cases = kunit_kcalloc(test, COSTACK_SELECT_MAX, sizeof(*cases), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cases);
	for (i = 0; i < PARTY_MAX; i++)
		chans[i] = make_chan(test, sizeof(long), 0);
	for (nr = 0; nr <= COSTACK_SELECT_MAX; nr++) {
		/* Every ninth has no channel; the others come around in steps of five. */
		for (i = 0; i < nr; i++) {
			cases[i] = (struct costack_select_case)
				COSTACK_RECV(chans[i * 5 % PARTY_MAX], NULL);
			if (i % 9 == 4)
				cases[i].chan = NULL;
		}
		check_order(test, cases, nr);
	}
	for (i = 0; i < PARTY_MAX; i++)
		KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&chans[i]->lock));
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

#define DRAWS	3000

/*
 * Each of three is served 1,000 times, with a standard deviation of 26. It is off by 250 once in
 * 10^21 runs.
 */
static void each_ready_case_has_its_share(struct kunit *test)
{
	struct costack_chan *ready = make_chan(test, sizeof(long), DRAWS);
	struct costack_chan *never = make_chan(test, sizeof(long), 0);
	struct costack_select_case cases[] = {
		COSTACK_RECV(never, NULL), COSTACK_RECV(ready, NULL), COSTACK_RECV(NULL, NULL),
		COSTACK_RECV(ready, NULL), COSTACK_RECV(ready, NULL),
	};
	unsigned int served[ARRAY_SIZE(cases)] = { }, i;
	int ret;

	for (i = 0; i < DRAWS; i++)
		KUNIT_EXPECT_EQ(test, give(ready, i), 0);
	for (i = 0; i < DRAWS; i++) {
		ret = costack_try_select(cases, ARRAY_SIZE(cases));
		KUNIT_ASSERT_GE(test, ret, 0);
		served[ret]++;
	}
	KUNIT_EXPECT_EQ(test, served[0] + served[2], 0);
	for (i = 1; i < ARRAY_SIZE(cases); i++) {
		if (i == 2)
			continue;
		KUNIT_EXPECT_GT(test, served[i], DRAWS / 3 - 250);
		KUNIT_EXPECT_LT(test, served[i], DRAWS / 3 + 250);
	}
}

/*
 * The same for those that wait: 100 selects of two sends to one channel. Fewer than ten of one
 * kind come once in 10^17 runs.
 */
static void each_waiting_case_has_its_share(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(long), 0);
	struct party *p = test->priv;
	unsigned int round, ones = 0;
	long value;

	for (round = 0; round < 100; round++) {
		struct chooser *chooser = make_chooser(test);

		add_case(chooser, chan, true);
		add_case(chooser, chan, true);
		begin(test, chooser);
		KUNIT_ASSERT_EQ(test, costack_chan_try_recv(chan, &value), 0);
		KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), value);
		ones += value;
		/* Its place is free for the next one. */
		p->nr_guests--;
	}
	KUNIT_EXPECT_GE(test, ones, 10);
	KUNIT_EXPECT_LE(test, ones, 90);
	expect_quiet(test, chan);
}

/* === Served === */

static void ready_case_is_served_at_once(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 1);
	struct costack_chan *b = make_chan(test, sizeof(long), 1);
	struct chooser *chooser = make_chooser(test);

	KUNIT_EXPECT_EQ(test, give(b, 7), 0);
	add_case(chooser, a, false);
	add_case(chooser, b, false);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, chooser->guest->ret, 1);
	KUNIT_EXPECT_EQ(test, chooser->values[1], 7);
	KUNIT_EXPECT_EQ(test, chooser->cases[1].ret, 0);
	expect_untouched(test, chooser, 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 0);
	expect_quiet(test, a);
	expect_quiet(test, b);
}

static void served_select_leaves_nothing_behind(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 1);
	KUNIT_EXPECT_EQ(test, a->odd, COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, b->odd, COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, give(a, 7), 0);
	expect_quiet(test, a);
	/* It has not run since: its other sudog is still there. */
	KUNIT_EXPECT_EQ(test, b->odd, COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 0);
	KUNIT_EXPECT_EQ(test, chooser->values[0], 7);
	KUNIT_EXPECT_EQ(test, chooser->cases[0].ret, 0);
	expect_untouched(test, chooser, 1);
	expect_quiet(test, a);
	expect_quiet(test, b);
}

static void odd_counts_every_case(struct kunit *test)
{
	struct costack_chan *words = make_chan(test, sizeof(long), 0);
	struct costack_chan *bytes = make_chan(test, 1, 0);
	struct chooser *chooser = make_chooser(test);
	u8 byte = 3;

	add_case(chooser, words, false);
	add_case(chooser, words, false);
	add_case(chooser, words, true);
	add_case(chooser, bytes, false);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, words->odd, 3 * COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, bytes->odd, COSTACK_ODD_CASE | COSTACK_CHAN_SIZED);
	KUNIT_EXPECT_EQ(test, costack_chan_try_send(bytes, &byte), 0);
	KUNIT_EXPECT_EQ(test, bytes->odd, COSTACK_CHAN_SIZED);
	KUNIT_EXPECT_EQ(test, words->odd, 3 * COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 3);
	KUNIT_EXPECT_EQ(test, words->odd, 0);
	expect_quiet(test, words);
	expect_quiet(test, bytes);
}

/* Another channel has served it, and it has not continued yet. */
static void stale_sudogs_are_skipped(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 1);
	struct chooser *first = wait_for_two(test, a, b), *behind = make_chooser(test);
	long value = 0;

	add_case(behind, b, false);
	behind->guest = start(test, NULL, receive_one, behind);
	KUNIT_EXPECT_EQ(test, give(a, 7), 0);
	/* To the one behind, then to the buffer; the first gets neither. */
	KUNIT_EXPECT_EQ(test, give(b, 8), 0);
	KUNIT_EXPECT_EQ(test, give(b, 9), 0);
	KUNIT_EXPECT_EQ(test, give(b, 10), -EAGAIN);
	expect_quiet(test, b);
	KUNIT_EXPECT_EQ(test, finish(test, behind->guest), 0);
	KUNIT_EXPECT_EQ(test, behind->values[0], 8);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), 0);
	KUNIT_EXPECT_EQ(test, first->values[0], 7);
	expect_untouched(test, first, 1);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(b, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 9);
}

/* The value of a stale sender goes nowhere. */
static void stale_senders_are_skipped(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *full = make_chan(test, sizeof(long), 1);
	struct chooser *chooser = make_chooser(test);
	long value = 0;

	KUNIT_EXPECT_EQ(test, give(full, 5), 0);
	add_case(chooser, full, true);
	add_case(chooser, a, false);
	add_case(chooser, full, true);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, give(a, 7), 0);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(full, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 5);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(full, &value), -EAGAIN);
	expect_quiet(test, full);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 1);
}

/* A place becomes free: the value of the select moves up to the end of the buffer. */
static void waiting_send_fills_the_buffer(struct kunit *test)
{
	struct costack_chan *full = make_chan(test, sizeof(long), 2);
	struct costack_chan *never = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = make_chooser(test);
	long value = 0, i;

	KUNIT_EXPECT_EQ(test, give(full, 5), 0);
	KUNIT_EXPECT_EQ(test, give(full, 6), 0);
	add_case(chooser, never, true);
	add_case(chooser, full, true);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, give(full, 9), -EAGAIN);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(full, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 5);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 1);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, costack_chan_try_recv(full, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1);
	expect_quiet(test, never);
	expect_quiet(test, full);
}

static void select_does_not_serve_itself(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(long), 0);
	struct chooser *first = make_chooser(test), *second = make_chooser(test);
	struct chooser *sender, *receiver;
	int ret;

	add_case(first, chan, true);
	add_case(first, chan, false);
	begin(test, first);
	KUNIT_EXPECT_EQ(test, guest_state(first->guest), COSTACK_WAITING);
	/* But two of them serve each other. */
	add_case(second, chan, false);
	add_case(second, chan, true);
	begin(test, second);
	KUNIT_EXPECT_EQ(test, guest_state(second->guest), COSTACK_DEAD);
	ret = finish(test, first->guest);
	sender = ret == 0 ? first : second;
	receiver = ret == 0 ? second : first;
	KUNIT_EXPECT_EQ(test, second->guest->ret, ret);
	KUNIT_EXPECT_EQ(test, receiver->values[ret == 0 ? 0 : 1], sender->values[ret == 0 ? 0 : 1]);
	expect_quiet(test, chan);
}

static void stray_unpark_ends_no_select(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	costack_unpark(chooser->guest->co);
	go_on(test, chooser->guest);
	KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, b->odd, COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, give(b, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 1);
	KUNIT_EXPECT_EQ(test, chooser->values[1], 7);
	expect_quiet(test, a);
}

/* === Close === */

static void close_serves_one_case(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = make_chooser(test);

	add_case(chooser, a, false);
	add_case(chooser, b, true);
	add_case(chooser, b, false);
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, costack_chan_close(a), 0);
	KUNIT_EXPECT_EQ(test, costack_chan_close(b), 0);
	expect_quiet(test, b);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 0);
	KUNIT_EXPECT_EQ(test, chooser->cases[0].ret, -EPIPE);
	KUNIT_EXPECT_EQ(test, chooser->values[0], UNTOUCHED);
	KUNIT_EXPECT_EQ(test, chooser->cases[1].ret, 1);
	expect_untouched(test, chooser, 2);
	expect_quiet(test, a);
}

static void closed_channel_is_served_at_once(struct kunit *test)
{
	struct costack_chan *closed = make_chan(test, sizeof(long), 0);
	struct costack_chan *never = make_chan(test, sizeof(long), 0);
	bool send;

	KUNIT_EXPECT_EQ(test, costack_chan_close(closed), 0);
	for (send = false;; send = true) {
		struct chooser *chooser = make_chooser(test);

		add_case(chooser, never, false);
		add_case(chooser, closed, send);
		begin(test, chooser);
		KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_DEAD);
		KUNIT_EXPECT_EQ(test, chooser->guest->ret, 1);
		KUNIT_EXPECT_EQ(test, chooser->cases[1].ret, -EPIPE);
		if (send)
			break;
	}
	expect_quiet(test, never);
}

/* === Cancel and time === */

static void cancelled_select_gets_nothing(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	/* What costack_cancel() of a parked coroutine does. */
	costack_waiters_forget(chooser->guest->co);
	expect_quiet(test, a);
	expect_quiet(test, b);
	KUNIT_EXPECT_EQ(test, give(a, 7), -EAGAIN);
	costack_unpark(chooser->guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), -ECANCELED);
	expect_untouched(test, chooser, 0);
	expect_untouched(test, chooser, 1);
}

static void cancel_after_the_other_side_keeps_the_value(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	KUNIT_EXPECT_EQ(test, give(b, 7), 0);
	costack_waiters_forget(chooser->guest->co);
	expect_quiet(test, a);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 1);
	KUNIT_EXPECT_EQ(test, chooser->values[1], 7);
}

/* Its worker consumed the unpark of the cancel before it saw the flag. */
static void cancel_after_a_stray_unpark_ends_a_select(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	costack_unpark(chooser->guest->co);
	WRITE_ONCE(chooser->guest->co->heed, COSTACK_HEED_CANCEL);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), -ECANCELED);
	expect_quiet(test, a);
	expect_quiet(test, b);
}

/* Frames that are cut off leave no sudog. */
static void cut_off_select_leaves_nothing_behind(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_for_two(test, a, b);

	costack_waiters_forget(chooser->guest->co);
	costack_waiters_drop(chooser->guest->co);
	expect_quiet(test, a);
	expect_quiet(test, b);
	KUNIT_EXPECT_NULL(test, chooser->guest->co->waiter);
}

static struct chooser *wait_with_limit(struct kunit *test, struct costack_chan *a,
				       struct costack_chan *b)
{
	struct chooser *chooser = make_chooser(test);

	add_case(chooser, a, false);
	add_case(chooser, b, false);
	chooser->timeout = 1000 * HZ;
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_WAITING);
	KUNIT_EXPECT_TRUE(test, timer_pending(costack_waiter_timer(chooser->guest->co->waiter)));
	return chooser;
}

static void time_ends_a_select(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_with_limit(test, a, b);

	costack_sudog_expire(costack_waiter_timer(chooser->guest->co->waiter));
	/* It leaves the channels when it continues. */
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), -ETIMEDOUT);
	expect_untouched(test, chooser, 0);
	expect_untouched(test, chooser, 1);
	expect_quiet(test, a);
	expect_quiet(test, b);
}

/* The time is over, and then somebody sends: the value counts. */
static void value_after_the_time_is_received(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_with_limit(test, a, b);

	costack_sudog_expire(costack_waiter_timer(chooser->guest->co->waiter));
	KUNIT_EXPECT_EQ(test, give(b, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 1);
	KUNIT_EXPECT_EQ(test, chooser->values[1], 7);
	expect_quiet(test, a);
}

/* A value, and then the time is over. */
static void time_after_the_value_changes_nothing(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct costack_chan *b = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = wait_with_limit(test, a, b);

	KUNIT_EXPECT_EQ(test, give(a, 7), 0);
	costack_sudog_expire(costack_waiter_timer(chooser->guest->co->waiter));
	KUNIT_EXPECT_EQ(test, finish(test, chooser->guest), 0);
	KUNIT_EXPECT_EQ(test, chooser->values[0], 7);
	expect_quiet(test, b);
}

static void no_time_is_no_wait(struct kunit *test)
{
	struct costack_chan *a = make_chan(test, sizeof(long), 0);
	struct chooser *chooser = make_chooser(test);

	add_case(chooser, a, false);
	chooser->timeout = 0;
	begin(test, chooser);
	KUNIT_EXPECT_EQ(test, guest_state(chooser->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, chooser->guest->ret, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 0);
	expect_quiet(test, a);
}

/* === Places on a stack that moves === */

static const struct costack_attr large = { .stack_first = 8 * PAGE_SIZE };

/**
 * struct places - what a coroutine has received at places of its stack
 * @a: the channel of the first two cases
 * @b: the channel of the third
 * @values: the values
 */
struct places {
	struct costack_chan	*a;
	struct costack_chan	*b;
	long			values[3];
};

static noinline int select_at_places(void *arg)
{
	struct places *places = arg;
	long first = 1, second = 2, third = 3;
	struct costack_select_case cases[] = {
		COSTACK_RECV(places->a, &first), COSTACK_RECV(places->a, &second),
		COSTACK_RECV(places->b, &third),
	};
	int ret = costack_select(cases, ARRAY_SIZE(cases));

	places->values[0] = first;
	places->values[1] = second;
	places->values[2] = third;
	return ret;
}

static struct costack_select *select_of(const struct guest *guest)
{
	return costack_waiter_select(guest->co->waiter);
}

static unsigned int nr_places_on_stack(const struct guest *guest)
{
	const struct costack_select *select = select_of(guest);
	const struct costack *co = guest->co;
	unsigned int i, nr = 0;

	for (i = 0; i < select->nr; i++) {
		unsigned long elem = (unsigned long)select->cases[i].sudog.elem;

		nr += elem >= co->ctx.sp && elem < co->slot->hi;
	}
	return nr;
}

static void expect_values(struct kunit *test, const struct places *places, long first,
			  long second, long third)
{
	KUNIT_EXPECT_EQ(test, places->values[0], first);
	KUNIT_EXPECT_EQ(test, places->values[1], second);
	KUNIT_EXPECT_EQ(test, places->values[2], third);
}

static void shrink(struct kunit *test, struct guest *guest)
{
	const struct costack_slot *old = guest->co->slot;

	KUNIT_ASSERT_TRUE(test, costack_set_state(guest->co, COSTACK_WAITING, COSTACK_COPYSTACK));
	KUNIT_EXPECT_EQ(test, costack_move_shrink(guest->co), 0);
	costack_set_state(guest->co, COSTACK_COPYSTACK, COSTACK_WAITING);
	KUNIT_EXPECT_PTR_NE(test, (const struct costack_slot *)guest->co->slot, old);
}

static void all_places_follow_a_move(struct kunit *test)
{
	struct places places = {
		.a = make_chan(test, sizeof(long), 0), .b = make_chan(test, sizeof(long), 0),
	};
	struct guest *guest = start(test, &large, select_at_places, &places);

	KUNIT_EXPECT_EQ(test, nr_places_on_stack(guest), 3);
	shrink(test, guest);
	KUNIT_EXPECT_EQ(test, nr_places_on_stack(guest), 3);
	shrink(test, guest);
	KUNIT_EXPECT_EQ(test, nr_places_on_stack(guest), 3);
	KUNIT_EXPECT_EQ(test, give(places.b, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 2);
	expect_values(test, &places, 1, 2, 7);
}

static void pack_redirects_all_places(struct kunit *test)
{
	struct places places = {
		.a = make_chan(test, sizeof(long), 0), .b = make_chan(test, sizeof(long), 0),
	};
	struct guest *guest = start(test, NULL, select_at_places, &places);
	struct costack *co = guest->co;
	struct costack_slot *taken;
	int ret;

	KUNIT_ASSERT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK));
	KUNIT_EXPECT_EQ(test, costack_pack(co), COSTACK_MOVABLE);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_WAITING);
	KUNIT_ASSERT_NULL(test, co->slot);
	/* Whoever has the stack now notices nothing. */
	taken = costack_stackalloc(0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, taken);
	memset((void *)costack_slot_lo(taken), 0xa5, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, give(places.a, 7), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(taken), 0xa5, PAGE_SIZE));
	KUNIT_ASSERT_TRUE(test, costack_unpack(co, NULL));
	ret = finish(test, guest);
	KUNIT_EXPECT_TRUE(test, ret == 0 || ret == 1);
	expect_values(test, &places, ret == 0 ? 7 : 1, ret == 1 ? 7 : 2, 3);
	costack_stackfree(taken);
}

/* Served, and moved before it continues: what it has received moves with it. */
static void value_moves_before_it_is_looked_at(struct kunit *test)
{
	struct places places = {
		.a = make_chan(test, sizeof(long), 0), .b = make_chan(test, sizeof(long), 0),
	};
	struct guest *guest = start(test, &large, select_at_places, &places);
	struct costack *co = guest->co;

	KUNIT_EXPECT_EQ(test, give(places.b, 7), 0);
	costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 10 * PAGE_SIZE), 0);
	/* As when a wake-up comes during a park. */
	costack_set_state(co, COSTACK_RUNNING, COSTACK_WAITING);
	costack_unpark(co);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 2);
	expect_values(test, &places, 1, 2, 7);
}

static void each_request_may_move_a_select(struct kunit *test)
{
	struct places places = {
		.a = make_chan(test, sizeof(long), 0), .b = make_chan(test, sizeof(long), 0),
	};
	struct guest *guest;

	costack_knobs.force_move = true;
	guest = start(test, NULL, select_at_places, &places);
	KUNIT_EXPECT_EQ(test, give(places.b, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 2);
	expect_values(test, &places, 1, 2, 7);
	KUNIT_EXPECT_GE(test, counted(test, COSTACK_STAT_MOVES_FORCED), 1);
}

/* === Refusals === */

static int select_too_many(void *arg)
{
	return costack_select(arg, COSTACK_SELECT_MAX + 1);
}

static int select_the_most(void *arg)
{
	return costack_select(arg, COSTACK_SELECT_MAX);
}

static void too_many_cases_are_refused(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(long), 0);
	struct costack_select_case *cases;
	struct guest *guest;
	unsigned int i;

	cases = kunit_kcalloc(test, COSTACK_SELECT_MAX + 1, sizeof(*cases), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cases);
	for (i = 0; i <= COSTACK_SELECT_MAX; i++)
		cases[i] = (struct costack_select_case)COSTACK_RECV(chan, NULL);
	KUNIT_EXPECT_EQ(test, costack_try_select(cases, COSTACK_SELECT_MAX + 1), -EINVAL);
	guest = start(test, NULL, select_too_many, cases);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, guest->ret, -EINVAL);
	guest = start(test, NULL, select_the_most, cases);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, chan->odd, COSTACK_SELECT_MAX * COSTACK_ODD_CASE);
	KUNIT_EXPECT_EQ(test, give(chan, 7), 0);
	KUNIT_EXPECT_GE(test, finish(test, guest), 0);
	expect_quiet(test, chan);
}

static void host_stack_does_not_select(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(long), 1);
	struct costack_select_case recv = COSTACK_RECV(chan, NULL);

	KUNIT_EXPECT_EQ(test, give(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, costack_select(&recv, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_select_timeout(&recv, 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_try_select(&recv, 1), 0);
	KUNIT_EXPECT_EQ(test, costack_try_select(&recv, 1), -EAGAIN);
}

static struct kunit_case select_cases[] = {
	KUNIT_CASE(channels_are_locked_by_address),
	KUNIT_CASE(each_ready_case_has_its_share),
	KUNIT_CASE(each_waiting_case_has_its_share),
	KUNIT_CASE(ready_case_is_served_at_once),
	KUNIT_CASE(served_select_leaves_nothing_behind),
	KUNIT_CASE(odd_counts_every_case),
	KUNIT_CASE(stale_sudogs_are_skipped),
	KUNIT_CASE(stale_senders_are_skipped),
	KUNIT_CASE(waiting_send_fills_the_buffer),
	KUNIT_CASE(select_does_not_serve_itself),
	KUNIT_CASE(stray_unpark_ends_no_select),
	KUNIT_CASE(close_serves_one_case),
	KUNIT_CASE(closed_channel_is_served_at_once),
	KUNIT_CASE(cancelled_select_gets_nothing),
	KUNIT_CASE(cancel_after_the_other_side_keeps_the_value),
	KUNIT_CASE(cancel_after_a_stray_unpark_ends_a_select),
	KUNIT_CASE(cut_off_select_leaves_nothing_behind),
	KUNIT_CASE(time_ends_a_select),
	KUNIT_CASE(value_after_the_time_is_received),
	KUNIT_CASE(time_after_the_value_changes_nothing),
	KUNIT_CASE(no_time_is_no_wait),
	KUNIT_CASE(all_places_follow_a_move),
	KUNIT_CASE(pack_redirects_all_places),
	KUNIT_CASE(value_moves_before_it_is_looked_at),
	KUNIT_CASE(each_request_may_move_a_select),
	KUNIT_CASE(too_many_cases_are_refused),
	KUNIT_CASE(host_stack_does_not_select),
	{ }
};

static struct kunit_suite select_suite = {
	.name		= "costack_select",
	.init		= select_init,
	.exit		= select_exit,
	.test_cases	= select_cases,
};

kunit_test_suite(select_suite);

MODULE_LICENSE("GPL");
