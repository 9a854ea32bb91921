/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rebasing words from one stack to another.
 */
#ifndef _COSTACK_COPY_H
#define _COSTACK_COPY_H

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "range.h"
#include "shadow.h"

/* Bytes that stacks are filled with around a move, if the knob poison is set. */
#define COSTACK_POISON_NEW	0xfd	/* destination, when it enters the reserve */
#define COSTACK_POISON_COPY	0xfb	/* destination, right before the copy */
#define COSTACK_POISON_OLD	0xfc	/* source, right after the copy */

/**
 * costack_rebase() - adjust one word (Go's adjustpointer)
 * @range: addresses to adjust
 * @word: the word, which may hold such an address
 *
 * Return: true if the word held one and has been adjusted.
 */
static __always_inline bool costack_rebase(const struct costack_range *range,
					   unsigned long *word)
{
	if (*word - range->lo > range->hi - range->lo)
		return costack_shadow_rebase(range, word);
	*word += range->delta;
	return true;
}

/* Through a pointer, so that the CPU compares it right in memory. */
static __always_inline u32 costack_upper_half(const unsigned long *word)
{
	return ((const u32 *)word)[!IS_ENABLED(CONFIG_CPU_BIG_ENDIAN)];
}

/*
 * Do all addresses to adjust have the same upper half? All addresses of a stack do, as the
 * arena keeps each chunk between two multiples of 4 GiB. With KASAN there is a second range,
 * the shadow of the stack, with an upper half of its own.
 */
static __always_inline bool costack_one_upper_half(const struct costack_range *range)
{
	return BITS_PER_LONG == 64 && !IS_ENABLED(CONFIG_KASAN_STACK) &&
	       costack_upper_half(&range->lo) == costack_upper_half(&range->hi);
}

size_t costack_rebase_words(const struct costack_range *range,
			    unsigned long *words, size_t nr);
size_t costack_rebase_copy(const struct costack_range *range, unsigned long *words, size_t nr,
			   const unsigned long *skip);
void costack_rebase_note(const struct costack_range *range, unsigned long *words, size_t nr,
			 const unsigned long *skip, unsigned long *noted);

/**
 * costack_rebase_noted() - adjust the words that costack_rebase_note() has adjusted, once more
 * @range: addresses to adjust
 * @words: a copy of its words
 * @nr: number of words
 * @noted: from costack_rebase_note()
 *
 * Somebody may have written to such a word since. So it is adjusted only if it still holds an
 * address.
 *
 * Context: Any context, any stack but the copy.
 */
static __always_inline void costack_rebase_noted(const struct costack_range *range,
						 unsigned long *words, size_t nr,
						 const unsigned long *noted)
{
	unsigned long left;
	size_t i;

	for (i = 0; i < nr; i += BITS_PER_LONG)
		for (left = *noted++; left; left &= left - 1)
			costack_rebase(range, &words[i + __ffs(left)]);
}

#endif /* _COSTACK_COPY_H */
