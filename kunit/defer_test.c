// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of deferred calls: after an ordinary end, and after a coroutine was cut off.
 *
 * As in call_test.c, functions on a coroutine stack call only costack.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "fixture.h"
#include "notes.h"

static void write_log(struct notes *n, char c)
{
	if (n->len < sizeof(n->log) - 1)
		n->log[n->len++] = c;
}

static void log_a(void *arg)
{
	note(arg);
	write_log(arg, 'a');
}

static void log_b(void *arg)
{
	note(arg);
	write_log(arg, 'b');
}

static void log_c_then_defer_a(void *arg)
{
	struct notes *n = arg;

	write_log(n, 'c');
	n->ret[2] = costack_defer(log_a, n);
}

static int defer_two(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_defer(log_a, n);
	n->ret[1] = costack_defer(log_b, n);
	write_log(n, 'f');
	return 5;
}

static void defers_run_after_the_function_last_in_first_out(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(defer_two, n), 5);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_STREQ(test, n->log, "fba");
}

static void defers_run_on_the_coroutine_stack(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(defer_two, n);
	KUNIT_EXPECT_EQ(test, n->calls, 2);
	KUNIT_EXPECT_NOT_NULL(test, n->co);
	KUNIT_EXPECT_LT(test, n->used, PAGE_SIZE / 2);
}

static int defer_one_that_defers(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_defer(log_b, n);
	n->ret[1] = costack_defer(log_c_then_defer_a, n);
	return 0;
}

static void defer_of_a_defer_is_the_next_to_run(struct kunit *test)
{
	struct notes *n = make_notes(test);

	costack_call(defer_one_that_defers, n);
	KUNIT_EXPECT_EQ(test, n->ret[2], 0);
	KUNIT_EXPECT_STREQ(test, n->log, "cab");
}

static int defer_nothing(void *arg)
{
	return costack_defer(NULL, arg);
}

static void defer_of_null_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_call(defer_nothing, NULL), -EINVAL);
}

/* === Cutting off === */

static int be_cut_off(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_defer(log_a, n);
	cut_off();
	write_log(n, 'x');
	return 0;
}

static void cut_off_call_is_an_overflow_after_its_defers(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(be_cut_off, n), -EOVERFLOW);
	KUNIT_EXPECT_STREQ(test, n->log, "a");
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_LIVE), 0);
}

/**
 * struct local - a local variable of a function that was cut off
 * @n: notes of the test
 * @value: must still be there when the deferred calls run
 */
struct local {
	struct notes	*n;
	int		value;
};

static void read_local(void *arg)
{
	const struct local *local = arg;

	local->n->ret[0] = local->value;
	note(local->n);
}

static noinline int cut_off_with_a_local(struct notes *n)
{
	struct local local = { .n = n, .value = 42 };
	int err = costack_defer(read_local, &local);

	barrier_data(&local);
	if (!err)
		cut_off();
	return err;
}

static int be_cut_off_in_a_frame(void *arg)
{
	char above[512];

	memset(above, 0, sizeof(above));
	barrier_data(above);
	return cut_off_with_a_local(arg);
}

static void frames_of_a_cut_off_call_are_there_for_its_defers(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(be_cut_off_in_a_frame, n), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, n->ret[0], 42);
	/* The deferred calls ran below the frames that were cut off, not at the top. */
	KUNIT_EXPECT_GT(test, n->used, 512);
}

static void be_cut_off_too(void *arg)
{
	write_log(arg, 'd');
	cut_off();
}

static int defer_one_that_is_cut_off(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_defer(log_a, n);
	n->ret[1] = costack_defer(be_cut_off_too, n);
	return 5;
}

static void cut_off_defer_does_not_stop_the_others(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(defer_one_that_is_cut_off, n), -EOVERFLOW);
	KUNIT_EXPECT_STREQ(test, n->log, "da");
}

static void call_after_a_cut_off_one_is_an_ordinary_one(struct kunit *test)
{
	struct notes *n = make_notes(test);

	KUNIT_EXPECT_EQ(test, costack_call(be_cut_off, make_notes(test)), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, costack_call(defer_two, n), 5);
	KUNIT_EXPECT_STREQ(test, n->log, "fba");
}

static struct kunit_case defer_cases[] = {
	KUNIT_CASE(defers_run_after_the_function_last_in_first_out),
	KUNIT_CASE(defers_run_on_the_coroutine_stack),
	KUNIT_CASE(defer_of_a_defer_is_the_next_to_run),
	KUNIT_CASE(defer_of_null_is_refused),
	KUNIT_CASE(cut_off_call_is_an_overflow_after_its_defers),
	KUNIT_CASE(frames_of_a_cut_off_call_are_there_for_its_defers),
	KUNIT_CASE(cut_off_defer_does_not_stop_the_others),
	KUNIT_CASE(call_after_a_cut_off_one_is_an_ordinary_one),
	{ }
};

static struct kunit_suite defer_suite = {
	.name		= "costack_defer",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= defer_cases,
};

kunit_test_suite(defer_suite);

MODULE_LICENSE("GPL");
