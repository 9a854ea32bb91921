/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switch stacks, as arch/x86/switch.S does. There are no unwind hints, because user-mode Linux
 * has no unwinder that reads them.
 */
#include <linux/linkage.h>

/*
 * struct costack_ctx *costack_arch_switch(struct costack_ctx *from, struct costack_ctx *to)
 *
 * The order of the pushes is that of struct costack_switch_frame.
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
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
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
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_CODE_END(costack_base)
