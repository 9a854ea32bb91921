/* SPDX-License-Identifier: GPL-2.0 */
/*
 * See kernel.h.
 */
#ifndef _LINUX_BITOPS_H
#define _LINUX_BITOPS_H

#include <linux/bits.h>

#define __ffs(word)		((unsigned long)__builtin_ctzl(word))

#endif /* _LINUX_BITOPS_H */
