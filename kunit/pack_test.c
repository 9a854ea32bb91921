// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of packing: a parked coroutine has no stack, finds all again on another one, and
 * others reach what they may reach meanwhile.
 *
 * The suite vouches for its own frames, as follow_test.c does, and the test runs the
 * coroutines step by step, see party.h. Stacks that were left are filled with poison.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <asm/costack.h>

#include "../module/age.h"
#include "../module/arena.h"
#include "../module/items.h"
#include "../module/pack.h"
#include "party.h"
#include "side.h"

static int pack_init(struct kunit *test)
{
	int err = party_init(test);

	costack_um_movable = true;
	costack_knobs.poison = true;
	return err;
}

static void pack_exit(struct kunit *test)
{
	costack_um_movable = false;
	party_exit(test);
}

/* Pack a parked coroutine as costack_work_pack() does. */
static int pack(struct guest *guest)
{
	int refusal = -EAGAIN;

	if (costack_set_state(guest->co, COSTACK_WAITING, COSTACK_COPYSTACK)) {
		refusal = costack_pack(guest->co);
		costack_set_state(guest->co, COSTACK_COPYSTACK, COSTACK_WAITING);
	}
	return refusal;
}

/*
 * Pack, and let somebody else have the stack. Returns that stack, which the coroutine cannot
 * get back before the caller frees it.
 */
static struct costack_slot *pack_away(struct kunit *test, struct guest *guest)
{
	struct costack_slot *old = guest->co->slot, *taken;

	KUNIT_ASSERT_EQ(test, pack(guest), COSTACK_MOVABLE);
	KUNIT_EXPECT_NULL(test, guest->co->slot);
	KUNIT_EXPECT_NULL(test, old->co);
	taken = costack_stackalloc(costack_class(old->pages), GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, taken, old);
	memset((void *)costack_slot_lo(taken), 0xa5, taken->pages * PAGE_SIZE);
	return taken;
}

/* Wake, unpack as a runner does, and run to the end. */
static int wake_and_finish(struct kunit *test, struct guest *guest)
{
	if (guest_state(guest) == COSTACK_WAITING)
		costack_unpark(guest->co);
	KUNIT_ASSERT_TRUE(test, costack_unpack(guest->co, NULL));
	return finish(test, guest);
}

/**
 * struct locals - what a coroutine keeps over a park
 * @sum: of what it found again
 * @here: address of a local, as the coroutine saw it before and after the park
 */
struct locals {
	long		sum;
	unsigned long	here[2];
};

static noinline int keep_locals(void *arg)
{
	struct locals *locals = arg;
	long value[8], *middle = &value[4], i;

	OPTIMIZER_HIDE_VAR(middle);
	for (i = 0; i < 8; i++)
		value[i] = i * i;
	locals->here[0] = (unsigned long)middle;
	costack_park();
	locals->here[1] = (unsigned long)middle;
	for (i = -4; i < 4; i++)
		locals->sum += middle[i];
	return 7;
}

static void locals_are_found_on_another_stack(struct kunit *test)
{
	struct locals locals = { };
	struct guest *guest = start(test, NULL, keep_locals, &locals);
	struct costack_slot *taken = pack_away(test, guest);

	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PACKED), 1);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 7);
	KUNIT_EXPECT_EQ(test, locals.sum, 140);
	KUNIT_EXPECT_NE(test, locals.here[0], locals.here[1]);
	costack_stackfree(taken);
}

static void look(struct costack *co, void *arg)
{
	*(unsigned int *)arg += costack_is_packed(co);
}

static void looking_at_a_packed_one_changes_nothing(struct kunit *test)
{
	struct locals locals = { };
	struct guest *guest = start(test, NULL, keep_locals, &locals);
	struct costack_slot *taken = pack_away(test, guest);
	unsigned long *packed = guest->co->packed;
	unsigned int seen = 0;

	costack_items_add(guest->co);
	costack_items_each_parked(NULL, look, &seen);
	costack_items_del(guest->co);
	KUNIT_EXPECT_EQ(test, seen, 1);
	/* Otherwise it has nothing to go on with. */
	KUNIT_ASSERT_PTR_EQ(test, guest->co->packed, packed);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 7);
	KUNIT_EXPECT_EQ(test, locals.sum, 140);
	costack_stackfree(taken);
}

static noinline int park_thrice(void *arg)
{
	long *sum = arg, local = 1, *at = &local;
	int i;

	OPTIMIZER_HIDE_VAR(at);
	for (i = 0; i < 3; i++) {
		costack_park();
		*at *= 10;
	}
	*sum = local;
	return 0;
}

static void packs_at_every_park(struct kunit *test)
{
	long sum = 0;
	struct guest *guest = start(test, NULL, park_thrice, &sum);
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, pack(guest), COSTACK_MOVABLE);
		costack_unpark(guest->co);
		KUNIT_ASSERT_TRUE(test, costack_unpack(guest->co, NULL));
		go_on(test, guest);
	}
	KUNIT_EXPECT_NULL(test, guest->co);
	KUNIT_EXPECT_EQ(test, sum, 1000);
}

static void value_arrives_in_a_packed_receiver(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, NULL, receive_local, &side);
	struct costack_slot *taken = pack_away(test, guest);
	u64 value = 0x1122334455667788;

	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side.chan, &value), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(taken), 0xa5, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side.value, value);
	costack_stackfree(taken);
}

static void value_is_sent_from_a_packed_sender(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0), .value = 42 };
	struct guest *guest = start(test, NULL, send_local, &side);
	struct costack_slot *taken = pack_away(test, guest);
	u64 value = 0;

	KUNIT_EXPECT_EQ(test, costack_chan_try_recv(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 42);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 0);
	costack_stackfree(taken);
}

/*
 * What arrives is the address of somebody else's stack, which lies where that of the packed
 * coroutine was. It is data: nobody changes it.
 */
static void address_of_the_old_place_stays_as_it_is(struct kunit *test)
{
	struct side side = { .chan = make_chan(test, sizeof(u64), 0) };
	struct guest *guest = start(test, NULL, receive_local, &side);
	u64 value = guest->co->roots.sudog.elem ? (u64)guest->co->roots.sudog.elem : 1;
	struct costack_slot *taken = pack_away(test, guest);

	KUNIT_EXPECT_EQ(test, costack_chan_try_send(side.chan, &value), 0);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, side.value, value);
	costack_stackfree(taken);
}

static long *outside;

static noinline int track_outside(void *arg)
{
	long *sum = arg, local[2] = { 3, 4 };

	outside = local;
	costack_track(&outside);
	costack_park();
	*sum = outside[0] * 10 + local[1];
	costack_untrack(&outside);
	return 0;
}

static void tracked_pointer_reaches_a_packed_stack(struct kunit *test)
{
	long sum = 0;
	struct guest *guest = start(test, NULL, track_outside, &sum);
	struct costack_slot *taken = pack_away(test, guest);

	KUNIT_EXPECT_EQ(test, outside[0], 3);
	outside[1] = 5;
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, sum, 35);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(taken), 0xa5, PAGE_SIZE));
	costack_stackfree(taken);
}

/* A tracked pointer that points elsewhere is nobody's business, not even right behind. */
static noinline int track_elsewhere(void *arg)
{
	outside = arg;
	costack_track(&outside);
	costack_park();
	costack_untrack(&outside);
	return 0;
}

static void tracked_pointer_to_the_end_of_the_object_stays(struct kunit *test)
{
	struct guest *guest = start(test, NULL, track_elsewhere, test);
	size_t nr = (guest->co->slot->hi - guest->co->ctx.sp) / sizeof(long);
	unsigned long *end;

	KUNIT_ASSERT_EQ(test, pack(guest), COSTACK_MOVABLE);
	end = guest->co->packed + DIV_ROUND_UP(nr, BITS_PER_LONG) + nr;
	outside = (long *)end;
	costack_unpark(guest->co);
	KUNIT_ASSERT_TRUE(test, costack_unpack(guest->co, NULL));
	KUNIT_EXPECT_PTR_EQ(test, outside, (long *)end);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
}

static noinline int run_defer_arg(void *arg)
{
	long *sum = arg, local = 6, *at = &local;

	OPTIMIZER_HIDE_VAR(at);
	costack_opaque(&local, sizeof(local));
	costack_park();
	*sum = *at;
	return 0;
}

static void opaque_range_is_found_again(struct kunit *test)
{
	long sum = 0;
	struct guest *guest = start(test, NULL, run_defer_arg, &sum);
	struct costack_slot *taken = pack_away(test, guest);

	costack_unpark(guest->co);
	KUNIT_ASSERT_TRUE(test, costack_unpack(guest->co, NULL));
	KUNIT_EXPECT_TRUE(test, (unsigned long)guest->co->opaque - guest->co->ctx.sp < PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_EQ(test, sum, 6);
	costack_stackfree(taken);
}

static noinline int use_much(void *arg)
{
	char room[2048];

	memset(room, 1, sizeof(room));
	OPTIMIZER_HIDE_VAR(arg);
	costack_park();
	return room[77];
}

static void large_and_pinned_stacks_stay(struct kunit *test)
{
	static const struct costack_attr pinned = { .flags = COSTACK_PINNED };
	struct locals locals = { };
	struct guest *large = start(test, NULL, use_much, NULL);
	struct guest *fixed = start(test, &pinned, keep_locals, &locals);

	KUNIT_EXPECT_FALSE(test, costack_pack_wanted(large->co));
	KUNIT_EXPECT_EQ(test, pack(large), COSTACK_REFUSED_LARGE);
	KUNIT_EXPECT_FALSE(test, costack_pack_wanted(fixed->co));
	KUNIT_EXPECT_EQ(test, pack(fixed), COSTACK_REFUSED_PIN);
	KUNIT_EXPECT_NOT_NULL(test, large->co->slot);
	KUNIT_EXPECT_NOT_NULL(test, fixed->co->slot);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PACKED), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PACKS_REFUSED), 2);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, large), 1);
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, fixed), 7);
}

static void stack_that_nobody_vouches_for_stays(struct kunit *test)
{
	struct locals locals = { };
	struct guest *guest = start(test, NULL, keep_locals, &locals);

	costack_um_movable = false;
	KUNIT_EXPECT_EQ(test, pack(guest), COSTACK_REFUSED_UNWIND);
	costack_um_movable = true;
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 7);
	KUNIT_EXPECT_EQ(test, locals.here[0], locals.here[1]);
}

/* === By age === */

/* What a round does to a parked coroutine. Returns whether it is packed afterwards. */
static bool age(struct kunit *test, struct guest *guest)
{
	KUNIT_ASSERT_TRUE(test, costack_set_state(guest->co, COSTACK_WAITING, COSTACK_COPYSTACK));
	costack_age(guest->co);
	costack_set_state(guest->co, COSTACK_COPYSTACK, COSTACK_WAITING);
	return !guest->co->slot;
}

static void second_round_packs(struct kunit *test)
{
	struct locals locals = { };
	struct guest *guest = start(test, NULL, keep_locals, &locals);

	KUNIT_EXPECT_FALSE(test, age(test, guest));
	KUNIT_EXPECT_TRUE(test, age(test, guest));
	KUNIT_EXPECT_EQ(test, wake_and_finish(test, guest), 7);
	KUNIT_EXPECT_EQ(test, locals.sum, 140);
}

static void park_begins_a_new_age(struct kunit *test)
{
	long sum = 0;
	struct guest *guest = start(test, NULL, park_thrice, &sum);
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, age(test, guest));
		costack_unpark(guest->co);
		go_on(test, guest);
	}
	KUNIT_EXPECT_FALSE(test, age(test, guest));
	KUNIT_EXPECT_TRUE(test, age(test, guest));
	wake_and_finish(test, guest);
	KUNIT_EXPECT_EQ(test, sum, 1000);
}

static void what_was_refused_is_tried_again_after_a_park(struct kunit *test)
{
	long sum = 0;
	struct guest *guest = start(test, NULL, park_thrice, &sum);

	costack_um_movable = false;
	KUNIT_EXPECT_FALSE(test, age(test, guest));
	KUNIT_EXPECT_FALSE(test, age(test, guest));
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PACKS_REFUSED), 1);
	costack_um_movable = true;
	costack_unpark(guest->co);
	go_on(test, guest);
	KUNIT_EXPECT_FALSE(test, age(test, guest));
	KUNIT_EXPECT_TRUE(test, age(test, guest));
	costack_unpark(guest->co);
	KUNIT_ASSERT_TRUE(test, costack_unpack(guest->co, NULL));
	go_on(test, guest);
	wake_and_finish(test, guest);
	KUNIT_EXPECT_EQ(test, sum, 1000);
}

/* User-mode Linux has one CPU, and no worker preempts the test. */
static void item_that_is_cancelled_before_it_begins_gets_no_stack(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = 8 * PAGE_SIZE };
	unsigned int class = costack_class(8);
	unsigned long stacks = costack_pool_stacks(class);
	struct costack_work work;

	/* The worker takes no stacks to move to, and no stack comes from what the pool keeps. */
	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	costack_knobs.unmap = true;
	costack_work_init(&work, never_called, NULL, &attr);
	KUNIT_ASSERT_EQ(test, costack_queue(&work), 0);
	KUNIT_EXPECT_EQ(test, costack_cancel(&work), 0);
	KUNIT_EXPECT_EQ(test, costack_wait(&work), -ECANCELED);
	KUNIT_EXPECT_EQ(test, costack_pool_stacks(class), stacks);
}

static struct kunit_case pack_cases[] = {
	KUNIT_CASE(locals_are_found_on_another_stack),
	KUNIT_CASE(looking_at_a_packed_one_changes_nothing),
	KUNIT_CASE(packs_at_every_park),
	KUNIT_CASE(value_arrives_in_a_packed_receiver),
	KUNIT_CASE(value_is_sent_from_a_packed_sender),
	KUNIT_CASE(address_of_the_old_place_stays_as_it_is),
	KUNIT_CASE(tracked_pointer_reaches_a_packed_stack),
	KUNIT_CASE(tracked_pointer_to_the_end_of_the_object_stays),
	KUNIT_CASE(opaque_range_is_found_again),
	KUNIT_CASE(large_and_pinned_stacks_stay),
	KUNIT_CASE(stack_that_nobody_vouches_for_stays),
	KUNIT_CASE(second_round_packs),
	KUNIT_CASE(park_begins_a_new_age),
	KUNIT_CASE(what_was_refused_is_tried_again_after_a_park),
	KUNIT_CASE(item_that_is_cancelled_before_it_begins_gets_no_stack),
	{ }
};

static struct kunit_suite pack_suite = {
	.name = "costack_pack",
	.init = pack_init,
	.exit = pack_exit,
	.test_cases = pack_cases,
};

kunit_test_suite(pack_suite);

MODULE_LICENSE("GPL");
