/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for time and for wait queues.
 */
#ifndef _COSTACK_WAIT_H
#define _COSTACK_WAIT_H

struct costack;

void costack_wait_init(struct costack *co);
void costack_wait_forget(struct costack *co);

#endif /* _COSTACK_WAIT_H */
