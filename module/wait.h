/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for time and for wait queues.
 */
#ifndef _COSTACK_WAIT_H
#define _COSTACK_WAIT_H

#include <linux/types.h>

#include "coroutine.h"

struct wait_queue_head;

int costack_wait_flag(struct wait_queue_head *wq, const bool *flag, enum costack_waits what);
int costack_wait_done(struct wait_queue_head *wq, const bool *done, enum costack_waits what);

#endif /* _COSTACK_WAIT_H */
