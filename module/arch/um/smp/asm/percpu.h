/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In front of the kernel's headers for scripts/bench.sh native. User-mode Linux counts with
 * interrupts off, by two calls; a kernel for x86 with one instruction, as here.
 */
#ifndef _COSTACK_SMP_ASM_PERCPU_H
#define _COSTACK_SMP_ASM_PERCPU_H

#define this_cpu_add_8(pcp, val) \
	({ asm volatile("addq %1, %0" : "+m" (pcp) : "re" ((long)(val))); })

#include_next <asm/percpu.h>

#endif /* _COSTACK_SMP_ASM_PERCPU_H */
