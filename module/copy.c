// SPDX-License-Identifier: GPL-2.0
/*
 * The inner part of copystack: rebase words. Pure code: no allocation, no lock, no state,
 * nothing that depends on the architecture.
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
#include <linux/minmax.h>

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

static __always_inline bool is_number(const unsigned long *skip, size_t i)
{
	return skip[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1;
}

/* Rebase those of the words that are not known to be numbers: any range. */
static size_t rebase_each(const struct costack_range *range, unsigned long *words, size_t nr,
			  const unsigned long *skip)
{
	size_t i, rebased = 0;

	for (i = 0; i < nr; i++)
		if (!is_number(skip, i))
			rebased += costack_rebase(range, &words[i]);
	return rebased;
}
NOKPROBE_SYMBOL(rebase_each);

/* Number of words that one turn of the loop in costack_rebase_copy() looks at. */
#define GROUP	32

/**
 * costack_rebase_copy() - adjust the copy of a stack
 * @range: addresses to adjust
 * @words: the copy
 * @nr: number of words
 * @skip: a bit for each word; set: the word is no address, whatever it looks like, and
 *	stays as it is
 *
 * The caller has copied the bytes as fast as the CPU can, and they are in its cache. This
 * is faster than a loop that copies and adjusts, as a CPU copies many words in the time in
 * which such a loop looks at one.
 *
 * Few words are addresses, and one comparison of half a word with memory dismisses nearly
 * all others. What is needed for the rest stays in registers, as there may be an address in
 * every frame.
 *
 * Context: Any context, any stack but the copy.
 * Return: how many words were adjusted.
 */
size_t costack_rebase_copy(const struct costack_range *range, unsigned long *words, size_t nr,
			   const unsigned long *skip)
{
	const unsigned long lo = range->lo, span = range->hi - lo, delta = range->delta;
	const u32 upper = costack_upper_half(&range->lo);
	unsigned long *const groups_end = words + nr / GROUP * GROUP;
	unsigned long *word = words;
	size_t rebased = 0;
	unsigned int i;

	if (unlikely(!costack_one_upper_half(range)))
		return rebase_each(range, words, nr, skip);
	for (; word < groups_end; word += GROUP) {
#pragma GCC unroll 32
		for (i = 0; i < GROUP; i++) {
			if (likely(costack_upper_half(&word[i]) != upper) || word[i] - lo > span ||
			    is_number(skip, word + i - words))
				continue;
			word[i] += delta;
			rebased++;
		}
	}
	for (; word < words + nr; word++) {
		if (likely(costack_upper_half(word) != upper) || *word - lo > span ||
		    is_number(skip, word - words))
			continue;
		*word += delta;
		rebased++;
	}
	return rebased;
}
NOKPROBE_SYMBOL(costack_rebase_copy);

/* Number of words that one turn of the loop in rebase_long() looks at. */
#define FEW	8

/*
 * Adjust those of up to BITS_PER_LONG words that are not among @numbers. Return a bit for each
 * word that was adjusted.
 */
static __always_inline unsigned long rebase_long(const struct costack_range *range,
						 unsigned long *words, size_t nr,
						 unsigned long numbers)
{
	const unsigned long lo = range->lo, span = range->hi - lo, delta = range->delta;
	const u32 upper = costack_upper_half(&range->lo);
	unsigned long *const few_end = words + nr / FEW * FEW;
	unsigned long *word = words;
	unsigned long adjusted = 0;
	unsigned int i;

	for (; word < few_end; word += FEW) {
#pragma GCC unroll 8
		for (i = 0; i < FEW; i++) {
			if (likely(costack_upper_half(&word[i]) != upper) || word[i] - lo > span ||
			    numbers >> (word + i - words) & 1)
				continue;
			word[i] += delta;
			adjusted |= 1UL << (word + i - words);
		}
	}
	for (; word < words + nr; word++) {
		if (likely(costack_upper_half(word) != upper) || *word - lo > span ||
		    numbers >> (word - words) & 1)
			continue;
		*word += delta;
		adjusted |= 1UL << (word - words);
	}
	return adjusted;
}

/* The same, with any range. */
static unsigned long rebase_long_each(const struct costack_range *range, unsigned long *words,
				      size_t nr, unsigned long numbers)
{
	unsigned long adjusted = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		if (!(numbers >> i & 1) && costack_rebase(range, &words[i]))
			adjusted |= 1UL << i;
	return adjusted;
}

/**
 * costack_rebase_note() - adjust the copy of a stack, and note which words were adjusted
 * @range: addresses to adjust
 * @words: the copy
 * @nr: number of words
 * @skip: as for costack_rebase_copy()
 * @noted: out: a bit for each word, set if it was adjusted
 *
 * For few words: most stacks that are packed have less than a hundred.
 *
 * Context: Any context, any stack but the copy.
 */
void costack_rebase_note(const struct costack_range *range, unsigned long *words, size_t nr,
			 const unsigned long *skip, unsigned long *noted)
{
	bool one = costack_one_upper_half(range);
	size_t i, some;

	for (i = 0; i < nr; i += some) {
		some = min_t(size_t, nr - i, BITS_PER_LONG);
		*noted++ = likely(one) ? rebase_long(range, words + i, some, *skip++) :
					 rebase_long_each(range, words + i, some, *skip++);
	}
}
NOKPROBE_SYMBOL(costack_rebase_note);
