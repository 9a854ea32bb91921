/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel's headers that module/copy.c uses, for user space.
 */
#ifndef _LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <linux/types.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define IS_ENABLED(option)	0
#define noinline		__attribute__((__noinline__))

#endif /* _LINUX_KERNEL_H */
