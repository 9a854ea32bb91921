/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that raise an exception, executed with the stack pointer at a
 * chosen place of the stack.
 *
 *	struct cst_outcome cst_exc_NAME(unsigned long sp, unsigned long arg)
 *
 * As in at.S the frame is found by %rbp and the stack pointer is moved by a
 * difference. Nothing is pushed while it is down, but where the probed
 * instruction itself does: the first to find no room is the exception.
 */
#include <linux/costack.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/errno.h>
#include <asm/ibt.h>
#include <asm/nops.h>
#include <asm/nospec-branch.h>
#include <asm/smap.h>

#include "compat.h"

#define BUG_WARNING	(1 << 0)
#define BUG_TAINT_WARN	(9 << 8)

/* The callers use the addresses of these functions, and in 7.x SYM_FUNC_START() has no ENDBR. */
.macro DOWN
	ENDBR
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsp, %rax
	subq	%rdi, %rax
	subq	%rax, %rsp
	xorl	%eax, %eax
	xorl	%edx, %edx
.endm

.macro UP
	leave
	RET
.endm

/* === int3 of a kprobe: each label is the instruction that is probed === */

SYM_FUNC_START(cst_exc_lea)
	DOWN
SYM_INNER_LABEL(cst_probed_lea, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	leaq	1(%rsi), %rax
	UP
SYM_FUNC_END(cst_exc_lea)
COSTACK_TRUSTED cst_exc_lea

SYM_FUNC_START(cst_exc_push)
	DOWN
SYM_INNER_LABEL(cst_probed_push, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	pushq	%rsi
	popq	%rax
	UP
SYM_FUNC_END(cst_exc_push)
COSTACK_TRUSTED cst_exc_push

SYM_FUNC_START_LOCAL(add_one)
	leaq	1(%rsi), %rax
	RET
SYM_FUNC_END(add_one)

SYM_FUNC_START(cst_exc_call)
	DOWN
SYM_INNER_LABEL(cst_probed_call, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	call	add_one
	UP
SYM_FUNC_END(cst_exc_call)
COSTACK_TRUSTED cst_exc_call

/* === int3 of text that is being changed === */

/*
 * The branch of cst_branch_key, until the time stamp counter has come to 0(%rsi).
 * Counts at 8(%rsi) how often it was not taken, at 16(%rsi) how often it was.
 */
SYM_FUNC_START(cst_exc_branch)
	DOWN
.Lagain:
	.byte	BYTES_NOP5
	.pushsection __jump_table, "aw"
	_ASM_ALIGN
	.long	.Lagain - ., .Ltaken - .
	_ASM_PTR cst_branch_key - .
	.popsection
	incq	8(%rsi)
.Lnext:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	cmpq	(%rsi), %rax
	jb	.Lagain
	UP
.Ltaken:
	incq	16(%rsi)
	jmp	.Lnext
SYM_FUNC_END(cst_exc_branch)
COSTACK_TRUSTED cst_exc_branch

/* === #UD === */

/* This instruction has an entry in the exception table. */
SYM_FUNC_START(cst_exc_ud)
	DOWN
.Lud:
	CST_UD2
.Lud_fixed:
	leaq	1(%rsi), %rax
	UP
	_ASM_EXTABLE(.Lud, .Lud_fixed)
SYM_FUNC_END(cst_exc_ud)
COSTACK_TRUSTED cst_exc_ud

	.pushsection .rodata.str, "aMS", @progbits, 1
.Lfile:
	.asciz "exc_at.S"
.Lnothing:
	.asciz ""
	.popsection

/* As in WARN(): the kernel finds the place in its table of bugs, and continues. */
SYM_FUNC_START(cst_exc_warn)
	DOWN
.Lwarn:
	CST_UD2
	leaq	1(%rsi), %rax
	UP
	.pushsection __bug_table, "aw"
.Lbug:
	.long	.Lwarn - .
	CST_BUG_FORMAT .Lnothing
	.long	.Lfile - .
	.word	__LINE__
	.word	BUG_WARNING | BUG_TAINT_WARN
	.org	.Lbug + CST_BUG_BYTES
	.popsection
SYM_FUNC_END(cst_exc_warn)
COSTACK_TRUSTED cst_exc_warn

/* === Exceptions that the exception table answers === */

/* #GP without an error code: the address is not canonical. */
SYM_FUNC_START(cst_exc_gp_address)
	DOWN
.Lgp:
	movq	(%rsi), %rax
.Lgp_out:
	UP
.Lgp_fixed:
	movq	$-EFAULT, %rax
	jmp	.Lgp_out
	_ASM_EXTABLE(.Lgp, .Lgp_fixed)
SYM_FUNC_END(cst_exc_gp_address)
COSTACK_TRUSTED cst_exc_gp_address

/* #GP with an error code: the selector names no segment. */
SYM_FUNC_START(cst_exc_gp_selector)
	DOWN
.Lselector:
	movl	%esi, %es
.Lselector_out:
	UP
.Lselector_fixed:
	movq	$-EFAULT, %rax
	jmp	.Lselector_out
	_ASM_EXTABLE(.Lselector, .Lselector_fixed)
SYM_FUNC_END(cst_exc_gp_selector)
COSTACK_TRUSTED cst_exc_gp_selector

/* #DE: a division by @arg. */
SYM_FUNC_START(cst_exc_de)
	DOWN
	movl	$100, %eax
.Lde:
	divq	%rsi
.Lde_out:
	xorl	%edx, %edx
	UP
.Lde_fixed:
	movq	$-EFAULT, %rax
	jmp	.Lde_out
	_ASM_EXTABLE(.Lde, .Lde_fixed)
SYM_FUNC_END(cst_exc_de)
COSTACK_TRUSTED cst_exc_de

/* === #PF of a user access, with the flags as they were right after it === */

/* @after is executed once the flags have been read. */

.macro ANSWER after insn:vararg
.Linsn\@:
	\insn
.Lout\@:
	pushfq
	popq	%rdx
	\after
	ASM_CLAC
	UP
.Lfixed\@:
	movq	$-EFAULT, %rax
	jmp	.Lout\@
	_ASM_EXTABLE_UA(.Linsn\@, .Lfixed\@)
.endm

SYM_FUNC_START(cst_exc_user_load)
	DOWN
	ASM_STAC
	ANSWER nop, movq (%rsi), %rax
SYM_FUNC_END(cst_exc_user_load)
COSTACK_TRUSTED cst_exc_user_load

SYM_FUNC_START(cst_exc_user_store)
	DOWN
	ASM_STAC
	ANSWER nop, movq %rsi, (%rsi)
SYM_FUNC_END(cst_exc_user_store)
COSTACK_TRUSTED cst_exc_user_store

/* It counts down, so the direction flag is set as well. */
SYM_FUNC_START(cst_exc_user_string)
	DOWN
	ASM_STAC
	std
	ANSWER cld, lodsq
SYM_FUNC_END(cst_exc_user_string)
COSTACK_TRUSTED cst_exc_user_string

/* All other registers must be unchanged: then the flags of the outcome are 0. */
SYM_FUNC_START(cst_exc_user_regs)
	ENDBR
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rax
	subq	%rdi, %rax
	subq	%rax, %rsp
	.set	number, 0x5a00
	.irp	register, rdi, rdx, rcx, r8, r9, r10, r11, rbx, r12, r13, r14, r15
	.set	number, number + 1
	movq	$number, %\register
	.endr
	ASM_STAC
.Lregs:
	movq	(%rsi), %rax
.Lregs_out:
	ASM_CLAC
	.set	number, 0x5a00
	.irp	register, rdi, rdx, rcx, r8, r9, r10, r11, rbx, r12, r13, r14, r15
	.set	number, number + 1
	cmpq	$number, %\register
	jne	.Lregs_bad
	.endr
	xorl	%edx, %edx
.Lregs_return:
	movq	-8(%rbp), %rbx
	movq	-16(%rbp), %r12
	movq	-24(%rbp), %r13
	movq	-32(%rbp), %r14
	movq	-40(%rbp), %r15
	leave
	RET
.Lregs_bad:
	movl	$1, %edx
	jmp	.Lregs_return
.Lregs_fixed:
	movq	$-EFAULT, %rax
	jmp	.Lregs_out
	_ASM_EXTABLE_UA(.Lregs, .Lregs_fixed)
SYM_FUNC_END(cst_exc_user_regs)
COSTACK_TRUSTED cst_exc_user_regs
