// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of moves of stacks that hold a channel's value: the waiter's element is a root,
 * and the other side finds it at its new place.
 *
 * The suite vouches for its own frames, as follow_test.c does, and the test runs the
 * coroutines step by step, see party.h. Old stacks are filled with poison, so that a
 * value that is read from one is noticed.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <asm/costack.h>

#include "../module/arena.h"
#include "../module/grow.h"
#include "../module/move.h"
#include "party.h"
#include "side.h"

static int waiter_init(struct kunit *test)
{
	int err = party_init(test);

	costack_um_movable = true;
	costack_knobs.poison = true;
	return err;
}

static void waiter_exit(struct kunit *test)
{
	costack_um_movable = false;
	party_exit(test);
}

static const struct costack_attr large = { .stack_first = 8 * PAGE_SIZE };
static const struct costack_attr pinned = {
	.stack_first = 8 * PAGE_SIZE, .flags = COSTACK_PINNED,
};

static int receive_elsewhere(void *arg)
{
	struct side *side = arg;

	return costack_chan_recv(side->chan, &side->value);
}

static bool on_stack(const struct guest *guest)
{
	unsigned long elem = (unsigned long)guest->co->roots.sudog.elem;

	return elem >= guest->co->ctx.sp && elem < guest->co->slot->hi;
}

/* Shrink the stack as costack_work_shrink() does. */
static int shrink(struct guest *guest)
{
	int err = -EAGAIN;

	if (costack_set_state(guest->co, COSTACK_WAITING, COSTACK_COPYSTACK)) {
		err = costack_move_shrink(guest->co);
		costack_set_state(guest->co, COSTACK_COPYSTACK, COSTACK_WAITING);
	}
	return err;
}

static void expect_shrunk(struct kunit *test, struct guest *guest, unsigned int pages)
{
	struct costack_slot *old = guest->co->slot;

	KUNIT_ASSERT_EQ(test, shrink(guest), 0);
	KUNIT_EXPECT_PTR_NE(test, guest->co->slot, old);
	KUNIT_EXPECT_EQ(test, guest->co->slot->pages, pages);
	KUNIT_EXPECT_TRUE(test, on_stack(guest));
}

static void value_arrives_where_a_shrunk_receiver_is(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, &large, receive_local, &side);
	u64 value = 0x1122334455667788;

	expect_shrunk(test, guest, 4);
	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side.value, value);
}

static void value_is_sent_from_where_a_shrunk_sender_is(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0), .value = 42 };
	struct guest *guest = start(test, &large, send_local, &side);
	u64 value = 0;

	expect_shrunk(test, guest, 4);
	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 42);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
}

static void element_follows_every_move(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, &large, receive_local, &side);
	u64 value = 42;

	expect_shrunk(test, guest, 4);
	expect_shrunk(test, guest, 2);
	expect_shrunk(test, guest, 1);
	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side.value, 42);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_SHRUNK), 3);
}

/* Growth at a safe point expects the states of a running coroutine. */
static void value_arrives_where_a_grown_receiver_is(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, NULL, receive_local, &side);
	struct costack *co = guest->co;
	u64 value = 42;

	KUNIT_ASSERT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK));
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 3 * PAGE_SIZE), 0);
	costack_set_state(co, COSTACK_RUNNING, COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 1);
	KUNIT_EXPECT_TRUE(test, on_stack(guest));
	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side.value, 42);
}

static void element_elsewhere_stays(struct kunit *test)
{
	struct side *side = kunit_kzalloc(test, sizeof(*side), GFP_KERNEL);
	struct guest *guest;
	u64 value = 42;

	KUNIT_ASSERT_NOT_NULL(test, side);
	side->chan = make_chan(test, sizeof(u64), 0);
	guest = start(test, &large, receive_elsewhere, side);
	KUNIT_EXPECT_EQ(test, shrink(guest), 0);
	KUNIT_EXPECT_PTR_EQ(test, guest->co->roots.sudog.elem, (void *)&side->value);
	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side->chan, &value), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side->value, 42);
}

static void pinned_waiter_is_not_moved(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, &pinned, receive_local, &side);
	struct costack_slot *old = guest->co->slot;
	void *elem = guest->co->roots.sudog.elem;

	KUNIT_EXPECT_EQ(test, shrink(guest), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, guest->co->slot, old);
	KUNIT_EXPECT_PTR_EQ(test, guest->co->roots.sudog.elem, elem);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
}

/* Each request moves the stack. The receiver makes two: it has to wait. */
static void value_goes_from_a_moved_stack_to_a_moved_one(struct kunit *test)
{
	struct side from = { .chan = make_chan(test, sizeof(u64), 0), .value = 42 };
	struct side to = { .chan = from.chan };
	struct guest *sender, *receiver;

	costack_knobs.force_move = true;
	receiver = start(test, NULL, receive_local, &to);
	sender = start(test, NULL, send_local, &from);
	KUNIT_EXPECT_EQ(test, guest_state(sender), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, sender->ret, 0);
	KUNIT_EXPECT_EQ(test, finish(test, receiver), 0);
	KUNIT_EXPECT_EQ(test, to.value, 42);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 3);
}

static struct kunit_case waiter_cases[] = {
	KUNIT_CASE(value_arrives_where_a_shrunk_receiver_is),
	KUNIT_CASE(value_is_sent_from_where_a_shrunk_sender_is),
	KUNIT_CASE(element_follows_every_move),
	KUNIT_CASE(value_arrives_where_a_grown_receiver_is),
	KUNIT_CASE(element_elsewhere_stays),
	KUNIT_CASE(pinned_waiter_is_not_moved),
	KUNIT_CASE(value_goes_from_a_moved_stack_to_a_moved_one),
	{ }
};

static struct kunit_suite waiter_suite = {
	.name		= "costack_waiter",
	.init		= waiter_init,
	.exit		= waiter_exit,
	.test_cases	= waiter_cases,
};

kunit_test_suite(waiter_suite);

MODULE_LICENSE("GPL");
