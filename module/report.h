/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel itself cannot print about a coroutine stack.
 */
#ifndef _COSTACK_REPORT_H
#define _COSTACK_REPORT_H

#include <linux/types.h>

struct costack;
struct costack_ctx;
struct costack_slot;

unsigned long costack_report_caller(struct costack *co);
unsigned int costack_report_frames(const struct costack_slot *slot,
				   const struct costack_ctx *ctx, unsigned long base,
				   unsigned long *ip, unsigned int max);
void costack_report_trace(struct costack *co);
int costack_report_init(void);
void costack_report_exit(void);

#endif /* _COSTACK_REPORT_H */
