/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switching stacks. Nothing here may be probed: an int3 would come in between, and the
 * return goes where another call came from.
 */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>

#include "compat.h"

/*
 * struct costack_ctx *costack_arch_switch(struct costack_ctx *from, struct costack_ctx *to)
 *
 * Save the callee-saved registers on this stack and go on with another, where
 * they were saved in the same way. What it returns there is @from of who switched,
 * as switch_to() gives its last: not always the one that was switched to from there.
 * An NMI finds the stack pointer on the one stack or on the other, never in between.
 * The order of the pushes is that of struct switch_frame in unwind.c.
 */
SYM_FUNC_START(costack_arch_switch)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	movq	%rdi, %rax
	/* guard.c resumes the host here, with its stack pointer and %rax loaded. */
SYM_INNER_LABEL(costack_switch_tail, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR	/* by IRET */
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(costack_arch_switch)
_ASM_NOKPROBE(costack_arch_switch)
_ASM_NOKPROBE(costack_switch_tail)
COSTACK_TRUSTED costack_arch_switch

/*
 * The outermost frame of a coroutine, where costack_arch_switch() returns to
 * first: %rbx is the function to call, %r12 its argument. The hint tells the
 * unwinder that there is nothing above; costack_arch_walk() demands to end here.
 */
SYM_CODE_START(costack_base)
	COSTACK_HINT_END_OF_STACK
	ANNOTATE_NOENDBR	/* only returned to */
	movq	%r12, %rdi
	xorl	%ebp, %ebp
	CALL_NOSPEC rbx
	ud2			/* the function does not return */
SYM_INNER_LABEL(costack_base_end, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	nop
SYM_CODE_END(costack_base)
_ASM_NOKPROBE(costack_base)
_ASM_NOKPROBE(costack_base_end)
