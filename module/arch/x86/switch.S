/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switch stacks. Nothing here may be probed: an int3 could interrupt the switch, and the
 * function returns to a different caller than the one that called it.
 */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>

#include "../x86-64/frame.S"
#include "compat.h"

/*
 * struct costack_ctx *costack_arch_switch(struct costack_ctx *from, struct costack_ctx *to)
 *
 * Save the callee-saved registers on this stack and continue on another one, where they
 * were saved in the same way. The call that returns there returns the context that was
 * switched away from just now, like "last" of switch_to(). It need not be the context that
 * the call had switched to. An NMI finds the stack pointer on one stack or on the
 * other, never in between.
 */
SYM_FUNC_START(costack_arch_switch)
	COSTACK_PUSH_FRAME
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	movq	%rdi, %rax
	/* An abort in guard.c resumes the host here, with %rsp and %rax loaded. */
SYM_INNER_LABEL(costack_switch_tail, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR	/* by IRET */
	COSTACK_POP_FRAME
	RET
SYM_FUNC_END(costack_arch_switch)
_ASM_NOKPROBE(costack_arch_switch)
_ASM_NOKPROBE(costack_switch_tail)
COSTACK_TRUSTED costack_arch_switch

/*
 * The outermost frame of a coroutine, which the first costack_arch_switch() to it returns
 * to: %rbx is the function to call, %r12 its argument, %r13 the context of the coroutine. The
 * hint tells the unwinder that the stack ends here; costack_arch_walk() requires a walk to
 * end here.
 *
 * The function returns the context to continue with. The call of costack_arch_switch() that
 * waits in that context returns as usual. Nothing is saved on the stack that is left, because
 * nobody switches back to it.
 *
 * %rbx is cleared because it holds an address of text. The function would save it, and a scan
 * would take the saved word for a return address.
 */
SYM_CODE_START(costack_base)
	COSTACK_HINT_END_OF_STACK
	ANNOTATE_NOENDBR	/* only returned to */
	movq	%r12, %rdi
	movq	%rbx, %rax
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	CALL_NOSPEC rax
	movq	(%rax), %rsp
SYM_INNER_LABEL(costack_base_end, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	movq	%r13, %rax
	COSTACK_POP_FRAME
	RET
SYM_CODE_END(costack_base)
_ASM_NOKPROBE(costack_base)
_ASM_NOKPROBE(costack_base_end)
