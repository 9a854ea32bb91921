// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of first sizes: what is learnt from growth, what a stack starts with then, how the
 * size comes down again, and what is forgotten.
 *
 * The functions that run on a coroutine stack keep to the rules of call_test.c. They grow at a
 * safe point, as there is not always a fault.
 */
#include <kunit/test.h>
#include <linux/minmax.h>

#include <linux/costack.h>

#include "../module/first.h"
#include "../module/sysfs.h"
#include "fixture.h"

/* What a class needs, and the one below has not. */
#define SIZE(class)	(PAGE_SIZE << (class))
#define NEED(class)	(SIZE((class) - 1) + 64)

static int first_init(struct kunit *test)
{
	int err = fixture_init(test);

	costack_knobs.adaptive_start = true;
	return err;
}

static void first_exit(struct kunit *test)
{
	fixture_exit(test);
	costack_first_forget_all();
}

/**
 * struct use - what a function is to use, and what it found
 * @bytes: room that it makes
 * @size: of its stack, in bytes, when it began
 * @grown: it has grown
 */
struct use {
	size_t	bytes;
	size_t	size;
	bool	grown;
};

static int use_stack(void *arg)
{
	struct use *use = arg;
	int ret;

	use->size = costack_stack_size();
	ret = costack_ensure(use->bytes);
	use->grown = costack_stack_size() != use->size;
	return ret;
}

static int use_other_stack(void *arg)
{
	struct use *use = arg;

	use->size = costack_stack_size();
	return 0;
}

/* Returns the size that it began with. */
static size_t call(struct kunit *test, const struct costack_attr *attr, size_t bytes)
{
	struct use use = { .bytes = bytes };

	KUNIT_EXPECT_EQ(test, attr ? costack_call_attr(attr, use_stack, &use) :
				     costack_call(use_stack, &use), 0);
	return use.size;
}

/* Returns how many have grown. */
static unsigned int call_often(struct kunit *test, unsigned int times, size_t bytes)
{
	struct use use = { .bytes = bytes };
	unsigned int grown = 0;

	while (times--) {
		KUNIT_EXPECT_EQ(test, costack_call(use_stack, &use), 0);
		grown += use.grown;
	}
	return grown;
}

/* As many as have @nr probes among them, for a function that is known. */
static unsigned int probes(unsigned int nr)
{
	return nr * COSTACK_FIRST_ONE_IN;
}

/* As if a coroutine of @fn had ended. */
static void teach(struct kunit *test, unsigned long fn, unsigned int class)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	co->fn = (costack_fn_t)fn;
	co->limit = COSTACK_MAX_PAGES;
	co->started = true;
	co->growths = 1;
	co->deepest = NEED(class);
	costack_first_end(co);
	kunit_kfree(test, co);
}

/* === Learning === */

static void what_has_grown_starts_larger(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, costack_first_any());
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(0));
	KUNIT_EXPECT_TRUE(test, costack_first_any());
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_STARTED_LARGER), 0);
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(2));
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_STARTED_LARGER), 1);
}

static void the_deepest_use_counts(struct kunit *test)
{
	call(test, NULL, NEED(3));
	call(test, NULL, NEED(1));
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 3);
	/* It had begun before the other one ended. */
	teach(test, (unsigned long)use_stack, 1);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 3);
	call(test, NULL, NEED(4));
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 4);
}

static void other_functions_start_as_ever(struct kunit *test)
{
	struct use use = { };

	call(test, NULL, NEED(2));
	KUNIT_EXPECT_EQ(test, costack_call(use_other_stack, &use), 0);
	KUNIT_EXPECT_EQ(test, use.size, SIZE(0));
	KUNIT_EXPECT_EQ(test, costack_first_class(use_other_stack), 0);
}

/* The stack that a coroutine kept for reuse has is too small, and goes back to the pool. */
static void kept_coroutine_starts_larger_too(struct kunit *test)
{
	const struct costack_attr plain = { };
	struct use use = { };

	call(test, NULL, NEED(1));
	costack_call_attr(&plain, use_other_stack, &use);
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(1)), SIZE(1));
	costack_call(use_other_stack, &use);
	KUNIT_EXPECT_EQ(test, use.size, SIZE(0));
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_LIVE), 0);
}

static void limit_is_respected(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = SIZE(1) };

	call(test, NULL, NEED(3));
	KUNIT_EXPECT_EQ(test, call(test, &attr, 0), SIZE(1));
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 3);
}

/* It would have needed more than it had, but no more than it had is learnt from it. */
static void no_more_than_the_limit_is_learnt(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = SIZE(1) };

	KUNIT_EXPECT_EQ(test, call(test, &attr, SIZE(1) - 900), SIZE(0));
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 1);
}

static void size_asked_for_is_not_reduced(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = SIZE(3) };

	call(test, NULL, NEED(1));
	KUNIT_EXPECT_EQ(test, call(test, &attr, 0), SIZE(3));
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_STARTED_LARGER), 0);
}

/* === Probes === */

static void one_in_many_is_a_probe(struct kunit *test)
{
	call(test, NULL, NEED(2));
	KUNIT_EXPECT_EQ(test, call_often(test, probes(10), NEED(2)), 10);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 2);
	/* A probe starts one class lower, and still larger than asked for. */
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_STARTED_LARGER), probes(10));
}

static void size_goes_down_when_less_is_needed(struct kunit *test)
{
	call(test, NULL, NEED(2));
	KUNIT_EXPECT_EQ(test, call_often(test, probes(COSTACK_FIRST_PATIENCE - 1), NEED(1)), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 2);
	KUNIT_EXPECT_EQ(test, call_often(test, probes(1), NEED(1)), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 1);
	/* No lower than what is needed. */
	KUNIT_EXPECT_EQ(test, call_often(test, probes(COSTACK_FIRST_PATIENCE), NEED(1)),
			COSTACK_FIRST_PATIENCE);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 1);
}

static void nothing_is_left_when_nothing_is_needed(struct kunit *test)
{
	call(test, NULL, NEED(1));
	call_often(test, probes(COSTACK_FIRST_PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 0);
	KUNIT_EXPECT_EQ(test, call(test, NULL, 0), SIZE(0));
}

/* One probe that grows, and the others must begin again. */
static void probes_must_come_in_a_row(struct kunit *test)
{
	call(test, NULL, NEED(1));
	call_often(test, probes(COSTACK_FIRST_PATIENCE - 1), 0);
	KUNIT_EXPECT_EQ(test, call_often(test, probes(1), NEED(1)), 1);
	call_often(test, probes(COSTACK_FIRST_PATIENCE - 1), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 1);
	call_often(test, probes(1), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_stack), 0);
}

/* Each time that less was not enough after all, it takes twice as many. */
static void size_does_not_flap(struct kunit *test)
{
	unsigned int need = COSTACK_FIRST_PATIENCE, i;

	call(test, NULL, NEED(1));
	for (i = 0; i < 5; i++) {
		call_often(test, probes(need - 1), 0);
		KUNIT_EXPECT_EQ_MSG(test, costack_first_class(use_stack), 1, "time %u", i);
		call_often(test, probes(1), 0);
		KUNIT_EXPECT_EQ_MSG(test, costack_first_class(use_stack), 0, "time %u", i);
		KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(1)), SIZE(0));
		need = min(2 * need, COSTACK_FIRST_MOST);
	}
	KUNIT_EXPECT_EQ(test, need, COSTACK_FIRST_MOST);
}

static int use_and_be_cut_off(void *arg)
{
	struct use *use = arg;

	use->size = costack_stack_size();
	costack_ensure(use->bytes);
	cut_off();
	return 0;
}

/* It might have used more later. */
static void what_was_cut_off_proves_nothing(struct kunit *test)
{
	struct use use = { .bytes = NEED(1) };
	unsigned int times = 2 * probes(COSTACK_FIRST_PATIENCE);

	costack_call(use_and_be_cut_off, &use);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_and_be_cut_off), 1);
	use.bytes = 0;
	while (times--)
		costack_call(use_and_be_cut_off, &use);
	KUNIT_EXPECT_EQ(test, costack_first_class(use_and_be_cut_off), 1);
}

/* === Forgetting === */

static void knob_turns_it_off(struct kunit *test)
{
	call(test, NULL, NEED(2));
	KUNIT_EXPECT_EQ(test, costack_knob_set("adaptive_start", "0"), 0);
	KUNIT_EXPECT_FALSE(test, costack_first_any());
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(0));
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(0));
	KUNIT_EXPECT_FALSE(test, costack_first_any());
	KUNIT_EXPECT_EQ(test, costack_knob_set("adaptive_start", "1"), 0);
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(0));
	KUNIT_EXPECT_EQ(test, call(test, NULL, NEED(2)), SIZE(2));
}

static void functions_of_a_module_are_forgotten(struct kunit *test)
{
	teach(test, 0x1000, 1);
	teach(test, 0x1fff, 2);
	teach(test, 0x2000, 3);
	costack_first_forget(0x1000, 0x2000);
	KUNIT_EXPECT_EQ(test, costack_first_class((void *)0x1000), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class((void *)0x1fff), 0);
	KUNIT_EXPECT_EQ(test, costack_first_class((void *)0x2000), 3);
	KUNIT_EXPECT_TRUE(test, costack_first_any());
	costack_first_forget(0x2000, 0x2001);
	KUNIT_EXPECT_FALSE(test, costack_first_any());
}

/* More functions than there is room for: those that came first stay. */
static void table_is_bounded(struct kunit *test)
{
	const unsigned int room = COSTACK_FIRST_SETS * COSTACK_FIRST_WAYS;
	unsigned int known = 0, i;
	u8 *learnt = kunit_kzalloc(test, 16 * room, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, learnt);
	for (i = 0; i < 16 * room; i++) {
		teach(test, 16 + 16UL * i, 1 + i % 4);
		learnt[i] = costack_first_class((void *)(16 + 16UL * i));
		known += !!learnt[i];
		KUNIT_EXPECT_TRUE(test, !learnt[i] || learnt[i] == 1 + i % 4);
	}
	for (i = 0; i < 16 * room; i++)
		KUNIT_EXPECT_EQ(test, costack_first_class((void *)(16 + 16UL * i)), learnt[i]);
	KUNIT_EXPECT_LE(test, known, room);
	KUNIT_EXPECT_GT(test, known, room / 2);
	costack_first_forget_all();
	KUNIT_EXPECT_FALSE(test, costack_first_any());
}

static struct kunit_case first_cases[] = {
	KUNIT_CASE(what_has_grown_starts_larger),
	KUNIT_CASE(the_deepest_use_counts),
	KUNIT_CASE(other_functions_start_as_ever),
	KUNIT_CASE(kept_coroutine_starts_larger_too),
	KUNIT_CASE(limit_is_respected),
	KUNIT_CASE(no_more_than_the_limit_is_learnt),
	KUNIT_CASE(size_asked_for_is_not_reduced),
	KUNIT_CASE(one_in_many_is_a_probe),
	KUNIT_CASE(size_goes_down_when_less_is_needed),
	KUNIT_CASE(nothing_is_left_when_nothing_is_needed),
	KUNIT_CASE(probes_must_come_in_a_row),
	KUNIT_CASE(size_does_not_flap),
	KUNIT_CASE(what_was_cut_off_proves_nothing),
	KUNIT_CASE(knob_turns_it_off),
	KUNIT_CASE(functions_of_a_module_are_forgotten),
	KUNIT_CASE(table_is_bounded),
	{ }
};

static struct kunit_suite first_suite = {
	.name		= "costack_first",
	.init		= first_init,
	.exit		= first_exit,
	.test_cases	= first_cases,
};

kunit_test_suite(first_suite);

MODULE_LICENSE("GPL");
