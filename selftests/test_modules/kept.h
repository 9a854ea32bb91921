/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a coroutine keeps in a local while it waits: numbers, and an address among them.
 *
 * The functions are not inlined, so that the numbers are on the stack and not in the compiler's
 * mind.
 */
#ifndef _COSTACK_TEST_KEPT_H
#define _COSTACK_TEST_KEPT_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/types.h>

/**
 * struct kept - the local
 * @number: kept_number() of a seed
 * @middle: the address of one of them, which a move has to adjust
 */
struct kept {
	unsigned long	number[4];
	unsigned long	*middle;
};

/* Number @i of what is kept for @seed. */
static inline unsigned long kept_number(unsigned long seed, unsigned int i)
{
	return hash_long(seed + i, BITS_PER_LONG);
}

/* Before the wait. */
static noinline void keep(struct kept *kept, unsigned long seed)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kept->number); i++)
		kept->number[i] = kept_number(seed, i);
	kept->middle = &kept->number[2];
}

/* After it: is all as keep() has left it? */
static noinline bool is_kept(const struct kept *kept, unsigned long seed)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kept->number); i++)
		if (kept->number[i] != kept_number(seed, i))
			return false;
	return kept->middle == &kept->number[2];
}

#endif /* _COSTACK_TEST_KEPT_H */
