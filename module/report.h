/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel cannot say of a coroutine stack.
 */
#ifndef _COSTACK_REPORT_H
#define _COSTACK_REPORT_H

#include <linux/types.h>

struct costack;

/* Places that a report is made for. */
#define COSTACK_REPORTS	64

/**
 * struct costack_once - where a kind of report was made already
 * @seen: places, 0 if there are no more; each written once, by cmpxchg
 */
struct costack_once {
	unsigned long seen[COSTACK_REPORTS];
};

bool costack_report_first(struct costack_once *once, unsigned long ip);
unsigned long costack_report_caller(struct costack *co);
void costack_report_trace(struct costack *co);
int costack_report_init(void);
void costack_report_exit(void);

#endif /* _COSTACK_REPORT_H */
