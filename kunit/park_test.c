// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of park and unpark: which wake-up counts, and how often.
 *
 * The test runs the coroutines step by step, see party.h. Where none runs, the test does
 * what their thread would do.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>

#include "../module/sched.h"
#include "party.h"

/**
 * struct notes - what the calls of a coroutine have returned
 * @ret: the results, in order
 * @nr: number of results
 */
struct notes {
	long		ret[5];
	unsigned int	nr;
};

static struct notes *make_notes(struct kunit *test)
{
	struct notes *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	return n;
}

static void note(struct notes *n, long ret)
{
	n->ret[n->nr++] = ret;
}

static int unpark_it(void *co)
{
	costack_unpark(co);
	return 0;
}

/* Unpark this coroutine before it parks, as another context might. */
static void be_unparked(void)
{
	costack_on_host(unpark_it, costack_current());
}

static int park_twice(void *arg)
{
	note(arg, costack_park());
	note(arg, costack_park());
	return 42;
}

static void park_leaves_until_an_unpark(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, park_twice, n);

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, n->nr, 0);
	costack_unpark(guest->co);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_RUNNABLE);
	KUNIT_EXPECT_EQ(test, n->nr, 0);
	go_on(test, guest);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, n->nr, 1);
	costack_unpark(guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 42);
	KUNIT_EXPECT_EQ(test, n->nr, 2);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->ret[1], 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 2);
}

static void two_unparks_of_a_parked_one_count_once(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, park_twice, n);

	costack_unpark(guest->co);
	costack_unpark(guest->co);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_RUNNABLE);
	go_on(test, guest);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, n->nr, 1);
}

static int park_after_an_unpark(void *arg)
{
	be_unparked();
	note(arg, costack_park());
	return 42;
}

static void early_unpark_is_not_lost(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, park_after_an_unpark, n);

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, guest->parks, 0);
	KUNIT_EXPECT_EQ(test, guest->ret, 42);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
}

static int park_twice_after_two_unparks(void *arg)
{
	be_unparked();
	be_unparked();
	return park_twice(arg);
}

static void early_unparks_count_once(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, park_twice_after_two_unparks, n);

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, n->nr, 1);
	costack_unpark(guest->co);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 42);
}

static int end_after_an_unpark(void *arg)
{
	be_unparked();
	return 0;
}

/* The next coroutine gets the same struct costack, but the wake-up was not for it. */
static void unpark_of_an_earlier_life_does_not_count(struct kunit *test)
{
	struct guest *first = invite(test, NULL, end_after_an_unpark, NULL), *second;
	struct notes *n = make_notes(test);
	struct costack *co = first->co;

	KUNIT_EXPECT_EQ(test, finish(test, first), 0);
	second = start(test, NULL, park_twice, n);
	KUNIT_ASSERT_EQ(test, guest_state(second), COSTACK_WAITING);
	KUNIT_EXPECT_PTR_EQ(test, second->co, co);
	/* It is parked in its first park, not in the second. */
	KUNIT_EXPECT_EQ(test, n->nr, 0);
}

/* === With no coroutine running === */

static void unpark_of_a_running_one_leaves_its_state(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);

	costack_unpark(co);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING | COSTACK_WAKEUP);
}

static void commit_leaves(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);

	co->req.ret = 99;
	KUNIT_EXPECT_EQ(test, costack_park_commit(co), COSTACK_LEAVE);
	KUNIT_EXPECT_EQ(test, co->req.ret, 0);
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_RUNNABLE));
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING));
}

static void commit_goes_on_after_an_unpark(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);

	co->req.ret = 99;
	costack_unpark(co);
	KUNIT_EXPECT_EQ(test, costack_park_commit(co), COSTACK_CONTINUE);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, co->req.ret, 0);
}

/* Only the unpark of the cancel wakes the coroutine, and the queue must not keep it. */
static void commit_heeds_a_cancel(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);
	struct costack_waiter *waiter = costack_waiter_push(co, false);

	KUNIT_ASSERT_NOT_NULL(test, waiter);
	add_wait_queue(&wq, &waiter->entry);
	waiter->wq = &wq;
	co->heed = COSTACK_HEED_CANCEL;
	costack_unpark(co);
	KUNIT_EXPECT_EQ(test, costack_park_commit(co), COSTACK_CONTINUE);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, co->req.ret, -ECANCELED);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&wq));
	costack_waiter_pop(co);
}

/* Whoever moves the stack looks for the wake-up afterwards. */
static void unpark_during_a_move_is_left_to_the_mover(struct kunit *test)
{
	struct guest *guest = start(test, NULL, park_twice, make_notes(test));

	KUNIT_ASSERT_TRUE(test, costack_set_state(guest->co, COSTACK_WAITING, COSTACK_COPYSTACK));
	costack_unpark(guest->co);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_COPYSTACK);
	KUNIT_EXPECT_TRUE(test, costack_release(guest->co));
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_RUNNABLE);
}

/* The refusal warns once. */
static void no_park_with_interrupts_off(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	bool off, on;

	costack_locks_note(co);
	local_irq_disable();
	off = costack_may_park(co);
	local_irq_enable();
	on = costack_may_park(co);
	KUNIT_EXPECT_FALSE(test, off);
	KUNIT_EXPECT_TRUE(test, on);
}

/* === Calls that do not park === */

static int call_all(void *arg)
{
	DECLARE_WAIT_QUEUE_HEAD(wq);

	note(arg, costack_park());
	note(arg, costack_yield());
	note(arg, costack_sleep(1000 * HZ));
	note(arg, costack_sleep(-1));
	note(arg, costack_wait_event(wq, false));
	return 42;
}

static int be_cancelled_and_call_all(void *arg)
{
	costack_current()->heed = COSTACK_HEED_CANCEL;
	return call_all(arg);
}

static void cancelled_one_does_not_park(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, be_cancelled_and_call_all, n);

	KUNIT_EXPECT_EQ(test, guest->parks, 0);
	KUNIT_EXPECT_EQ(test, guest->ret, 42);
	KUNIT_EXPECT_EQ(test, n->ret[0], -ECANCELED);
	KUNIT_EXPECT_EQ(test, n->ret[1], -ECANCELED);
	KUNIT_EXPECT_EQ(test, n->ret[2], -ECANCELED);
	KUNIT_EXPECT_EQ(test, n->ret[3], -ECANCELED);
	KUNIT_EXPECT_EQ(test, n->ret[4], -ECANCELED);
}

static void host_stack_does_not_park(struct kunit *test)
{
	struct notes *n = make_notes(test);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, call_all(n), 42);
	for (i = 0; i < ARRAY_SIZE(n->ret); i++)
		KUNIT_EXPECT_EQ_MSG(test, n->ret[i], -EINVAL, "call %u", i);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 0);
}

static int yield_once(void *arg)
{
	note(arg, costack_yield());
	return 42;
}

static void called_one_yields_with_its_thread(struct kunit *test)
{
	struct notes *n = make_notes(test);
	struct guest *guest = start(test, NULL, yield_once, n);

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, guest->parks, 0);
	KUNIT_EXPECT_EQ(test, n->nr, 1);
	KUNIT_EXPECT_EQ(test, n->ret[0], 0);
}

static struct kunit_case park_cases[] = {
	KUNIT_CASE(park_leaves_until_an_unpark),
	KUNIT_CASE(two_unparks_of_a_parked_one_count_once),
	KUNIT_CASE(early_unpark_is_not_lost),
	KUNIT_CASE(early_unparks_count_once),
	KUNIT_CASE(unpark_of_an_earlier_life_does_not_count),
	KUNIT_CASE(unpark_of_a_running_one_leaves_its_state),
	KUNIT_CASE(commit_leaves),
	KUNIT_CASE(commit_goes_on_after_an_unpark),
	KUNIT_CASE(commit_heeds_a_cancel),
	KUNIT_CASE(unpark_during_a_move_is_left_to_the_mover),
	KUNIT_CASE(no_park_with_interrupts_off),
	KUNIT_CASE(cancelled_one_does_not_park),
	KUNIT_CASE(host_stack_does_not_park),
	KUNIT_CASE(called_one_yields_with_its_thread),
	{ }
};

static struct kunit_suite park_suite = {
	.name		= "costack_park",
	.init		= party_init,
	.exit		= party_exit,
	.test_cases	= park_cases,
};

kunit_test_suite(park_suite);

MODULE_LICENSE("GPL");
