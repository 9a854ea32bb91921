/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for time and for wait queues.
 */
#ifndef _COSTACK_WAIT_H
#define _COSTACK_WAIT_H

#include <linux/types.h>

struct wait_queue_head;

int costack_wait_done(struct wait_queue_head *wq, const bool *done);

#endif /* _COSTACK_WAIT_H */
