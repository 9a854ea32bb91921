/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls whose thread has died under them.
 */
#ifndef _COSTACK_LOST_H
#define _COSTACK_LOST_H

int costack_lost_init(void);
void costack_lost_exit(void);

#endif /* _COSTACK_LOST_H */
