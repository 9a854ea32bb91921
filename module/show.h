/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The work items of a module, printed to the log.
 */
#ifndef _COSTACK_SHOW_H
#define _COSTACK_SHOW_H

#include "coroutine.h"

extern const char * const costack_show_states[COSTACK_NR_STATES];

void costack_show_name(char *to, const char *name);
int costack_show_module(const char *name);

#endif /* _COSTACK_SHOW_H */
