/* SPDX-License-Identifier: GPL-2.0 */
/*
 * See kernel.h.
 */
#ifndef _LINUX_MINMAX_H
#define _LINUX_MINMAX_H

#define min_t(type, x, y)	((type)(x) < (type)(y) ? (type)(x) : (type)(y))

#endif /* _LINUX_MINMAX_H */
