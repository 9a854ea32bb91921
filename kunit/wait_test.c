// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of waits for wait queues and for time: what ends them, and what they leave
 * behind.
 *
 * The test runs the coroutines step by step, see party.h. The time-outs are long; where
 * one has to come at a certain moment, the test calls the timer's function.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "party.h"

#define LONG_TIME	(1000L * HZ)

/**
 * struct waiting - a coroutine that waits
 * @guest: the coroutine
 * @wq: the wait queue it waits on
 * @condition: the condition it waits for
 * @timeout: for how long, in jiffies
 * @ret: what the waits returned
 * @nr: number of waits that have returned
 */
struct waiting {
	struct guest		*guest;
	struct wait_queue_head	wq;
	bool			condition;
	long			timeout;
	long			ret[2];
	unsigned int		nr;
};

static struct waiting *begin(struct kunit *test, costack_fn_t fn, long timeout)
{
	struct waiting *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	init_waitqueue_head(&w->wq);
	w->timeout = timeout;
	w->guest = start(test, NULL, fn, w);
	return w;
}

static int wait_for_condition(void *arg)
{
	struct waiting *w = arg;

	w->ret[w->nr++] = costack_wait_event_timeout(w->wq, READ_ONCE(w->condition), w->timeout);
	return 0;
}

/* Wait twice. A wake-up or a time-out ends each wait, whichever comes first. */
static int wait_twice(void *arg)
{
	struct waiting *w = arg;

	while (w->nr < 2) {
		__costack_wait_begin(&w->wq, w->timeout);
		w->ret[w->nr] = __costack_wait_park(w->timeout);
		w->nr++;
		__costack_wait_finish();
	}
	return 0;
}

static int sleep_once(void *arg)
{
	struct waiting *w = arg;

	w->ret[w->nr++] = costack_sleep(w->timeout);
	return 0;
}

static void time_out(struct waiting *w)
{
	struct timer_list *timer = costack_waiter_timer(w->guest->co->waiter);

	timer->function(timer);
}

static void expect_waiting(struct kunit *test, const struct waiting *w)
{
	KUNIT_ASSERT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	KUNIT_ASSERT_TRUE(test, w->guest->co->waiter->timed);
	KUNIT_EXPECT_TRUE(test, timer_pending(costack_waiter_timer(w->guest->co->waiter)));
}

/* @w is neither on the queue nor in the timer wheel. @co may have ended. */
static void expect_forgotten(struct kunit *test, struct waiting *w, struct costack *co)
{
	struct costack_waiter *waiter = co->waiter;

	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&w->wq));
	if (!waiter)
		return;
	KUNIT_EXPECT_NULL(test, waiter->wq);
	KUNIT_ASSERT_TRUE(test, waiter->timed);
	KUNIT_EXPECT_FALSE(test, timer_pending(costack_waiter_timer(waiter)));
}

static void expect_time_left(struct kunit *test, const struct waiting *w, unsigned int i)
{
	KUNIT_EXPECT_GT(test, w->ret[i], LONG_TIME / 2);
	KUNIT_EXPECT_LE(test, w->ret[i], LONG_TIME);
}

/* === A condition === */

static void wake_up_with_the_condition_true_ends_the_wait(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, LONG_TIME);
	struct costack *co = w->guest->co;

	expect_waiting(test, w);
	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&w->wq));
	w->condition = true;
	wake_up(&w->wq);
	finish(test, w->guest);
	expect_time_left(test, w, 0);
	expect_forgotten(test, w, co);
}

static void wake_up_with_the_condition_false_does_not(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, LONG_TIME);

	wake_up(&w->wq);
	go_on(test, w->guest);
	expect_waiting(test, w);
	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&w->wq));
	w->condition = true;
	wake_up(&w->wq);
	finish(test, w->guest);
	expect_time_left(test, w, 0);
}

static void time_out_ends_the_wait(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, LONG_TIME);
	struct costack *co = w->guest->co;

	expect_waiting(test, w);
	time_out(w);
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	expect_forgotten(test, w, co);
}

static void condition_that_came_true_at_the_time_out_counts(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, LONG_TIME);

	time_out(w);
	w->condition = true;
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->ret[0], 1);
}

static int make_true_and_wait(void *arg)
{
	struct waiting *w = arg;

	w->condition = true;
	return wait_for_condition(w);
}

static void true_condition_is_not_waited_for(struct kunit *test)
{
	struct waiting *w = begin(test, make_true_and_wait, LONG_TIME);

	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->guest->parks, 0);
	KUNIT_EXPECT_EQ(test, w->ret[0], LONG_TIME);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&w->wq));
}

static void no_time_is_a_look_at_the_condition(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, 0);

	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->guest->parks, 0);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&w->wq));
}

static void time_that_is_over_is_no_time(struct kunit *test)
{
	static const long past[] = { -1, -LONG_TIME, LONG_MIN };
	struct waiting *w;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		w = begin(test, wait_for_condition, past[i]);
		KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
		KUNIT_EXPECT_EQ(test, w->ret[0], 0);
		w = begin(test, make_true_and_wait, past[i]);
		KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
		KUNIT_EXPECT_EQ(test, w->ret[0], 1);
	}
}

static void wait_without_a_limit_sets_no_timer(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, MAX_SCHEDULE_TIMEOUT);

	KUNIT_ASSERT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	KUNIT_EXPECT_FALSE(test, w->guest->co->waiter->timed);
	w->condition = true;
	wake_up(&w->wq);
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->ret[0], MAX_SCHEDULE_TIMEOUT);
}

static void wake_up_reaches_all_that_wait(struct kunit *test)
{
	struct waiting *first = begin(test, wait_for_condition, LONG_TIME);
	struct waiting *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, second);
	second->guest = start(test, NULL, wait_for_condition, first);
	KUNIT_EXPECT_EQ(test, guest_state(second->guest), COSTACK_WAITING);
	first->condition = true;
	wake_up(&first->wq);
	finish(test, first->guest);
	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&first->wq));
	finish(test, second->guest);
	KUNIT_EXPECT_EQ(test, first->nr, 2);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&first->wq));
}

/* === A wake-up and a time-out === */

static void wake_up_before_the_time_out_wins(struct kunit *test)
{
	struct waiting *w = begin(test, wait_twice, LONG_TIME);

	wake_up(&w->wq);
	time_out(w);
	go_on(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	expect_time_left(test, w, 0);
	expect_waiting(test, w);
}

static void time_out_before_the_wake_up_wins(struct kunit *test)
{
	struct waiting *w = begin(test, wait_twice, LONG_TIME);

	time_out(w);
	wake_up(&w->wq);
	go_on(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	expect_waiting(test, w);
}

/* The loser must not count as a wake-up for a later wait. */
static void one_that_loses_wakes_nobody(struct kunit *test)
{
	struct waiting *w = begin(test, wait_twice, LONG_TIME);

	wake_up(&w->wq);
	time_out(w);
	wake_up(&w->wq);
	/* The state is exact: no wake-up is noted in it. */
	KUNIT_EXPECT_EQ(test, atomic_read(&w->guest->co->state), COSTACK_RUNNABLE);
}

static void each_wait_is_decided_anew(struct kunit *test)
{
	struct waiting *w = begin(test, wait_twice, LONG_TIME);

	time_out(w);
	go_on(test, w->guest);
	wake_up(&w->wq);
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	expect_time_left(test, w, 1);
}

static int wake_all(void *wq)
{
	wake_up((struct wait_queue_head *)wq);
	return 0;
}

static int be_woken_before_the_park(void *arg)
{
	struct waiting *w = arg;

	__costack_wait_begin(&w->wq, w->timeout);
	costack_on_host(wake_all, &w->wq);
	w->ret[w->nr++] = __costack_wait_park(w->timeout);
	__costack_wait_finish();
	return 0;
}

static void wake_up_between_begin_and_park_is_not_lost(struct kunit *test)
{
	struct waiting *w = begin(test, be_woken_before_the_park, LONG_TIME);

	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->guest->parks, 0);
	expect_time_left(test, w, 0);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&w->wq));
}

/* The wake-up finds nobody parked. It must not be kept for a park of another kind. */
static int be_woken_and_sleep(void *arg)
{
	struct waiting *w = arg;

	__costack_wait_begin(&w->wq, w->timeout);
	costack_on_host(wake_all, &w->wq);
	__costack_wait_finish();
	return sleep_once(w);
}

static void wake_up_that_was_not_needed_ends_no_sleep(struct kunit *test)
{
	struct waiting *w = begin(test, be_woken_and_sleep, LONG_TIME);

	expect_waiting(test, w);
	costack_unpark(w->guest->co);
	finish(test, w->guest);
}

/* Do what a cancel does first. */
static void forgotten_wait_leaves_nothing_behind(struct kunit *test)
{
	struct waiting *w = begin(test, wait_for_condition, LONG_TIME);

	costack_waiters_forget(w->guest->co);
	expect_forgotten(test, w, w->guest->co);
	wake_up(&w->wq);
	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
}

/* === Waits inside a condition === */

/**
 * struct nested - a wait whose condition waits too
 * @outer: the wait; its @ret is that of the first wait in the condition
 * @inner: the wait inside the condition
 * @looks: how often the condition was evaluated
 * @ret: what the outer wait returned
 */
struct nested {
	struct waiting	outer;
	struct waiting	inner;
	unsigned int	looks;
	long		ret;
};

/* The outer wait's condition: the first evaluation waits too. */
static bool wait_and_look(struct nested *n)
{
	if (n->looks++ == 0)
		n->inner.ret[n->inner.nr++] =
			costack_wait_event_timeout(n->inner.wq, READ_ONCE(n->inner.condition),
						   n->inner.timeout);
	return READ_ONCE(n->outer.condition);
}

static int nested_body(void *arg)
{
	struct nested *n = arg;

	n->ret = costack_wait_event_timeout(n->outer.wq, wait_and_look(n), n->outer.timeout);
	return 0;
}

static bool sleep_and_look(struct nested *n)
{
	if (n->looks++ == 0)
		n->inner.ret[n->inner.nr++] = costack_sleep(n->inner.timeout);
	return READ_ONCE(n->outer.condition);
}

static int sleeping_body(void *arg)
{
	struct nested *n = arg;

	n->ret = costack_wait_event(n->outer.wq, sleep_and_look(n));
	return 0;
}

static struct nested *begin_nested(struct kunit *test, costack_fn_t fn)
{
	struct nested *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	init_waitqueue_head(&n->outer.wq);
	init_waitqueue_head(&n->inner.wq);
	n->outer.timeout = LONG_TIME;
	n->inner.timeout = LONG_TIME;
	n->outer.guest = start(test, NULL, fn, n);
	n->inner.guest = n->outer.guest;
	KUNIT_ASSERT_EQ(test, guest_state(n->outer.guest), COSTACK_WAITING);
	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&n->outer.wq));
	return n;
}

static void end_inner(struct nested *n)
{
	n->inner.condition = true;
	wake_up(&n->inner.wq);
}

static void condition_that_waits_is_looked_at_when_woken(struct kunit *test)
{
	struct nested *n = begin_nested(test, nested_body);
	struct guest *guest = n->outer.guest;

	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&n->inner.wq));
	end_inner(n);
	go_on(test, guest);
	/* Now it waits on the outer queue only. */
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, n->looks, 1);
	expect_time_left(test, &n->inner, 0);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->inner.wq));
	KUNIT_EXPECT_TRUE(test, wq_has_sleeper(&n->outer.wq));
	n->outer.condition = true;
	wake_up(&n->outer.wq);
	finish(test, guest);
	KUNIT_EXPECT_GT(test, n->ret, LONG_TIME / 2);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->outer.wq));
}

/* The wake-up is not lost, and does not end the inner wait. */
static void wake_up_during_the_condition_counts_after_it(struct kunit *test)
{
	struct nested *n = begin_nested(test, nested_body);
	struct guest *guest = n->outer.guest;

	n->outer.condition = true;
	wake_up(&n->outer.wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&guest->co->state), COSTACK_WAITING);
	n->outer.condition = false;
	end_inner(n);
	go_on(test, guest);
	/* The condition was evaluated once more before the park, and was false. */
	KUNIT_EXPECT_EQ(test, n->looks, 2);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	n->outer.condition = true;
	wake_up(&n->outer.wq);
	finish(test, guest);
	KUNIT_EXPECT_EQ(test, n->looks, 3);
}

static void time_out_in_a_condition_ends_the_inner_wait(struct kunit *test)
{
	struct nested *n = begin_nested(test, nested_body);
	struct guest *guest = n->outer.guest;

	time_out(&n->inner);
	go_on(test, guest);
	KUNIT_EXPECT_EQ(test, n->inner.ret[0], 0);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	time_out(&n->outer);
	finish(test, guest);
	KUNIT_EXPECT_EQ(test, n->ret, 0);
}

static void sleep_in_a_condition_is_not_cut_short(struct kunit *test)
{
	struct nested *n = begin_nested(test, sleeping_body);
	struct guest *guest = n->outer.guest;

	wake_up(&n->outer.wq);
	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_WAITING);
	time_out(&n->inner);
	go_on(test, guest);
	KUNIT_EXPECT_EQ(test, n->inner.ret[0], 0);
	KUNIT_EXPECT_EQ(test, n->looks, 2);
	n->outer.condition = true;
	wake_up(&n->outer.wq);
	finish(test, guest);
	KUNIT_EXPECT_EQ(test, n->ret, 0);
}

/* Both waits return, although the cancel's unpark ends only the inner one. */
static void cancel_ends_nested_waits(struct kunit *test)
{
	struct nested *n = begin_nested(test, nested_body);
	struct guest *guest = n->outer.guest;

	guest->co->heed = COSTACK_HEED_CANCEL;
	costack_unpark(guest->co);
	finish(test, guest);
	KUNIT_EXPECT_EQ(test, n->inner.ret[0], -ECANCELED);
	KUNIT_EXPECT_EQ(test, n->ret, -ECANCELED);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->inner.wq));
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->outer.wq));
}

/* Cutting off does this: no queue keeps a waiter, and the next wait is the first again. */
static void dropped_waits_leave_nothing_behind(struct kunit *test)
{
	struct nested *n = begin_nested(test, nested_body);
	struct costack *co = n->outer.guest->co;

	KUNIT_EXPECT_PTR_NE(test, co->waiter->outer, NULL);
	costack_waiters_forget(co);
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->inner.wq));
	KUNIT_EXPECT_FALSE(test, wq_has_sleeper(&n->outer.wq));
	costack_waiters_drop(co);
	KUNIT_EXPECT_NULL(test, co->waiter);
}

/* === A queue on the coroutine's own stack === */

static int wait_on_own_queue(void *arg)
{
	struct waiting *w = arg;
	struct wait_queue_head own;

	init_waitqueue_head(&own);
	w->ret[0] = costack_wait_event_timeout(own, READ_ONCE(w->condition), w->timeout);
	w->nr++;
	w->ret[1] = costack_sleep(LONG_TIME);
	w->nr++;
	return 0;
}

/* The entry has the address of the queue: so the stack stays, but for no longer than that. */
static void own_queue_pins_the_stack(struct kunit *test)
{
	struct waiting *w = begin(test, wait_on_own_queue, LONG_TIME);
	struct costack *co = w->guest->co;

	KUNIT_EXPECT_EQ(test, co->pins, 1);
	w->condition = true;
	costack_unpark(co);
	go_on(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	KUNIT_EXPECT_EQ(test, co->pins, 0);
	costack_unpark(co);
	finish(test, w->guest);
}

static void dropped_wait_unpins_the_stack(struct kunit *test)
{
	struct waiting *w = begin(test, wait_on_own_queue, LONG_TIME);
	struct costack *co = w->guest->co;

	costack_waiters_forget(co);
	costack_waiters_drop(co);
	KUNIT_EXPECT_EQ(test, co->pins, 0);
}

static void other_queue_pins_nothing(struct kunit *test)
{
	struct waiting *w = begin(test, wait_twice, LONG_TIME);

	KUNIT_EXPECT_EQ(test, w->guest->co->pins, 0);
}

/* === Waits that no cancel ends === */

static int wait_until_done(void *arg)
{
	struct waiting *w = arg;

	w->ret[w->nr++] = costack_wait_done(&w->wq, &w->condition,
					    COSTACK_WAITS_ITEM);
	w->ret[w->nr++] = costack_sleep(LONG_TIME);
	return 0;
}

static void cancel_does_not_end_a_wait_until_done(struct kunit *test)
{
	struct waiting *w = begin(test, wait_until_done, 0);

	w->guest->co->heed = COSTACK_HEED_CANCEL;
	costack_unpark(w->guest->co);
	go_on(test, w->guest);
	KUNIT_ASSERT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, w->nr, 0);
	w->condition = true;
	wake_up(&w->wq);
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	/* The cancel ends the next wait. */
	KUNIT_EXPECT_EQ(test, w->ret[1], -ECANCELED);
}

/* === Sleep === */

/* Here the timer's interrupt ends the sleep, in real time. */
static void sleep_ends_by_itself(struct kunit *test)
{
	struct waiting *w = begin(test, sleep_once, HZ / 2);
	unsigned int ticks;

	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_WAITING);
	for (ticks = 0; ticks < 1000 && guest_state(w->guest) == COSTACK_WAITING; ticks++)
		schedule_timeout_uninterruptible(1);
	finish(test, w->guest);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
}

static void unpark_ends_a_sleep(struct kunit *test)
{
	struct waiting *w = begin(test, sleep_once, LONG_TIME);
	struct costack *co = w->guest->co;

	expect_waiting(test, w);
	costack_unpark(co);
	finish(test, w->guest);
	expect_time_left(test, w, 0);
	expect_forgotten(test, w, co);
}

static void sleep_for_no_time_does_not_park(struct kunit *test)
{
	struct waiting *w = begin(test, sleep_once, 0);

	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
	w = begin(test, sleep_once, -1);
	KUNIT_EXPECT_EQ(test, guest_state(w->guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, w->ret[0], 0);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(wake_up_with_the_condition_true_ends_the_wait),
	KUNIT_CASE(wake_up_with_the_condition_false_does_not),
	KUNIT_CASE(time_out_ends_the_wait),
	KUNIT_CASE(condition_that_came_true_at_the_time_out_counts),
	KUNIT_CASE(true_condition_is_not_waited_for),
	KUNIT_CASE(no_time_is_a_look_at_the_condition),
	KUNIT_CASE(time_that_is_over_is_no_time),
	KUNIT_CASE(wait_without_a_limit_sets_no_timer),
	KUNIT_CASE(wake_up_reaches_all_that_wait),
	KUNIT_CASE(wake_up_before_the_time_out_wins),
	KUNIT_CASE(time_out_before_the_wake_up_wins),
	KUNIT_CASE(one_that_loses_wakes_nobody),
	KUNIT_CASE(each_wait_is_decided_anew),
	KUNIT_CASE(wake_up_between_begin_and_park_is_not_lost),
	KUNIT_CASE(wake_up_that_was_not_needed_ends_no_sleep),
	KUNIT_CASE(forgotten_wait_leaves_nothing_behind),
	KUNIT_CASE(condition_that_waits_is_looked_at_when_woken),
	KUNIT_CASE(wake_up_during_the_condition_counts_after_it),
	KUNIT_CASE(time_out_in_a_condition_ends_the_inner_wait),
	KUNIT_CASE(sleep_in_a_condition_is_not_cut_short),
	KUNIT_CASE(cancel_ends_nested_waits),
	KUNIT_CASE(dropped_waits_leave_nothing_behind),
	KUNIT_CASE(own_queue_pins_the_stack),
	KUNIT_CASE(dropped_wait_unpins_the_stack),
	KUNIT_CASE(other_queue_pins_nothing),
	KUNIT_CASE(cancel_does_not_end_a_wait_until_done),
	KUNIT_CASE(sleep_ends_by_itself),
	KUNIT_CASE(unpark_ends_a_sleep),
	KUNIT_CASE(sleep_for_no_time_does_not_park),
	{ }
};

static struct kunit_suite wait_suite = {
	.name		= "costack_wait",
	.init		= party_init,
	.exit		= party_exit,
	.test_cases	= wait_cases,
};

kunit_test_suite(wait_suite);

MODULE_LICENSE("GPL");
