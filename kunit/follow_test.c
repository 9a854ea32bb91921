// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of copystack under functions that run on the stack: what follows the move.
 *
 * User-mode Linux has no unwinder, so the suite vouches for its own frames, which keep
 * the promise of MODULE_COSTACK_MOVABLE(). As in call_test.c, functions on a coroutine
 * stack call only costack.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <asm/costack.h>

#include <linux/costack.h>

#include "fixture.h"

static int follow_init(struct kunit *test)
{
	costack_um_movable = true;
	return fixture_init(test);
}

static void follow_exit(struct kunit *test)
{
	costack_um_movable = false;
	fixture_exit(test);
}

/**
 * struct notes - what a function on a coroutine stack has seen
 * @before: address of a local variable before a move
 * @after: its address after the move
 * @tracked: a pointer to that local, registered
 * @untracked: a pointer to that local, not registered
 * @ret: what its calls returned, in order
 */
struct notes {
	unsigned long	before;
	unsigned long	after;
	int		*tracked;
	int		*untracked;
	int		ret[4];
};

static struct notes *make_notes(struct kunit *test)
{
	struct notes *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	return n;
}

/*
 * Turn an address into a number that a move does not recognize. The compiler may keep
 * such a number too, so the callers read the address from memory each time.
 */
static unsigned long hide(const void *address)
{
	return ~(unsigned long)address;
}

static int keep_pointers(void *arg)
{
	int local = 41, *pointer = &local, **chain = &pointer;
	struct notes *n = arg;

	OPTIMIZER_HIDE_VAR(pointer);
	OPTIMIZER_HIDE_VAR(chain);
	n->before = hide(pointer);
	n->tracked = pointer;
	n->untracked = pointer;
	n->ret[0] = costack_track(&n->tracked);
	n->ret[1] = costack_ensure(3 * PAGE_SIZE);
	n->after = hide(*chain);
	**chain += 1;
	n->ret[2] = *chain == &local;
	n->ret[3] = n->tracked == &local;
	costack_untrack(&n->tracked);
	return local;
}

static void pointers_to_locals_follow(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(keep_pointers, n), 42);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_NE(test, n->before, n->after);
	KUNIT_EXPECT_EQ(test, n->ret[2], 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 1);
}

static void tracked_pointer_on_the_heap_follows(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(keep_pointers, n);
	KUNIT_EXPECT_EQ(test, n->ret[3], 1);
	KUNIT_EXPECT_EQ(test, hide(n->tracked), n->after);
}

static void untracked_pointer_on_the_heap_stays_behind(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(keep_pointers, n);
	KUNIT_EXPECT_EQ(test, hide(n->untracked), n->before);
}

static int keep_pointers_pinned(void *arg)
{
	return costack_pin() ?: keep_pointers(arg);
}

static void pinned_coroutine_keeps_its_addresses(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(keep_pointers_pinned, n), 42);
	KUNIT_EXPECT_EQ(test, n->before, n->after);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
}

static void policy_inplace_keeps_addresses(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	KUNIT_EXPECT_EQ(test, costack_call(keep_pointers, n), 42);
	KUNIT_EXPECT_EQ(test, n->before, n->after);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
}

#define DEPTH	20

/* Each frame counts up in its caller's, through a pointer that it keeps over moves. */
static noinline int descend(int depth, int *above)
{
	int here = depth, sum = 0, err;

	OPTIMIZER_HIDE_VAR(above);
	err = costack_ensure(1024 * (DEPTH + 1 - depth));
	if (err)
		return err;
	if (depth) {
		sum = descend(depth - 1, &here);
		here--;
	}
	OPTIMIZER_HIDE_VAR(here);
	if (here != depth)
		return -1;
	(*above)++;
	return sum < 0 ? sum : sum + depth;
}

static int descend_once(void *arg)
{
	struct notes *n = arg;
	int top = 0;
	int sum = descend(DEPTH, &top);

	n->ret[0] = top;
	return sum;
}

static void every_frame_of_a_call_chain_survives_its_moves(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(descend_once, n), DEPTH * (DEPTH + 1) / 2);
	KUNIT_EXPECT_EQ(test, n->ret[0], 1);
	/* The stack grows to 2, 4 and 8 pages, whatever the size of a frame. */
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 3);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
}

/**
 * struct local - a local variable that knows where it is
 * @value: changed from the host stack
 * @self: its address
 */
struct local {
	int		value;
	struct local	*self;
};

static int add_two(void *arg)
{
	struct local *local = arg;

	local->value += local == local->self ? 2 : 100;
	return 0;
}

static int call_the_host(void *arg)
{
	struct local local = { .value = 36, .self = &local };
	struct notes *n = arg;
	int i;

	n->before = hide(local.self);
	for (i = 0; i < 3; i++)
		n->ret[i] = costack_on_host(add_two, &local);
	n->after = hide(local.self);
	return local.value;
}

/* The argument of a call is a root: it follows the local variable. */
static void forced_moves_happen_at_each_call(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_knobs.force_move = true;
	KUNIT_EXPECT_EQ(test, costack_call(call_the_host, n), 42);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 3);
	KUNIT_EXPECT_NE(test, n->before, n->after);
}

static void no_move_is_forced_unless_asked_for(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(call_the_host, n), 42);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 0);
	KUNIT_EXPECT_EQ(test, n->before, n->after);
}

static void note_arg(void *arg)
{
	struct notes *n = arg;

	n->ret[0]++;
}

static int defer_and_move(void *arg)
{
	int err = costack_defer(note_arg, arg);

	return err ?: costack_ensure(3 * PAGE_SIZE);
}

static void defers_run_after_moves(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(defer_and_move, n), 0);
	KUNIT_EXPECT_EQ(test, n->ret[0], 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 1);
}

static struct kunit_case follow_cases[] = {
	KUNIT_CASE(pointers_to_locals_follow),
	KUNIT_CASE(tracked_pointer_on_the_heap_follows),
	KUNIT_CASE(untracked_pointer_on_the_heap_stays_behind),
	KUNIT_CASE(pinned_coroutine_keeps_its_addresses),
	KUNIT_CASE(policy_inplace_keeps_addresses),
	KUNIT_CASE(every_frame_of_a_call_chain_survives_its_moves),
	KUNIT_CASE(forced_moves_happen_at_each_call),
	KUNIT_CASE(no_move_is_forced_unless_asked_for),
	KUNIT_CASE(defers_run_after_moves),
	{ }
};

static struct kunit_suite follow_suite = {
	.name		= "costack_follow",
	.init		= follow_init,
	.exit		= follow_exit,
	.test_cases	= follow_cases,
};

kunit_test_suite(follow_suite);

MODULE_LICENSE("GPL");
