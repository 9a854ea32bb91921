// SPDX-License-Identifier: GPL-2.0
/*
 * Walking a coroutine stack with the kernel's ORC unwinder.
 *
 * __unwind_start() refuses a stack that it does not know, so the state is filled
 * in here; unwind_next_frame() then applies all its own checks.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/string.h>
#include <asm/unwind.h>

#include <asm/costack.h>

#include "../../costack.h"
#include "../../frames.h"
#include "../../grow.h"

extern const char costack_base[], costack_base_end[];

/*
 * What costack_arch_switch() leaves on the stack, from the stack pointer up; the
 * order of its pushes in switch.S.
 */
struct switch_frame {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bx;
	unsigned long bp;
	unsigned long ret;
};

/**
 * costack_arch_prepare() - make a context that begins with a call
 * @ctx: the context; is filled in
 * @top: where its outermost frame begins; aligned to 16 bytes
 * @entry: function to call there; must not return
 * @arg: its argument
 *
 * Context: Process context; nothing runs on that stack.
 */
void costack_arch_prepare(struct costack_ctx *ctx, unsigned long top,
			  void (*entry)(void *), void *arg)
{
	struct switch_frame *frame = (struct switch_frame *)top - 1;

	BUILD_BUG_ON(sizeof(*frame) > COSTACK_ARCH_START_BYTES);
	*frame = (struct switch_frame) {
		.ret	= (unsigned long)costack_base,
		.bx	= (unsigned long)entry,
		.r12	= (unsigned long)arg,
	};
	ctx->sp = (unsigned long)frame;
}

static bool is_base(unsigned long ip)
{
	return ip >= (unsigned long)costack_base && ip < (unsigned long)costack_base_end;
}
NOKPROBE_SYMBOL(is_base);

/* Where the walk begins: at the interrupted instruction, at the switch, or here. */
static __always_inline void start(struct unwind_state *state, const struct costack_walk *walk,
				  const struct costack_ctx *ctx, const struct costack_fault *fault)
{
	*state = (struct unwind_state) {
		.task		= walk->task,
		.stack_info	= {
			.type	= STACK_TYPE_TASK,
			.begin	= (void *)walk->lo,
			.end	= (void *)walk->hi,
		},
	};
	if (fault) {
		struct pt_regs *regs = (struct pt_regs *)fault->words;

		state->ip = regs->ip;
		state->sp = regs->sp;
		state->bp = regs->bp;
		state->regs = regs;
		state->signal = true;
		state->full_regs = true;
	} else if (!ctx) {
		asm volatile("lea (%%rip), %0\n\t"
			     "mov %%rsp, %1\n\t"
			     "mov %%rbp, %2"
			     : "=r" (state->ip), "=r" (state->sp), "=r" (state->bp));
	} else {
		const struct switch_frame *frame = (const struct switch_frame *)ctx->sp;

		state->ip = frame->ret;
		state->sp = (unsigned long)(frame + 1);
		state->bp = frame->bp;
	}
}

/**
 * costack_arch_walk() - walk a whole stack, read-only
 * @walk: what to walk, and what it found
 * @ctx: where the coroutine was switched out; %NULL: the caller stands on it
 * @fault: where it was interrupted, or %NULL
 *
 * The walk must end at the outermost frame with nothing in doubt. Refused are
 * frames that @walk->frame refuses, an interrupt or exception frame in between
 * (the unwinder then reports registers), and a return address in memory that is
 * not the one that the unwinder reports, which is hooked.
 *
 * With @walk->any nothing but the first is refused, and the walk goes as far as it can.
 *
 * Context: host stack. Interrupts are off for a fault.
 * Return: %COSTACK_MOVABLE, or why not.
 */
int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault)
{
	enum costack_refusal refusal;
	struct unwind_state state;

	start(&state, walk, ctx, fault);
	for (;;) {
		if (is_base(state.ip))
			return state.sp == walk->base ? COSTACK_MOVABLE : COSTACK_REFUSED_UNWIND;
		walk->ip = state.ip;
		refusal = walk->frame(walk, state.ip, state.sp);
		if (refusal != COSTACK_MOVABLE)
			return refusal;
		walk->frames++;
		if (!unwind_next_frame(&state) || state.error)
			return COSTACK_REFUSED_UNWIND;
		if (walk->any)
			continue;
		if (state.signal)
			return COSTACK_REFUSED_UNWIND;
		if ((unsigned long)state.stack_info.begin != walk->lo ||
		    state.sp - sizeof(long) < walk->lo || state.sp > walk->hi)
			return COSTACK_REFUSED_UNWIND;
		if (READ_ONCE_NOCHECK(*(unsigned long *)(state.sp - sizeof(long))) != state.ip)
			return COSTACK_REFUSED_HOOK;
	}
}
NOKPROBE_SYMBOL(costack_arch_walk);
