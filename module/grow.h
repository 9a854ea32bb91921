/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing a stack: what the fault entry and the safe points call.
 */
#ifndef _COSTACK_GROW_H
#define _COSTACK_GROW_H

#include <linux/types.h>

struct costack;

unsigned int costack_grow_pages(unsigned int pages, size_t need, unsigned int limit);

int costack_grow_ensure(struct costack *co, size_t bytes);
bool costack_grow_over(struct costack *co);
void costack_grow_settle(struct costack *co);

#endif /* _COSTACK_GROW_H */
