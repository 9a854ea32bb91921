// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the knobs: good values are taken, bad ones change nothing.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "../module/arena.h"
#include "../module/runner.h"
#include "../module/stats.h"
#include "../module/sysfs.h"
#include "fixture.h"

/* A bad value gives -EINVAL and changes no knob. */
static void expect_bad(struct kunit *test, const char *name, const char *value)
{
	struct costack_knobs before = costack_knobs;

	KUNIT_EXPECT_EQ_MSG(test, costack_knob_set(name, value), -EINVAL, "%s=%s", name, value);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&before, &costack_knobs, sizeof(before)), 0, "%s=%s",
			    name, value);
}

static void expect_good(struct kunit *test, const char *name, const char *value)
{
	KUNIT_EXPECT_EQ_MSG(test, costack_knob_set(name, value), 0, "%s=%s", name, value);
}

static void defaults_are_copy_and_4_to_64_kib(struct kunit *test)
{
	const struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	KUNIT_EXPECT_EQ(test, costack_knobs.verify, COSTACK_VERIFY_ORC);
	KUNIT_EXPECT_EQ(test, costack_knobs.stack_min, 1);
	KUNIT_EXPECT_EQ(test, costack_knobs.stack_max, 16);
	KUNIT_EXPECT_TRUE(test, f->knobs.adaptive_start);
	KUNIT_EXPECT_FALSE(test, costack_knobs.poison);
	KUNIT_EXPECT_FALSE(test, costack_knobs.force_move);
}

static void policy_takes_its_two_words(struct kunit *test)
{
	expect_good(test, "policy", "inplace");
	KUNIT_EXPECT_EQ(test, costack_knobs.policy, COSTACK_POLICY_INPLACE);
	expect_good(test, "policy", "copy\n");
	KUNIT_EXPECT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
}

static void policy_refuses_other_words(struct kunit *test)
{
	expect_bad(test, "policy", "");
	expect_bad(test, "policy", "cop");
	expect_bad(test, "policy", "copyy");
	expect_bad(test, "policy", "COPY");
	expect_bad(test, "policy", "0");
}

static void every_size_class_is_a_size(struct kunit *test)
{
	static const char * const sizes[] = { "65536", "32768", "0x4000", "8192\n", "4096" };
	unsigned int i;

	for (i = 0; i < COSTACK_CLASSES; i++) {
		expect_good(test, "stack_max", sizes[i]);
		KUNIT_EXPECT_EQ(test, costack_knobs.stack_max, 16U >> i);
	}
	KUNIT_EXPECT_EQ(test, costack_knobs.stack_min, 1);
}

static void sizes_of_no_class_are_refused(struct kunit *test)
{
	static const char * const sizes[] = {
		"", "0", "1", "2048", "4095", "4097", "12288", "65535", "131072",
		"18446744073709551616", "-4096", "8k", "many",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		expect_bad(test, "stack_min", sizes[i]);
		expect_bad(test, "stack_max", sizes[i]);
	}
}

static void min_does_not_pass_max(struct kunit *test)
{
	expect_good(test, "stack_max", "8192");
	expect_bad(test, "stack_min", "16384");
	expect_good(test, "stack_min", "8192");
	expect_bad(test, "stack_max", "4096");
	KUNIT_EXPECT_EQ(test, costack_knobs.stack_min, 2);
	KUNIT_EXPECT_EQ(test, costack_knobs.stack_max, 2);
}

static void workers_are_at_least_one(struct kunit *test)
{
	expect_good(test, "workers", "1");
	KUNIT_EXPECT_EQ(test, costack_knobs.workers, 1);
	expect_good(test, "workers", __stringify(COSTACK_MAX_WORKERS) "\n");
	KUNIT_EXPECT_EQ(test, costack_knobs.workers, COSTACK_MAX_WORKERS);
	expect_bad(test, "workers", "0");
	expect_bad(test, "workers", "65");
	expect_bad(test, "workers", "-1");
	expect_bad(test, "workers", "");
	expect_bad(test, "workers", "two");
}

static void flags_take_on_and_off(struct kunit *test)
{
	expect_good(test, "poison", "1");
	KUNIT_EXPECT_TRUE(test, costack_knobs.poison);
	expect_good(test, "poison", "0\n");
	KUNIT_EXPECT_FALSE(test, costack_knobs.poison);
	expect_good(test, "force_move", "1");
	KUNIT_EXPECT_TRUE(test, costack_knobs.force_move);
	expect_good(test, "force_move", "0");
	KUNIT_EXPECT_FALSE(test, costack_knobs.force_move);
	expect_good(test, "adaptive_start", "1");
	KUNIT_EXPECT_TRUE(test, costack_knobs.adaptive_start);
	expect_good(test, "adaptive_start", "0");
	KUNIT_EXPECT_FALSE(test, costack_knobs.adaptive_start);
}

static void flags_refuse_other_values(struct kunit *test)
{
	expect_bad(test, "poison", "2");
	expect_bad(test, "poison", "");
	expect_bad(test, "poison", "1x");
	expect_bad(test, "poison", "00");
	expect_bad(test, "poison", "nothing");
	expect_bad(test, "poison", "1\n\n");
	expect_bad(test, "force_move", "2");
	expect_bad(test, "force_move", "maybe");
}

static void unknown_knob_is_refused(struct kunit *test)
{
	expect_bad(test, "stack_mid", "8192");
	expect_bad(test, "", "1");
}

static void maximum_is_only_raised(struct kunit *test)
{
	const long before = costack_stat_read(COSTACK_STAT_DEEPEST);

	costack_stat_deepest(before - 1);
	KUNIT_EXPECT_EQ(test, costack_stat_read(COSTACK_STAT_DEEPEST), before);
	costack_stat_deepest(before + 1);
	KUNIT_EXPECT_EQ(test, costack_stat_read(COSTACK_STAT_DEEPEST), before + 1);
}

static void every_counter_has_a_name_of_its_own(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < COSTACK_NR_STATS; i++) {
		KUNIT_ASSERT_NOT_NULL(test, costack_stat_names[i]);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, costack_stat_names[i], costack_stat_names[j]);
	}
}

static struct kunit_case knobs_cases[] = {
	KUNIT_CASE(defaults_are_copy_and_4_to_64_kib),
	KUNIT_CASE(policy_takes_its_two_words),
	KUNIT_CASE(policy_refuses_other_words),
	KUNIT_CASE(every_size_class_is_a_size),
	KUNIT_CASE(sizes_of_no_class_are_refused),
	KUNIT_CASE(min_does_not_pass_max),
	KUNIT_CASE(workers_are_at_least_one),
	KUNIT_CASE(flags_take_on_and_off),
	KUNIT_CASE(flags_refuse_other_values),
	KUNIT_CASE(unknown_knob_is_refused),
	KUNIT_CASE(maximum_is_only_raised),
	KUNIT_CASE(every_counter_has_a_name_of_its_own),
	{ }
};

static struct kunit_suite knobs_suite = {
	.name		= "costack_knobs",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= knobs_cases,
};

kunit_test_suite(knobs_suite);

MODULE_LICENSE("GPL");
