/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switch stacks, as arch/x86/switch.S does. There are no unwind hints, because user-mode Linux
 * has no unwinder that reads them.
 */
#include <linux/linkage.h>

#include "../x86-64/frame.S"

/* struct costack_ctx *costack_arch_switch(struct costack_ctx *from, struct costack_ctx *to) */
SYM_FUNC_START(costack_arch_switch)
	COSTACK_PUSH_FRAME
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	movq	%rdi, %rax
	COSTACK_POP_FRAME
	RET
SYM_FUNC_END(costack_arch_switch)

/*
 * The outermost frame of a coroutine, which the first costack_arch_switch() to it returns
 * to: %rbx is the function to call, %r12 its argument, %r13 the context of the coroutine.
 * The function returns the context to continue with.
 */
SYM_CODE_START(costack_base)
	movq	%r12, %rdi
	xorl	%ebp, %ebp
	call	*%rbx
	movq	(%rax), %rsp
	movq	%r13, %rax
	COSTACK_POP_FRAME
	RET
SYM_CODE_END(costack_base)
