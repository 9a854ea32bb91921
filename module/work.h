/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work items.
 */
#ifndef _COSTACK_WORK_H
#define _COSTACK_WORK_H

#include <linux/types.h>

struct costack;
struct costack_runner;

void costack_work_end(struct costack *co);
void costack_work_lost(const struct costack_runner *runner);
void costack_work_shrink(void);
unsigned int costack_work_parked(void);
unsigned long costack_work_seq(void);
bool costack_work_ended(unsigned long seq);
void costack_work_each_parked(bool (*wanted)(const struct costack *co),
			      void (*fn)(struct costack *co, void *arg), void *arg);
void costack_work_each(void (*fn)(struct costack *co, void *arg), void *arg);
int costack_pressure_init(void);
void costack_pressure_exit(void);

#endif /* _COSTACK_WORK_H */
