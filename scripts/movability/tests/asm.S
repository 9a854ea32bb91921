/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that the checker must approve (good_*) or refuse for the reason in their
 * name (bad_REASON_*), written as a compiler might generate them.
 * hop() stands for any call in which the stack may move. run.py assembles this file.
 */

.macro FUNC name
	.globl	\name
	.type	\name, @function
\name:
	.set	.Lcurrent, .
.endm

.macro END name
	.size	\name, . - \name
	.p2align 4, 0xcc
.endm

	.text

/* === No address of the stack is kept, or only plain ones === */

FUNC good_leaf
	lea	(%rdi,%rdi,2), %eax
	ret
END good_leaf

FUNC good_call
	sub	$8, %rsp
	call	hop
	add	$8, %rsp
	ret
END good_call

/* From Linux 6.2 on objtool names the padding before each function of a module. */
FUNC __pfx_good_padded
	.fill	16, 1, 0x90
	.size	__pfx_good_padded, . - __pfx_good_padded

FUNC good_padded
	sub	$8, %rsp
	call	hop
	add	$8, %rsp
	ret
END good_padded

FUNC good_saved_number
	push	%rbx
	mov	%edi, %ebx
	call	hop
	add	%ebx, %eax
	pop	%rbx
	ret
END good_saved_number

FUNC good_saved_argument
	push	%rbx
	mov	%rdi, %rbx
	call	hop
	mov	(%rbx), %eax
	pop	%rbx
	ret
END good_saved_argument

FUNC good_address_in_register
	push	%rbx
	sub	$32, %rsp
	lea	8(%rsp), %rbx
	mov	%edi, (%rbx)
	call	hop
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END good_address_in_register

FUNC good_address_spilled
	sub	$40, %rsp
	lea	16(%rsp), %rax
	mov	%rax, 8(%rsp)
	call	hop
	mov	8(%rsp), %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END good_address_spilled

FUNC good_address_passed
	sub	$24, %rsp
	lea	8(%rsp), %rdi
	mov	$16, %esi
	call	hop
	movzbl	8(%rsp), %eax
	add	$24, %rsp
	ret
END good_address_passed

FUNC good_address_pushed
	sub	$24, %rsp
	lea	8(%rsp), %rax
	push	%rax
	push	%rax
	call	hop
	add	$40, %rsp
	ret
END good_address_pushed

FUNC good_frame_pointer
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	sub	$24, %rsp
	lea	-32(%rbp), %rbx
	call	hop
	mov	(%rbx), %eax
	mov	-8(%rbp), %rbx
	leave
	ret
END good_frame_pointer

FUNC good_realigned
	push	%rbp
	mov	%rsp, %rbp
	and	$-64, %rsp
	sub	$128, %rsp
	lea	64(%rsp), %rdi
	call	hop
	mov	64(%rsp), %eax
	leave
	ret
END good_realigned

FUNC good_realigned_with_arguments
	lea	8(%rsp), %r10
	and	$-32, %rsp
	push	-8(%r10)
	push	%rbp
	mov	%rsp, %rbp
	push	%r10
	sub	$56, %rsp
	lea	-48(%rbp), %rdi
	call	hop
	mov	-8(%rbp), %r10
	leave
	lea	-8(%r10), %rsp
	ret
END good_realigned_with_arguments

FUNC good_index_added
	push	%rbx
	sub	$64, %rsp
	movslq	%edi, %rdi
	lea	(%rsp,%rdi,4), %rbx
	call	hop
	mov	(%rbx), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END good_index_added

FUNC good_pointer_loop
	push	%rbp
	push	%rbx
	sub	$72, %rsp
	mov	%rsp, %rbx
	lea	64(%rsp), %rbp
1:	mov	(%rbx), %edi
	add	$4, %rbx
	call	hop
	cmp	%rbp, %rbx
	jne	1b
	add	$72, %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_pointer_loop

FUNC good_index_loop
	push	%rbx
	sub	$64, %rsp
	xor	%ebx, %ebx
1:	mov	%ebx, %edi
	call	hop
	mov	%eax, (%rsp,%rbx,4)
	add	$1, %rbx
	cmp	$16, %rbx
	jne	1b
	add	$64, %rsp
	pop	%rbx
	ret
END good_index_loop

FUNC good_backward_loop
	push	%rbp
	push	%rbx
	sub	$72, %rsp
	lea	60(%rsp), %rbx
	lea	4(%rsp), %rbp
1:	mov	(%rbx), %edi
	call	hop
	sub	$4, %rbx
	cmp	%rbp, %rbx
	jae	1b
	add	$72, %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_backward_loop

FUNC good_number_negated
	push	%rbx
	mov	%rdi, %rbx
	neg	%ebx
	call	hop
	sub	%ebx, %eax
	pop	%rbx
	ret
END good_number_negated

FUNC good_number_shifted
	push	%rbx
	mov	%edi, %ebx
	shl	$3, %rbx
	call	hop
	add	%rbx, %rax
	pop	%rbx
	ret
END good_number_shifted

FUNC good_distance
	push	%rbx
	sub	$64, %rsp
	movslq	%edi, %rdi
	lea	(%rsp,%rdi,4), %rbx
	mov	%rsp, %rax
	sub	%rax, %rbx
	call	hop
	mov	(%rsp,%rbx), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END good_distance

FUNC good_comparison
	push	%rbx
	sub	$16, %rsp
	lea	8(%rsp), %rax
	xor	%ebx, %ebx
	cmp	%rax, %rdi
	setb	%bl
	call	hop
	add	%ebx, %eax
	add	$16, %rsp
	pop	%rbx
	ret
END good_comparison

FUNC good_alignment_tested
	sub	$24, %rsp
	lea	3(%rsp), %rax
	test	$7, %al
	je	1f
	call	hop
1:	add	$24, %rsp
	ret
END good_alignment_tested

FUNC good_bias_before_the_call
	sub	$72, %rsp
	movslq	%edi, %rdi
	shl	$2, %rdi
	mov	%rsp, %rax
	sub	%rdi, %rax
	mov	(%rax,%rsi,4), %edi
	xor	%eax, %eax
	call	hop
	add	$72, %rsp
	ret
END good_bias_before_the_call

FUNC good_bias_overwritten
	push	%rbx
	sub	$64, %rsp
	mov	%rsp, %rbx
	sub	%rdi, %rbx
	mov	(%rbx,%rsi), %edi
	mov	%edi, %ebx
	call	hop
	add	%ebx, %eax
	add	$64, %rsp
	pop	%rbx
	ret
END good_bias_overwritten

FUNC bad_half_that_others_may_see
	sub	$24, %rsp
	lea	(%rsp), %rax
	mov	%rax, 8(%rsp)
	mov	8(%rsp), %rdi
	mov	%esi, 8(%rsp)
	call	hop
	mov	8(%rsp), %eax
	add	$24, %rsp
	ret
END bad_half_that_others_may_see

FUNC good_two_halves
	sub	$24, %rsp
	mov	%edi, 8(%rsp)
	mov	%esi, 12(%rsp)
	call	hop
	mov	8(%rsp), %eax
	add	12(%rsp), %eax
	add	$24, %rsp
	ret
END good_two_halves

FUNC good_tail_jump
	sub	$8, %rsp
	call	hop
	add	$8, %rsp
	jmp	hop
END good_tail_jump

FUNC good_stack_argument
	mov	8(%rsp), %eax
	lea	8(%rsp), %rdi
	sub	$8, %rsp
	call	hop
	add	$8, %rsp
	ret
END good_stack_argument

FUNC good_two_returns
	test	%edi, %edi
	je	1f
	sub	$8, %rsp
	call	hop
	add	$8, %rsp
	ret
1:	xor	%eax, %eax
	ret
END good_two_returns

FUNC good_cleared
	sub	$72, %rsp
	mov	%rsp, %rdi
	mov	$8, %ecx
	xor	%eax, %eax
	rep stosq
	mov	%rsp, %rdi
	call	hop
	add	$72, %rsp
	ret
END good_cleared

FUNC good_exchanged
	push	%rbp
	push	%rbx
	sub	$40, %rsp
	lea	8(%rsp), %rbx
	lea	24(%rsp), %rbp
	xchg	%rbx, %rbp
	call	hop
	mov	(%rbx), %eax
	add	(%rbp), %eax
	add	$40, %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_exchanged

FUNC good_chosen
	push	%rbx
	sub	$48, %rsp
	lea	8(%rsp), %rbx
	lea	24(%rsp), %rax
	test	%edi, %edi
	cmove	%rax, %rbx
	call	hop
	mov	(%rbx), %eax
	add	$48, %rsp
	pop	%rbx
	ret
END good_chosen

FUNC good_joined
	push	%rbx
	sub	$48, %rsp
	test	%edi, %edi
	je	1f
	lea	8(%rsp), %rbx
	jmp	2f
1:	mov	%rsi, %rbx
2:	call	hop
	mov	(%rbx), %eax
	add	$48, %rsp
	pop	%rbx
	ret
END good_joined

FUNC good_does_not_return
	sub	$24, %rsp
	mov	%rsp, %rdi
	call	hop
	ud2
END good_does_not_return

FUNC good_parameter_indexed
	push	%rbp
	push	%rbx
	sub	$8, %rsp
	mov	%rdi, %rbx
	xor	%ebp, %ebp
1:	mov	(%rbx,%rbp,4), %edi
	call	hop
	add	$1, %rbp
	cmp	$8, %rbp
	jne	1b
	add	$8, %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_parameter_indexed

FUNC good_length_left
	push	%rbp
	push	%rbx
	sub	$8, %rsp
	mov	%rdi, %rbx
	mov	%rsi, %rbp
	call	hop
	sub	%rax, %rbp
	add	%rax, %rbx
	mov	%rbx, %rdi
	mov	%rbp, %rsi
	call	hop
	add	$8, %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_length_left

FUNC good_one_past_the_end
	push	%rbx
	sub	$32, %rsp
	lea	32(%rsp), %rbx
	call	hop
	mov	-4(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END good_one_past_the_end

FUNC good_indirect_call
	sub	$24, %rsp
	mov	%rdi, %rax
	lea	8(%rsp), %rdi
	call	*%rax
	mov	8(%rsp), %eax
	add	$24, %rsp
	ret
END good_indirect_call

FUNC good_list_through_frames
	sub	$24, %rsp
	mov	%rdi, 8(%rsp)
	lea	8(%rsp), %rdi
	call	good_list_through_frames
	mov	8(%rsp), %rax
	mov	(%rax), %rax
	add	$24, %rsp
	ret
END good_list_through_frames

/* === Values that a move would miss === */

FUNC bad_biased_by_a_variable
	push	%rbx
	sub	$64, %rsp
	movslq	%edi, %rdi
	shl	$2, %rdi
	mov	%rsp, %rbx
	sub	%rdi, %rbx
	call	hop
	mov	(%rbx,%rax,4), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_by_a_variable

FUNC bad_biased_spilled
	sub	$72, %rsp
	mov	%rsp, %rax
	sub	%rdi, %rax
	mov	%rax, 64(%rsp)
	call	hop
	add	64(%rsp), %rax
	mov	(%rax), %eax
	add	$72, %rsp
	ret
END bad_biased_spilled

FUNC bad_biased_on_one_path
	push	%rbx
	sub	$64, %rsp
	mov	%rsp, %rbx
	test	%esi, %esi
	je	1f
	sub	%rdi, %rbx
1:	call	hop
	mov	(%rbx,%rax), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_on_one_path

FUNC bad_biased_in_a_loop
	push	%rbp
	push	%rbx
	sub	$72, %rsp
	mov	%rsp, %rbx
	mov	%rdi, %rbp
1:	call	hop
	mov	(%rbx,%rax), %eax
	sub	%rbp, %rbx
	test	%eax, %eax
	jne	1b
	add	$72, %rsp
	pop	%rbx
	pop	%rbp
	ret
END bad_biased_in_a_loop

FUNC bad_biased_chosen
	push	%rbx
	sub	$64, %rsp
	mov	%rsp, %rbx
	mov	%rsp, %rax
	sub	%rdi, %rax
	test	%esi, %esi
	cmove	%rax, %rbx
	call	hop
	mov	(%rbx,%rax), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_chosen

FUNC bad_biased_by_a_negated_index
	push	%rbx
	sub	$64, %rsp
	neg	%rdi
	lea	(%rsp,%rdi,4), %rbx
	call	hop
	mov	(%rbx,%rax,4), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_by_a_negated_index

FUNC bad_biased_by_an_inverted_index
	push	%rbx
	sub	$64, %rsp
	not	%rdi
	lea	(%rsp,%rdi,8), %rbx
	call	hop
	mov	(%rbx,%rax,8), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_by_an_inverted_index

FUNC bad_biased_by_a_large_constant
	push	%rbx
	sub	$64, %rsp
	lea	-0x10000(%rsp), %rbx
	call	hop
	mov	(%rbx,%rax), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_by_a_large_constant

FUNC bad_biased_above_the_frame
	push	%rbx
	sub	$64, %rsp
	lea	0x4000(%rsp), %rbx
	call	hop
	mov	(%rbx,%rax), %eax
	add	$64, %rsp
	pop	%rbx
	ret
END bad_biased_above_the_frame

FUNC bad_biased_parameter
	push	%rbp
	push	%rbx
	sub	$8, %rsp
	mov	(%rdi), %ebp
	mov	%rdi, %rbx
	shl	$2, %rsi
	sub	%rsi, %rbx
	call	hop
	add	%ebp, (%rbx,%rax,4)
	add	$8, %rsp
	pop	%rbx
	pop	%rbp
	ret
END bad_biased_parameter

FUNC bad_negated_address
	push	%rbx
	sub	$32, %rsp
	lea	8(%rsp), %rbx
	neg	%rbx
	call	hop
	neg	%rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_negated_address

FUNC bad_negated_bits
	push	%rbx
	sub	$32, %rsp
	lea	8(%rsp), %rbx
	not	%rbx
	call	hop
	not	%rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_negated_bits

FUNC bad_negated_difference
	push	%rbx
	sub	$32, %rsp
	mov	%rdi, %rbx
	lea	8(%rsp), %rax
	sub	%rax, %rbx
	call	hop
	lea	8(%rsp), %rax
	mov	(%rax,%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_negated_difference

FUNC bad_scaled_down
	push	%rbx
	sub	$32, %rsp
	lea	8(%rsp), %rbx
	shr	$2, %rbx
	call	hop
	shl	$2, %rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_scaled_down

FUNC bad_scaled_up
	push	%rbx
	sub	$32, %rsp
	mov	%rsp, %rax
	lea	(%rdi,%rax,2), %rbx
	call	hop
	mov	%rbx, %rax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_scaled_up

FUNC bad_scaled_by_a_product
	push	%rbx
	sub	$32, %rsp
	imul	$3, %rsp, %rbx
	call	hop
	mov	%rbx, %rax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_scaled_by_a_product

FUNC bad_scaled_by_a_rotation
	push	%rbx
	sub	$32, %rsp
	mov	%rsp, %rbx
	rol	$16, %rbx
	call	hop
	ror	$16, %rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_scaled_by_a_rotation

FUNC bad_scaled_by_a_byte_swap
	push	%rbx
	sub	$32, %rsp
	mov	%rsp, %rbx
	bswap	%rbx
	call	hop
	bswap	%rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_scaled_by_a_byte_swap

FUNC bad_masked_xor
	push	%rbx
	sub	$32, %rsp
	mov	%rsp, %rbx
	xor	%rdi, %rbx
	mov	%rdi, 8(%rsp)
	call	hop
	xor	8(%rsp), %rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_masked_xor

FUNC bad_masked_xor_list
	push	%rbx
	sub	$32, %rsp
	lea	8(%rsp), %rax
	lea	24(%rsp), %rbx
	xor	%rax, %rbx
	call	hop
	lea	8(%rsp), %rax
	xor	%rax, %rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_masked_xor_list

FUNC bad_masked_high_tag
	push	%rbx
	sub	$32, %rsp
	mov	%rsp, %rbx
	btr	$63, %rbx
	call	hop
	bts	$63, %rbx
	mov	(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_masked_high_tag

FUNC bad_half_in_two_registers
	push	%rbp
	push	%rbx
	sub	$40, %rsp
	mov	%rsp, %rax
	mov	%eax, %ebx
	shr	$32, %rax
	mov	%rax, %rbp
	call	hop
	shl	$32, %rbp
	or	%rbp, %rbx
	mov	(%rbx), %eax
	add	$40, %rsp
	pop	%rbx
	pop	%rbp
	ret
END bad_half_in_two_registers

FUNC bad_half_in_two_slots
	sub	$40, %rsp
	mov	%rsp, %rax
	mov	%eax, 8(%rsp)
	shr	$32, %rax
	mov	%eax, 20(%rsp)
	call	hop
	mov	20(%rsp), %eax
	shl	$32, %rax
	mov	8(%rsp), %ecx
	or	%rcx, %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END bad_half_in_two_slots

FUNC bad_unaligned_slot
	sub	$40, %rsp
	lea	24(%rsp), %rax
	mov	%rax, 4(%rsp)
	call	hop
	mov	4(%rsp), %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END bad_unaligned_slot

FUNC bad_vector_register
	sub	$40, %rsp
	mov	%rsp, %rax
	movq	%rax, %xmm5
	call	hop
	movq	%xmm5, %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END bad_vector_register

FUNC bad_undefined_after_a_call
	sub	$40, %rsp
	lea	8(%rsp), %rcx
	call	hop
	mov	(%rcx), %eax
	add	$40, %rsp
	ret
END bad_undefined_after_a_call

FUNC bad_biased_below_the_stack
	push	%rbx
	sub	$32, %rsp
	lea	-8192(%rsp), %rbx
	call	hop
	mov	8208(%rbx), %eax
	add	$32, %rsp
	pop	%rbx
	ret
END bad_biased_below_the_stack

/* === Code that cannot be followed === */

FUNC bad_stack_alloca
	push	%rbp
	mov	%rsp, %rbp
	add	$15, %rdi
	and	$-16, %rdi
	sub	%rdi, %rsp
	mov	%rsp, %rdi
	call	hop
	leave
	ret
END bad_stack_alloca

FUNC bad_stack_from_a_register
	push	%rbp
	mov	%rsp, %rbp
	mov	%rdi, %rsp
	call	hop
	leave
	ret
END bad_stack_from_a_register

FUNC bad_stack_from_memory
	push	%rbp
	mov	%rsp, %rbp
	mov	(%rdi), %rsp
	call	hop
	leave
	ret
END bad_stack_from_memory

FUNC bad_stack_popped
	push	%rbp
	mov	%rsp, %rbp
	push	%rdi
	pop	%rsp
	call	hop
	leave
	ret
END bad_stack_popped

FUNC bad_stack_exchanged
	xchg	%rdi, %rsp
	call	hop
	xchg	%rdi, %rsp
	ret
END bad_stack_exchanged

FUNC bad_stack_unbalanced
	sub	$24, %rsp
	call	hop
	add	$16, %rsp
	ret
END bad_stack_unbalanced

FUNC bad_stack_differs_at_a_join
	sub	$24, %rsp
	test	%edi, %edi
	je	1f
	sub	$16, %rsp
1:	call	hop
	add	$24, %rsp
	ret
END bad_stack_differs_at_a_join

FUNC bad_flow_indirect_jump
	sub	$24, %rsp
	call	hop
	jmp	*%rax
END bad_flow_indirect_jump

FUNC bad_flow_falls_off
	sub	$24, %rsp
	call	hop
	add	$24, %rsp
END bad_flow_falls_off

FUNC bad_flow_into_another
	sub	$24, %rsp
	test	%edi, %edi
	je	good_call + 4
	call	hop
	add	$24, %rsp
	ret
END bad_flow_into_another

FUNC bad_flow_middle_of_an_instruction
	sub	$24, %rsp
	test	%edi, %edi
	je	1f + 1
1:	mov	$0xc3, %eax
	call	hop
	add	$24, %rsp
	ret
END bad_flow_middle_of_an_instruction

FUNC bad_unknown_instruction
	sub	$8, %rsp
	.byte	0x0f, 0x04
	call	hop
	add	$8, %rsp
	ret
END bad_unknown_instruction

/* A loop begins at a constant far outside of the frame. */
FUNC bad_biased_loop_from_a_constant
	push	%rbx
	push	%rbp
	sub	$64, %rsp
	mov	%rsp, %rdi
	call	hop
	lea	-40000(%rsp), %rbx
	lea	-39936(%rsp), %rbp
1:	call	hop
	add	%eax, 40000(%rbx)
	add	$4, %rbx
	cmp	%rbp, %rbx
	jne	1b
	add	$64, %rsp
	pop	%rbp
	pop	%rbx
	ret
END bad_biased_loop_from_a_constant

/* The same in a frame that is aligned by hand, far from the entry. */
FUNC bad_biased_constant_in_an_aligned_frame
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	and	$-32, %rsp
	sub	$64, %rsp
	lea	32(%rsp), %rbx
	add	$0x10000000, %rbx
	call	hop
	mov	%eax, -0x10000000(%rbx)
	lea	-8(%rbp), %rsp
	pop	%rbx
	pop	%rbp
	ret
END bad_biased_constant_in_an_aligned_frame

FUNC bad_biased_constant_of_more_than_32_bits
	push	%rbx
	push	%rbp
	sub	$64, %rsp
	movabs	$0x10000000000, %rbp
	lea	(%rsp,%rbp), %rbx
	call	hop
	sub	%rbp, %rbx
	mov	%eax, (%rbx)
	add	$64, %rsp
	pop	%rbp
	pop	%rbx
	ret
END bad_biased_constant_of_more_than_32_bits

FUNC good_end_of_an_aligned_frame
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	and	$-32, %rsp
	sub	$64, %rsp
	lea	64(%rsp), %rbx
	call	hop
	mov	%eax, -4(%rbx)
	lea	-8(%rbp), %rsp
	pop	%rbx
	pop	%rbp
	ret
END good_end_of_an_aligned_frame

/* Half of a word is a number; the other half may be a part of an old address. */
FUNC words_1_number_beside_what_was_there
	sub	$24, %rsp
	mov	%edi, 8(%rsp)
	mov	%rsp, %rdi
	call	hop
	mov	8(%rsp), %eax
	add	$24, %rsp
	ret
END words_1_number_beside_what_was_there

FUNC bad_half_of_a_word_that_is_read_whole
	sub	$24, %rsp
	mov	%edi, 8(%rsp)
	mov	%rsp, %rdi
	call	hop
	mov	8(%rsp), %rax
	mov	%eax, %eax
	add	$24, %rsp
	ret
END bad_half_of_a_word_that_is_read_whole

FUNC bad_half_of_a_word_that_may_be_an_address
	sub	$24, %rsp
	mov	%rsi, 8(%rsp)
	mov	%edi, 8(%rsp)
	mov	%rsp, %rdi
	call	hop
	mov	8(%rsp), %edi
	call	hop
	mov	8(%rsp), %eax
	add	$24, %rsp
	ret
END bad_half_of_a_word_that_may_be_an_address

/* An unaligned address in a packed structure, which a move does not adjust. */
FUNC bad_unaligned_argument
	sub	$24, %rsp
	mov	%rdi, 1(%rsp)
	call	hop
	mov	1(%rsp), %rax
	mov	(%rax), %eax
	add	$24, %rsp
	ret
END bad_unaligned_argument

FUNC good_unaligned_number
	sub	$24, %rsp
	mov	%rdi, 1(%rsp)
	call	hop
	add	1(%rsp), %rax
	add	$24, %rsp
	ret
END good_unaligned_number

/* A vector register whose lanes are no longer known. */
FUNC bad_vector_of_two_sizes
	sub	$40, %rsp
	movq	%rsp, %xmm2
	test	%esi, %esi
	je	1f
	vmovdqu	(%rdi), %ymm2
1:	movups	%xmm2, (%rdi)
	call	hop
	add	$40, %rsp
	ret
END bad_vector_of_two_sizes

/* x - (x - address), where x is any number. */
FUNC bad_negated_and_taken_from_the_same
	push	%rbx
	push	%r12
	sub	$40, %rsp
	call	hop
	mov	%rax, %rbx
	mov	%rsp, %rax
	mov	%rbx, %r12
	sub	%rax, %r12
	call	hop
	sub	%r12, %rbx
	mov	%eax, (%rbx)
	add	$40, %rsp
	pop	%r12
	pop	%rbx
	ret
END bad_negated_and_taken_from_the_same

/* -(x - address) + x */
FUNC bad_negated_twice
	push	%rbx
	push	%r12
	sub	$40, %rsp
	call	hop
	mov	%rax, %rbx
	mov	%rsp, %rax
	mov	%rbx, %r12
	sub	%rax, %r12
	call	hop
	neg	%r12
	add	%rbx, %r12
	mov	%eax, (%r12)
	add	$40, %rsp
	pop	%r12
	pop	%rbx
	ret
END bad_negated_twice

/* The distance to an end address is a number. */
FUNC good_rest_up_to_an_end
	push	%rbx
	push	%r12
	sub	$40, %rsp
	mov	(%rdi), %rbx
	mov	%rbx, %r12
	mov	%rsp, %rax
	sub	%rax, %r12
	call	hop
	mov	(%rbx), %ecx
	cmp	$8, %r12
	jle	1f
	mov	%r12d, %eax
1:	add	$40, %rsp
	pop	%r12
	pop	%rbx
	ret
END good_rest_up_to_an_end

/* A word is split, and put together later. */
FUNC bad_scaled_into_bytes
	sub	$40, %rsp
	lea	8(%rsp), %rax
	mov	%rax, %rdx
	mov	%eax, 16(%rsp)
	shr	$32, %rdx
	mov	%edx, 20(%rsp)
	call	hop
	mov	16(%rsp), %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END bad_scaled_into_bytes

FUNC bad_scaled_into_an_array_of_bytes
	sub	$40, %rsp
	xor	%ecx, %ecx
	lea	8(%rsp), %rdx
1:	mov	%rdx, %rax
	shr	%cl, %rax
	mov	%ecx, %esi
	shr	$3, %esi
	mov	%al, 16(%rsp,%rsi)
	add	$8, %ecx
	cmp	$64, %ecx
	jne	1b
	call	hop
	mov	16(%rsp), %rax
	mov	(%rax), %eax
	add	$40, %rsp
	ret
END bad_scaled_into_an_array_of_bytes

FUNC good_bytes_of_a_number
	sub	$40, %rsp
	mov	%edi, 16(%rsp)
	mov	%esi, 20(%rsp)
	call	hop
	mov	16(%rsp), %rax
	add	$40, %rsp
	ret
END good_bytes_of_a_number
