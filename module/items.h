/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All coroutines of work items, for whoever has to look at them.
 */
#ifndef _COSTACK_ITEMS_H
#define _COSTACK_ITEMS_H

#include <linux/types.h>

struct costack;
struct costack_host;

void costack_items_add(struct costack *co);
void costack_items_del(struct costack *co);
bool costack_items_none(void);
void costack_items_each(void (*fn)(struct costack *co, void *arg), void *arg);
void costack_items_each_parked(bool (*wanted)(const struct costack *co),
			       void (*fn)(struct costack *co, void *arg), void *arg);
struct costack *costack_items_take_lost(const struct costack_host *host);
unsigned int costack_items_parked(void);
unsigned int costack_items_mark(void);
bool costack_items_ended(unsigned int mark);
void costack_items_init(void);

#endif /* _COSTACK_ITEMS_H */
