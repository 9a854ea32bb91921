/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel cannot say of a coroutine stack.
 */
#ifndef _COSTACK_REPORT_H
#define _COSTACK_REPORT_H

int costack_report_init(void);
void costack_report_exit(void);

#endif /* _COSTACK_REPORT_H */
