// SPDX-License-Identifier: GPL-2.0
/*
 * Walk a coroutine stack, with the kernel's ORC unwinder or by the rules of its points.
 *
 * __unwind_start() refuses a stack that it does not know, so this code fills in the state
 * itself. unwind_next_frame() then makes all its usual checks.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/irq_regs.h>
#include <asm/ptrace.h>
#include <asm/switch_to.h>
#include <asm/unwind.h>

#include <asm/costack.h>

#include "../../coroutine.h"
#include "../../fault.h"
#include "../../walk.h"
#include "orc.h"

/* So a walk can also begin where the kernel has switched a thread out. */
static_assert(sizeof(struct costack_switch_frame) == sizeof(struct inactive_task_frame));
static_assert(offsetof(struct costack_switch_frame, bp) ==
	      offsetof(struct inactive_task_frame, bp));
static_assert(offsetof(struct costack_switch_frame, ret) ==
	      offsetof(struct inactive_task_frame, ret_addr));

/*
 * Return the frame that a walk begins at: that of the interrupted instruction, or else that of
 * the switch. Without both, it is the frame of the caller, for which this function is inlined.
 */
static __always_inline struct costack_frame newest(const struct costack_ctx *ctx,
						   const struct costack_fault *fault)
{
	struct costack_frame f;

	if (fault) {
		const struct pt_regs *regs = (const struct pt_regs *)fault->words;

		f = (struct costack_frame) { regs->ip, regs->sp, regs->bp };
	} else if (ctx) {
		const struct costack_switch_frame *frame = (const void *)ctx->sp;

		f = (struct costack_frame) { frame->ret, (unsigned long)(frame + 1), frame->bp };
	} else {
		asm volatile("lea (%%rip), %0\n\t"
			     "mov %%rsp, %1\n\t"
			     "mov %%rbp, %2"
			     : "=r" (f.ip), "=r" (f.sp), "=r" (f.bp));
	}
	return f;
}

/**
 * costack_arch_newest() - the frame that a walk begins at
 * @ctx: where the coroutine was switched out
 * @fault: where it was interrupted; %NULL: it is switched out
 *
 * Context: Any context.
 * Return: the frame.
 */
struct costack_frame costack_arch_newest(const struct costack_ctx *ctx,
					 const struct costack_fault *fault)
{
	return newest(ctx, fault);
}
NOKPROBE_SYMBOL(costack_arch_newest);

/* If @regs is not NULL, @f is a frame of interrupted code, and @regs has all its registers. */
static __always_inline void start(struct unwind_state *state, const struct costack_walk *walk,
				  const struct costack_frame *f, struct pt_regs *regs)
{
	*state = (struct unwind_state) {
		.task		= walk->task,
		.stack_info	= {
			.type	= STACK_TYPE_TASK,
			.begin	= (void *)walk->lo,
			.end	= (void *)walk->hi,
		},
		.ip		= f->ip,
		.sp		= f->sp,
		.bp		= f->bp,
		.regs		= regs,
		.signal		= regs,
		.full_regs	= regs,
	};
}

static __always_inline unsigned long stack_word(unsigned long addr)
{
	return READ_ONCE_NOCHECK(*(unsigned long *)addr);
}

/* Step to the caller of @f with the kernel's unwinder. */
static noinline enum costack_refusal unwind(const struct costack_walk *walk,
					    struct costack_frame *f, struct pt_regs *regs)
{
	struct unwind_state state;

	start(&state, walk, f, regs);
	if (!unwind_next_frame(&state) || state.error || state.signal)
		return COSTACK_REFUSED_UNWIND;
	if ((unsigned long)state.stack_info.begin != walk->lo ||
	    state.sp - sizeof(long) < walk->lo || state.sp > walk->hi)
		return COSTACK_REFUSED_UNWIND;
	if (stack_word(state.sp - sizeof(long)) != state.ip)
		return COSTACK_REFUSED_HOOK;
	*f = (struct costack_frame) { state.ip, state.sp, state.bp };
	return COSTACK_MOVABLE;
}
NOKPROBE_SYMBOL(unwind);

/* Check that the kernel's unwinder also steps from @from to @f. */
static noinline enum costack_refusal compare(const struct costack_walk *walk,
					     const struct costack_frame *from,
					     const struct costack_frame *f, struct pt_regs *regs)
{
	struct costack_frame other = *from;
	enum costack_refusal refusal = unwind(walk, &other, regs);

	if (refusal == COSTACK_MOVABLE &&
	    WARN_ONCE(other.ip != f->ip || other.sp != f->sp || other.bp != f->bp,
		      "costack: a rule leads to %pS, %lx, and the unwinder to %pS, %lx\n",
		      (void *)f->ip, f->sp, (void *)other.ip, other.sp))
		refusal = COSTACK_REFUSED_UNWIND;
	return refusal;
}
NOKPROBE_SYMBOL(compare);

/* Step to the caller of @f. */
static __always_inline enum costack_refusal next(const struct costack_walk *walk,
						 struct costack_frame *f, struct pt_regs *regs)
{
	struct costack_frame from = *f;

	if (!walk->rule)
		return unwind(walk, f, regs);
	if (f->sp % sizeof(long) || !costack_arch_step(f, walk->rule, walk->lo, walk->hi))
		return COSTACK_REFUSED_UNWIND;
	return walk->compare ? compare(walk, &from, f, regs) : COSTACK_MOVABLE;
}

/* Distance of RBP from the stack pointer, where a rule is checked. */
#define MODEL_BP	64

/**
 * costack_orc_compare() - check that a rule leaves a frame as the unwinder does
 * @rule: the rule
 * @ip: the point
 * @interrupted: a fault may occur at @ip; otherwise a call returns there
 *
 * Both step from the same registers, on a model of a stack whose words are all different.
 *
 * Context: Process context; may sleep.
 * Return: 0 if both arrive at the same registers; -EINVAL if not; -ENOMEM if there is no
 * memory for the model: then nothing is known.
 */
int costack_orc_compare(u32 rule, unsigned long ip, bool interrupted)
{
	unsigned long below = -((s32)rule >> COSTACK_RULE_BP_SHIFT);
	unsigned long bytes = below + (rule & COSTACK_RULE_OFFSET) + 2 * MODEL_BP;
	unsigned long *model = kvmalloc(bytes, GFP_KERNEL), lo = (unsigned long)model, i;
	struct costack_walk walk = { .lo = lo, .hi = lo + bytes, .task = current };
	struct costack_frame from = { .ip = ip, .sp = lo + below, .bp = lo + below + MODEL_BP };
	struct costack_frame one = from, other = from;
	struct pt_regs regs = { .ip = ip, .sp = from.sp, .bp = from.bp };
	bool same;

	if (!model)
		return -ENOMEM;
	for (i = 0; i < bytes / sizeof(*model); i++)
		model[i] = ~i;
	same = costack_arch_step(&one, rule, walk.lo, walk.hi) &&
	       unwind(&walk, &other, interrupted ? &regs : NULL) == COSTACK_MOVABLE &&
	       one.ip == other.ip && one.sp == other.sp && one.bp == other.bp;
	kvfree(model);
	return same ? 0 : -EINVAL;
}

/* Walk over all frames, movable or not. Only the unwinder can step over those that are not. */
static noinline enum costack_refusal walk_any(struct costack_walk *walk,
					      const struct costack_frame *f, struct pt_regs *regs)
{
	enum costack_refusal refusal;
	struct unwind_state state;

	start(&state, walk, f, regs);
	while (!costack_arch_is_base(state.ip)) {
		walk->ip = state.ip;
		refusal = walk->frame(walk, state.ip, state.sp);
		if (refusal != COSTACK_MOVABLE)
			return refusal;
		walk->frames++;
		if (!unwind_next_frame(&state) || state.error)
			return COSTACK_REFUSED_UNWIND;
	}
	return state.sp == walk->base ? COSTACK_MOVABLE : COSTACK_REFUSED_UNWIND;
}
NOKPROBE_SYMBOL(walk_any);

/**
 * costack_arch_walk() - walk a whole stack, read-only
 * @walk: in: what to walk; out: what the walk found
 * @ctx: where the coroutine was switched out; %NULL: the caller runs on its stack
 * @fault: where it was interrupted, or %NULL
 *
 * The walk must end at the outermost frame with nothing in doubt. It refuses a frame
 * that @walk->frame refuses, an interrupt or exception frame in between (the unwinder
 * then reports registers), and a hooked return address: one that differs in memory from
 * the one that the unwinder reports.
 *
 * The walk leaves a frame by its rule if it has one. The rule reads the return address from
 * memory. If that is hooked, it is the address of the hook's code, where there is no point, and
 * @walk->frame refuses it. So after a refusal the walk asks the unwinder whether a hook is the
 * reason.
 *
 * With @walk->any the walk goes as far as the unwinder can, and refuses only frames that
 * @walk->frame refuses.
 *
 * Context: Host stack. Interrupts are off for a fault.
 * Return: %COSTACK_MOVABLE, or why not.
 */
int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault)
{
	struct pt_regs *regs = fault ? (struct pt_regs *)fault->words : NULL, *from_regs = NULL;
	struct costack_frame f = newest(ctx, fault), from = f;
	enum costack_refusal refusal, why;

	if (unlikely(walk->any))
		return walk_any(walk, &f, regs);
	for (;;) {
		if (costack_arch_is_base(f.ip))
			return f.sp == walk->base ? COSTACK_MOVABLE : COSTACK_REFUSED_UNWIND;
		walk->ip = f.ip;
		walk->rule = 0;
		refusal = walk->frame(walk, f.ip, f.sp);
		if (unlikely(refusal != COSTACK_MOVABLE))
			break;
		walk->frames++;
		from = f;
		from_regs = regs;
		refusal = next(walk, &f, regs);
		if (unlikely(refusal != COSTACK_MOVABLE))
			return refusal;
		regs = NULL;
	}
	if (walk->frames) {
		unsigned long ip = from.ip;

		why = unwind(walk, &from, from_regs);
		if (why != COSTACK_MOVABLE) {
			walk->ip = ip;
			refusal = why;
		}
	}
	return refusal;
}
NOKPROBE_SYMBOL(costack_arch_walk);

/* Return where @regs has the stack pointer if that is on a coroutine stack, else NULL. */
static unsigned long *coroutine_sp(struct pt_regs *regs, bool (*is_coroutine)(unsigned long sp))
{
	return regs && !user_mode(regs) && is_coroutine(regs->sp) ? &regs->sp : NULL;
}

/**
 * costack_arch_interrupted() - find the coroutine stack that an interrupt came on
 * @regs: look here first; may be %NULL
 * @is_coroutine: tells whether a stack pointer is on a coroutine stack
 * @sp: out: where the interrupted stack pointer is saved
 *
 * The kernel's unwinder walks the stack of an NMI or of an exception back to the registers of
 * the interrupted code. On the stack of interrupts it fails at the last frame, because the next
 * one is on a stack that it does not know. Then this asks get_irq_regs(), for which the handlers
 * of most interrupts save the registers.
 *
 * Context: Any, any stack.
 * Return: the interrupted registers, as for costack_arch_walk(); %NULL if no interrupt or
 * exception that the caller runs in has come on a coroutine stack, or it cannot be found.
 */
unsigned long *costack_arch_interrupted(struct pt_regs *regs,
					bool (*is_coroutine)(unsigned long sp), unsigned long **sp)
{
	struct unwind_state state;

	*sp = coroutine_sp(regs, is_coroutine);
	if (*sp)
		return (unsigned long *)regs;
	for (unwind_start(&state, current, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		regs = unwind_get_entry_regs(&state, NULL);
		*sp = coroutine_sp(regs, is_coroutine);
		if (*sp)
			return (unsigned long *)regs;
	}
	regs = get_irq_regs();
	*sp = coroutine_sp(regs, is_coroutine);
	return *sp ? (unsigned long *)regs : NULL;
}
