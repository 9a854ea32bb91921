/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switching stacks on x86-64, for both architectures that run on this processor: arch/x86,
 * and arch/um on a host of this kind. What costack_arch_switch() leaves on a stack is a matter
 * of the processor's calling convention alone. frame.S has the half that is assembly.
 */
#ifndef _COSTACK_X86_64_SWITCH_H
#define _COSTACK_X86_64_SWITCH_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/linkage.h>
#include <linux/types.h>

/**
 * struct costack_ctx - a context that was switched away from (Go's gobuf)
 * @sp: stack pointer; the callee-saved registers and the return address lie
 *	there, as costack_arch_switch() pushed them
 */
struct costack_ctx {
	unsigned long sp;
};

/**
 * struct costack_switch_frame - what costack_arch_switch() leaves on the stack, from the
 *	stack pointer up
 * @r15: callee-saved registers, as COSTACK_PUSH_FRAME pushes them
 * @r14: likewise
 * @r13: likewise
 * @r12: likewise
 * @bx: likewise
 * @bp: likewise
 * @ret: where the context continues
 */
struct costack_switch_frame {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bx;
	unsigned long bp;
	unsigned long ret;
};

/* Bytes that costack_arch_prepare() needs below its argument @top. */
#define COSTACK_ARCH_START_BYTES	64

/*
 * Each architecture has its own switch.S: one of them needs hints for an unwinder, and a label
 * to abort to.
 */
asmlinkage struct costack_ctx *costack_arch_switch(struct costack_ctx *from,
						   struct costack_ctx *to);
/* Where a coroutine begins: no frame is further out. */
extern const char costack_base[];

/**
 * costack_arch_prepare() - make a context that begins with a call
 * @ctx: out: the context
 * @top: where its outermost frame begins; aligned to 16 bytes
 * @entry: function to call there. When it returns, @ctx is left for good, and the context
 *	that it returns continues, as if costack_arch_switch() had switched to it
 * @arg: its argument
 *
 * Fills in the words that costack_base needs, in a frame for costack_arch_switch() to pop. The
 * function's other registers begin with whatever the stack holds.
 *
 * Context: Process context; nothing runs on that stack.
 */
static __always_inline void
costack_arch_prepare(struct costack_ctx *ctx, unsigned long top,
		     struct costack_ctx *(*entry)(void *arg), void *arg)
{
	struct costack_switch_frame *frame = (struct costack_switch_frame *)top - 1;

	BUILD_BUG_ON(sizeof(*frame) > COSTACK_ARCH_START_BYTES);
	frame->ret = (unsigned long)costack_base;
	frame->bx = (unsigned long)entry;
	frame->r12 = (unsigned long)arg;
	frame->r13 = (unsigned long)ctx;
	ctx->sp = (unsigned long)frame;
}

/**
 * costack_arch_copy() - copy words
 * @dst: destination; does not overlap @src
 * @src: source
 * @nr: number of words
 *
 * Copystack uses this instead of memcpy(), where a probe or a sanitizer would run in the middle
 * of a fault.
 *
 * Context: Any.
 */
static __always_inline void costack_arch_copy(unsigned long *dst, const unsigned long *src,
					      size_t nr)
{
	asm volatile("rep movsq" : "+D" (dst), "+S" (src), "+c" (nr) : : "memory");
}

#endif /* _COSTACK_X86_64_SWITCH_H */
