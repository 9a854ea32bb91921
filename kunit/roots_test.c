// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of roots: registered pointers follow a move, and nothing else does.
 */
#include <kunit/test.h>
#include <linux/instruction_pointer.h>
#include <linux/irqflags.h>
#include <linux/spinlock.h>

#include "../module/roots.h"

#define WORDS	32

/**
 * struct move - two stacks, and the roots of a move from one to the other
 * @old: the stack before the move
 * @gap: keeps the end of @old apart from the lowest address of @new
 * @new: the stack after the move
 * @roots: roots of the coroutine
 * @range: from @old to @new
 * @heap: a pointer variable that lies on no stack
 */
struct move {
	unsigned long		old[WORDS];
	unsigned long		gap;
	unsigned long		new[WORDS];
	struct costack_roots	roots;
	struct costack_range	range;
	void			*heap;
};

static int roots_init(struct kunit *test)
{
	struct move *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->range.lo = (unsigned long)m->old;
	m->range.hi = (unsigned long)(m->old + WORDS);
	m->range.delta = (unsigned long)m->new - (unsigned long)m->old;
	test->priv = m;
	return 0;
}

static void roots_exit(struct kunit *test)
{
	struct move *m = test->priv;

	costack_roots_free(&m->roots);
}

#define ALL	(WORDS * sizeof(long))

/* Register @loc from the outermost frame. All of the stack is in use. */
static int track(struct move *m, void **loc)
{
	return costack_roots_track(&m->roots, loc, sizeof(long), _THIS_IP_);
}

static size_t adjust(struct move *m)
{
	return costack_roots_adjust(&m->roots, &m->range, ALL);
}

/* Copy the bytes, as copystack does before it adjusts the roots. */
static void copy(struct move *m)
{
	static const unsigned long none[BITS_TO_LONGS(WORDS)];

	memcpy(m->new, m->old, sizeof(m->new));
	costack_rebase_copy(&m->range, m->new, WORDS, none);
}

static void track_refuses_null(struct kunit *test)
{
	struct move *m = test->priv;

	KUNIT_EXPECT_EQ(test, track(m, NULL), -EINVAL);
	KUNIT_EXPECT_NULL(test, m->roots.tracked);
}

static void track_refuses_unaligned(struct kunit *test)
{
	struct move *m = test->priv;
	void **loc = (void **)((char *)&m->heap + 1);

	KUNIT_EXPECT_EQ(test, track(m, loc), -EINVAL);
	KUNIT_EXPECT_NULL(test, m->roots.tracked);
}

static void heap_variable_follows(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->new[3]);
}

static void variable_that_points_one_past_the_end_follows(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = m->old + WORDS;
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)(m->new + WORDS));
}

static void variable_that_points_elsewhere_is_left(struct kunit *test)
{
	struct move *m = test->priv;
	void *p[3] = { NULL, (void *)(m->range.lo - 1), (void *)(m->range.hi + 1) };
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, track(m, &p[i]), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 0);
	KUNIT_EXPECT_NULL(test, p[0]);
	KUNIT_EXPECT_EQ(test, (unsigned long)p[1], m->range.lo - 1);
	KUNIT_EXPECT_EQ(test, (unsigned long)p[2], m->range.hi + 1);
}

/* The copy has adjusted the value; costack_roots_adjust() counts only the record. */
static void stack_variable_moves_and_its_value_follows(struct kunit *test)
{
	struct move *m = test->priv;

	m->old[5] = (unsigned long)&m->old[9];
	KUNIT_EXPECT_EQ(test, track(m, (void **)&m->old[5]), 0);
	copy(m);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_EQ(test, m->new[5], (unsigned long)&m->new[9]);
	KUNIT_EXPECT_EQ(test, m->old[5], (unsigned long)&m->old[9]);
}

static void moved_stack_variable_goes_by_its_new_address(struct kunit *test)
{
	struct move *m = test->priv;

	KUNIT_EXPECT_EQ(test, track(m, (void **)&m->old[5]), 0);
	copy(m);
	adjust(m);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, (void **)&m->old[5]), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, (void **)&m->new[5]), 0);
}

static void variable_follows_two_moves(struct kunit *test)
{
	struct move *m = test->priv;
	const struct costack_range back = {
		.lo	= (unsigned long)m->new,
		.hi	= (unsigned long)(m->new + WORDS),
		.delta	= -m->range.delta,
	};

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_EQ(test, costack_roots_adjust(&m->roots, &back, ALL), 1);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->old[3]);
}

static void untracked_variable_does_not_follow(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 0);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->old[3]);
}

static void neighbours_of_a_tracked_variable_do_not_follow(struct kunit *test)
{
	struct move *m = test->priv;
	void *p[3] = { &m->old[3], &m->old[3], &m->old[3] };

	KUNIT_EXPECT_EQ(test, track(m, &p[1]), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_PTR_EQ(test, p[0], (void *)&m->old[3]);
	KUNIT_EXPECT_PTR_EQ(test, p[1], (void *)&m->new[3]);
	KUNIT_EXPECT_PTR_EQ(test, p[2], (void *)&m->old[3]);
}

static void untrack_refuses_unknown(struct kunit *test)
{
	struct move *m = test->priv;
	void *other = NULL;

	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &other), -EINVAL);
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &other), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, NULL), -EINVAL);
}

static void untrack_from_the_middle_keeps_the_others(struct kunit *test)
{
	struct move *m = test->priv;
	void *p[3] = { &m->old[0], &m->old[1], &m->old[2] };
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, track(m, &p[i]), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &p[1]), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 2);
	KUNIT_EXPECT_PTR_EQ(test, p[0], (void *)&m->new[0]);
	KUNIT_EXPECT_PTR_EQ(test, p[1], (void *)&m->old[1]);
	KUNIT_EXPECT_PTR_EQ(test, p[2], (void *)&m->new[2]);
}

static void variable_tracked_twice_is_adjusted_once(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->new[3]);
}

static void variable_tracked_twice_is_untracked_twice(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &m->heap), -EINVAL);
}

/* Functions that the cases tell apart. None of them is ever called. */
static void first(void *arg)
{
}

static void second(void *arg)
{
}

static void defer_refuses_null(struct kunit *test)
{
	struct move *m = test->priv;

	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, NULL, m, 0), -EINVAL);
	KUNIT_EXPECT_NULL(test, m->roots.defers);
}

static void pop_of_no_defers_is_false(struct kunit *test)
{
	struct move *m = test->priv;
	struct costack_defer defer = { .sp = 42 };

	KUNIT_EXPECT_FALSE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_EQ(test, defer.sp, 42);
}

static void defers_pop_last_in_first_out(struct kunit *test)
{
	struct move *m = test->priv;
	struct costack_defer defer;

	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, first, &m->old[1], 11), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, second, &m->old[2], 22), 0);

	KUNIT_EXPECT_TRUE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_TRUE(test, defer.fn == second);
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)&m->old[2]);
	KUNIT_EXPECT_EQ(test, defer.sp, 22);

	KUNIT_EXPECT_TRUE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_TRUE(test, defer.fn == first);
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)&m->old[1]);
	KUNIT_EXPECT_EQ(test, defer.sp, 11);

	KUNIT_EXPECT_FALSE(test, costack_roots_pop(&m->roots, &defer));
}

static void defer_arg_and_sp_follow(struct kunit *test)
{
	struct move *m = test->priv;
	struct costack_defer defer;

	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, first, &m->old[7],
						  (unsigned long)&m->old[2]), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 2);
	KUNIT_EXPECT_TRUE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)&m->new[7]);
	KUNIT_EXPECT_EQ(test, defer.sp, (unsigned long)&m->new[2]);
}

static void defer_arg_elsewhere_is_left(struct kunit *test)
{
	struct move *m = test->priv;
	struct costack_defer defer;

	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, first, &m->heap,
						  (unsigned long)&m->old[2]), 0);
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_TRUE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)&m->heap);
}

static void element_of_a_waiter_follows(struct kunit *test)
{
	struct move *m = test->priv;

	m->roots.sudog.elem = &m->old[4];
	KUNIT_EXPECT_EQ(test, adjust(m), 1);
	KUNIT_EXPECT_PTR_EQ(test, m->roots.sudog.elem, (void *)&m->new[4]);
}

/* What a callback has seen of the lock that is held around it. */
struct seen {
	unsigned int calls;
	bool irqs_off;
};

static void look(void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->irqs_off = irqs_disabled();
}

static void copy_takes_no_lock_if_nobody_waits(struct kunit *test)
{
	struct move *m = test->priv;
	struct seen seen = { };

	costack_roots_copy(&m->roots, look, &seen);
	KUNIT_EXPECT_EQ(test, seen.calls, 1);
	KUNIT_EXPECT_FALSE(test, seen.irqs_off);
}

static void copy_takes_the_lock_of_the_channel(struct kunit *test)
{
	struct move *m = test->priv;
	struct seen seen = { };
	raw_spinlock_t lock;

	raw_spin_lock_init(&lock);
	m->roots.sudog.lock = &lock;
	costack_roots_copy(&m->roots, look, &seen);
	KUNIT_EXPECT_EQ(test, seen.calls, 1);
	KUNIT_EXPECT_TRUE(test, seen.irqs_off);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&lock));
}

static void adjusting_twice_is_harmless(struct kunit *test)
{
	struct move *m = test->priv;
	struct costack_defer defer;

	m->heap = &m->old[3];
	m->old[5] = (unsigned long)&m->old[9];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, track(m, (void **)&m->old[5]), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, first, &m->old[7],
						  (unsigned long)&m->old[2]), 0);
	copy(m);
	KUNIT_EXPECT_EQ(test, adjust(m), 4);
	KUNIT_EXPECT_EQ(test, adjust(m), 0);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->new[3]);
	KUNIT_EXPECT_EQ(test, m->new[5], (unsigned long)&m->new[9]);
	KUNIT_EXPECT_TRUE(test, costack_roots_pop(&m->roots, &defer));
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)&m->new[7]);
	KUNIT_EXPECT_EQ(test, defer.sp, (unsigned long)&m->new[2]);
}

static void adjusting_no_roots_is_harmless(struct kunit *test)
{
	struct move *m = test->priv;

	KUNIT_EXPECT_EQ(test, adjust(m), 0);
}

/* === The life of a root === */

/* Register @loc as a function does that has @used bytes of the stack in use. */
static int track_at(struct move *m, void **loc, size_t used)
{
	return costack_roots_track(&m->roots, loc, used, _THIS_IP_);
}

static unsigned int nr_tracked(const struct move *m)
{
	const struct costack_record *record;
	unsigned int nr = 0;

	for (record = m->roots.tracked; record; record = record->next)
		nr++;
	return nr;
}

static void root_lives_while_its_frame_does(struct kunit *test)
{
	struct costack_record record = { .depth = 96 };

	KUNIT_EXPECT_FALSE(test, costack_record_dead(&record, 200));
	KUNIT_EXPECT_FALSE(test, costack_record_dead(&record, 96));
	KUNIT_EXPECT_TRUE(test, costack_record_dead(&record, 88));
	KUNIT_EXPECT_TRUE(test, costack_record_dead(&record, 0));
}

/* At a fault nothing can be freed: the record stays, and its root is not read. */
static void root_of_a_frame_that_is_gone_is_not_looked_at(struct kunit *test)
{
	struct move *m = test->priv;

	KUNIT_EXPECT_EQ(test, track_at(m, (void **)8, 96), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_adjust(&m->roots, &m->range, 88), 0);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 1);
}

/* A move does not copy below the stack pointer, where not even a page need be mapped. */
static void tracked_variable_on_the_stack_is_not_read(struct kunit *test)
{
	struct move *m = test->priv;
	void **loc = (void **)&m->old[5];

	m->old[5] = (unsigned long)&m->old[9];
	m->new[5] = m->old[5];
	KUNIT_EXPECT_EQ(test, track_at(m, loc, 96), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_adjust(&m->roots, &m->range, 96), 1);
	KUNIT_EXPECT_EQ(test, m->old[5], (unsigned long)&m->old[9]);
	KUNIT_EXPECT_EQ(test, m->new[5], (unsigned long)&m->old[9]);
}

static void roots_of_frames_that_are_gone_are_dropped(struct kunit *test)
{
	struct move *m = test->priv;
	void *p[3];

	KUNIT_EXPECT_EQ(test, track_at(m, &p[0], 32), 0);
	KUNIT_EXPECT_EQ(test, track_at(m, &p[1], 64), 0);
	KUNIT_EXPECT_EQ(test, track_at(m, &p[2], 96), 0);
	costack_roots_drop(&m->roots, 96, false);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 3);
	costack_roots_drop(&m->roots, 64, false);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 2);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &p[2]), -EINVAL);
	costack_roots_drop(&m->roots, 40, false);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 1);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &p[0]), 0);
}

/* This keeps the list sorted: a search for dead records ends at the first live one. */
static void who_registers_drops_what_is_deeper(struct kunit *test)
{
	struct move *m = test->priv;
	void *p[3];

	KUNIT_EXPECT_EQ(test, track_at(m, &p[0], 32), 0);
	KUNIT_EXPECT_EQ(test, track_at(m, &p[1], 96), 0);
	KUNIT_EXPECT_EQ(test, track_at(m, &p[2], 64), 0);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 2);
	KUNIT_EXPECT_EQ(test, costack_roots_untrack(&m->roots, &p[1]), -EINVAL);
}

static void life_of_a_root_moves_with_the_stack(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track_at(m, &m->heap, 64), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_adjust(&m->roots, &m->range, 64), 1);
	costack_roots_drop(&m->roots, 64, false);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 1);
	costack_roots_drop(&m->roots, 56, false);
	KUNIT_EXPECT_EQ(test, nr_tracked(m), 0);
}

static void free_leaves_no_roots(struct kunit *test)
{
	struct move *m = test->priv;

	m->heap = &m->old[3];
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, track(m, &m->heap), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, first, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, costack_roots_defer(&m->roots, second, NULL, 0), 0);
	costack_roots_free(&m->roots);
	KUNIT_EXPECT_NULL(test, m->roots.tracked);
	KUNIT_EXPECT_NULL(test, m->roots.defers);
	KUNIT_EXPECT_EQ(test, adjust(m), 0);
	KUNIT_EXPECT_PTR_EQ(test, m->heap, (void *)&m->old[3]);
}

static struct kunit_case roots_cases[] = {
	KUNIT_CASE(track_refuses_null),
	KUNIT_CASE(track_refuses_unaligned),
	KUNIT_CASE(heap_variable_follows),
	KUNIT_CASE(variable_that_points_one_past_the_end_follows),
	KUNIT_CASE(variable_that_points_elsewhere_is_left),
	KUNIT_CASE(stack_variable_moves_and_its_value_follows),
	KUNIT_CASE(moved_stack_variable_goes_by_its_new_address),
	KUNIT_CASE(variable_follows_two_moves),
	KUNIT_CASE(untracked_variable_does_not_follow),
	KUNIT_CASE(neighbours_of_a_tracked_variable_do_not_follow),
	KUNIT_CASE(untrack_refuses_unknown),
	KUNIT_CASE(untrack_from_the_middle_keeps_the_others),
	KUNIT_CASE(variable_tracked_twice_is_adjusted_once),
	KUNIT_CASE(variable_tracked_twice_is_untracked_twice),
	KUNIT_CASE(defer_refuses_null),
	KUNIT_CASE(pop_of_no_defers_is_false),
	KUNIT_CASE(defers_pop_last_in_first_out),
	KUNIT_CASE(defer_arg_and_sp_follow),
	KUNIT_CASE(defer_arg_elsewhere_is_left),
	KUNIT_CASE(element_of_a_waiter_follows),
	KUNIT_CASE(copy_takes_no_lock_if_nobody_waits),
	KUNIT_CASE(copy_takes_the_lock_of_the_channel),
	KUNIT_CASE(adjusting_twice_is_harmless),
	KUNIT_CASE(adjusting_no_roots_is_harmless),
	KUNIT_CASE(root_lives_while_its_frame_does),
	KUNIT_CASE(root_of_a_frame_that_is_gone_is_not_looked_at),
	KUNIT_CASE(tracked_variable_on_the_stack_is_not_read),
	KUNIT_CASE(roots_of_frames_that_are_gone_are_dropped),
	KUNIT_CASE(who_registers_drops_what_is_deeper),
	KUNIT_CASE(life_of_a_root_moves_with_the_stack),
	KUNIT_CASE(free_leaves_no_roots),
	{ }
};

static struct kunit_suite roots_suite = {
	.name		= "costack_roots",
	.init		= roots_init,
	.exit		= roots_exit,
	.test_cases	= roots_cases,
};

kunit_test_suite(roots_suite);

MODULE_LICENSE("GPL");
