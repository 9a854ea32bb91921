/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much stack the functions of work items have used, and how they have held their workers.
 */
#ifndef _COSTACK_FUNCTIONS_H
#define _COSTACK_FUNCTIONS_H

#include <linux/types.h>

struct costack;

/* Functions with an entry of their own on each CPU; the others share one. */
#define COSTACK_FUNCTIONS	128U

/**
 * struct costack_function - what the work items of a function have done
 * @fn: the function; %NULL: all functions that found no room
 * @items: number of items that have ended
 * @deepest: bytes in use at the deepest growth of any item
 * @growths: times that their stacks have grown
 * @refusals: times that a move was refused
 * @held: times that the watch has seen an item hold its worker
 * @held_ms: for how long in all, in milliseconds
 * @longest_ms: for how long at most
 */
struct costack_function {
	const void	*fn;
	unsigned long	items;
	unsigned long	deepest;
	unsigned long	growths;
	unsigned long	refusals;
	unsigned long	held;
	unsigned long	held_ms;
	unsigned long	longest_ms;
};

void costack_functions_note(struct costack *co);
unsigned int costack_functions_sum(struct costack_function *sum, unsigned int max);
int costack_functions_init(void);
void costack_functions_exit(void);

#endif /* _COSTACK_FUNCTIONS_H */
