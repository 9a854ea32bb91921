/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations for guard_entry.S, guard.c, gate.c, replay.c and refault.c.
 */
#ifndef _COSTACK_X86_GUARD_H
#define _COSTACK_X86_GUARD_H

/* Action for guard_entry.S, in %edx. */
#define GUARD_KERNEL		0	/* hand over to the kernel's handler */
#define GUARD_RESUME		1	/* IRET from the pt_regs in %rax */
#define GUARD_HOST		2	/* %rax is a struct guard_frame: switch to that stack */

/* Offset of regs in struct guard_frame. */
#define GUARD_FRAME_REGS	56

#ifndef __ASSEMBLY__

#include <asm/desc_defs.h>
#include <asm/ptrace.h>

#include "../../fault.h"

/**
 * struct guard_frame - the data of costack_newstack(), on the host stack
 * @fault: the fault; points into @regs
 * @regs: the interrupted registers
 */
struct guard_frame {
	struct costack_fault	fault;
	struct pt_regs		regs;
};

/**
 * struct guard_verdict - returned in %rax and %rdx
 * @regs: the pt_regs to restore, or the struct guard_frame to continue with
 * @action: GUARD_KERNEL, GUARD_RESUME or GUARD_HOST
 */
struct guard_verdict {
	void		*regs;
	unsigned long	action;
};

/* Where guard_entry.S hands over: the kernel's #DF entry, or exc_double_fault(). */
extern unsigned long costack_guard_kernel;
extern const gate_desc *costack_idt;

/* In switch.S: where a context that was switched away from continues. */
extern const char costack_switch_tail[];

unsigned long costack_replay_frame(unsigned long sp);
int costack_replay_find(const struct pt_regs *regs, unsigned long addr);
void costack_replay(struct pt_regs *regs, const gate_desc *idt, int vector);

int costack_refault_init(const gate_desc *gate);
bool costack_refault(struct pt_regs *regs);

#endif /* !__ASSEMBLY__ */

#endif /* _COSTACK_X86_GUARD_H */
