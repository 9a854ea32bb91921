// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of tags: they last as long as a wait, and share no word with what else is known of a
 * coroutine.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../module/coroutine.h"
#include "../module/tags.h"

struct tagged {
	struct costack		co;
	struct costack_work	work;
};

static enum costack_next park(struct costack *co)
{
	return COSTACK_LEAVE;
}

static int init(struct kunit *test)
{
	struct tagged *tagged = kunit_kzalloc(test, sizeof(*tagged), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tagged);
	tagged->co.work = &tagged->work;
	tagged->co.req.handler = park;
	tagged->co.looked = 23;
	tagged->co.gen = 42;
	test->priv = tagged;
	return 0;
}

static void a_park_has_no_tags(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	KUNIT_EXPECT_EQ(test, costack_tags(&tagged->co), 0);
}

static void tags_add_up(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	costack_tag(&tagged->co, COSTACK_TAG_OLD);
	costack_tag(&tagged->co, COSTACK_TAG_TOLD);
	costack_tag(&tagged->co, 0);
	KUNIT_EXPECT_EQ(test, costack_tags(&tagged->co),
			COSTACK_TAG_ANY | COSTACK_TAG_OLD | COSTACK_TAG_TOLD);
}

static void the_next_park_has_none(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	costack_tag(&tagged->co, COSTACK_TAG_KEPT | COSTACK_TAG_SINCE);
	tagged->co.req.handler = park;
	KUNIT_EXPECT_EQ(test, costack_tags(&tagged->co), 0);
	costack_tag(&tagged->co, COSTACK_TAG_OLD);
	KUNIT_EXPECT_EQ(test, costack_tags(&tagged->co), COSTACK_TAG_ANY | COSTACK_TAG_OLD);
}

/* A hand-over is for those only that have the handler of an ordinary park. */
static void a_tag_keeps_it_from_a_hand_over(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	costack_tag(&tagged->co, 0);
	KUNIT_EXPECT_TRUE(test, tagged->co.req.handler != park);
}

static void an_item_keeps_its_mark(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	costack_tag(&tagged->co, COSTACK_TAG_OLD);
	KUNIT_EXPECT_EQ(test, tagged->co.gen, 42);
}

static void a_call_keeps_the_number_of_its_look(struct kunit *test)
{
	struct tagged *tagged = test->priv;

	tagged->co.work = NULL;
	costack_tag(&tagged->co, COSTACK_TAG_OLD);
	KUNIT_EXPECT_EQ(test, tagged->co.looked, 23);
	KUNIT_EXPECT_EQ(test, costack_tags(&tagged->co), COSTACK_TAG_ANY | COSTACK_TAG_OLD);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_park_has_no_tags),
	KUNIT_CASE(tags_add_up),
	KUNIT_CASE(the_next_park_has_none),
	KUNIT_CASE(a_tag_keeps_it_from_a_hand_over),
	KUNIT_CASE(an_item_keeps_its_mark),
	KUNIT_CASE(a_call_keeps_the_number_of_its_look),
	{}
};

static struct kunit_suite suite = {
	.name = "costack_tags",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
MODULE_LICENSE("GPL");
