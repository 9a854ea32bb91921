/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The #DF gate: the entry for a write below a kernel stack.
 *
 * The write raises #PF. The CPU cannot push the frame of #PF on that same stack, so
 * it delivers #DF, on the IST stack of this CPU. The state at each step:
 *
 *	stack		flags		an NMI would see
 *  1	#DF		IF=0		#DF stack, gate entry: as in the kernel's own
 *  2	#DF		IF=0 AC=0 DF=0	#DF stack, pt_regs complete
 *  3	host		IF=0		host stack, below the switched-out context; pt_regs
 *					and struct costack_fault complete above it
 *  4	as in 2 or 3	IF=0		pt_regs being popped
 *  5	coroutine	as interrupted	the coroutine, on its grown stack
 *
 * Only a growth by copy or an overflow takes step 3. It is an ordinary switch to
 * another stack: #DF blocks nothing that an IRET would have to unblock, and once the
 * frame is copied the #DF stack may be used again.
 *
 * GS and CR3 are the kernel's wherever a coroutine can fault. At any other fault they may be
 * anything. Then this code only looks the address up, without a per-CPU access, and hands over
 * to the kernel with every register unchanged.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/ptrace-abi.h>
#include <asm/smap.h>
#include <asm/unwind_hints.h>

#include "guard.h"

/* Step 3: %rax is a struct guard_frame on the host stack. Sets %rsp to the pt_regs to restore. */
.macro NEWSTACK
	movq	%rax, %rdi
	movq	%rax, %rsp
	UNWIND_HINT_REGS offset=GUARD_FRAME_REGS
	call	costack_guard_newstack
	movq	%rax, %rsp
	UNWIND_HINT_REGS
.endm

SYM_CODE_START(costack_guard_entry)
	UNWIND_HINT_IRET_REGS offset=8
	ENDBR
	/* 1: error code (0), RIP, CS, ... A #DF from user mode is never a coroutine's. */
	testb	$3, 16(%rsp)
	jnz	.Lkernel

	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	UNWIND_HINT_REGS

	/* 2: the interrupted code may have had AC or DF set. */
	ASM_CLAC
	cld
	movq	%rsp, %rdi
	call	costack_guard_fault
	cmpl	$GUARD_HOST, %edx
	jne	costack_guard_leave

	/* 3 */
	NEWSTACK

SYM_INNER_LABEL(costack_guard_leave, SYM_L_LOCAL)
	/* 4: %rsp is the pt_regs to restore. The flags of testl must survive up to jz. */
	testl	%edx, %edx
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	UNWIND_HINT_IRET_REGS offset=8
	jz	.Lkernel
	leaq	8(%rsp), %rsp
	UNWIND_HINT_IRET_REGS
	/* 5 */
	iretq

.Lkernel:
	/*
	 * The frame is as the CPU pushed it. A retpoline would push, so this is a plain
	 * indirect jump. It runs for an IRET to a 16-bit stack, or once before the kernel
	 * reports a fault and the machine dies. Its target is fixed when the module is loaded.
	 */
	UNWIND_HINT_IRET_REGS offset=8
	ANNOTATE_RETPOLINE_SAFE
	jmp	*costack_guard_kernel(%rip)
SYM_CODE_END(costack_guard_entry)
_ASM_NOKPROBE(costack_guard_entry)
_ASM_NOKPROBE(costack_guard_leave)

/*
 * The entry with page-table isolation. The kernel's entry calls this instead of
 * exc_double_fault(), on the #DF stack: %rdi is the pt_regs above the return address,
 * %rsi the error code. The kernel's entry has done step 2 and has switched to the
 * kernel's page tables and GS. When this returns, the entry restores the ones it found and
 * leaves. After step 3 there is nothing to restore, because a coroutine uses the kernel's.
 */
SYM_CODE_START(costack_guard_called)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR	/* by a direct call only */
	testb	$3, CS(%rdi)
	jnz	costack_guard_hand_over
	pushq	%rdi
	call	costack_guard_fault
	popq	%rdi
	xorl	%esi, %esi	/* the error code of #DF is always 0 */
	cmpl	$GUARD_RESUME, %edx
	jb	costack_guard_hand_over
	ja	.Lto_host
	RET

.Lto_host:
	/* 3 */
	NEWSTACK
	testl	%edx, %edx
	jnz	costack_guard_leave
	/* An overflow: the kernel reports it and does not come back. */
	movq	%rsp, %rdi
	xorl	%esi, %esi
	call	costack_guard_hand_over
	int3
SYM_CODE_END(costack_guard_called)
_ASM_NOKPROBE(costack_guard_called)

/*
 * Tail-call exc_double_fault() with a return, because an indirect jump would need an ENDBR,
 * which the function may not have. It is a plain return, because return thunks expect a call for
 * each return.
 */
SYM_CODE_START_LOCAL(costack_guard_hand_over)
	UNWIND_HINT_FUNC
	pushq	costack_guard_kernel(%rip)
	ANNOTATE_UNRET_SAFE
	ret
	int3
SYM_CODE_END(costack_guard_hand_over)
_ASM_NOKPROBE(costack_guard_hand_over)
