// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of coroutines that are kept for reuse: the spare of costack_call(), and those of the
 * idle list. Who gets them, which stack they keep, and what is left in them.
 *
 * The functions that run on a coroutine stack keep to the rules of call_test.c.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "../module/arena.h"
#include "../module/pool.h"
#include "fixture.h"
#include "notes.h"

static void ended_coroutine_is_used_again(struct kunit *test)
{
	struct notes *first = make_notes(test), *second = make_notes(test);
	struct costack_slot *slot;

	costack_call(take_notes, first);
	slot = costack_arena_lookup(first->sp);
	/* The idle coroutine keeps its stack: the stack does not go back to the pool. */
	KUNIT_EXPECT_PTR_EQ(test, slot->co, first->co);
	costack_call(take_notes, second);
	KUNIT_EXPECT_PTR_EQ(test, second->co, first->co);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(second->sp), slot);
}

/* Is cut off while it holds a pin and has a root registered. */
static int leave_traces(void *arg)
{
	struct notes *n = arg;

	note(n);
	n->ret[0] = costack_pin();
	n->ret[1] = costack_track(&n->co);
	cut_off();
	return 0;
}

static int look_at_self(void *arg)
{
	struct costack *co = costack_current();
	struct notes *n = arg;

	n->ret[2] = co == n->co;
	n->ret[3] = co->pins || co->flags;
	n->ret[4] = co->name[0];
	n->ret[5] = co->roots.tracked || co->roots.defers;
	n->ret[6] = co->aborted;
	return 42;
}

static void used_coroutine_shows_nothing_of_its_last_life(struct kunit *test)
{
	const struct costack_attr attr = { .name = "first", .flags = COSTACK_PINNED };
	const struct costack_attr plain = { };
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call_attr(&attr, leave_traces, n), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_EQ(test, costack_call_attr(&plain, look_at_self, n), 42);
	KUNIT_EXPECT_EQ(test, n->ret[2], 1);
	KUNIT_EXPECT_EQ(test, n->ret[3], 0);
	KUNIT_EXPECT_EQ(test, n->ret[4], 0);
	KUNIT_EXPECT_EQ(test, n->ret[5], 0);
	KUNIT_EXPECT_EQ(test, n->ret[6], 0);
}

/* Ends with a pin and a root, which the function should have undone. */
static int leave_a_pin(void *arg)
{
	struct notes *n = arg;

	note(n);
	n->ret[0] = costack_pin();
	n->ret[1] = costack_track(&n->co);
	return 0;
}

static void spare_shows_nothing_of_the_last_call(struct kunit *test)
{
	struct notes *n = make_notes(test);

	/* The first makes a spare, which the second takes. */
	costack_call(take_notes, n);
	costack_call(leave_a_pin, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_EQ(test, costack_call(look_at_self, n), 42);
	KUNIT_EXPECT_EQ(test, n->ret[3], 0);
	KUNIT_EXPECT_EQ(test, n->ret[5], 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_LIVE), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_CALLS), 3);
}

static int note_limits(void *arg)
{
	struct costack *co = costack_current();
	struct notes *n = arg;

	note(n);
	n->ret[0] = co->limit;
	n->ret[1] = costack_reserve_of(co)->full_copies;
	return 0;
}

static void spare_heeds_the_knobs(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	costack_knobs.stack_max = 2;
	costack_call(note_limits, n);
	costack_call(note_limits, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 2);
	costack_knobs.stack_max = 4;
	costack_call(note_limits, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 4);
	costack_knobs.policy = COSTACK_POLICY_COPY;
	costack_call(note_limits, n);
	KUNIT_EXPECT_GE(test, n->ret[1], 4);
	costack_knobs.stack_min = 2;
	costack_call(note_limits, n);
	KUNIT_EXPECT_EQ(test, n->size, 2 * PAGE_SIZE);
}

/* How many bytes are not 0 in the half of the stack that nothing uses. */
static int count_bytes(void *arg)
{
	const u8 *lo = (const u8 *)costack_slot_lo(costack_current()->slot);
	struct notes *n = arg;
	unsigned int i;

	note(n);
	n->ret[0] = 0;
	for (i = 0; i < PAGE_SIZE / 2; i++)
		n->ret[0] += !!lo[i];
	return 0;
}

static void spare_of_another_thread_is_cleared(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct costack_slot *slot;

	costack_call(count_bytes, n);
	slot = costack_arena_lookup(n->sp);
	memset((void *)costack_slot_lo(slot), 0xa5, PAGE_SIZE / 2);
	costack_call(count_bytes, n);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(n->sp), slot);
	KUNIT_EXPECT_EQ(test, n->ret[0], PAGE_SIZE / 2);
	slot->owner = test;
	costack_call(count_bytes, n);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(n->sp), slot);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
}

static void grown_stack_goes_to_the_pool(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct costack_slot *slot;

	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	costack_call(ask_for_4_pages, n);
	KUNIT_EXPECT_EQ(test, n->size, 4 * PAGE_SIZE);
	slot = costack_arena_lookup(n->sp);
	KUNIT_EXPECT_NULL(test, slot->co);
	KUNIT_EXPECT_EQ(test, slot->class, 2);
	costack_call(take_notes, n);
	KUNIT_EXPECT_EQ(test, n->size, PAGE_SIZE);
}

static void kill(struct costack *co)
{
	costack_set_state(co, COSTACK_IDLE, COSTACK_DEAD);
	costack_destroy(co);
}

/* A coroutine with a stack. */
static struct costack *make(struct kunit *test)
{
	struct costack *co = costack_create(NULL, never_called, NULL, costack_owner_thread());

	KUNIT_ASSERT_FALSE(test, IS_ERR(co));
	KUNIT_ASSERT_TRUE(test, costack_unpack(co, NULL));
	return co;
}

static void bytes_of_another_thread_are_cleared(struct kunit *test)
{
	struct costack *co = make(test);
	struct costack_slot *slot = co->slot;

	memset((void *)costack_slot_lo(slot), 0xa5, PAGE_SIZE);
	kill(co);
	slot->owner = test;
	co = make(test);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, slot);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(slot), 0, PAGE_SIZE));
	kill(co);
}

/* Sixteen idle coroutines are kept. The one after them has the stack of the newest given up. */
static void seventeenth_idle_coroutine_sends_a_stack_to_the_pool(struct kunit *test)
{
	struct costack_slot *newest, *slot;
	struct costack *co[17];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(co); i++)
		co[i] = make(test);
	newest = co[15]->slot;
	for (i = 0; i < ARRAY_SIZE(co); i++)
		kill(co[i]);
	slot = costack_stackalloc(0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, slot, newest);
	KUNIT_EXPECT_NULL(test, slot->co);
	costack_stackfree(slot);
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(ended_coroutine_is_used_again),
	KUNIT_CASE(used_coroutine_shows_nothing_of_its_last_life),
	KUNIT_CASE(spare_shows_nothing_of_the_last_call),
	KUNIT_CASE(spare_heeds_the_knobs),
	KUNIT_CASE(spare_of_another_thread_is_cleared),
	KUNIT_CASE(grown_stack_goes_to_the_pool),
	KUNIT_CASE(bytes_of_another_thread_are_cleared),
	KUNIT_CASE(seventeenth_idle_coroutine_sends_a_stack_to_the_pool),
	{ }
};

static struct kunit_suite idle_suite = {
	.name		= "costack_idle",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= idle_cases,
};

kunit_test_suite(idle_suite);

MODULE_LICENSE("GPL");
