// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of completions: who is let go on, and what is counted. The test runs the coroutines step by
 * step, see party.h; for the kernel's completions they have to be work items.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/swait.h>
#include <linux/timer.h>

#include "party.h"

#define LONG_TIME	(1000L * HZ)

/**
 * struct waiting - a coroutine that waits
 * @guest: the coroutine
 * @c: what it waits for
 * @timeout: for how long, in jiffies
 * @pins: how often its stack was pinned meanwhile
 */
struct waiting {
	struct guest			*guest;
	struct costack_completion	*c;
	long				timeout;
	unsigned int			pins;
};

static int wait_for_it(void *arg)
{
	struct waiting *w = arg;

	return costack_completion_wait_timeout(w->c, w->timeout);
}

static struct costack_completion *make_completion(struct kunit *test)
{
	struct costack_completion *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	costack_completion_init(c);
	return c;
}

static struct waiting *begin(struct kunit *test, struct costack_completion *c, long timeout)
{
	struct waiting *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->c = c;
	w->timeout = timeout;
	w->guest = start(test, NULL, wait_for_it, w);
	return w;
}

static void expect_parked(struct kunit *test, const struct waiting *w)
{
	KUNIT_ASSERT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, costack_waits(w->guest->co), COSTACK_WAITS_COMPLETION);
}

static void completed_first_lets_the_waiter_go_on(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *w;

	KUNIT_EXPECT_FALSE(test, costack_completion_done(c));
	costack_complete(c);
	KUNIT_EXPECT_TRUE(test, costack_completion_done(c));
	w = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->guest->ret, 0);
	KUNIT_EXPECT_FALSE(test, costack_completion_done(c));
}

static void waiters_are_served_in_order(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *first = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	struct waiting *second = begin(test, c, LONG_TIME);
	struct waiting *third = begin(test, c, MAX_SCHEDULE_TIMEOUT);

	expect_parked(test, first);
	expect_parked(test, second);
	expect_parked(test, third);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), 0);
	expect_parked(test, second);
	expect_parked(test, third);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, finish(test, second->guest), 0);
	expect_parked(test, third);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, finish(test, third->guest), 0);
	KUNIT_EXPECT_FALSE(test, costack_completion_done(c));
}

static void each_is_taken_once(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);

	costack_complete(c);
	costack_complete(c);
	KUNIT_EXPECT_TRUE(test, costack_completion_try_wait(c));
	KUNIT_EXPECT_EQ(test, costack_completion_wait(c), 0);
	KUNIT_EXPECT_FALSE(test, costack_completion_try_wait(c));
	KUNIT_EXPECT_EQ(test, costack_completion_wait_timeout(c, 0), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, costack_completion_wait_timeout(c, 1), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, list_empty(&c->waiters));
}

static void complete_all_lets_everybody_go_on(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *first = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	struct waiting *second = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	struct waiting *late;

	costack_complete_all(c);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), 0);
	KUNIT_EXPECT_EQ(test, finish(test, second->guest), 0);
	late = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, late->guest->ret, 0);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, c->done, UINT_MAX);
	costack_completion_reinit(c);
	KUNIT_EXPECT_FALSE(test, costack_completion_try_wait(c));
}

static void time_ends_a_wait(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *w = begin(test, c, LONG_TIME);
	struct timer_list *timer;

	expect_parked(test, w);
	timer = costack_waiter_timer(w->guest->co->waiter);
	KUNIT_EXPECT_TRUE(test, timer_pending(timer));
	timer->function(timer);
	KUNIT_EXPECT_EQ(test, finish(test, w->guest), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, list_empty(&c->waiters));
	costack_complete(c);
	KUNIT_EXPECT_TRUE(test, costack_completion_try_wait(c));
}

/* Whoever comes first decides. */
static void time_after_completion_changes_nothing(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *w = begin(test, c, LONG_TIME);
	struct timer_list *timer;

	expect_parked(test, w);
	timer = costack_waiter_timer(w->guest->co->waiter);
	costack_complete(c);
	timer->function(timer);
	KUNIT_EXPECT_EQ(test, finish(test, w->guest), 0);
	KUNIT_EXPECT_FALSE(test, costack_completion_done(c));
}

static void cancel(struct waiting *w)
{
	struct costack *co = w->guest->co;

	WRITE_ONCE(co->heed, co->heed | COSTACK_HEED_CANCEL);
	costack_unpark(co);
}

static void cancel_leaves_what_is_completed_to_others(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *first = begin(test, c, MAX_SCHEDULE_TIMEOUT);
	struct waiting *second = begin(test, c, MAX_SCHEDULE_TIMEOUT);

	cancel(first);
	KUNIT_EXPECT_EQ(test, finish(test, first->guest), -ECANCELED);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, finish(test, second->guest), 0);
}

static void cancel_after_completion_changes_nothing(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *w = begin(test, c, MAX_SCHEDULE_TIMEOUT);

	costack_complete(c);
	cancel(w);
	KUNIT_EXPECT_EQ(test, finish(test, w->guest), 0);
	KUNIT_EXPECT_FALSE(test, costack_completion_done(c));
}

static void stray_unpark_ends_no_wait(struct kunit *test)
{
	struct costack_completion *c = make_completion(test);
	struct waiting *w = begin(test, c, MAX_SCHEDULE_TIMEOUT);

	costack_unpark(w->guest->co);
	go_on(test, w->guest);
	expect_parked(test, w);
	costack_complete(c);
	KUNIT_EXPECT_EQ(test, finish(test, w->guest), 0);
}

static int wait_for_own(void *arg)
{
	struct waiting *w = arg;
	struct costack_completion own;
	int err;

	costack_completion_init(&own);
	w->c = &own;
	err = costack_completion_wait(&own);
	w->pins = costack_current()->pins;
	return err;
}

static void own_stack_is_pinned_for_the_wait(struct kunit *test)
{
	struct waiting *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->guest = start(test, NULL, wait_for_own, w);
	KUNIT_ASSERT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, w->guest->co->pins, 1);
	costack_complete(w->c);
	KUNIT_EXPECT_EQ(test, finish(test, w->guest), 0);
	KUNIT_EXPECT_EQ(test, w->pins, 0);
}

/* === The kernel's === */

static int wait_for_kernel(void *arg)
{
	return costack_wait_for_completion(arg);
}

static int wait_for_own_kernel(void *arg)
{
	struct completion **where = arg;
	DECLARE_COMPLETION_ONSTACK(own);
	int err;

	WRITE_ONCE(*where, &own);
	err = costack_wait_for_completion(&own);
	/* Only costack's own pin was there. */
	return err ?: costack_unpin() == -EINVAL ? 0 : -EIO;
}

static void until_parked(struct kunit *test, const struct costack_work *work)
{
	unsigned int tries = 10000;

	while (tries-- && !(work->co && costack_state(work->co) == COSTACK_WAITING))
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, costack_state(work->co), COSTACK_WAITING);
}

static void kernel_completion_holds_no_thread(struct kunit *test)
{
	struct costack_work *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);
	DECLARE_COMPLETION_ONSTACK(done);

	KUNIT_ASSERT_NOT_NULL(test, work);
	costack_work_init(work, wait_for_kernel, &done, NULL);
	KUNIT_ASSERT_EQ(test, costack_queue(work), 0);
	until_parked(test, work);
	KUNIT_EXPECT_EQ(test, costack_waits(work->co), COSTACK_WAITS_COMPLETION);
	/* A cancel does not end this wait. */
	KUNIT_EXPECT_EQ(test, costack_cancel(work), 0);
	schedule_timeout_uninterruptible(2);
	until_parked(test, work);
	complete(&done);
	KUNIT_EXPECT_EQ(test, costack_wait(work), 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&done));
	KUNIT_EXPECT_FALSE(test, swait_active(&done.wait));
}

static void kernel_completion_on_the_own_stack_pins_it(struct kunit *test)
{
	struct costack_work *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);
	struct completion *own = NULL;

	KUNIT_ASSERT_NOT_NULL(test, work);
	costack_work_init(work, wait_for_own_kernel, &own, NULL);
	KUNIT_ASSERT_EQ(test, costack_queue(work), 0);
	until_parked(test, work);
	KUNIT_EXPECT_EQ(test, work->co->pins, 1);
	complete(own);
	KUNIT_EXPECT_EQ(test, costack_wait(work), 0);
}

static struct kunit_case completion_cases[] = {
	KUNIT_CASE(completed_first_lets_the_waiter_go_on),
	KUNIT_CASE(waiters_are_served_in_order),
	KUNIT_CASE(each_is_taken_once),
	KUNIT_CASE(complete_all_lets_everybody_go_on),
	KUNIT_CASE(time_ends_a_wait),
	KUNIT_CASE(time_after_completion_changes_nothing),
	KUNIT_CASE(cancel_leaves_what_is_completed_to_others),
	KUNIT_CASE(cancel_after_completion_changes_nothing),
	KUNIT_CASE(stray_unpark_ends_no_wait),
	KUNIT_CASE(own_stack_is_pinned_for_the_wait),
	KUNIT_CASE(kernel_completion_holds_no_thread),
	KUNIT_CASE(kernel_completion_on_the_own_stack_pins_it),
	{ }
};

static struct kunit_suite completion_suite = {
	.name		= "costack_completion",
	.init		= party_init,
	.exit		= party_exit,
	.test_cases	= completion_cases,
};

kunit_test_suite(completion_suite);

MODULE_LICENSE("GPL");
