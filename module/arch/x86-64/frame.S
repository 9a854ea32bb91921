/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frame that costack_arch_switch() leaves on a stack, for both architectures that run on
 * this processor: the callee-saved registers, in the order of struct costack_switch_frame.
 */

.macro COSTACK_PUSH_FRAME
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

.macro COSTACK_POP_FRAME
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
.endm
