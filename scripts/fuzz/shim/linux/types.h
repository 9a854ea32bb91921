/* SPDX-License-Identifier: GPL-2.0 */
/*
 * See kernel.h.
 */
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned int u32;

#ifndef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#endif

#endif /* _LINUX_TYPES_H */
