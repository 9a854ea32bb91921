/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Noting which words of a stack are numbers, for a walk.
 */
#ifndef _COSTACK_NUMBERS_H
#define _COSTACK_NUMBERS_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "walk.h"

/* The index of the word at @addr, a multiple of 8; negative below @walk->from. */
static __always_inline long costack_numbers_word(const struct costack_walk *walk,
						 unsigned long addr)
{
	return (long)(addr - walk->from) >> ilog2(sizeof(long));
}

/* Mark the words in [@first, @end) as not to be rebased; ignore those outside the copy. */
static __always_inline void costack_numbers_run(const struct costack_walk *walk, long first,
						long end)
{
	unsigned long from = max(first, 0L), bits = ~0UL << (from % BITS_PER_LONG);
	unsigned long *skip = &walk->skip[from / BITS_PER_LONG], *last;

	end = min_t(long, end, walk->nr);
	if (unlikely(end <= (long)from))
		return;
	last = &walk->skip[(unsigned long)end / BITS_PER_LONG];
	for (; skip < last; skip++) {
		*skip |= bits;
		bits = ~0UL;
	}
	*last |= bits & ~(~0UL << ((unsigned long)end % BITS_PER_LONG));
}

/* Mark the runs of @map; its frame begins at the word @first. There is at least one. */
static noinline void costack_numbers_runs(const struct costack_walk *walk, const u64 *map,
					  long first)
{
	const u64 *run = map + 2, *end = run + map[1];

	do {
		costack_numbers_run(walk, first + (u32)*run, first + (u32)*run + (*run >> 32));
	} while (++run < end);
}
NOKPROBE_SYMBOL(costack_numbers_runs);

/*
 * Mark the numbers of a frame whose stack pointer is @sp. The stack pointer of the newest
 * frame may be below the mapped part: a move does not copy words that are not mapped. The
 * other frames are @above it.
 */
static __always_inline void costack_numbers_note(const struct costack_walk *walk, const u64 *map,
						 bool runs, unsigned long sp, bool above)
{
	long first = costack_numbers_word(walk, sp);
	u64 mask = *map;

	if (above || likely(first >= 0)) {
		unsigned long *skip = &walk->skip[(unsigned long)first / BITS_PER_LONG];
		unsigned int shift = (unsigned long)first % BITS_PER_LONG;
		u64 low = mask << shift;

		skip[0] |= low;
		/* Mostly no number is beyond the first word. */
		if (unlikely(low >> shift != mask))
			skip[1] |= mask >> (BITS_PER_LONG - shift);
	} else if (first > -BITS_PER_LONG) {
		walk->skip[0] |= mask >> -first;
	}
	if (unlikely(runs))
		costack_numbers_runs(walk, map, first);
}

#endif /* _COSTACK_NUMBERS_H */
