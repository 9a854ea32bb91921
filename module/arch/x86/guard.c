// SPDX-License-Identifier: GPL-2.0
/*
 * The guard: find out what caused a #DF, and grow the stack if that was a write below a
 * coroutine stack.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include <asm/costack.h>

#include "../../coroutine.h"
#include "guard.h"

/*
 * Room between the switched-out host context and a struct guard_frame. If an interrupt was
 * lost when the coroutine overflowed, its frame is pushed there, while guard_entry.S still reads
 * the struct guard_frame. It takes 40 bytes, and padding for alignment.
 */
#define HOST_GAP	64

asmlinkage struct guard_verdict costack_guard_fault(struct pt_regs *regs);
asmlinkage struct guard_verdict costack_guard_newstack(struct guard_frame *frame);

/* Put a frame on the host stack, for a growth that continues there. */
static struct guard_frame *to_host(const struct costack_fault *fault, const struct pt_regs *regs)
{
	unsigned long sp = ALIGN_DOWN(fault->co->host->ctx.sp - HOST_GAP, 16);
	struct guard_frame *frame = (struct guard_frame *)sp - 1;

	BUILD_BUG_ON(offsetof(struct guard_frame, regs) != GUARD_FRAME_REGS);
	BUILD_BUG_ON(sizeof(struct guard_frame) % 8);
	frame->fault = *fault;
	frame->regs = *regs;
	frame->fault.sp = &frame->regs.sp;
	frame->fault.words = (unsigned long *)&frame->regs;
	return frame;
}
NOKPROBE_SYMBOL(to_host);

/*
 * Decide about the fault, and find the interrupt that was lost, if one was.
 *
 * The address that the CPU reports is not always the one that matters:
 *
 *  - For an interrupt's frame it is the first address that could not be written. The lowest address
 *    of the frame may be on the next page: this matters if the growth left no headroom. Then the
 *    growth begins again, and makes room for the whole frame.
 *  - A page fault, such as one on a user's address, may have found no room for its frame. KVM
 *    without nested paging then leaves the address of that page fault (kvm_multiple_exception()).
 *    So if the address is no stack's, make room for a frame. If there is room for one already,
 *    this was not the cause, and costack_fault() declines again.
 */
static enum costack_verdict decide(struct costack_fault *fault, const struct pt_regs *regs)
{
	enum costack_verdict verdict = costack_fault(fault);
	unsigned long frame = costack_replay_frame(regs->sp);

	if (unlikely(verdict == COSTACK_DECLINE && !fault->co)) {
		fault->addr = frame - sizeof(regs->orig_ax);	/* the error code */
		verdict = costack_fault(fault);
	}
	if (verdict != COSTACK_RESUME && verdict != COSTACK_TO_HOST)
		return verdict;
	fault->vector = costack_replay_find(regs, fault->addr);
	if (likely(fault->vector < 0))
		return verdict;
	if (likely(frame >= ALIGN_DOWN(fault->addr, PAGE_SIZE)) ||
	    costack_fault_has_room(fault, frame))
		return verdict;
	fault->addr = frame;
	return costack_fault(fault);
}
NOKPROBE_SYMBOL(decide);

/* Deliver the lost interrupt, if there is one. */
static void make_up(struct pt_regs *regs, const struct costack_fault *fault)
{
	if (likely(fault->vector < 0))
		return;
	costack_note_replay(fault->co, fault->vector, fault->ip);
	costack_replay(regs, costack_idt, fault->vector);
}
NOKPROBE_SYMBOL(make_up);

/**
 * costack_guard_fault() - handle a #DF from kernel mode
 * @regs: the interrupted registers
 *
 * Context: #DF stack, interrupts off. GS may be the user's until the fault is found to
 * be a coroutine's. So: no per-CPU access, no stack protector.
 * Return: what guard_entry.S is to do.
 */
asmlinkage struct guard_verdict costack_guard_fault(struct pt_regs *regs)
{
	struct guard_verdict verdict = { .regs = regs, .action = GUARD_KERNEL };
	struct costack_fault fault = {
		.addr		= native_read_cr2(),
		.ip		= regs->ip,
		.sp		= &regs->sp,
		.words		= (unsigned long *)regs,
		.nr_words	= offsetof(struct pt_regs, orig_ax) / sizeof(long),
		.irqs_on	= regs->flags & X86_EFLAGS_IF,
		.vector		= -1,
	};

	switch (decide(&fault, regs)) {
	case COSTACK_RESUME:
		make_up(regs, &fault);
		if (costack_refault(regs))
			verdict.action = GUARD_RESUME;
		break;
	case COSTACK_TO_HOST:
		verdict.regs = to_host(&fault, regs);
		verdict.action = GUARD_HOST;
		break;
	default:
		break;
	}
	return verdict;
}
NOKPROBE_SYMBOL(costack_guard_fault);

/**
 * costack_guard_newstack() - continue with a fault on the host stack
 * @frame: made by costack_guard_fault()
 *
 * An abort resumes the host where costack_arch_switch() left it, with interrupts on, as they
 * were on in the coroutine.
 *
 * Context: Host stack, interrupts off.
 * Return: what guard_entry.S is to do.
 */
asmlinkage struct guard_verdict costack_guard_newstack(struct guard_frame *frame)
{
	struct pt_regs *regs = &frame->regs;
	struct guard_verdict verdict = { .regs = regs, .action = GUARD_RESUME };

	switch (costack_newstack(&frame->fault)) {
	case COSTACK_RESUME:
		break;
	case COSTACK_ABORT:
		regs->ip = (unsigned long)costack_switch_tail;
		regs->sp = frame->fault.co->host->ctx.sp;
		regs->ax = (unsigned long)&frame->fault.co->ctx;
		regs->flags = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
		break;
	default:
		verdict.action = GUARD_KERNEL;
		return verdict;
	}
	make_up(regs, &frame->fault);
	return verdict;
}
NOKPROBE_SYMBOL(costack_guard_newstack);
