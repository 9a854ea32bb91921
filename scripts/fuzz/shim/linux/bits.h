/* SPDX-License-Identifier: GPL-2.0 */
/*
 * See kernel.h.
 */
#ifndef _LINUX_BITS_H
#define _LINUX_BITS_H

#define BITS_PER_LONG	64
#define BIT(nr)		(1UL << (nr))

#endif /* _LINUX_BITS_H */
