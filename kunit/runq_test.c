// SPDX-License-Identifier: GPL-2.0
/*
 * Run queues: order, stealing, and a queue that becomes empty and is used again.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../module/coroutine.h"
#include "../module/runq.h"

#define MANY	(3 * COSTACK_STEAL_MAX)

struct queues {
	struct costack_runq	a;
	struct costack_runq	b;
	struct costack		*co[MANY];
};

static int init(struct kunit *test)
{
	struct queues *q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, q);
	for (i = 0; i < MANY; i++) {
		q->co[i] = kunit_kzalloc(test, sizeof(*q->co[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q->co[i]);
	}
	costack_runq_init(&q->a);
	costack_runq_init(&q->b);
	test->priv = q;
	return 0;
}

/* Push the coroutines [@first, @end) to @runq. */
static void push(struct queues *q, struct costack_runq *runq, unsigned int first,
		 unsigned int end)
{
	while (first < end)
		costack_runq_push(runq, q->co[first++]);
}

/* @runq must hold exactly the coroutines [@first, @end), in this order. */
static void expect(struct kunit *test, struct costack_runq *runq, unsigned int first,
		   unsigned int end)
{
	struct queues *q = test->priv;

	KUNIT_EXPECT_EQ(test, runq->nr, end - first);
	for (; first < end; first++)
		KUNIT_EXPECT_PTR_EQ(test, costack_runq_pop(runq), q->co[first]);
	KUNIT_EXPECT_NULL(test, costack_runq_pop(runq));
	KUNIT_EXPECT_EQ(test, runq->nr, 0);
}

static void an_empty_queue_gives_nothing(struct kunit *test)
{
	struct queues *q = test->priv;

	KUNIT_EXPECT_NULL(test, costack_runq_pop(&q->a));
	KUNIT_EXPECT_NULL(test, costack_runq_steal(&q->a, &q->b));
	KUNIT_EXPECT_EQ(test, q->a.taken, 0);
}

static void first_in_is_first_out(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->a, 0, 5);
	expect(test, &q->a, 0, 5);
	KUNIT_EXPECT_EQ(test, q->a.taken, 5);
}

static void a_queue_that_was_empty_is_used_again(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->a, 0, 1);
	expect(test, &q->a, 0, 1);
	push(q, &q->a, 1, 3);
	expect(test, &q->a, 1, 3);
}

static void the_only_one_is_stolen(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->a, 0, 1);
	KUNIT_EXPECT_PTR_EQ(test, costack_runq_steal(&q->a, &q->b), q->co[0]);
	expect(test, &q->a, 0, 0);
	expect(test, &q->b, 0, 0);
	push(q, &q->a, 1, 2);
	expect(test, &q->a, 1, 2);
}

static void half_is_stolen_rounded_up(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->a, 0, 5);
	KUNIT_EXPECT_PTR_EQ(test, costack_runq_steal(&q->a, &q->b), q->co[0]);
	KUNIT_EXPECT_EQ(test, q->a.taken, 3);
	KUNIT_EXPECT_EQ(test, q->b.taken, 0);
	push(q, &q->a, 5, 7);
	expect(test, &q->b, 1, 3);
	expect(test, &q->a, 3, 7);
}

static void what_is_stolen_goes_behind_what_is_there(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->b, 0, 2);
	/* The first of these runs at once. */
	push(q, &q->a, 1, 5);
	costack_runq_pop(&q->a);
	KUNIT_EXPECT_PTR_EQ(test, costack_runq_steal(&q->a, &q->b), q->co[2]);
	push(q, &q->b, 4, 6);
	KUNIT_EXPECT_EQ(test, q->b.nr, 5);
	KUNIT_EXPECT_PTR_EQ(test, costack_runq_pop(&q->b), q->co[0]);
}

static void no_more_than_the_maximum_is_stolen(struct kunit *test)
{
	struct queues *q = test->priv;

	push(q, &q->a, 0, MANY);
	KUNIT_EXPECT_PTR_EQ(test, costack_runq_steal(&q->a, &q->b), q->co[0]);
	expect(test, &q->b, 1, COSTACK_STEAL_MAX);
	expect(test, &q->a, COSTACK_STEAL_MAX, MANY);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_empty_queue_gives_nothing),
	KUNIT_CASE(first_in_is_first_out),
	KUNIT_CASE(a_queue_that_was_empty_is_used_again),
	KUNIT_CASE(the_only_one_is_stolen),
	KUNIT_CASE(half_is_stolen_rounded_up),
	KUNIT_CASE(what_is_stolen_goes_behind_what_is_there),
	KUNIT_CASE(no_more_than_the_maximum_is_stolen),
	{ }
};

static struct kunit_suite suite = {
	.name = "costack_runq",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
MODULE_LICENSE("GPL");
