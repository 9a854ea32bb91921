/* SPDX-License-Identifier: GPL-2.0 */
/*
 * See kernel.h.
 */
#ifndef _LINUX_KPROBES_H
#define _LINUX_KPROBES_H

#define NOKPROBE_SYMBOL(function)

#endif /* _LINUX_KPROBES_H */
