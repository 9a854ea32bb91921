/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a coroutine, and the host loop.
 */
#ifndef _COSTACK_COSTACK_H
#define _COSTACK_COSTACK_H

#include <linux/costack.h>
#include <linux/types.h>

#include "pool.h"

struct costack *costack_create(const struct costack_attr *attr, costack_fn_t fn, void *arg,
			       struct costack_owner user);
struct costack *costack_resume(struct costack *co, struct costack_reserve *reserve);
void costack_cut(struct costack *co, int err);
void costack_run(struct costack *co);
unsigned long costack_called_mark(void);
bool costack_called_ended(unsigned long mark);
void costack_destroy(struct costack *co);
int costack_init(void);
void costack_exit(void);

#endif /* _COSTACK_COSTACK_H */
