/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports of coroutines that have been parked for long.
 */
#ifndef _COSTACK_STUCK_H
#define _COSTACK_STUCK_H

/* Maximum of the knob stuck_after, in seconds. */
#define COSTACK_MAX_STUCK_AFTER	86400U

void costack_stuck_set(void);
void costack_stuck_init(void);
void costack_stuck_exit(void);

#endif /* _COSTACK_STUCK_H */
