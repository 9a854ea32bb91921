/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels for tests and benchmarks only; for assembly too. The rest
 * is in the module's compat.h, which this includes.
 */
#ifndef _COSTACK_TEST_COMPAT_H
#define _COSTACK_TEST_COMPAT_H

#include <linux/objtool.h>

#ifdef __ASSEMBLY__

#include <asm/bug.h>
#if __has_include("linux/annotate.h")
#include <linux/annotate.h>
#endif

/*
 * A ud2 after which execution continues. From 6.14 on its annotation precedes it; later the
 * macro moved to a header of its own.
 */
#ifdef ANNOTATE_REACHABLE
.macro CST_UD2
	ANNOTATE_REACHABLE
	ud2
.endm
#else
.macro CST_UD2
	ud2
	REACHABLE
.endm
#endif

/* An entry of __bug_table. 6.19 puts a format in it, after the address. */
#ifdef HAVE_ARCH_BUG_FORMAT
#define CST_BUG_BYTES	16
.macro CST_BUG_FORMAT format
	.long	\format - .
.endm
#else
#define CST_BUG_BYTES	12
.macro CST_BUG_FORMAT format
.endm
#endif

#else /* !__ASSEMBLY__ */

#include <linux/fs.h>
#include <linux/sched.h>

#include "../../module/compat.h"

/* 6.8 renames it. */
#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX	PCI_IRQ_LEGACY
#endif

/* By 7.2 the counts of interrupts are an array, and inc_perf_irq_stat() increments one. */
#ifdef inc_perf_irq_stat
#define CST_RESCHED_COUNT	counts[IRQ_COUNT_RESCHEDULE]
#else
#define CST_RESCHED_COUNT	irq_resched_count
#endif

/* filp_open() with the root of init: from 7.3 on the root of a kernel thread is empty. */
static inline struct file *cst_open(const char *path, int flags)
{
#ifdef scoped_with_init_fs
	struct file *file = NULL;

	if (current->flags & PF_KTHREAD) {
		scoped_with_init_fs()
			file = filp_open(path, flags, 0);
		return file;
	}
#endif
	return filp_open(path, flags, 0);
}

#endif /* !__ASSEMBLY__ */

#endif /* _COSTACK_TEST_COMPAT_H */
