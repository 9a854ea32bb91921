/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switch between the coroutine stack, on which the programs run, and the host stack, on which
 * the harness runs. The unwind tables lead from the host stack to the coroutine stack, so that
 * an unwinder that begins in the harness finds the frames of the program.
 */

	.text

/* void fuzz_enter(void (*fn)(void), unsigned long sp): run fn with the stack pointer sp. */
	.globl	fuzz_enter
	.type	fuzz_enter, @function
fuzz_enter:
	.cfi_startproc
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	$0
	movq	%rsp, fuzz_host_sp(%rip)
	movq	%rsi, %rsp
	/* The oldest frame: the unwind tables have no caller for it. */
	.cfi_undefined rip
	pushq	$0
	pushq	$0
	movl	$0, %ebp
	call	*%rdi
	.globl	fuzz_base
fuzz_base:
	movq	fuzz_host_sp(%rip), %rsp
	popq	%rcx
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.cfi_endproc
	.size	fuzz_enter, . - fuzz_enter

/*
 * The hooks. Each passes its first two arguments, its number and its stack pointer to
 * fuzz_hook(), which may move this frame. Then it loads fuzz_junk into the registers that a
 * callee need not preserve, and returns the result of fuzz_hook().
 */
	.type	hook, @function
hook:
	.cfi_startproc
	.globl	fuzz_hooks
fuzz_hooks:
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	movq	%rsp, %rbx
	.cfi_def_cfa rbx, 56
	movl	%eax, %edx
	movq	%rsp, %rcx
	movq	fuzz_host_sp(%rip), %rsp
	call	fuzz_hook
	movq	fuzz_sp(%rip), %rsp
	.cfi_def_cfa rsp, 56
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	movq	fuzz_junk(%rip), %rcx
	movq	%rcx, %rdx
	movq	%rcx, %rsi
	leaq	16(%rcx), %rdi
	movq	%rdi, %r8
	movq	%rcx, %r9
	movq	%rdi, %r10
	movq	%rcx, %r11
	ret

	/* In the same order as enum fuzz_hook. */
	.macro	HOOK name number
	.globl	\name
	.type	\name, @function
\name:
	movl	$\number, %eax
	jmp	hook
	.size	\name, . - \name
	.endm

	HOOK	hop	0
	HOOK	num	1
	HOOK	num32	2
	HOOK	num16	3
	HOOK	num64	4
	HOOK	eat	5
	HOOK	peek	6
	HOOK	poke	7
	HOOK	same	8
	HOOK	heap	9
	HOOK	look	10
	.globl	fuzz_hooks_end
fuzz_hooks_end:
	.cfi_endproc
	.size	hook, . - hook

/* Symbols of the kernel that code refers to if it is compiled like a module. */
	.globl	__fentry__
	.type	__fentry__, @function
__fentry__:
	ret
	.size	__fentry__, . - __fentry__

	.globl	__x86_return_thunk
	.type	__x86_return_thunk, @function
__x86_return_thunk:
	ret
	int3
	.size	__x86_return_thunk, . - __x86_return_thunk

	.macro	THUNK reg
	.globl	__x86_indirect_thunk_\reg
	.type	__x86_indirect_thunk_\reg, @function
__x86_indirect_thunk_\reg:
	call	2f
1:	pause
	lfence
	jmp	1b
2:	movq	%\reg, (%rsp)
	ret
	int3
	.size	__x86_indirect_thunk_\reg, . - __x86_indirect_thunk_\reg
	.endm

	.irp	reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	THUNK	\reg
	.endr

	.section .note.GNU-stack, "", @progbits
