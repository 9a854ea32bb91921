/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who holds a mutex: reports of misuse and of cycles.
 */
#ifndef _COSTACK_HOLDER_H
#define _COSTACK_HOLDER_H

#include <linux/types.h>

struct costack;
struct costack_mutex;

void costack_mutex_report_owner(struct costack_mutex *mutex, struct costack *co,
				unsigned long ip);
void costack_mutex_report_recursion(struct costack_mutex *mutex, struct costack *co,
				    unsigned long ip);
void costack_mutex_report_ended(struct costack_mutex *mutex, unsigned long ip);
bool costack_mutex_report_cycle(struct costack *co);

#endif /* _COSTACK_HOLDER_H */
