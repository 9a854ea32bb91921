/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The size that a stack starts with, where its function has needed more before.
 */
#ifndef _COSTACK_FIRST_H
#define _COSTACK_FIRST_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/log2.h>

#include "coroutine.h"

/* One in so many coroutines that could start on a larger stack starts on a smaller one. */
#define COSTACK_FIRST_ONE_IN	131U

/* So many of these in a row must not grow before the size goes down: at first, and at most. */
#define COSTACK_FIRST_PATIENCE	8U
#define COSTACK_FIRST_MOST	64U

/* Functions whose size is remembered: a set for each bit of a word, and so many in a set. */
#define COSTACK_FIRST_SETS	BITS_PER_LONG
#define COSTACK_FIRST_WAYS	4U

extern unsigned long costack_first_sets;

unsigned int costack_first_class(const void *fn);
void costack_first_begin(struct costack *co);
void costack_first_end(struct costack *co);
void costack_first_forget(unsigned long start, unsigned long end);
void costack_first_forget_all(void);

/**
 * costack_first_any() - is the size of any function remembered
 *
 * As long as no stack has grown, this is all that the memory of sizes costs a coroutine that
 * starts.
 *
 * Context: Any.
 * Return: false if all coroutines start with the size that was asked for.
 */
static __always_inline bool costack_first_any(void)
{
	return READ_ONCE(costack_first_sets);
}

/* Which set a function belongs to. */
static __always_inline unsigned int costack_first_set(const void *fn)
{
	return hash_ptr((void *)fn, ilog2(COSTACK_FIRST_SETS));
}

/**
 * costack_first_maybe() - may the size of this function be remembered
 * @fn: the function
 *
 * Once some stacks have grown, this is what it costs the functions that never grow.
 *
 * Context: Any.
 * Return: false if it is not, nor that of another function of its set.
 */
static __always_inline bool costack_first_maybe(const void *fn)
{
	return READ_ONCE(costack_first_sets) >> costack_first_set(fn) & 1;
}

#endif /* _COSTACK_FIRST_H */
