/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checking rules.
 */
#ifndef _COSTACK_X86_ORC_H
#define _COSTACK_X86_ORC_H

#include <linux/types.h>

int costack_orc_compare(u32 rule, unsigned long ip, bool interrupted);

#endif /* _COSTACK_X86_ORC_H */
