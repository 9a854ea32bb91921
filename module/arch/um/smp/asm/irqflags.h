/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In front of the kernel's headers for scripts/bench.sh native. In user-mode Linux interrupts
 * are off if a variable says so; other kernels read the flags of the CPU, so here both are read.
 * To switch them off and on is a privilege: that is still done by user-mode Linux.
 */
#ifndef _COSTACK_SMP_ASM_IRQFLAGS_H
#define _COSTACK_SMP_ASM_IRQFLAGS_H

#include_next <asm/irqflags.h>

/* The stack below the stack pointer is not in use: Kbuild sees to that. */
static __always_inline bool costack_smp_irqs_disabled(void)
{
	unsigned long flags;

	asm volatile("pushfq; popq %0" : "=rm" (flags) : : "memory");
	return (arch_irqs_disabled)();
}

#define arch_irqs_disabled()	costack_smp_irqs_disabled()

#endif /* _COSTACK_SMP_ASM_IRQFLAGS_H */
