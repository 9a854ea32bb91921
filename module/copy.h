/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rebasing words from one stack to another.
 */
#ifndef _COSTACK_COPY_H
#define _COSTACK_COPY_H

#include <linux/bits.h>
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

#endif /* _COSTACK_COPY_H */
