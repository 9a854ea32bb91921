/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that runs with the stack pointer at a chosen place of the stack.
 *
 * The frame is found by %rbp, so the unwinder needs not know how far down the
 * stack pointer went. It is moved by a difference: that holds if the stack is
 * moved in between, and objtool follows it.
 */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

/* Offsets in struct cst_spin. */
#define SPIN_ARMED	0
#define SPIN_SEEN	8
#define SPIN_DEADLINE	16
#define SPIN_WATCH	24

/* int cst_call_at(unsigned long sp, costack_fn_t fn, void *arg) */
SYM_FUNC_START(cst_call_at)
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsp, %rax
	subq	%rdi, %rax
	subq	%rax, %rsp
	movq	%rsi, %rax
	movq	%rdx, %rdi
	CALL_NOSPEC rax
	leave
	RET
SYM_FUNC_END(cst_call_at)
COSTACK_TRUSTED cst_call_at

/*
 * int cst_with_frame(size_t bytes, int (*fn)(unsigned long *words, size_t bytes))
 *
 * Call @fn with a frame of so many bytes, a multiple of 16.
 */
SYM_FUNC_START(cst_with_frame)
	pushq	%rbp
	movq	%rsp, %rbp
	subq	%rdi, %rsp
	movq	%rsi, %rax
	movq	%rdi, %rsi
	movq	%rsp, %rdi
	CALL_NOSPEC rax
	leave
	RET
SYM_FUNC_END(cst_with_frame)
COSTACK_TRUSTED cst_with_frame

/*
 * void cst_spin_at(unsigned long sp, struct cst_spin *spin)
 * void cst_enable_at(unsigned long sp, struct cst_spin *spin)
 *
 * Nothing is pushed while the stack pointer is down, so only an interrupt can find no room
 * there. The second function enables interrupts there.
 */
.macro SPIN enable
	pushq	%rbp
	movq	%rsp, %rbp
	movl	SPIN_SEEN(%rsi), %r8d
	movq	SPIN_DEADLINE(%rsi), %r9
	movq	SPIN_WATCH(%rsi), %r10
	movq	%rsp, %rax
	subq	%rdi, %rax
	subq	%rax, %rsp
	movl	$1, SPIN_ARMED(%rsi)
	\enable
.Lspin\@:
	cmpl	%r8d, (%r10)
	jne	.Ldone\@
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	cmpq	%r9, %rax
	jae	.Ldone\@
	pause
	jmp	.Lspin\@
.Ldone\@:
	leave
	RET
.endm

SYM_FUNC_START(cst_spin_at)
	SPIN
SYM_FUNC_END(cst_spin_at)
COSTACK_TRUSTED cst_spin_at

SYM_FUNC_START(cst_enable_at)
	SPIN sti
SYM_FUNC_END(cst_enable_at)
COSTACK_TRUSTED cst_enable_at
