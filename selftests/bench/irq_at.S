/* SPDX-License-Identifier: GPL-2.0 */
/* Lets an interrupt in that is pending, with the stack pointer at a chosen place. */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

/*
 * void bench_enable_at(unsigned long sp, u64 *when)
 *
 * Called with interrupts off. The frame is found by %rbp, and the stack pointer is
 * moved by a difference, so that it stays right if the stack is moved.
 */
SYM_FUNC_START(bench_enable_at)
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsp, %rcx
	subq	%rdi, %rcx
	subq	%rcx, %rsp
	nopl	0x74736f63(%rax)	/* bench_mark() */
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, (%rsi)
	sti
	nop
	nop
	nop
	cli
	leave
	RET
SYM_FUNC_END(bench_enable_at)
COSTACK_TRUSTED bench_enable_at
