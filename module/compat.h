/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions.
 */
#ifndef _COSTACK_COMPAT_H
#define _COSTACK_COMPAT_H

#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "costack is written for and tested on Linux 6.1: the unwinder and the IDT differ elsewhere"
#endif

/* 6.4 replaces module_layout by module_memory. */
static inline void costack_module_text(const struct module *mod, unsigned long *start,
				       unsigned long *end)
{
	*start = (unsigned long)mod->core_layout.base;
	*end = *start + mod->core_layout.text_size;
}

/* False when built in: then no text is ours alone, and nothing is movable. */
static inline bool costack_own_text(unsigned long *start, unsigned long *end)
{
#ifdef MODULE
	costack_module_text(THIS_MODULE, start, end);
	return true;
#else
	return false;
#endif
}

#endif /* _COSTACK_COMPAT_H */
