/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's workers, while they run coroutines.
 */
#ifndef _COSTACK_WORKER_H
#define _COSTACK_WORKER_H

int costack_workers_init(void);

#endif /* _COSTACK_WORKER_H */
