/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for the kernel's completions.
 */
#ifndef _COSTACK_SWAITS_H
#define _COSTACK_SWAITS_H

void costack_swaits_exit(void);

#endif /* _COSTACK_SWAITS_H */
