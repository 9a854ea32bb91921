// SPDX-License-Identifier: GPL-2.0
/*
 * The inner part of copystack: copy bytes, rebase words. Pure code: no allocation, no
 * lock, no state, nothing that depends on the architecture.
 *
 * C has no exact stack maps. If an aligned word holds an address of the old stack, a move
 * treats it as a pointer and rewrites it, unless the word is known to be a number: the
 * verdict of the text tells which words of a frame the compiler uses for numbers, and the
 * author can declare memory opaque. A move cannot find a disguised pointer (packed,
 * tagged, a difference): where one is possible, the stack is not moved.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>

#include "copy.h"

/**
 * costack_rebase_words() - adjust words in place
 * @range: addresses to adjust
 * @words: first word
 * @nr: number of words
 *
 * Context: Any context, any stack.
 * Return: how many words were adjusted.
 */
size_t costack_rebase_words(const struct costack_range *range,
			    unsigned long *words, size_t nr)
{
	size_t i, rebased = 0;

	for (i = 0; i < nr; i++)
		rebased += costack_rebase(range, &words[i]);
	return rebased;
}
NOKPROBE_SYMBOL(costack_rebase_words);

/* Number of words that costack_copy_words() tests together. */
#define GROUP	4

/* The bits of @skip for a group of words; @i: index of the first, a multiple of GROUP. */
static __always_inline unsigned long numbers_of(const unsigned long *skip, size_t i)
{
	return skip[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & (BIT(GROUP) - 1);
}

/* Rebase those of @nr words that are not known to be numbers. */
static noinline size_t rebase_some(const struct costack_range *range, unsigned long *words,
				   unsigned int nr, unsigned long numbers)
{
	size_t rebased = 0;

	for (; nr--; words++, numbers >>= 1)
		if (!(numbers & 1))
			rebased += costack_rebase(range, words);
	return rebased;
}
NOKPROBE_SYMBOL(rebase_some);

static __always_inline unsigned int rebase_unless(bool number, const struct costack_range *range,
						  unsigned long *word)
{
	return number ? 0 : costack_rebase(range, word);
}

/*
 * Rebase a group in which at least one word looks like an address of the old stack. Out of
 * line, so that the caller's loop can keep everything in registers. Such a group may hold a
 * number in every frame, so this code has no loop for that case either.
 */
static noinline size_t rebase_group(const struct costack_range *range, unsigned long *dst,
				    const unsigned long *skip, size_t i)
{
	const unsigned long numbers = numbers_of(skip, i);
	const struct costack_range r = *range;

	dst += i;
	if (unlikely(numbers))
		return rebase_unless(numbers & BIT(0), &r, &dst[0]) +
		       rebase_unless(numbers & BIT(1), &r, &dst[1]) +
		       rebase_unless(numbers & BIT(2), &r, &dst[2]) +
		       rebase_unless(numbers & BIT(3), &r, &dst[3]);
	return costack_rebase(&r, &dst[0]) + costack_rebase(&r, &dst[1]) +
	       costack_rebase(&r, &dst[2]) + costack_rebase(&r, &dst[3]);
}
NOKPROBE_SYMBOL(rebase_group);

/**
 * costack_copy_words() - copy words, adjusting them on the way
 * @range: addresses to adjust
 * @dst: destination; does not overlap @src
 * @src: source; not written
 * @nr: number of words
 * @skip: a bit for each word; set: the word is no address, whatever it looks like, and
 *	is copied unchanged
 *
 * Copies and adjusts in one pass: the words are in registers anyway, and the old stack
 * stays unchanged until the new one is complete. Few words are addresses of the stack, so
 * one branch tests four words at a time, and @skip is read only if one of the four looks
 * like such an address.
 *
 * Context: Any context, any stack but the two.
 * Return: how many words were adjusted.
 */
size_t costack_copy_words(const struct costack_range *range, unsigned long *dst,
			  const unsigned long *src, size_t nr, const unsigned long *skip)
{
	const unsigned long lo = range->lo, span = range->hi - lo;
	size_t i, n, rebased = 0;
	unsigned long numbers;

	for (i = 0; i + GROUP <= nr; i += GROUP) {
		unsigned long a = src[i], b = src[i + 1], c = src[i + 2], d = src[i + 3];

		dst[i] = a;
		dst[i + 1] = b;
		dst[i + 2] = c;
		dst[i + 3] = d;
		if (IS_ENABLED(CONFIG_KASAN_STACK) ||
		    unlikely(min(min(a - lo, b - lo), min(c - lo, d - lo)) <= span))
			rebased += rebase_group(range, dst, skip, i);
	}
	if (i == nr)
		return rebased;
	numbers = numbers_of(skip, i);
	for (n = i; n < nr; n++)
		dst[n] = src[n];
	return rebased + rebase_some(range, &dst[i], nr - i, numbers);
}
NOKPROBE_SYMBOL(costack_copy_words);
