/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running a coroutine now, in the calling thread.
 */
#ifndef _COSTACK_CALL_H
#define _COSTACK_CALL_H

#include <linux/types.h>

struct costack;

void costack_run(struct costack *co);
unsigned long costack_called_mark(void);
bool costack_called_ended(unsigned long mark);
void costack_call_exit(void);

#endif /* _COSTACK_CALL_H */
