// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of growth at a safe point: the size chosen, the memory used, and what must not
 * change if it fails.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/string.h>

#include "../module/arena.h"
#include "../module/frames.h"
#include "../module/grow.h"
#include "../module/move.h"
#include "../module/pool.h"
#include "fixture.h"

#define LIMIT	COSTACK_MAX_PAGES

/* === The choice of a size === */

static void need_with_headroom_just_fits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 2 * PAGE_SIZE - COSTACK_HEADROOM, LIMIT), 2);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 4 * PAGE_SIZE - COSTACK_HEADROOM, LIMIT), 4);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 8 * PAGE_SIZE - COSTACK_HEADROOM, LIMIT), 8);
}

static void one_byte_into_the_headroom_takes_the_next_class(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 2 * PAGE_SIZE - COSTACK_HEADROOM + 1, LIMIT),
			4);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 4 * PAGE_SIZE - COSTACK_HEADROOM + 1, LIMIT),
			8);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 8 * PAGE_SIZE - COSTACK_HEADROOM + 1, LIMIT),
			16);
}

static void growth_at_least_doubles(struct kunit *test)
{
	unsigned int pages;

	for (pages = 1; pages < LIMIT; pages *= 2) {
		KUNIT_EXPECT_EQ(test, costack_grow_pages(pages, 1, LIMIT), 2 * pages);
		KUNIT_EXPECT_EQ(test, costack_grow_pages(pages, pages * PAGE_SIZE + 1, LIMIT),
				2 * pages);
	}
}

static void one_growth_serves_a_large_need(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 3 * PAGE_SIZE, LIMIT), 4);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 5 * PAGE_SIZE, LIMIT), 8);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 9 * PAGE_SIZE, LIMIT), 16);
}

static void headroom_is_given_up_at_the_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 16 * PAGE_SIZE, 16), 16);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(2, 4 * PAGE_SIZE, 4), 4);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 2 * PAGE_SIZE, 2), 2);
}

static void one_byte_over_the_limit_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 16 * PAGE_SIZE + 1, 16), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(2, 4 * PAGE_SIZE + 1, 4), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, PAGE_SIZE + 1, 1), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, COSTACK_SLOT_SIZE, 16), 0);
}

static void stack_at_its_limit_does_not_grow(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(1, 1, 1), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(4, PAGE_SIZE, 4), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(16, PAGE_SIZE, 16), 0);
}

static void stack_beyond_its_limit_does_not_grow(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_grow_pages(5, PAGE_SIZE, 4), 0);
	KUNIT_EXPECT_EQ(test, costack_grow_pages(17, PAGE_SIZE, 16), 0);
}

static void class_is_the_smallest_that_holds(struct kunit *test)
{
	static const u8 class[COSTACK_MAX_PAGES + 1] = {
		0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4,
	};
	unsigned int pages;

	for (pages = 1; pages <= COSTACK_MAX_PAGES; pages++)
		KUNIT_EXPECT_EQ_MSG(test, costack_class(pages), class[pages], "%u pages", pages);
}

/* === Growth on request === */

static size_t left(const struct costack *co)
{
	return co->ctx.sp - costack_slot_lo(co->slot);
}

static size_t used(const struct costack *co)
{
	return co->slot->hi - co->ctx.sp;
}

/* What a failed attempt must leave as it was. */
static void expect_unchanged(struct kunit *test, const struct costack *co, int ret, int err)
{
	KUNIT_EXPECT_EQ(test, ret, err);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_events, 0);
	KUNIT_EXPECT_EQ(test, co->deepest, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
}

static struct costack *make_in_place(struct kunit *test)
{
	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	return make_running(test, NULL);
}

static void room_that_is_there_changes_nothing(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	expect_unchanged(test, co, costack_grow_ensure(co, 0), 0);
	expect_unchanged(test, co, costack_grow_ensure(co, left(co)), 0);
}

static void one_byte_more_than_is_there_doubles_the_stack(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, left(co) + 1), 0);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
}

static void large_request_is_one_growth(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 8);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
}

static void request_for_all_up_to_the_limit_is_met(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, LIMIT * PAGE_SIZE - used(co)), 0);
	KUNIT_EXPECT_EQ(test, co->slot->pages, LIMIT);
}

static void request_for_one_byte_more_is_an_overflow(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	expect_unchanged(test, co, costack_grow_ensure(co, LIMIT * PAGE_SIZE - used(co) + 1),
			 -EOVERFLOW);
}

static void absurd_requests_are_overflows(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	expect_unchanged(test, co, costack_grow_ensure(co, COSTACK_SLOT_SIZE), -EOVERFLOW);
	expect_unchanged(test, co, costack_grow_ensure(co, SIZE_MAX / 2), -EOVERFLOW);
	expect_unchanged(test, co, costack_grow_ensure(co, SIZE_MAX), -EOVERFLOW);
}

static void limit_of_the_coroutine_counts(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = 2 * PAGE_SIZE };
	struct costack *co = make_running(test, &attr);

	expect_unchanged(test, co, costack_grow_ensure(co, 2 * PAGE_SIZE), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
}

static void growth_in_place_keeps_contents_and_addresses(struct kunit *test)
{
	struct costack *co = make_in_place(test);
	unsigned long hi = co->slot->hi, sp = co->ctx.sp, lo = costack_slot_lo(co->slot);
	struct costack_slot *slot = co->slot;

	memset((void *)lo, 0xa5, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, slot);
	KUNIT_EXPECT_EQ(test, co->slot->hi, hi);
	KUNIT_EXPECT_EQ(test, co->ctx.sp, sp);
	KUNIT_EXPECT_EQ(test, co->base, hi);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)lo, 0xa5, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)(lo - PAGE_SIZE), 0, PAGE_SIZE));
}

static void request_takes_nothing_from_the_reserve(struct kunit *test)
{
	struct costack *co = make_in_place(test);
	struct costack_reserve *reserve = costack_reserve_of(co), before = *reserve;

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, costack_reserve_of(co), reserve);
	/* All but the notes. */
	KUNIT_EXPECT_EQ(test, memcmp(reserve, &before,
				     offsetof(struct costack_reserve, nr_events)), 0);
}

static void depth_of_the_deepest_growth_is_kept(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, co->deepest, 5 * PAGE_SIZE + used(co));
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, co->deepest, 5 * PAGE_SIZE + used(co));
}

static void growth_in_place_leaves_a_note(struct kunit *test)
{
	struct costack *co = make_in_place(test);

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, costack_reserve_of(co)->nr_events, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].kind, COSTACK_EVENT_IN_PLACE);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].from, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].to, 2);
}

static void pinned_stack_grows_in_place_under_policy_copy(struct kunit *test)
{
	const struct costack_attr attr = { .flags = COSTACK_PINNED };
	struct costack *co = make_running(test, &attr);
	struct costack_slot *slot = co->slot;

	KUNIT_ASSERT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, slot);
	KUNIT_EXPECT_EQ(test, slot->pages, 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_REFUSED), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
	KUNIT_ASSERT_EQ(test, costack_reserve_of(co)->nr_events, 2);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].kind, COSTACK_EVENT_REFUSE);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].detail, COSTACK_REFUSED_PIN);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[1].kind, COSTACK_EVENT_IN_PLACE);
}

static void pinned_stack_is_not_forced_to_move(struct kunit *test)
{
	const struct costack_attr attr = { .flags = COSTACK_PINNED };
	struct costack *co = make_running(test, &attr);
	struct costack_slot *slot = co->slot;

	KUNIT_EXPECT_EQ(test, costack_move_force(co), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, slot);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 0);
}

/* === Shrinking === */

static struct costack *make_large(struct kunit *test, unsigned int pages, unsigned int flags)
{
	const struct costack_attr attr = { .stack_first = pages * PAGE_SIZE, .flags = flags };

	return make_running(test, &attr);
}

static void stack_of_which_a_quarter_is_used_does_not_shrink(struct kunit *test)
{
	struct costack *co = make_large(test, 4, 0);
	unsigned long sp = co->ctx.sp;

	co->ctx.sp = co->slot->hi - (PAGE_SIZE - COSTACK_HEADROOM);
	KUNIT_EXPECT_FALSE(test, costack_move_shrinkable(co));
	co->ctx.sp++;
	KUNIT_EXPECT_TRUE(test, costack_move_shrinkable(co));
	co->ctx.sp = sp;
}

static void smallest_stack_does_not_shrink(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);

	co->ctx.sp = co->slot->hi;
	KUNIT_EXPECT_FALSE(test, costack_move_shrinkable(co));
}

static void pinned_stack_does_not_shrink(struct kunit *test)
{
	struct costack *co = make_large(test, 4, COSTACK_PINNED);
	struct costack_slot *slot = co->slot;

	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	KUNIT_EXPECT_EQ(test, costack_move_shrink(co), -EBUSY);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, slot);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_SHRUNK), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_BYTES_SHRUNK), 0);
}

static struct kunit_case grow_cases[] = {
	KUNIT_CASE(need_with_headroom_just_fits),
	KUNIT_CASE(one_byte_into_the_headroom_takes_the_next_class),
	KUNIT_CASE(growth_at_least_doubles),
	KUNIT_CASE(one_growth_serves_a_large_need),
	KUNIT_CASE(headroom_is_given_up_at_the_limit),
	KUNIT_CASE(one_byte_over_the_limit_is_refused),
	KUNIT_CASE(stack_at_its_limit_does_not_grow),
	KUNIT_CASE(stack_beyond_its_limit_does_not_grow),
	KUNIT_CASE(class_is_the_smallest_that_holds),
	KUNIT_CASE(room_that_is_there_changes_nothing),
	KUNIT_CASE(one_byte_more_than_is_there_doubles_the_stack),
	KUNIT_CASE(large_request_is_one_growth),
	KUNIT_CASE(request_for_all_up_to_the_limit_is_met),
	KUNIT_CASE(request_for_one_byte_more_is_an_overflow),
	KUNIT_CASE(absurd_requests_are_overflows),
	KUNIT_CASE(limit_of_the_coroutine_counts),
	KUNIT_CASE(growth_in_place_keeps_contents_and_addresses),
	KUNIT_CASE(request_takes_nothing_from_the_reserve),
	KUNIT_CASE(depth_of_the_deepest_growth_is_kept),
	KUNIT_CASE(growth_in_place_leaves_a_note),
	KUNIT_CASE(pinned_stack_grows_in_place_under_policy_copy),
	KUNIT_CASE(pinned_stack_is_not_forced_to_move),
	KUNIT_CASE(stack_of_which_a_quarter_is_used_does_not_shrink),
	KUNIT_CASE(smallest_stack_does_not_shrink),
	KUNIT_CASE(pinned_stack_does_not_shrink),
	{ }
};

static struct kunit_suite grow_suite = {
	.name		= "costack_grow",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= grow_cases,
};

kunit_test_suite(grow_suite);

MODULE_LICENSE("GPL");
