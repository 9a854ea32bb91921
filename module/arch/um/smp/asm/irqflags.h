/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scripts/bench.sh native puts this header in front of the kernel's own. User-mode Linux keeps
 * the interrupt flag in a variable; other kernels read the flags of the CPU. Here a test of the
 * flag reads both. Disabling interrupts is privileged, so for that user-mode Linux's functions
 * remain in use.
 */
#ifndef _COSTACK_SMP_ASM_IRQFLAGS_H
#define _COSTACK_SMP_ASM_IRQFLAGS_H

#include_next <asm/irqflags.h>

/* Kbuild compiles this without a red zone, so the push overwrites nothing. */
static __always_inline bool costack_smp_irqs_disabled(void)
{
	unsigned long flags;

	asm volatile("pushfq; popq %0" : "=rm" (flags) : : "memory");
	return (arch_irqs_disabled)();
}

#define arch_irqs_disabled()	costack_smp_irqs_disabled()

#endif /* _COSTACK_SMP_ASM_IRQFLAGS_H */
