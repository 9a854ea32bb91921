// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of rebasing: which words a move changes, and which it leaves alone.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/string.h>

#include "../module/copy.h"

#define LO	0x100000UL
#define HI	0x101000UL
#define DELTA	0x50000UL
#define NR	8

static const struct costack_range range = { .lo = LO, .hi = HI, .delta = DELTA };

/* Copy and adjust, as copystack does. */
static size_t copy_words(const struct costack_range *r, unsigned long *dst,
			 const unsigned long *src, size_t nr, const unsigned long *skip)
{
	memcpy(dst, src, nr * sizeof(*dst));
	return costack_rebase_copy(r, dst, nr, skip);
}

/* @word is rebased to @to. */
static void expect_rebased(struct kunit *test, const struct costack_range *r,
			   unsigned long word, unsigned long to)
{
	unsigned long got = word;

	KUNIT_EXPECT_TRUE(test, costack_rebase(r, &got));
	KUNIT_EXPECT_EQ(test, got, to);
}

static void expect_left(struct kunit *test, const struct costack_range *r, unsigned long word)
{
	unsigned long got = word;

	KUNIT_EXPECT_FALSE(test, costack_rebase(r, &got));
	KUNIT_EXPECT_EQ(test, got, word);
}

static void one_below_lo_is_left(struct kunit *test)
{
	expect_left(test, &range, LO - 1);
}

static void lo_is_rebased(struct kunit *test)
{
	expect_rebased(test, &range, LO, LO + DELTA);
}

static void inside_is_rebased(struct kunit *test)
{
	expect_rebased(test, &range, LO + 0x800, LO + 0x800 + DELTA);
}

static void last_byte_is_rebased(struct kunit *test)
{
	expect_rebased(test, &range, HI - 1, HI - 1 + DELTA);
}

static void hi_is_rebased(struct kunit *test)
{
	expect_rebased(test, &range, HI, HI + DELTA);
}

static void one_above_hi_is_left(struct kunit *test)
{
	expect_left(test, &range, HI + 1);
}

static void pointer_to_a_byte_is_rebased(struct kunit *test)
{
	expect_rebased(test, &range, LO + 3, LO + 3 + DELTA);
}

static void null_and_minus_one_are_left(struct kunit *test)
{
	expect_left(test, &range, 0);
	expect_left(test, &range, ULONG_MAX);
}

static void negative_delta_moves_down(struct kunit *test)
{
	const struct costack_range down = { .lo = LO, .hi = HI, .delta = -DELTA };

	expect_rebased(test, &down, LO, LO - DELTA);
	expect_rebased(test, &down, HI, HI - DELTA);
	expect_left(test, &down, LO - 1);
	expect_left(test, &down, HI + 1);
}

static void there_and_back_is_the_same(struct kunit *test)
{
	const struct costack_range back = {
		.lo = LO + DELTA, .hi = HI + DELTA, .delta = -DELTA,
	};
	unsigned long word = LO + 0x123;

	KUNIT_EXPECT_TRUE(test, costack_rebase(&range, &word));
	KUNIT_EXPECT_TRUE(test, costack_rebase(&back, &word));
	KUNIT_EXPECT_EQ(test, word, LO + 0x123);
}

static void range_from_address_0_does_not_wrap(struct kunit *test)
{
	const struct costack_range low = { .lo = 0, .hi = 0x1000, .delta = DELTA };

	expect_rebased(test, &low, 0, DELTA);
	expect_rebased(test, &low, 0x1000, 0x1000 + DELTA);
	expect_left(test, &low, 0x1001);
	expect_left(test, &low, ULONG_MAX);
}

static void range_to_the_last_address_does_not_wrap(struct kunit *test)
{
	const struct costack_range high = {
		.lo = ULONG_MAX - 0xfff, .hi = ULONG_MAX, .delta = -DELTA,
	};

	expect_rebased(test, &high, ULONG_MAX, ULONG_MAX - DELTA);
	expect_rebased(test, &high, ULONG_MAX - 0xfff, ULONG_MAX - 0xfff - DELTA);
	expect_left(test, &high, ULONG_MAX - 0x1000);
	expect_left(test, &high, 0);
}

/* The stack is empty: the only pointer into it can be the one past its end. */
static void empty_range_is_its_one_address(struct kunit *test)
{
	const struct costack_range empty = { .lo = HI, .hi = HI, .delta = DELTA };

	expect_rebased(test, &empty, HI, HI + DELTA);
	expect_left(test, &empty, HI - 1);
	expect_left(test, &empty, HI + 1);
}

/* Copy with a bitmap that says of no word that it is a number. */
static size_t copy(const struct costack_range *r, unsigned long *dst,
		   const unsigned long *src, size_t nr)
{
	static const unsigned long none[1];

	return copy_words(r, dst, src, nr, none);
}

static void copy_of_no_words_writes_nothing(struct kunit *test)
{
	const unsigned long src = LO;
	unsigned long dst = 42;

	KUNIT_EXPECT_EQ(test, copy(&range, &dst, &src, 0), 0);
	KUNIT_EXPECT_EQ(test, dst, 42);
}

/* Four of the eight words are in the range: one at each end and two inside. */
static const unsigned long source[NR] = {
	LO - 1, LO, LO + 8, 0, LO + 9, HI, HI + 1, ULONG_MAX,
};

static const unsigned long rebased_source[NR] = {
	LO - 1, LO + DELTA, LO + 8 + DELTA, 0, LO + 9 + DELTA, HI + DELTA, HI + 1, ULONG_MAX,
};

static void copy_rebases_words_in_range_only(struct kunit *test)
{
	unsigned long dst[NR];
	unsigned int i;

	copy(&range, dst, source, NR);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ_MSG(test, dst[i], rebased_source[i], "word %u", i);
}

static void copy_counts_what_it_rebased(struct kunit *test)
{
	unsigned long dst[NR];
	unsigned int i;
	size_t before = 0;

	/* Copy each prefix: only a word in the range may raise the count. */
	for (i = 1; i <= NR; i++) {
		size_t count = copy(&range, dst, source, i);

		KUNIT_EXPECT_EQ_MSG(test, count - before, source[i - 1] != rebased_source[i - 1],
				    "word %u", i - 1);
		before = count;
	}
	KUNIT_EXPECT_EQ(test, before, 4);
}

static void copy_does_not_write_its_source(struct kunit *test)
{
	unsigned long src[NR], dst[NR];

	memcpy(src, source, sizeof(src));
	copy(&range, dst, src, NR);
	KUNIT_EXPECT_EQ(test, memcmp(src, source, sizeof(src)), 0);
}

static void copy_keeps_to_its_words(struct kunit *test)
{
	unsigned long dst[NR + 2];

	memset(dst, 0xa5, sizeof(dst));
	copy(&range, dst + 1, source, NR);
	KUNIT_EXPECT_EQ(test, dst[0], 0xa5a5a5a5a5a5a5a5UL);
	KUNIT_EXPECT_EQ(test, dst[NR + 1], 0xa5a5a5a5a5a5a5a5UL);
}

static void words_in_place_become_what_a_copy_would_be(struct kunit *test)
{
	unsigned long words[NR];

	memcpy(words, source, sizeof(words));
	KUNIT_EXPECT_EQ(test, costack_rebase_words(&range, words, NR), 4);
	KUNIT_EXPECT_EQ(test, memcmp(words, rebased_source, sizeof(words)), 0);
}

static void words_in_place_keep_to_their_number(struct kunit *test)
{
	unsigned long words[3] = { LO, LO, LO };

	KUNIT_EXPECT_EQ(test, costack_rebase_words(&range, words + 1, 1), 1);
	KUNIT_EXPECT_EQ(test, words[0], LO);
	KUNIT_EXPECT_EQ(test, words[1], LO + DELTA);
	KUNIT_EXPECT_EQ(test, words[2], LO);
	KUNIT_EXPECT_EQ(test, costack_rebase_words(&range, words, 0), 0);
	KUNIT_EXPECT_EQ(test, words[0], LO);
}

static void second_pass_finds_nothing(struct kunit *test)
{
	unsigned long words[NR];

	memcpy(words, source, sizeof(words));
	costack_rebase_words(&range, words, NR);
	KUNIT_EXPECT_EQ(test, costack_rebase_words(&range, words, NR), 0);
	KUNIT_EXPECT_EQ(test, memcmp(words, rebased_source, sizeof(words)), 0);
}

/*
 * The new stack begins where the old one ends, so one address is both the end of the
 * old stack and the lowest of the new one. In a copied word it means the end of the
 * old stack, and must be adjusted once only.
 */
static void shared_address_of_adjacent_stacks_is_the_old_end(struct kunit *test)
{
	const struct costack_range up = { .lo = LO, .hi = HI, .delta = 2 * (HI - LO) };
	const unsigned long src[3] = { LO, HI - 8, HI };
	unsigned long dst[3];

	KUNIT_EXPECT_EQ(test, copy(&up, dst, src, 3), 3);
	KUNIT_EXPECT_EQ(test, dst[0], LO + 2 * (HI - LO));
	KUNIT_EXPECT_EQ(test, dst[1], HI - 8 + 2 * (HI - LO));
	KUNIT_EXPECT_EQ(test, dst[2], HI + 2 * (HI - LO));
}

/* === Words that are known to be numbers === */

#define MANY	(3 * BITS_PER_LONG + 7)

/* Every word looks like an address; the words whose bit is set must be left alone. */
static void expect_skipped(struct kunit *test, const unsigned long *skip, size_t nr)
{
	unsigned long *src = kunit_kzalloc(test, MANY * sizeof(long), GFP_KERNEL);
	unsigned long *dst = kunit_kzalloc(test, MANY * sizeof(long), GFP_KERNEL);
	size_t i, expected = 0;

	KUNIT_ASSERT_NOT_NULL(test, src);
	KUNIT_ASSERT_NOT_NULL(test, dst);
	for (i = 0; i < nr; i++) {
		src[i] = LO + i;
		expected += !test_bit(i, skip);
	}
	KUNIT_EXPECT_EQ(test, copy_words(&range, dst, src, nr, skip), expected);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, dst[i], LO + i + (test_bit(i, skip) ? 0 : DELTA),
				    "word %zu of %zu", i, nr);
}

static void number_is_copied_as_it_is(struct kunit *test)
{
	DECLARE_BITMAP(skip, MANY);
	size_t i;

	/* Cover each place in a group of four words, each long of the bitmap, and the rest. */
	for (i = 0; i < MANY; i++) {
		bitmap_zero(skip, MANY);
		__set_bit(i, skip);
		expect_skipped(test, skip, MANY);
		bitmap_complement(skip, skip, MANY);
		expect_skipped(test, skip, MANY);
	}
}

static void numbers_of_every_pattern_are_left(struct kunit *test)
{
	DECLARE_BITMAP(skip, MANY);
	size_t nr;

	bitmap_zero(skip, MANY);
	for (nr = 0; nr <= 16; nr++)
		for (skip[0] = 0; skip[0] < 256; skip[0]++)
			expect_skipped(test, skip, nr);
	bitmap_fill(skip, MANY);
	expect_skipped(test, skip, MANY);
}

static void number_that_is_no_address_is_copied_too(struct kunit *test)
{
	const unsigned long skip[1] = { ~0UL };
	unsigned long dst[NR];

	KUNIT_EXPECT_EQ(test, copy_words(&range, dst, source, NR, skip), 0);
	KUNIT_EXPECT_EQ(test, memcmp(dst, source, sizeof(dst)), 0);
}

static void bits_beyond_the_last_word_do_not_matter(struct kunit *test)
{
	const unsigned long skip[1] = { ~0UL << NR };
	unsigned long dst[NR];

	KUNIT_EXPECT_EQ(test, copy_words(&range, dst, source, NR, skip), 4);
	KUNIT_EXPECT_EQ(test, memcmp(dst, rebased_source, sizeof(dst)), 0);
}

/* As @source, so often that a note takes several longs and ends in the middle of one. */
static void noted_words_are_those_that_were_adjusted(struct kunit *test)
{
	unsigned long noted[BITS_TO_LONGS(MANY)], skip[BITS_TO_LONGS(MANY)] = { };
	unsigned long *expected = kunit_kzalloc(test, MANY * sizeof(long), GFP_KERNEL);
	unsigned long *words = kunit_kzalloc(test, MANY * sizeof(long), GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, expected);
	KUNIT_ASSERT_NOT_NULL(test, words);
	for (i = 0; i < MANY; i++) {
		words[i] = source[i % NR];
		if (i % 3 == 0)
			__set_bit(i, skip);
	}
	memset(noted, 0xff, sizeof(noted));
	copy_words(&range, expected, words, MANY, skip);
	costack_rebase_note(&range, words, MANY, skip, noted);
	KUNIT_EXPECT_EQ(test, memcmp(words, expected, MANY * sizeof(long)), 0);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, test_bit(i, noted), words[i] != source[i % NR]);
	for (; i < BITS_TO_LONGS(MANY) * BITS_PER_LONG; i++)
		KUNIT_EXPECT_FALSE(test, test_bit(i, noted));
}

static void noted_words_go_back(struct kunit *test)
{
	const struct costack_range back = { .lo = LO + DELTA, .hi = HI + DELTA, .delta = -DELTA };
	unsigned long noted[1], skip[1] = { }, words[NR];

	memcpy(words, source, sizeof(words));
	costack_rebase_note(&range, words, NR, skip, noted);
	costack_rebase_noted(&back, words, NR, noted);
	KUNIT_EXPECT_EQ(test, memcmp(words, source, sizeof(words)), 0);
}

static void words_that_are_not_noted_stay(struct kunit *test)
{
	const unsigned long noted[1] = { 0 };
	unsigned long words[NR];

	memcpy(words, source, sizeof(words));
	costack_rebase_noted(&range, words, NR, noted);
	KUNIT_EXPECT_EQ(test, memcmp(words, source, sizeof(words)), 0);
}

static void noted_word_that_is_no_address_any_more_stays(struct kunit *test)
{
	const unsigned long noted[1] = { 1 };
	unsigned long word = LO - 1;

	costack_rebase_noted(&range, &word, 1, noted);
	KUNIT_EXPECT_EQ(test, word, LO - 1);
}

static struct kunit_case copy_cases[] = {
	KUNIT_CASE(one_below_lo_is_left),
	KUNIT_CASE(lo_is_rebased),
	KUNIT_CASE(inside_is_rebased),
	KUNIT_CASE(last_byte_is_rebased),
	KUNIT_CASE(hi_is_rebased),
	KUNIT_CASE(one_above_hi_is_left),
	KUNIT_CASE(pointer_to_a_byte_is_rebased),
	KUNIT_CASE(null_and_minus_one_are_left),
	KUNIT_CASE(negative_delta_moves_down),
	KUNIT_CASE(there_and_back_is_the_same),
	KUNIT_CASE(range_from_address_0_does_not_wrap),
	KUNIT_CASE(range_to_the_last_address_does_not_wrap),
	KUNIT_CASE(empty_range_is_its_one_address),
	KUNIT_CASE(copy_of_no_words_writes_nothing),
	KUNIT_CASE(copy_rebases_words_in_range_only),
	KUNIT_CASE(copy_counts_what_it_rebased),
	KUNIT_CASE(copy_does_not_write_its_source),
	KUNIT_CASE(copy_keeps_to_its_words),
	KUNIT_CASE(words_in_place_become_what_a_copy_would_be),
	KUNIT_CASE(words_in_place_keep_to_their_number),
	KUNIT_CASE(second_pass_finds_nothing),
	KUNIT_CASE(shared_address_of_adjacent_stacks_is_the_old_end),
	KUNIT_CASE(number_is_copied_as_it_is),
	KUNIT_CASE(numbers_of_every_pattern_are_left),
	KUNIT_CASE(number_that_is_no_address_is_copied_too),
	KUNIT_CASE(bits_beyond_the_last_word_do_not_matter),
	KUNIT_CASE(noted_words_are_those_that_were_adjusted),
	KUNIT_CASE(noted_words_go_back),
	KUNIT_CASE(words_that_are_not_noted_stay),
	KUNIT_CASE(noted_word_that_is_no_address_any_more_stays),
	{ }
};

static struct kunit_suite copy_suite = {
	.name		= "costack_copy",
	.test_cases	= copy_cases,
};

kunit_test_suite(copy_suite);

MODULE_LICENSE("GPL");
