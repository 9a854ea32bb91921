/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limbo: stacks that wait until they can be unmapped.
 */
#ifndef _COSTACK_LIMBO_H
#define _COSTACK_LIMBO_H

#include <linux/types.h>

struct costack_slot;

void costack_limbo_unmap(struct costack_slot *list);
void costack_limbo_add(struct costack_slot *list);
void costack_limbo_drain(void);
unsigned int costack_limbo_ended(void);
bool costack_limbo_wait(gfp_t gfp, unsigned int *ended);
void costack_limbo_flush(void);
int costack_limbo_init(void);
void costack_limbo_exit(void);

#endif /* _COSTACK_LIMBO_H */
