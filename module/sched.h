/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which coroutine runs in which worker.
 */
#ifndef _COSTACK_SCHED_H
#define _COSTACK_SCHED_H

#include <linux/types.h>

#include "costack.h"

/* Runners there can be, so kworkers that coroutines can hold at once. */
#define COSTACK_MAX_RUNNERS	64

void costack_ready(struct costack *co);
void costack_unpark_from(struct costack *by, struct costack *co);
enum costack_next costack_park_commit(struct costack *co);
bool costack_may_park(struct costack *co);
int costack_sched_init(void);
void costack_sched_exit(void);

#endif /* _COSTACK_SCHED_H */
