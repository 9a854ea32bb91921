// SPDX-License-Identifier: GPL-2.0
/*
 * The lists of all coroutines of work items: whose coroutine is lost when a worker dies.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../module/coroutine.h"
#include "../module/items.h"

struct lost {
	struct costack		co;
	struct costack_host	host;
	struct costack		*taken;
	unsigned int		claimed;
};

static int init(struct kunit *test)
{
	struct lost *lost = kunit_kzalloc(test, sizeof(*lost), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lost);
	lost->co.host = &lost->host;
	costack_items_add(&lost->co);
	test->priv = lost;
	return 0;
}

static void exit(struct kunit *test)
{
	struct lost *lost = test->priv;

	if (lost)
		costack_items_del(&lost->co);
}

static void the_running_one_is_lost(struct kunit *test)
{
	struct lost *lost = test->priv;

	atomic_set(&lost->co.state, COSTACK_RUNNING);
	KUNIT_EXPECT_PTR_EQ(test, costack_items_take_lost(&lost->host), &lost->co);
	KUNIT_EXPECT_NULL(test, costack_items_take_lost(&lost->host));
}

/* Its stack was being moved when the worker died. */
static void the_moving_one_is_lost(struct kunit *test)
{
	struct lost *lost = test->priv;

	atomic_set(&lost->co.state, COSTACK_COPYSTACK);
	KUNIT_EXPECT_PTR_EQ(test, costack_items_take_lost(&lost->host), &lost->co);
}

static void take_lost(struct costack *co, void *arg)
{
	struct lost *lost = arg;

	if (co != &lost->co)
		return;
	lost->claimed++;
	lost->taken = costack_items_take_lost(&lost->host);
	/* The caller needs it on the list. */
	if (lost->taken)
		costack_items_add(co);
}

/* It has left its worker, and then the worker dies while somebody moves the parked stack. */
static void a_parked_one_is_not_lost(struct kunit *test)
{
	struct lost *lost = test->priv;

	atomic_set(&lost->co.state, COSTACK_WAITING);
	KUNIT_EXPECT_NULL(test, costack_items_take_lost(&lost->host));
	costack_items_each_parked(NULL, take_lost, lost);
	KUNIT_EXPECT_EQ(test, lost->claimed, 1);
	KUNIT_EXPECT_NULL(test, lost->taken);
	KUNIT_EXPECT_EQ(test, costack_state(&lost->co), COSTACK_WAITING);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_running_one_is_lost),
	KUNIT_CASE(the_moving_one_is_lost),
	KUNIT_CASE(a_parked_one_is_not_lost),
	{}
};

static struct kunit_suite suite = {
	.name = "costack_items",
	.init = init,
	.exit = exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
MODULE_LICENSE("GPL");
