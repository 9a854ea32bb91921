// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of groups: what is left of one, and what a coroutine that is cut off leaves behind.
 * The children are ordinary work items; the test runs the parents step by step, see party.h.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/wait.h>

#include "party.h"

/**
 * struct family - a parent and its children
 * @group: the parent's group
 * @guest: the parent
 * @gate: the children wait here
 * @open: until this is true
 * @begun: children that have begun
 * @ended: children that have ended
 * @err: what the calls returned
 * @late: what a start after that returned
 */
struct family {
	struct costack_group	*group;
	struct guest		*guest;
	struct wait_queue_head	gate;
	bool			open;
	atomic_t		begun;
	atomic_t		ended;
	int			err;
	int			late;
};

static struct family *make_family(struct kunit *test)
{
	struct family *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	init_waitqueue_head(&f->gate);
	return f;
}

static int child(void *arg)
{
	struct family *f = arg;
	int err;

	atomic_inc(&f->begun);
	err = costack_wait_event(f->gate, READ_ONCE(f->open));
	atomic_inc(&f->ended);
	return err;
}

static int failing(void *arg)
{
	return -EREMOTE;
}

static int start_children(struct family *f, unsigned int nr)
{
	int err = 0;

	while (nr-- && !err)
		err = costack_group_start(f->group, child, f, NULL);
	return err;
}

/* The children need their turn; they run in threads of their own. */
static void until(struct kunit *test, const atomic_t *count, int nr)
{
	unsigned int tries = 10000;

	while (atomic_read(count) != nr && tries--)
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, atomic_read(count), nr);
}

static void open_gate(struct family *f)
{
	WRITE_ONCE(f->open, true);
	wake_up_all(&f->gate);
}

/* === A thread === */

static void group_without_children_is_done(struct kunit *test)
{
	struct costack_group *group = costack_group_create();

	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_EXPECT_EQ(test, costack_group_wait(group), 0);
	KUNIT_EXPECT_EQ(test, costack_group_wait(group), 0);
	costack_group_destroy(group);
	costack_group_destroy(NULL);
}

static void thread_waits_for_all(struct kunit *test)
{
	struct family *f = make_family(test);

	f->group = costack_group_create();
	KUNIT_ASSERT_NOT_NULL(test, f->group);
	KUNIT_EXPECT_EQ(test, start_children(f, 3), 0);
	until(test, &f->begun, 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->ended), 0);
	open_gate(f);
	KUNIT_EXPECT_EQ(test, costack_group_wait(f->group), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->ended), 3);
	costack_group_destroy(f->group);
}

static void first_error_cancels_the_others(struct kunit *test)
{
	struct family *f = make_family(test);

	f->group = costack_group_create();
	KUNIT_ASSERT_NOT_NULL(test, f->group);
	KUNIT_EXPECT_EQ(test, start_children(f, 3), 0);
	until(test, &f->begun, 3);
	KUNIT_EXPECT_EQ(test, costack_group_start(f->group, failing, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, costack_group_wait(f->group), -EREMOTE);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->ended), 3);
	KUNIT_EXPECT_EQ(test, start_children(f, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, costack_group_wait(f->group), -EREMOTE);
	costack_group_destroy(f->group);
}

static void cancelled_group_starts_no_more(struct kunit *test)
{
	struct family *f = make_family(test);

	f->group = costack_group_create();
	KUNIT_ASSERT_NOT_NULL(test, f->group);
	KUNIT_EXPECT_EQ(test, start_children(f, 2), 0);
	until(test, &f->begun, 2);
	costack_group_cancel(f->group);
	costack_group_cancel(f->group);
	KUNIT_EXPECT_EQ(test, start_children(f, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, costack_group_wait(f->group), -ECANCELED);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->begun), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->ended), 2);
	costack_group_destroy(f->group);
}

/* What is not started counts neither as a child nor as an error. */
static void failed_start_leaves_nothing(struct kunit *test)
{
	const struct costack_attr bad = { .stack_limit = 1 << 20 };
	struct costack_group *group = costack_group_create();

	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_EXPECT_EQ(test, costack_group_start(group, failing, NULL, &bad), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_group_start(group, NULL, NULL, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, costack_group_wait(group), 0);
	costack_group_destroy(group);
}

/* === A coroutine === */

static int parent(void *arg)
{
	struct family *f = arg;

	f->group = costack_group_create();
	if (!f->group)
		return -ENOMEM;
	f->err = start_children(f, 3);
	f->err = f->err ?: costack_group_wait(f->group);
	f->late = start_children(f, 0);
	costack_group_destroy(f->group);
	return f->err;
}

static void parked_parent_is_seen_to_wait_for_a_group(struct kunit *test)
{
	struct family *f = make_family(test);

	f->guest = start(test, NULL, parent, f);
	KUNIT_ASSERT_EQ(test, guest_state(f->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, f->guest->co->waits, COSTACK_WAITS_GROUP);
	KUNIT_EXPECT_NOT_NULL(test, f->guest->co->roots.defers);
	until(test, &f->begun, 3);
	open_gate(f);
	until(test, &f->ended, 3);
	while (guest_state(f->guest) != COSTACK_RUNNABLE)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, finish(test, f->guest), 0);
}

static int destroys(void *arg)
{
	struct family *f = arg;
	struct costack *co = costack_current();

	f->group = costack_group_create();
	if (!f->group)
		return -ENOMEM;
	f->err = !co->roots.defers;
	costack_group_destroy(f->group);
	f->late = !!co->roots.defers;
	return 0;
}

static void destroyed_group_leaves_no_defer(struct kunit *test)
{
	struct family *f = make_family(test);

	f->guest = start(test, NULL, destroys, f);
	KUNIT_EXPECT_EQ(test, f->guest->ret, 0);
	KUNIT_EXPECT_EQ(test, f->err, 0);
	KUNIT_EXPECT_EQ(test, f->late, 0);
}

static int is_cut(void *arg)
{
	struct family *f = arg;

	f->group = costack_group_create();
	if (!f->group)
		return -ENOMEM;
	f->err = start_children(f, 3);
	cut_off();
	return 0;
}

static void children_end_before_a_parent_that_was_cut_off(struct kunit *test)
{
	struct family *f = make_family(test);

	f->guest = start(test, NULL, is_cut, f);
	KUNIT_EXPECT_EQ(test, f->err, 0);
	/* Its defer waits. */
	while (guest_state(f->guest) != COSTACK_DEAD) {
		while (guest_state(f->guest) == COSTACK_WAITING)
			schedule_timeout_uninterruptible(1);
		go_on(test, f->guest);
	}
	KUNIT_EXPECT_EQ(test, f->guest->ret, -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->begun), atomic_read(&f->ended));
}

static struct kunit_case group_cases[] = {
	KUNIT_CASE(group_without_children_is_done),
	KUNIT_CASE(thread_waits_for_all),
	KUNIT_CASE(first_error_cancels_the_others),
	KUNIT_CASE(cancelled_group_starts_no_more),
	KUNIT_CASE(failed_start_leaves_nothing),
	KUNIT_CASE(parked_parent_is_seen_to_wait_for_a_group),
	KUNIT_CASE(destroyed_group_leaves_no_defer),
	KUNIT_CASE(children_end_before_a_parent_that_was_cut_off),
	{ }
};

static struct kunit_suite group_suite = {
	.name		= "costack_group",
	.init		= party_init,
	.exit		= party_exit,
	.test_cases	= group_cases,
};

kunit_test_suite(group_suite);

MODULE_LICENSE("GPL");
