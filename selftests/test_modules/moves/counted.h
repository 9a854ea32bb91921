/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A plain loop for which GCC, if it is allowed to, keeps an address outside the stack,
 * count - 4 * first, across a call in which the stack moves.
 */
#ifndef _COSTACK_TEST_COUNTED_H
#define _COSTACK_TEST_COUNTED_H

#include <linux/costack.h>

#include "costack_test.h"

#define COUNTED_NR	64

/* Every 16th call outgrows the stack. */
static noinline int counted_look(unsigned long pfn)
{
	if (pfn % 16 == 0 && costack_stack_size() < 65536)
		cst_outgrow();
	return pfn % 7;
}

static noinline long counted_sum(unsigned long first)
{
	int count[COUNTED_NR] = { };
	unsigned long pfn;
	long sum = 0;
	int i;

	for (pfn = first; pfn < first + COUNTED_NR; pfn++)
		count[pfn - first] += counted_look(pfn);
	for (i = 0; i < COUNTED_NR; i++)
		sum += (long)count[i] * i;
	return sum;
}

static int counted_body(void *arg)
{
	unsigned long first = (unsigned long)arg;
	long sum = 0;
	int i;

	for (i = 0; i < COUNTED_NR; i++)
		sum += (long)((first + i) % 7) * i;
	CST_EQ(sum, counted_sum(first));
	return 0;
}

/* FIRST: the number that the loop begins with. */
static void counted(const long *args)
{
	const struct costack_attr attr = { .stack_first = 4096 };

	CST_EQ(0, costack_call_attr(&attr, counted_body, (void *)args[0]));
}

#endif /* _COSTACK_TEST_COUNTED_H */
