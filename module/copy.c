// SPDX-License-Identifier: GPL-2.0
/*
 * copystack's inner part: move bytes, rebase words. Pure: no allocation, no
 * lock, no state, no architecture.
 *
 * C has no exact stack maps. An aligned word that holds an address of the old stack is
 * taken for a pointer to it and rewritten, unless it is known to be a number: what
 * the compiler keeps in a frame, from the verdict of its text, and what its author
 * has said is opaque. A pointer in disguise (packed, tagged, a difference) is not
 * found: where there may be one, nothing is moved.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>

#include "copy.h"

/**
 * costack_rebase_words() - adjust words where they are
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

/* Words that costack_copy_words() looks at together. */
#define GROUP	4

/* What @skip says of the words of a group; @i: the first, a multiple of GROUP. */
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
 * One of the words of a group is an address of the old stack. Out of line, so that the
 * loop keeps in registers all that it needs. A number may be in such a group of every
 * frame, so that there is no loop for it either.
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
 * @dst: where to; does not overlap @src
 * @src: where from; not written
 * @nr: number of words
 * @skip: a bit for each of them; where it is set the word is no address, whatever it
 *	looks like, and is copied as it is
 *
 * One pass: the words are in registers anyway, and the old stack stays as it
 * was until the whole new one is there. Few words are addresses of the stack, so
 * four at a time are looked at with one branch, and of a word that is none it does
 * not matter what @skip says.
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
