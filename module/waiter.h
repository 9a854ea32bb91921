/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The waits that a coroutine is in.
 */
#ifndef _COSTACK_WAITER_H
#define _COSTACK_WAITER_H

#include "coroutine.h"

/*
 * States of a wait. The waiter arms the wait when it parks. When it continues, it reads
 * the state and sets it to COSTACK_WAIT_OPEN again. A wake-up and the timeout race for the
 * state: the first one changes it, and unparks the waiter if the wait was armed; the other
 * one does nothing.
 */
enum {
	COSTACK_WAIT_OPEN,
	COSTACK_WAIT_ARMED,
	COSTACK_WAIT_EVENT,
	COSTACK_WAIT_TIMEOUT,
};

void costack_waiter_pop(struct costack *co);
void costack_waiters_drop(struct costack *co);
void costack_waiters_forget(struct costack *co);
extern const char * const costack_waits_names[COSTACK_NR_WAITS];

enum costack_waits costack_waits(const struct costack *co);

#endif /* _COSTACK_WAITER_H */
