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
void costack_work_pack(void);
int costack_work_cancel(const char *name);
int costack_pressure_init(void);
void costack_pressure_exit(void);
void costack_pressure(void);

#endif /* _COSTACK_WORK_H */
