// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of coroutines that run: from the call to the end, and the calls they may make.
 *
 * The functions that run on a coroutine stack call no kernel function outside
 * costack, because some architectures find current through the stack pointer. For
 * the same reason no coroutine here calls costack_call().
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "../module/arena.h"
#include "../module/call.h"
#include "fixture.h"
#include "notes.h"

/* === The call === */

static void call_returns_what_the_function_returns(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_call(take_notes, make_notes(test)), 42);
	KUNIT_EXPECT_EQ(test, costack_call(never_called, NULL), -EIO);
}

static void function_gets_its_argument_and_runs_once(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(take_notes, n);
	KUNIT_EXPECT_EQ(test, n->calls, 1);
}

static void function_runs_on_a_coroutine_stack(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_NULL(test, costack_current());
	costack_call(take_notes, n);
	KUNIT_EXPECT_NOT_NULL(test, n->co);
	KUNIT_EXPECT_NOT_NULL(test, costack_arena_lookup(n->sp));
	KUNIT_EXPECT_NULL(test, costack_current());
}

static void stack_sizes_add_up(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(take_notes, n);
	KUNIT_EXPECT_EQ(test, n->size, PAGE_SIZE);
	/* The two values come from different frames, whose sizes may differ a little. */
	KUNIT_EXPECT_GE(test, n->left + n->used, PAGE_SIZE - 64);
	KUNIT_EXPECT_LE(test, n->left + n->used, PAGE_SIZE + 64);
	KUNIT_EXPECT_LT(test, n->used, PAGE_SIZE / 2);
}

static void host_stack_has_no_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_stack_size(), 0);
	KUNIT_EXPECT_EQ(test, costack_stack_left(), 0);
	KUNIT_EXPECT_EQ(test, costack_stack_used(), 0);
}

static void call_with_interrupts_off_is_refused(struct kunit *test)
{
	struct notes *n = make_notes(test);
	int ret;

	local_irq_disable();
	ret = costack_call(take_notes, n);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, n->calls, 0);
}

static void bad_attributes_are_refused(struct kunit *test)
{
	static const struct costack_attr bad[] = {
		{ .stack_limit = COSTACK_MAX_PAGES * PAGE_SIZE + 1 },
		{ .stack_first = COSTACK_MAX_PAGES * PAGE_SIZE + 1 },
		{ .stack_limit = SIZE_MAX },
		{ .stack_first = SIZE_MAX },
		{ .stack_limit = PAGE_SIZE, .stack_first = PAGE_SIZE + 1 },
		{ .flags = BIT(4) },
		{ .flags = BIT(31) | COSTACK_PINNED },
	};
	struct notes *n = make_notes(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, costack_call_attr(&bad[i], take_notes, n), -EINVAL,
				    "attributes %u", i);
	KUNIT_EXPECT_EQ(test, costack_call(NULL, n), -EINVAL);
	KUNIT_EXPECT_EQ(test, n->calls, 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_LIVE), 0);
}

static void first_size_is_rounded_up_to_a_class(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = 2 * PAGE_SIZE + 1 };
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call_attr(&attr, take_notes, n), 42);
	KUNIT_EXPECT_EQ(test, n->size, 4 * PAGE_SIZE);
}

static int ask_for_8_pages(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_ensure(7 * PAGE_SIZE);
	n->ret[1] = costack_ensure(8 * PAGE_SIZE);
	note(n);
	return 0;
}

static void limit_is_rounded_up_to_a_class(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = 4 * PAGE_SIZE + 1 };
	struct notes *n = make_notes(test);

	costack_call_attr(&attr, ask_for_8_pages, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, n->size, 8 * PAGE_SIZE);
}

static void low_limit_lowers_the_default_first_size(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = PAGE_SIZE };
	struct notes *n = make_notes(test);

	costack_knobs.stack_min = 4;
	KUNIT_EXPECT_EQ(test, costack_call_attr(&attr, take_notes, n), 42);
	KUNIT_EXPECT_EQ(test, n->size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, costack_call(take_notes, n), 42);
	KUNIT_EXPECT_EQ(test, n->size, 4 * PAGE_SIZE);
}

static int note_name(void *unused)
{
	return strlen(costack_current()->name);
}

static void name_is_kept_for_one_run(struct kunit *test)
{
	const struct costack_attr attr = { .name = "a name" };
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call_attr(&attr, note_name, n), 6);
	KUNIT_EXPECT_EQ(test, costack_call(note_name, n), 0);
}

/* === The life of a coroutine === */

static int note_live(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_stat_read(COSTACK_STAT_LIVE);
	n->ret[1] = atomic_read(&costack_current()->state);
	return 0;
}

static void coroutine_lives_as_long_as_the_call(struct kunit *test)
{
	const struct fixture *f = test->priv;
	struct notes *n = make_notes(test);

	costack_call(note_live, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], f->stats[COSTACK_STAT_LIVE] + 1);
	KUNIT_EXPECT_EQ(test, n->ret[1], COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_LIVE), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_CALLS), 1);
}

static void run_takes_idle_to_dead(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct costack *co = costack_create(NULL, take_notes, n, costack_owner_thread());

	KUNIT_ASSERT_FALSE(test, IS_ERR(co));
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_IDLE);
	KUNIT_EXPECT_EQ(test, n->calls, 0);
	costack_run(co);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, n->calls, 1);
	KUNIT_EXPECT_EQ(test, co->ret, 42);
	KUNIT_EXPECT_PTR_EQ(test, n->co, co);
	costack_destroy(co);
}

/* === What a coroutine calls === */

static void calls_from_the_host_stack_are_refused(struct kunit *test)
{
	void *pointer = NULL;

	KUNIT_EXPECT_EQ(test, costack_ensure(1), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_defer(never_deferred, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_pin(), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_unpin(), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_track(&pointer), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_untrack(&pointer), -EINVAL);
}

static int note_on_host(void *arg)
{
	int *local = arg;

	*local += costack_current() ? 100 : 1;
	*local += costack_arena_lookup(current_stack_pointer) ? 100 : 1;
	return 7;
}

static int go_to_host(void *arg)
{
	struct notes *n = arg;
	int local = 40;

	n->ret[0] = costack_on_host(note_on_host, &local);
	n->ret[1] = local;
	note(n);
	return 0;
}

static void on_host_runs_on_the_host_stack_and_comes_back(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(go_to_host, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 7);
	KUNIT_EXPECT_EQ(test, n->ret[1], 42);
	KUNIT_EXPECT_NOT_NULL(test, n->co);
}

static void on_host_is_a_plain_call_on_the_host(struct kunit *test)
{
	int local = 40;

	KUNIT_EXPECT_EQ(test, costack_on_host(note_on_host, &local), 7);
	KUNIT_EXPECT_EQ(test, local, 42);
}

static int call_inner(void *arg)
{
	return costack_call(take_notes, arg);
}

static int call_outer(void *arg)
{
	struct notes *n = arg;

	note(&n[0]);
	n[0].ret[0] = costack_on_host(call_inner, &n[1]);
	n[0].ret[1] = costack_current() == n[0].co;
	return 1;
}

static void call_nests_from_the_host_stack(struct kunit *test)
{
	struct notes *n = kunit_kcalloc(test, 2, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	KUNIT_EXPECT_EQ(test, costack_call(call_outer, n), 1);
	KUNIT_EXPECT_EQ(test, n[0].ret[0], 42);
	KUNIT_EXPECT_EQ(test, n[0].ret[1], 1);
	KUNIT_EXPECT_EQ(test, n[1].calls, 1);
	KUNIT_EXPECT_PTR_NE(test, n[1].co, n[0].co);
}

static void ensure_makes_room(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(ask_for_4_pages, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->size, 4 * PAGE_SIZE);
	KUNIT_EXPECT_GE(test, n->left, 3 * PAGE_SIZE - 256);
}

static int ask_for_little(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_ensure(PAGE_SIZE / 2);
	note(n);
	return 0;
}

static void ensure_of_room_that_is_there_does_not_grow(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(ask_for_little, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
}

static noinline int fill_frames(int depth)
{
	char frame[1024];
	int sum = 0;

	memset(frame, depth, sizeof(frame));
	barrier_data(frame);
	if (depth)
		sum = fill_frames(depth - 1);
	barrier_data(frame);
	if (memchr_inv(frame, depth, sizeof(frame)))
		return -1;
	return sum < 0 ? sum : sum + depth;
}

static int fill_40_frames(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_ensure(15 * PAGE_SIZE);
	if (n->ret[0])
		return n->ret[0];
	return fill_frames(40);
}

static void room_that_was_made_can_be_used(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_call(fill_40_frames, make_notes(test)), 40 * 41 / 2);
}

static int keep_a_local(void *arg)
{
	struct notes *n = arg;
	int local = 42, *pointer = &local;
	unsigned long before;

	OPTIMIZER_HIDE_VAR(pointer);
	before = (unsigned long)pointer;
	n->ret[0] = costack_ensure(3 * PAGE_SIZE);
	n->ret[1] = (unsigned long)&local == before;
	n->ret[2] = (unsigned long)pointer == before;
	return *pointer;
}

/* The text of this suite is not movable, so stacks grow in place under policy copy too. */
static void text_that_is_not_movable_keeps_its_addresses(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_ASSERT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	KUNIT_EXPECT_EQ(test, costack_call(keep_a_local, n), 42);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 1);
	KUNIT_EXPECT_EQ(test, n->ret[2], 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_REFUSED), 1);
}

static int pin_and_unpin(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_unpin();
	n->ret[1] = costack_pin();
	n->ret[2] = costack_pin();
	n->ret[3] = costack_unpin();
	n->ret[4] = costack_current()->pins;
	n->ret[5] = costack_unpin();
	n->ret[6] = costack_unpin();
	return 0;
}

static void pins_nest(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(pin_and_unpin, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], -EINVAL);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_EQ(test, n->ret[2], 0);
	KUNIT_EXPECT_EQ(test, n->ret[3], 0);
	KUNIT_EXPECT_EQ(test, n->ret[4], 1);
	KUNIT_EXPECT_EQ(test, n->ret[5], 0);
	KUNIT_EXPECT_EQ(test, n->ret[6], -EINVAL);
}

static void pin_of_the_attributes_cannot_be_taken_back(struct kunit *test)
{
	const struct costack_attr attr = { .flags = COSTACK_PINNED };
	struct notes *n = make_notes(test);

	costack_call_attr(&attr, pin_and_unpin, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], -EINVAL);
	KUNIT_EXPECT_EQ(test, n->ret[4], 2);
	KUNIT_EXPECT_EQ(test, n->ret[6], -EINVAL);
}

static int track_and_untrack(void *arg)
{
	struct notes *n = arg;
	void *pointer = NULL;

	n->ret[0] = costack_track((void **)NULL);
	n->ret[1] = costack_untrack(&pointer);
	n->ret[2] = costack_track(&pointer);
	n->ret[3] = costack_untrack(&pointer);
	n->ret[4] = costack_untrack(&pointer);
	return 0;
}

static void untrack_takes_back_one_track(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(track_and_untrack, n);
	KUNIT_EXPECT_EQ(test, n->ret[0], -EINVAL);
	KUNIT_EXPECT_EQ(test, n->ret[1], -EINVAL);
	KUNIT_EXPECT_EQ(test, n->ret[2], 0);
	KUNIT_EXPECT_EQ(test, n->ret[3], 0);
	KUNIT_EXPECT_EQ(test, n->ret[4], -EINVAL);
}

static struct kunit_case call_cases[] = {
	KUNIT_CASE(call_returns_what_the_function_returns),
	KUNIT_CASE(function_gets_its_argument_and_runs_once),
	KUNIT_CASE(function_runs_on_a_coroutine_stack),
	KUNIT_CASE(stack_sizes_add_up),
	KUNIT_CASE(host_stack_has_no_sizes),
	KUNIT_CASE(call_with_interrupts_off_is_refused),
	KUNIT_CASE(bad_attributes_are_refused),
	KUNIT_CASE(first_size_is_rounded_up_to_a_class),
	KUNIT_CASE(limit_is_rounded_up_to_a_class),
	KUNIT_CASE(low_limit_lowers_the_default_first_size),
	KUNIT_CASE(name_is_kept_for_one_run),
	KUNIT_CASE(coroutine_lives_as_long_as_the_call),
	KUNIT_CASE(run_takes_idle_to_dead),
	KUNIT_CASE(calls_from_the_host_stack_are_refused),
	KUNIT_CASE(on_host_runs_on_the_host_stack_and_comes_back),
	KUNIT_CASE(on_host_is_a_plain_call_on_the_host),
	KUNIT_CASE(call_nests_from_the_host_stack),
	KUNIT_CASE(ensure_makes_room),
	KUNIT_CASE(ensure_of_room_that_is_there_does_not_grow),
	KUNIT_CASE(room_that_was_made_can_be_used),
	KUNIT_CASE(text_that_is_not_movable_keeps_its_addresses),
	KUNIT_CASE(pins_nest),
	KUNIT_CASE(pin_of_the_attributes_cannot_be_taken_back),
	KUNIT_CASE(untrack_takes_back_one_track),
	{ }
};

static struct kunit_suite call_suite = {
	.name		= "costack_call",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= call_cases,
};

kunit_test_suite(call_suite);

MODULE_LICENSE("GPL");
