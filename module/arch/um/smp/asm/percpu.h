/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scripts/bench.sh native puts this header in front of the kernel's own. User-mode Linux
 * disables interrupts while it adds to a per-CPU counter, which takes two calls. A kernel for
 * x86 uses one instruction, and so does this header.
 */
#ifndef _COSTACK_SMP_ASM_PERCPU_H
#define _COSTACK_SMP_ASM_PERCPU_H

#define this_cpu_add_8(pcp, val) \
	({ asm volatile("addq %1, %0" : "+m" (pcp) : "re" ((long)(val))); })

#include_next <asm/percpu.h>

#endif /* _COSTACK_SMP_ASM_PERCPU_H */
