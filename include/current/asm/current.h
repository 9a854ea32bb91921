/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "current", read anew each time.
 *
 * The kernel tells the compiler that current is the same all over a function: what was
 * read before a wait is not read again after it. But a coroutine may go on in another
 * thread. <linux/costack.h> mends that for what a file itself says. For inline functions
 * of the kernel, such as memalloc_nofs_save(), current has to be another thing from the
 * beginning: so scripts/movable.mk puts this directory in front of the kernel's.
 */
#ifndef _COSTACK_ASM_CURRENT_H
#define _COSTACK_ASM_CURRENT_H

#ifndef __ASSEMBLY__

/* What <asm/percpu.h> uses; it leaves the includes to the kernel's <asm/current.h>. */
#include <linux/types.h>
#include <asm/bitsperlong.h>
#include <asm/percpu.h>

#ifdef this_cpu_read_stable
#undef this_cpu_read_stable
#define this_cpu_read_stable(var)	this_cpu_read(var)
#endif

/* 6.10 knows current by a constant, too, where the compiler knows of segments. */
#if defined(this_cpu_read_const) && defined(CONFIG_USE_X86_SEG_SUPPORT)
#undef this_cpu_read_const
#define this_cpu_read_const(var)	this_cpu_read_8(var)
#endif

#endif /* __ASSEMBLY__ */

#include_next <asm/current.h>

#endif /* _COSTACK_ASM_CURRENT_H */
