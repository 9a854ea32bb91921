// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the pool: which stack it returns, what is in that stack, and that no stack is
 * lost.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../module/arena.h"
#include "../module/copy.h"
#include "../module/costack.h"
#include "../module/limbo.h"
#include "../module/pool.h"
#include "../module/stats.h"

/* How many stacks of the largest class pool.c keeps: per CPU, for all, after a trim. */
#define LARGEST		(COSTACK_CLASSES - 1)
#define CPU_KEEPS	1
#define ALL_KEEP	16
#define TRIM_LEAVES	8

/**
 * struct start - the state when a case began
 * @stacks: number of stacks by class
 * @in_use: number of slots that are not free
 */
struct start {
	unsigned long stacks[COSTACK_CLASSES];
	unsigned long in_use;
};

static unsigned long slots_in_use(void)
{
	return costack_arena_slots() - costack_arena_free_slots();
}

static int empty_the_pool(void)
{
	costack_pool_exit();
	return costack_pool_init();
}

/* Each case begins with an empty pool and stays on one CPU: the caches are per CPU. */
static int pool_init(struct kunit *test)
{
	struct start *start = kunit_kzalloc(test, sizeof(*start), GFP_KERNEL);
	unsigned int class, i;

	KUNIT_ASSERT_NOT_NULL(test, start);
	/* A runner of the suite before may still rest, and it keeps a reserve. */
	for (i = 0; i < 10 * HZ && costack_stat_read(COSTACK_STAT_RUNNERS); i++)
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, costack_stat_read(COSTACK_STAT_RUNNERS), 0);
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(0)), 0);
	KUNIT_ASSERT_EQ(test, empty_the_pool(), 0);
	for (class = 0; class < COSTACK_CLASSES; class++)
		start->stacks[class] = costack_pool_stacks(class);
	start->in_use = slots_in_use();
	test->priv = start;
	return 0;
}

/* A case must have given back all that it took. */
static void pool_exit(struct kunit *test)
{
	const struct start *start = test->priv;
	unsigned int class;

	KUNIT_EXPECT_EQ(test, empty_the_pool(), 0);
	for (class = 0; class < COSTACK_CLASSES; class++)
		KUNIT_EXPECT_EQ(test, costack_pool_stacks(class), start->stacks[class]);
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use);
}

/* The number of stacks of @class that the case has made. */
static unsigned long stacks(struct kunit *test, unsigned int class)
{
	const struct start *start = test->priv;

	return costack_pool_stacks(class) - start->stacks[class];
}

static struct costack_slot *alloc(struct kunit *test, unsigned int class)
{
	struct costack_slot *slot = costack_stackalloc(class, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	return slot;
}

static struct costack_reserve *reserve(struct kunit *test, unsigned int pages, bool copies)
{
	struct costack_reserve *r = costack_reserve_get(pages, copies, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	return r;
}

static void fill(struct costack_slot *slot, int byte)
{
	memset((void *)costack_slot_lo(slot), byte, slot->pages * PAGE_SIZE);
}

static bool is_all(const struct costack_slot *slot, int byte)
{
	return !memchr_inv((void *)costack_slot_lo(slot), byte, slot->pages * PAGE_SIZE);
}

/* Grow the stack in place, as the fault path does. */
static void grow_by_a_page(struct kunit *test, struct costack_slot *slot)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	costack_arena_map(slot, page);
}

/* === Stacks === */

static void stack_has_the_pages_of_its_class(struct kunit *test)
{
	struct costack_slot *slot[COSTACK_CLASSES];
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++) {
		slot[class] = alloc(test, class);
		KUNIT_EXPECT_EQ(test, slot[class]->pages, 1U << class);
	}
	for (class = 0; class < COSTACK_CLASSES; class++)
		costack_stackfree(slot[class]);
}

static void stack_counts_under_its_class(struct kunit *test)
{
	struct costack_slot *slot[COSTACK_CLASSES];
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++) {
		KUNIT_EXPECT_EQ(test, stacks(test, class), 0);
		slot[class] = alloc(test, class);
		KUNIT_EXPECT_EQ(test, stacks(test, class), 1);
	}
	for (class = 0; class < COSTACK_CLASSES; class++) {
		costack_stackfree(slot[class]);
		/* The pool keeps the stack, so it still exists. */
		KUNIT_EXPECT_EQ(test, stacks(test, class), 1);
	}
}

static void fresh_stack_is_all_zero(struct kunit *test)
{
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++) {
		struct costack_slot *slot = alloc(test, class);

		KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
		costack_stackfree(slot);
	}
}

static void memory_that_was_a_stack_is_zero_in_a_fresh_one(struct kunit *test)
{
	struct costack_slot *slot;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		slot = alloc(test, LARGEST);
		KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
		fill(slot, 0xa5);
		costack_stackfree(slot);
		KUNIT_EXPECT_EQ(test, empty_the_pool(), 0);
		KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), 0);
	}
}

static void last_freed_is_first_allocated(struct kunit *test)
{
	struct costack_slot *a = alloc(test, 0), *b = alloc(test, 0);

	costack_stackfree(a);
	costack_stackfree(b);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 0), b);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 0), a);
	KUNIT_EXPECT_EQ(test, stacks(test, 0), 2);
	costack_stackfree(a);
	costack_stackfree(b);
}

static void stack_of_another_class_is_not_taken(struct kunit *test)
{
	struct costack_slot *small = alloc(test, 0), *large;

	costack_stackfree(small);
	large = alloc(test, 1);
	KUNIT_EXPECT_PTR_NE(test, large, small);
	KUNIT_EXPECT_EQ(test, stacks(test, 0), 1);
	KUNIT_EXPECT_EQ(test, stacks(test, 1), 1);
	costack_stackfree(large);
}

static void shared_stack_is_taken_when_the_cpu_has_none(struct kunit *test)
{
	struct costack_slot *a = alloc(test, LARGEST), *b = alloc(test, LARGEST);

	costack_stackfree(a);	/* this CPU keeps it, and has room for no other */
	costack_stackfree(b);	/* it goes to the shared list */
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, LARGEST), a);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, LARGEST), b);
	KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), 2);
	costack_stackfree(a);
	costack_stackfree(b);
}

static void freed_stack_comes_back_zero(struct kunit *test)
{
	struct costack_slot *slot = alloc(test, 1);

	fill(slot, 0xa5);
	costack_stackfree(slot);
	KUNIT_EXPECT_NULL(test, slot->owner);
	KUNIT_ASSERT_PTR_EQ(test, alloc(test, 1), slot);
	KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
	costack_stackfree(slot);
}

/* Make a stack that is full of the calling thread's bytes. */
static struct costack_slot *soil(struct kunit *test)
{
	struct costack_slot *slot = alloc(test, 1);

	fill(slot, 0xa5);
	costack_stack_soil(slot, costack_owner_thread());
	return slot;
}

static void own_stack_stays_as_it_was_left(struct kunit *test)
{
	struct costack_slot *slot = soil(test);

	costack_stack_clean(slot, costack_owner_thread());
	KUNIT_EXPECT_TRUE(test, is_all(slot, 0xa5));
	costack_stackfree(slot);
}

static void stack_of_another_thread_is_cleared(struct kunit *test)
{
	struct costack_slot *slot = soil(test);

	KUNIT_EXPECT_PTR_EQ(test, slot->owner, (const void *)current);
	slot->owner = test;
	costack_stack_clean(slot, costack_owner_thread());
	KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
	costack_stackfree(slot);
}

/* The owner was an earlier thread with the same task_struct. */
static void stack_of_an_earlier_thread_is_cleared(struct kunit *test)
{
	struct costack_slot *slot = soil(test);

	slot->owner_start--;
	costack_stack_clean(slot, costack_owner_thread());
	KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
	costack_stackfree(slot);
}

/* What a user finds on a stack that an item of @last has used. */
static void expect_after_module(struct kunit *test, struct costack_owner last,
				struct costack_owner user, u8 byte)
{
	struct costack_slot *slot = alloc(test, 1);

	fill(slot, 0xa5);
	costack_stack_soil(slot, last);
	costack_stack_clean(slot, user);
	KUNIT_EXPECT_TRUE(test, is_all(slot, byte));
	costack_stackfree(slot);
}

static void stack_of_a_module_is_cleared_for_all_others(struct kunit *test)
{
	const struct costack_owner module = { test, 3 }, other = { &module, 3 },
				   earlier = { test, 2 }, nobody = { NULL, 3 };

	expect_after_module(test, module, module, 0xa5);
	expect_after_module(test, module, other, 0);
	expect_after_module(test, earlier, module, 0);
	expect_after_module(test, module, costack_owner_thread(), 0);
	expect_after_module(test, costack_owner_thread(), module, 0);
	expect_after_module(test, nobody, nobody, 0);
}

static void shared_stack_comes_back_zero(struct kunit *test)
{
	struct costack_slot *a = alloc(test, LARGEST), *b = alloc(test, LARGEST);

	fill(b, 0xa5);
	costack_stackfree(a);
	costack_stackfree(b);
	KUNIT_ASSERT_PTR_EQ(test, alloc(test, LARGEST), a);
	KUNIT_ASSERT_PTR_EQ(test, alloc(test, LARGEST), b);
	KUNIT_EXPECT_TRUE(test, is_all(b, 0));
	costack_stackfree(a);
	costack_stackfree(b);
}

static void freed_stack_names_no_coroutine(struct kunit *test)
{
	struct costack_slot *slot = alloc(test, 0);
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	slot->co = co;
	costack_stackfree(slot);
	KUNIT_EXPECT_NULL(test, slot->co);
}

static void grown_stack_goes_back_to_the_class_it_has_reached(struct kunit *test)
{
	struct costack_slot *slot = alloc(test, 0);

	grow_by_a_page(test, slot);
	KUNIT_EXPECT_EQ(test, stacks(test, 0), 1);
	KUNIT_EXPECT_EQ(test, stacks(test, 1), 0);
	costack_stackfree(slot);
	KUNIT_EXPECT_EQ(test, stacks(test, 0), 0);
	KUNIT_EXPECT_EQ(test, stacks(test, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 1), slot);
	KUNIT_EXPECT_EQ(test, slot->pages, 2);
	costack_stackfree(slot);
}

static void stack_of_no_class_is_unmapped(struct kunit *test)
{
	const struct start *start = test->priv;
	struct costack_slot *slot = alloc(test, 1);

	grow_by_a_page(test, slot);
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use + 1);
	costack_stackfree(slot);
	/* The pages are given back when no call trace can still read them. */
	costack_limbo_flush();
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use);
	KUNIT_EXPECT_EQ(test, slot->pages, 0);
	KUNIT_EXPECT_EQ(test, stacks(test, 0), 0);
	KUNIT_EXPECT_EQ(test, stacks(test, 1), 0);
	KUNIT_EXPECT_EQ(test, stacks(test, 2), 0);
}

/* === What the pool keeps === */

static void alloc_and_free(struct kunit *test, unsigned int class, unsigned int nr)
{
	struct costack_slot *slot, *list = NULL;

	while (nr--) {
		slot = alloc(test, class);
		slot->next = list;
		list = slot;
	}
	while (list) {
		slot = list;
		list = slot->next;
		costack_stackfree(slot);
	}
}

static void shared_list_is_not_trimmed_at_its_share(struct kunit *test)
{
	alloc_and_free(test, LARGEST, CPU_KEEPS + ALL_KEEP);
	costack_limbo_flush();
	KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), CPU_KEEPS + ALL_KEEP);
}

static void shared_list_is_trimmed_to_half_its_share(struct kunit *test)
{
	const struct start *start = test->priv;

	alloc_and_free(test, LARGEST, CPU_KEEPS + ALL_KEEP + 1);
	costack_limbo_flush();
	KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), CPU_KEEPS + TRIM_LEAVES);
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use + CPU_KEEPS + TRIM_LEAVES);
}

/* Needs drop_slab(), which no module can call. */
#ifndef MODULE
static void shrinker_leaves_what_the_cpu_keeps(struct kunit *test)
{
	alloc_and_free(test, LARGEST, CPU_KEEPS + 5);
	KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), CPU_KEEPS + 5);
	drop_slab();
	KUNIT_EXPECT_EQ(test, stacks(test, LARGEST), CPU_KEEPS);
}
#endif

static void exit_gives_every_slot_back(struct kunit *test)
{
	const struct start *start = test->priv;
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++)
		alloc_and_free(test, class, 3);
	costack_reserve_put(reserve(test, COSTACK_MAX_PAGES, true));
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use + 3 * COSTACK_CLASSES);
	KUNIT_EXPECT_EQ(test, empty_the_pool(), 0);
	KUNIT_EXPECT_EQ(test, slots_in_use(), start->in_use);
	for (class = 0; class < COSTACK_CLASSES; class++)
		KUNIT_EXPECT_EQ(test, stacks(test, class), 0);
}

/* === Reserves === */

static bool is_zero(const struct page *page)
{
	return !memchr_inv(page_address(page), 0, PAGE_SIZE);
}

/* Number of pages in a reserve for a climb from one page to @limit, and beyond. */
static unsigned int climb(unsigned int limit)
{
	return limit - 1 + COSTACK_BEYOND_LIMIT;
}

static void reserve_has_as_many_pages_as_the_climb(struct kunit *test)
{
	unsigned int class, i;

	for (class = 0; class < COSTACK_CLASSES; class++) {
		struct costack_reserve *r = reserve(test, 1U << class, false);

		KUNIT_EXPECT_EQ(test, r->nr_pages, climb(1U << class));
		for (i = 0; i < r->nr_pages; i++)
			KUNIT_EXPECT_TRUE(test, is_zero(r->pages[i]));
		costack_reserve_put(r);
	}
}

static void reserve_has_a_stack_of_every_class_above(struct kunit *test)
{
	unsigned int limit, class;

	for (limit = 0; limit < COSTACK_CLASSES; limit++) {
		struct costack_reserve *r = reserve(test, 1U << limit, true);

		KUNIT_EXPECT_NULL(test, r->next[0]);
		for (class = 1; class < COSTACK_CLASSES; class++) {
			KUNIT_EXPECT_EQ(test, !!r->next[class], class <= limit);
			if (r->next[class])
				KUNIT_EXPECT_EQ(test, r->next[class]->pages, 1U << class);
		}
		costack_reserve_put(r);
	}
}

static void reserve_without_copies_has_no_stack(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, COSTACK_MAX_PAGES, false);
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++) {
		KUNIT_EXPECT_NULL(test, r->next[class]);
		KUNIT_EXPECT_EQ(test, stacks(test, class), 0);
	}
	costack_reserve_put(r);
}

/* Not even the thread that left bytes in a stack finds them when it moves there. */
static void reserve_has_stacks_that_are_all_zero(struct kunit *test)
{
	struct costack_slot *slot = alloc(test, 1);
	struct costack_reserve *r;

	fill(slot, 0xa5);
	costack_stackfree(slot);
	r = reserve(test, 2, true);
	KUNIT_EXPECT_PTR_EQ(test, r->next[1], slot);
	KUNIT_EXPECT_TRUE(test, is_all(slot, 0));
	costack_reserve_put(r);
}

static void reserve_has_poisoned_stacks_if_asked(struct kunit *test)
{
	struct costack_reserve *r;

	costack_knobs.poison = true;
	r = costack_reserve_get(2, true, GFP_KERNEL);
	costack_knobs.poison = false;
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_TRUE(test, is_all(r->next[1], COSTACK_POISON_NEW));
	costack_reserve_put(r);
}

static void reserve_gives_each_page_once_and_then_none(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, false);
	struct page *page[3 + COSTACK_BEYOND_LIMIT];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = costack_reserve_page(r);
		KUNIT_ASSERT_NOT_NULL(test, page[i]);
		KUNIT_EXPECT_EQ(test, r->nr_pages, ARRAY_SIZE(page) - 1 - i);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_PTR_NE(test, page[i], page[j]);
	}
	KUNIT_EXPECT_NULL(test, costack_reserve_page(r));
	KUNIT_EXPECT_EQ(test, r->nr_pages, 0);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		__free_page(page[i]);
	costack_reserve_put(r);
}

static void refill_makes_up_for_a_page_that_was_taken(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true);

	__free_page(costack_reserve_page(r));
	KUNIT_EXPECT_EQ(test, costack_reserve_refill(r, 4, true), 0);
	KUNIT_EXPECT_EQ(test, r->nr_pages, climb(4));
	costack_reserve_put(r);
}

static void refill_makes_up_for_a_stack_that_was_taken(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true);
	struct costack_slot *old = alloc(test, 0), *next = r->next[1], *kept = r->next[2];

	costack_reserve_swap(r, 1, old);
	KUNIT_EXPECT_EQ(test, costack_reserve_refill(r, 4, true), 0);
	KUNIT_ASSERT_NOT_NULL(test, r->next[1]);
	KUNIT_EXPECT_PTR_NE(test, r->next[1], next);
	KUNIT_EXPECT_EQ(test, r->next[1]->pages, 2);
	KUNIT_EXPECT_PTR_EQ(test, r->next[2], kept);
	costack_stackfree(next);
	costack_reserve_put(r);
}

static void refill_of_a_full_reserve_changes_nothing(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true), before = *r;

	KUNIT_EXPECT_EQ(test, costack_reserve_refill(r, 4, true), 0);
	KUNIT_EXPECT_EQ(test, memcmp(r, &before, sizeof(before)), 0);
	costack_reserve_put(r);
}

/* The memory of a freed reserve may come back, but not the bytes it held. */
static void kept_reserve_is_the_next_one(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true);
	void *page = page_address(r->pages[0]);

	memset(page, 0xa5, PAGE_SIZE);
	costack_reserve_put(r);
	KUNIT_EXPECT_PTR_EQ(test, reserve(test, 4, true), r);
	KUNIT_EXPECT_PTR_EQ(test, page_address(r->pages[0]), page);
	KUNIT_EXPECT_NULL(test, memchr_inv(page, 0xa5, PAGE_SIZE));
	costack_reserve_put(r);
}

static void kept_reserve_is_filled_up_before_it_is_given_out(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 2, false);

	__free_page(costack_reserve_page(r));
	costack_reserve_put(r);
	KUNIT_ASSERT_PTR_EQ(test, reserve(test, 8, true), r);
	KUNIT_EXPECT_EQ(test, r->nr_pages, climb(8));
	KUNIT_EXPECT_NOT_NULL(test, r->next[1]);
	KUNIT_EXPECT_NOT_NULL(test, r->next[2]);
	KUNIT_EXPECT_NOT_NULL(test, r->next[3]);
	KUNIT_EXPECT_NULL(test, r->next[4]);
	costack_reserve_put(r);
}

static void second_reserve_is_taken_apart(struct kunit *test)
{
	struct costack_reserve *kept = reserve(test, 2, true), *other = reserve(test, 2, true);
	struct costack_slot *slot = other->next[1];

	costack_reserve_put(kept);
	costack_reserve_put(other);
	KUNIT_EXPECT_EQ(test, stacks(test, 1), 2);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 1), slot);
	costack_stackfree(slot);
}

static void swap_takes_the_next_and_retires_the_old(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true);
	struct costack_slot *old = alloc(test, 0), *next = r->next[1];

	costack_reserve_swap(r, 1, old);
	KUNIT_EXPECT_NULL(test, r->next[1]);
	KUNIT_EXPECT_NOT_NULL(test, r->next[2]);
	KUNIT_EXPECT_PTR_EQ(test, r->retired, old);
	KUNIT_EXPECT_NULL(test, old->next);
	costack_stackfree(next);
	costack_reserve_put(r);
}

static void retired_stacks_come_back_to_the_pool(struct kunit *test)
{
	struct costack_reserve *r = reserve(test, 4, true);
	struct costack_slot *first = alloc(test, 0), *second = r->next[1], *third = r->next[2];

	/* The stack climbs over two classes. */
	costack_reserve_swap(r, 1, first);
	costack_reserve_swap(r, 2, second);
	costack_reserve_put(r);
	KUNIT_EXPECT_NULL(test, r->retired);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 0), first);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, 1), second);
	costack_stackfree(first);
	costack_stackfree(second);
	costack_stackfree(third);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(stack_has_the_pages_of_its_class),
	KUNIT_CASE(stack_counts_under_its_class),
	KUNIT_CASE(fresh_stack_is_all_zero),
	KUNIT_CASE(memory_that_was_a_stack_is_zero_in_a_fresh_one),
	KUNIT_CASE(last_freed_is_first_allocated),
	KUNIT_CASE(stack_of_another_class_is_not_taken),
	KUNIT_CASE(shared_stack_is_taken_when_the_cpu_has_none),
	KUNIT_CASE(freed_stack_comes_back_zero),
	KUNIT_CASE(own_stack_stays_as_it_was_left),
	KUNIT_CASE(stack_of_another_thread_is_cleared),
	KUNIT_CASE(stack_of_an_earlier_thread_is_cleared),
	KUNIT_CASE(stack_of_a_module_is_cleared_for_all_others),
	KUNIT_CASE(shared_stack_comes_back_zero),
	KUNIT_CASE(freed_stack_names_no_coroutine),
	KUNIT_CASE(grown_stack_goes_back_to_the_class_it_has_reached),
	KUNIT_CASE(stack_of_no_class_is_unmapped),
	KUNIT_CASE(shared_list_is_not_trimmed_at_its_share),
	KUNIT_CASE(shared_list_is_trimmed_to_half_its_share),
#ifndef MODULE
	KUNIT_CASE(shrinker_leaves_what_the_cpu_keeps),
#endif
	KUNIT_CASE(exit_gives_every_slot_back),
	KUNIT_CASE(reserve_has_as_many_pages_as_the_climb),
	KUNIT_CASE(reserve_has_a_stack_of_every_class_above),
	KUNIT_CASE(reserve_without_copies_has_no_stack),
	KUNIT_CASE(reserve_has_stacks_that_are_all_zero),
	KUNIT_CASE(reserve_has_poisoned_stacks_if_asked),
	KUNIT_CASE(reserve_gives_each_page_once_and_then_none),
	KUNIT_CASE(refill_makes_up_for_a_page_that_was_taken),
	KUNIT_CASE(refill_makes_up_for_a_stack_that_was_taken),
	KUNIT_CASE(refill_of_a_full_reserve_changes_nothing),
	KUNIT_CASE(kept_reserve_is_the_next_one),
	KUNIT_CASE(kept_reserve_is_filled_up_before_it_is_given_out),
	KUNIT_CASE(second_reserve_is_taken_apart),
	KUNIT_CASE(swap_takes_the_next_and_retires_the_old),
	KUNIT_CASE(retired_stacks_come_back_to_the_pool),
	{ }
};

static struct kunit_suite pool_suite = {
	.name		= "costack_pool",
	.init		= pool_init,
	.exit		= pool_exit,
	.test_cases	= pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_LICENSE("GPL");
