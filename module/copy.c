// SPDX-License-Identifier: GPL-2.0
/*
 * copystack's inner part: move bytes, rebase words. Pure: no allocation, no
 * lock, no state, no architecture.
 *
 * C has no stack maps. So every aligned word that holds an address of the old
 * stack is taken for a pointer to it and rewritten. A word that is an integer
 * and only looks like one is rewritten too, and a pointer in disguise (packed,
 * tagged, a difference) is not: MODULE_COSTACK_MOVABLE() is the promise that
 * there are neither.
 */
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

/**
 * costack_copy_words() - copy words, adjusting them on the way
 * @range: addresses to adjust
 * @dst: where to; does not overlap @src
 * @src: where from; not written
 * @nr: number of words
 *
 * One pass: the words are in registers anyway, and the old stack stays as it
 * was until the whole new one is there. Few words are addresses of the stack, so
 * four at a time are looked at with one branch.
 *
 * Context: Any context, any stack but the two.
 * Return: how many words were adjusted.
 */
size_t costack_copy_words(const struct costack_range *range, unsigned long *dst,
			  const unsigned long *src, size_t nr)
{
	const unsigned long lo = range->lo, span = range->hi - lo;
	size_t i = 0, rebased = 0;

	for (; i + 4 <= nr; i += 4) {
		unsigned long a = src[i], b = src[i + 1], c = src[i + 2], d = src[i + 3];

		dst[i] = a;
		dst[i + 1] = b;
		dst[i + 2] = c;
		dst[i + 3] = d;
		if (IS_ENABLED(CONFIG_KASAN_STACK) ||
		    unlikely((a - lo <= span) | (b - lo <= span) |
			     (c - lo <= span) | (d - lo <= span)))
			rebased += costack_rebase(range, &dst[i]) +
				   costack_rebase(range, &dst[i + 1]) +
				   costack_rebase(range, &dst[i + 2]) +
				   costack_rebase(range, &dst[i + 3]);
	}
	for (; i < nr; i++) {
		dst[i] = src[i];
		rebased += costack_rebase(range, &dst[i]);
	}
	return rebased;
}
NOKPROBE_SYMBOL(costack_copy_words);
