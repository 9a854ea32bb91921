// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of channels: which values arrive, in which order, and who waits for them.
 *
 * The test runs the coroutines step by step, see party.h. Where it does not matter
 * who the other side is, the test itself takes that part, with the try forms.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "party.h"

#define UNTOUCHED	0xdeadU

/**
 * struct side - a coroutine that sends or receives one value
 * @guest: the coroutine
 * @chan: the channel
 * @value: what it sends, or has received
 * @elem: &@value, or %NULL to drop what is received
 */
struct side {
	struct guest		*guest;
	struct costack_chan	*chan;
	u32			value;
	u32			*elem;
};

static int send_it(void *arg)
{
	struct side *side = arg;

	return costack_chan_send(side->chan, side->elem);
}

static int receive_it(void *arg)
{
	struct side *side = arg;

	return costack_chan_recv(side->chan, side->elem);
}

static struct side *make_side(struct kunit *test, struct costack_chan *chan, u32 value)
{
	struct side *side = kunit_kzalloc(test, sizeof(*side), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, side);
	side->chan = chan;
	side->value = value;
	side->elem = &side->value;
	return side;
}

/* Start a coroutine that sends @value. On return it has parked or ended. */
static struct side *send(struct kunit *test, struct costack_chan *chan, u32 value)
{
	struct side *side = make_side(test, chan, value);

	side->guest = start(test, NULL, send_it, side);
	return side;
}

static struct side *receive(struct kunit *test, struct costack_chan *chan)
{
	struct side *side = make_side(test, chan, UNTOUCHED);

	side->guest = start(test, NULL, receive_it, side);
	return side;
}

static int try_send(struct costack_chan *chan, u32 value)
{
	return costack_chan_try_send(chan, &value);
}

static void expect_receive(struct kunit *test, struct costack_chan *chan, u32 want)
{
	u32 value = UNTOUCHED;

	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(chan, &value), 0);
	KUNIT_EXPECT_EQ(test, value, want);
}

static void expect_nothing(struct kunit *test, struct costack_chan *chan, int why)
{
	u32 value = UNTOUCHED;

	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(chan, &value), why);
	KUNIT_EXPECT_EQ(test, value, UNTOUCHED);
}

static void expect_parked(struct kunit *test, const struct side *side)
{
	KUNIT_EXPECT_EQ(test, guest_state(side->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, side->guest->parks, 1);
}

static void expect_ended(struct kunit *test, const struct side *side, int ret)
{
	KUNIT_EXPECT_EQ(test, guest_state(side->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, side->guest->parks, 0);
	KUNIT_EXPECT_EQ(test, side->guest->ret, ret);
}

/* === The buffer === */

static void buffered_values_arrive_in_order(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 3);

	KUNIT_EXPECT_EQ(test, try_send(chan, 11), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 12), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 13), 0);
	expect_receive(test, chan, 11);
	expect_receive(test, chan, 12);
	expect_receive(test, chan, 13);
}

/* Start at every place of the buffer, with every number of values in it. */
static void buffer_wraps_around(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 5);
	u32 sent = 0, received = 0, value, held, wrong = 0;
	unsigned int round;

	for (round = 0; round < 40; round++) {
		for (held = 0; held <= round % 5; held++)
			wrong += try_send(chan, sent++) != 0;
		while (held--) {
			wrong += costack_chan_try_recv(chan, &value) != 0;
			wrong += value != received++;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, received, 120);
}

static void full_buffer_takes_no_more(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 2), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 3), -EAGAIN);
	expect_receive(test, chan, 1);
	KUNIT_EXPECT_EQ(test, try_send(chan, 4), 0);
	expect_receive(test, chan, 2);
	expect_receive(test, chan, 4);
}

static void empty_buffer_gives_nothing(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);

	expect_nothing(test, chan, -EAGAIN);
	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	expect_receive(test, chan, 1);
	expect_nothing(test, chan, -EAGAIN);
}

static void nobody_waits_while_the_buffer_will_do(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	struct side *receiver;

	expect_ended(test, send(test, chan, 5), 0);
	receiver = receive(test, chan);
	expect_ended(test, receiver, 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 5);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 0);
}

static void null_drops_a_buffered_value(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 2), 0);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(chan, NULL), 0);
	expect_receive(test, chan, 2);
}

/* Send six values through a buffer of three; no byte beyond a value may be written. */
static void check_size(struct kunit *test, size_t size)
{
	struct costack_chan *chan = make_chan(test, size, 3);
	u8 *from = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 *to = kunit_kmalloc(test, size + 1, GFP_KERNEL);
	unsigned int sent, received = 0;

	KUNIT_ASSERT_NOT_NULL(test, from);
	KUNIT_ASSERT_NOT_NULL(test, to);
	for (sent = 0; sent < 8; sent++) {
		memset(from, 0x40 + sent, size);
		KUNIT_EXPECT_EQ(test, costack_chan_try_send(chan, from), 0);
		if (sent < 2)
			continue;
		memset(to, 0xa5, size + 1);
		KUNIT_EXPECT_EQ(test, costack_chan_try_recv(chan, to), 0);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(to, 0x40 + received++, size),
				      "size %zu", size);
		KUNIT_EXPECT_EQ_MSG(test, to[size], 0xa5, "size %zu", size);
	}
}

static void values_of_any_size_arrive_whole(struct kunit *test)
{
	static const size_t sizes[] = { 1, 3, 8, 63, 4096, 100001 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		check_size(test, sizes[i]);
}

/* === Waiting === */

static void unbuffered_channel_has_no_room(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), -EAGAIN);
	expect_nothing(test, chan, -EAGAIN);
}

static void sender_waits_for_its_receiver(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *sender = send(test, chan, 7);

	expect_parked(test, sender);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 1);
	expect_receive(test, chan, 7);
	KUNIT_EXPECT_EQ(test, finish(test, sender->guest), 0);
	expect_nothing(test, chan, -EAGAIN);
}

static void receiver_waits_for_its_sender(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	expect_parked(test, receiver);
	KUNIT_EXPECT_EQ(test, receiver->value, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
	KUNIT_EXPECT_EQ(test, try_send(chan, 8), -EAGAIN);
}

static void coroutine_receives_from_a_waiting_one(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *sender = send(test, chan, 7);
	struct side *receiver = receive(test, chan);

	expect_ended(test, receiver, 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
	KUNIT_EXPECT_EQ(test, finish(test, sender->guest), 0);
}

static void coroutine_sends_to_a_waiting_one(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	expect_ended(test, send(test, chan, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
}

static void waiting_senders_are_served_in_turn(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *first = send(test, chan, 1), *second = send(test, chan, 2);

	expect_receive(test, chan, 1);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), 0);
	expect_parked(test, second);
	expect_receive(test, chan, 2);
	KUNIT_EXPECT_EQ(test, finish(test, second->guest), 0);
}

static void waiting_receivers_are_served_in_turn(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	struct side *first = receive(test, chan), *second = receive(test, chan);

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), 0);
	KUNIT_EXPECT_EQ(test, first->value, 1);
	expect_parked(test, second);
	KUNIT_EXPECT_EQ(test, second->value, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, try_send(chan, 2), 0);
	KUNIT_EXPECT_EQ(test, finish(test, second->guest), 0);
	KUNIT_EXPECT_EQ(test, second->value, 2);
}

static void value_for_a_waiting_receiver_is_not_buffered(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);
	struct side *receiver = receive(test, chan);

	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
	expect_nothing(test, chan, -EAGAIN);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
}

/* When a value is taken out, the value of the first waiting sender goes to the end. */
static void senders_to_a_full_buffer_keep_the_order(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);
	struct side *third, *fourth;

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 2), 0);
	third = send(test, chan, 3);
	fourth = send(test, chan, 4);
	expect_parked(test, third);
	expect_receive(test, chan, 1);
	KUNIT_EXPECT_EQ(test, finish(test, third->guest), 0);
	expect_parked(test, fourth);
	KUNIT_EXPECT_EQ(test, try_send(chan, 5), -EAGAIN);
	expect_receive(test, chan, 2);
	KUNIT_EXPECT_EQ(test, finish(test, fourth->guest), 0);
	expect_receive(test, chan, 3);
	expect_receive(test, chan, 4);
	expect_nothing(test, chan, -EAGAIN);
}

static void null_drops_the_value_of_a_waiting_sender(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *sender = send(test, chan, 7);

	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(chan, NULL), 0);
	KUNIT_EXPECT_EQ(test, finish(test, sender->guest), 0);
}

static void receiver_may_wait_for_a_value_to_drop(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = make_side(test, chan, UNTOUCHED);

	receiver->elem = NULL;
	receiver->guest = start(test, NULL, receive_it, receiver);
	expect_parked(test, receiver);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, UNTOUCHED);
}

/* The receiver is resumed while its sudog is still on the queue, and goes on waiting. */
static void stray_unpark_ends_no_wait(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	costack_unpark(receiver->guest->co);
	go_on(test, receiver->guest);
	KUNIT_EXPECT_EQ(test, guest_state(receiver->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
	KUNIT_EXPECT_EQ(test, try_send(chan, 8), -EAGAIN);
}

/*
 * Its worker had looked whether it is cancelled, and then the cancel came: the unpark of the
 * cancel is lost, as the worker was about to run it anyway.
 */
static void cancel_after_a_stray_unpark_ends_a_wait(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	costack_unpark(receiver->guest->co);
	WRITE_ONCE(receiver->guest->co->heed, COSTACK_HEED_CANCEL);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), -ECANCELED);
	KUNIT_EXPECT_EQ(test, receiver->value, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), -EAGAIN);
}

static int unpark_it(void *co)
{
	costack_unpark(co);
	return 0;
}

static int receive_with_an_unpark_before(void *arg)
{
	return costack_on_host(unpark_it, costack_current()) ?: receive_it(arg);
}

static void early_unpark_ends_no_wait(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = make_side(test, chan, UNTOUCHED);

	receiver->guest = start(test, NULL, receive_with_an_unpark_before, receiver);
	expect_parked(test, receiver);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
}

static void host_stack_does_not_wait(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	u32 value = 7;

	KUNIT_EXPECT_EQ(test, costack_chan_send(chan, &value), -EINVAL);
	expect_nothing(test, chan, -EAGAIN);
	KUNIT_EXPECT_EQ(test, costack_chan_recv(chan, &value), -EINVAL);
}

/* === Close === */

static void closed_channel_takes_nothing(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 2);

	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 1), -EPIPE);
	expect_ended(test, send(test, chan, 2), -EPIPE);
	expect_nothing(test, chan, -EPIPE);
}

static void closed_channel_gives_what_it_has(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 3);
	struct side *receiver;

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	KUNIT_EXPECT_EQ(test, try_send(chan, 2), 0);
	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), 0);
	expect_receive(test, chan, 1);
	receiver = receive(test, chan);
	expect_ended(test, receiver, 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 2);
	expect_nothing(test, chan, -EPIPE);
	receiver = receive(test, chan);
	expect_ended(test, receiver, -EPIPE);
	KUNIT_EXPECT_EQ(test, receiver->value, UNTOUCHED);
}

static void close_wakes_every_receiver(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	struct side *receiver[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(receiver); i++)
		receiver[i] = receive(test, chan);
	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), 0);
	for (i = 0; i < ARRAY_SIZE(receiver); i++) {
		KUNIT_EXPECT_EQ(test, finish(test, receiver[i]->guest), -EPIPE);
		KUNIT_EXPECT_EQ(test, receiver[i]->value, UNTOUCHED);
	}
}

/* None of the senders' values gets into the channel. */
static void close_wakes_every_sender(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	struct side *sender[3];
	unsigned int i;

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	for (i = 0; i < ARRAY_SIZE(sender); i++)
		sender[i] = send(test, chan, 2 + i);
	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), 0);
	for (i = 0; i < ARRAY_SIZE(sender); i++)
		KUNIT_EXPECT_EQ(test, finish(test, sender[i]->guest), -EPIPE);
	expect_receive(test, chan, 1);
	expect_nothing(test, chan, -EPIPE);
}

static void second_close_is_refused(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);

	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), 0);
	KUNIT_EXPECT_EQ(test, costack_chan_close(chan), -EPIPE);
	expect_nothing(test, chan, -EPIPE);
}

/* === Cancelling === */

/* Do what costack_cancel() of a parked coroutine does. */
static void cancelled_receiver_gets_no_value(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	costack_waiters_forget(receiver->guest->co);
	KUNIT_EXPECT_EQ(test, try_send(chan, 7), -EAGAIN);
	KUNIT_EXPECT_EQ(test, receiver->value, UNTOUCHED);
	costack_unpark(receiver->guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), -ECANCELED);
}

static void cancelled_sender_sends_nothing(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 1);
	struct side *sender;

	KUNIT_EXPECT_EQ(test, try_send(chan, 1), 0);
	sender = send(test, chan, 2);
	costack_waiters_forget(sender->guest->co);
	expect_receive(test, chan, 1);
	expect_nothing(test, chan, -EAGAIN);
	costack_unpark(sender->guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, sender->guest), -ECANCELED);
}

static void cancel_in_mid_queue_leaves_the_others(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *sender[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sender); i++)
		sender[i] = send(test, chan, 1 + i);
	costack_waiters_forget(sender[1]->guest->co);
	expect_receive(test, chan, 1);
	expect_receive(test, chan, 3);
	expect_nothing(test, chan, -EAGAIN);
	KUNIT_EXPECT_EQ(test, guest_state(sender[1]->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, finish(test, sender[2]->guest), 0);
}

/* The cancel comes too late: the value has arrived, and the coroutine gets it. */
static void cancel_after_the_other_side_changes_nothing(struct kunit *test)
{
	struct costack_chan *chan = make_chan(test, sizeof(u32), 0);
	struct side *receiver = receive(test, chan);

	KUNIT_EXPECT_EQ(test, try_send(chan, 7), 0);
	costack_waiters_forget(receiver->guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, receiver->guest), 0);
	KUNIT_EXPECT_EQ(test, receiver->value, 7);
}

/* === Life === */

static void sizes_that_do_not_fit_are_refused(struct kunit *test)
{
	static const struct {
		size_t		elem_size;
		unsigned int	nr;
	} bad[] = {
		{ 0, 0 },
		{ 0, 1 },
		{ SIZE_MAX, 1 },
		{ SIZE_MAX, 2 },
		{ SIZE_MAX - 8, 1 },
		{ SIZE_MAX / 2 + 1, 2 },	/* the product wraps around to 0 */
		{ SIZE_MAX / 2 + 2, 2 },	/* to 2 */
		{ SIZE_MAX / 2, UINT_MAX },
		{ INT_MAX, 1 },
	};
	struct costack_chan *chan;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		chan = costack_chan_create(bad[i].elem_size, bad[i].nr);
		KUNIT_EXPECT_NULL_MSG(test, chan, "sizes %u", i);
		costack_chan_destroy(chan);
	}
}

/* Needs vmalloc_nr_pages(), which no module can call. */
#ifndef MODULE

/* Larger than the page allocator's largest block: vmalloc pages can be counted. */
#define LARGE	(16UL << 20)

static bool given_back(unsigned long before)
{
	unsigned int ticks;

	rcu_barrier();
	for (ticks = 0; ticks < 1000 && vmalloc_nr_pages() > before; ticks++)
		schedule_timeout_uninterruptible(1);
	return vmalloc_nr_pages() <= before;
}

static void destroyed_channel_gives_its_memory_back(struct kunit *test)
{
	unsigned long before = vmalloc_nr_pages();
	struct costack_chan *chan = costack_chan_create(LARGE / 2, 2);

	KUNIT_ASSERT_NOT_NULL(test, chan);
	KUNIT_EXPECT_GE(test, vmalloc_nr_pages(), before + LARGE / PAGE_SIZE);
	costack_chan_destroy(chan);
	KUNIT_EXPECT_TRUE(test, given_back(before));
}

#endif

static struct kunit_case chan_cases[] = {
	KUNIT_CASE(buffered_values_arrive_in_order),
	KUNIT_CASE(buffer_wraps_around),
	KUNIT_CASE(full_buffer_takes_no_more),
	KUNIT_CASE(empty_buffer_gives_nothing),
	KUNIT_CASE(nobody_waits_while_the_buffer_will_do),
	KUNIT_CASE(null_drops_a_buffered_value),
	KUNIT_CASE(values_of_any_size_arrive_whole),
	KUNIT_CASE(unbuffered_channel_has_no_room),
	KUNIT_CASE(sender_waits_for_its_receiver),
	KUNIT_CASE(receiver_waits_for_its_sender),
	KUNIT_CASE(coroutine_receives_from_a_waiting_one),
	KUNIT_CASE(coroutine_sends_to_a_waiting_one),
	KUNIT_CASE(waiting_senders_are_served_in_turn),
	KUNIT_CASE(waiting_receivers_are_served_in_turn),
	KUNIT_CASE(value_for_a_waiting_receiver_is_not_buffered),
	KUNIT_CASE(senders_to_a_full_buffer_keep_the_order),
	KUNIT_CASE(null_drops_the_value_of_a_waiting_sender),
	KUNIT_CASE(receiver_may_wait_for_a_value_to_drop),
	KUNIT_CASE(stray_unpark_ends_no_wait),
	KUNIT_CASE(cancel_after_a_stray_unpark_ends_a_wait),
	KUNIT_CASE(early_unpark_ends_no_wait),
	KUNIT_CASE(host_stack_does_not_wait),
	KUNIT_CASE(closed_channel_takes_nothing),
	KUNIT_CASE(closed_channel_gives_what_it_has),
	KUNIT_CASE(close_wakes_every_receiver),
	KUNIT_CASE(close_wakes_every_sender),
	KUNIT_CASE(second_close_is_refused),
	KUNIT_CASE(cancelled_receiver_gets_no_value),
	KUNIT_CASE(cancelled_sender_sends_nothing),
	KUNIT_CASE(cancel_in_mid_queue_leaves_the_others),
	KUNIT_CASE(cancel_after_the_other_side_changes_nothing),
	KUNIT_CASE(sizes_that_do_not_fit_are_refused),
#ifndef MODULE
	KUNIT_CASE(destroyed_channel_gives_its_memory_back),
#endif
	{ }
};

static struct kunit_suite chan_suite = {
	.name		= "costack_chan",
	.init		= party_init,
	.exit		= party_exit,
	.test_cases	= chan_cases,
};

kunit_test_suite(chan_suite);

MODULE_LICENSE("GPL");
