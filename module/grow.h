/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing a stack: what the fault entry and the safe points call.
 */
#ifndef _COSTACK_GROW_H
#define _COSTACK_GROW_H

#include <linux/types.h>

struct costack;

/*
 * Bytes that a grown stack has to spare below the access that made it grow. An interrupt
 * uses them, and so does a preemption on return from that interrupt. Measured
 * (frames.interrupt-depth): 208 bytes without preemption; with it 544 on Linux 6.1, 704 on
 * 6.12 and 720 on 7.3.
 */
#define COSTACK_HEADROOM	1024

unsigned int costack_grow_pages(unsigned int pages, size_t need, unsigned int limit);

int costack_grow_ensure(struct costack *co, size_t bytes);
bool costack_grow_over(struct costack *co);
int costack_grow_force(struct costack *co);
bool costack_grow_shrinkable(const struct costack *co);
int costack_grow_shrink(struct costack *co);

#endif /* _COSTACK_GROW_H */
