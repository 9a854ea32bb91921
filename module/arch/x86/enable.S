/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let an interrupt in where the stack has no room for its frame. The self-test does so.
 */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>

/* Takes up to a second on silicon. On a machine that works, the interrupt comes at once. */
#define ROUNDS	(1 << 24)

/*
 * void costack_arch_enable_at(unsigned long sp, const bool *came)
 *
 * Enable interrupts with the stack pointer at @sp, and wait until a handler has set *@came.
 *
 * Nothing is pushed while the stack pointer is down, so only an interrupt can find no room
 * there. The frame is found by %rbp, so the unwinder need not know where the stack pointer is. It
 * is moved by a difference, which objtool follows.
 */
SYM_FUNC_START(costack_arch_enable_at)
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsp, %rax
	subq	%rdi, %rax
	movl	$ROUNDS, %ecx
	subq	%rax, %rsp
	sti
.Lwait:
	cmpb	$0, (%rsi)
	jne	.Lcame
	pause
	decl	%ecx
	jnz	.Lwait
.Lcame:
	leave
	RET
SYM_FUNC_END(costack_arch_enable_at)
_ASM_NOKPROBE(costack_arch_enable_at)
COSTACK_TRUSTED costack_arch_enable_at
