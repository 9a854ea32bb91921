/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arch contract for x86-64.
 *
 * It has twenty hooks, the same on every architecture. Generic code knows no register and
 * no descriptor table. In the other direction, the fault entry calls the functions that fault.h
 * declares.
 */
#ifndef _ASM_X86_COSTACK_H
#define _ASM_X86_COSTACK_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "../../../x86-64/switch.h"

struct costack_fault;
struct costack_walk;
struct die_args;
struct module;
struct pt_regs;

/**
 * struct costack_frame - registers of a frame during its call
 * @ip: where the frame continues
 * @sp: its stack pointer there
 * @bp: RBP there
 */
struct costack_frame {
	unsigned long ip;
	unsigned long sp;
	unsigned long bp;
};

/* All text lies above all stacks. */
#define COSTACK_ARCH_SCAN	1

/* A write below the stack makes it grow, by a fault. */
#define COSTACK_ARCH_GUARD	1

int costack_arch_init(void);
void costack_arch_exit(void);

/* The end of costack_base. */
extern const char costack_base_end[];

/**
 * costack_arch_is_base() - check whether a walk has reached its end
 * @ip: where a frame continues
 *
 * Context: Any context, any stack.
 * Return: true if @ip lies in the code that the outermost function was called from.
 */
static __always_inline bool costack_arch_is_base(unsigned long ip)
{
	return ip - (unsigned long)costack_base <
	       (unsigned long)costack_base_end - (unsigned long)costack_base;
}

/**
 * costack_arch_maybe_text() - check whether a word may be a return address
 * @word: the word
 *
 * The text of the kernel and of modules, trampolines and BPF programs lies in the highest
 * 2 GiB, but not at their end, where small negative numbers are. The text of EFI is elsewhere,
 * but the kernel calls it, and it does not call back.
 *
 * Context: Any context, any stack.
 * Return: true if it may.
 */
static __always_inline bool costack_arch_maybe_text(unsigned long word)
{
	return word - __START_KERNEL_map < MODULES_END - __START_KERNEL_map;
}

/**
 * costack_arch_asleep() - where a thread continues that was switched out
 * @task: the thread; if it is on a CPU, the answer is where it was last switched out
 *
 * The kernel's switch of threads leaves on the stack what costack_arch_switch() leaves there, in
 * the same order: unwind.c checks that.
 *
 * Context: Any.
 * Return: the context.
 */
static inline struct costack_ctx costack_arch_asleep(const struct task_struct *task)
{
	return (struct costack_ctx) { .sp = READ_ONCE(task->thread.sp) };
}

struct costack_frame costack_arch_newest(const struct costack_ctx *ctx,
					 const struct costack_fault *fault);

/*
 * A rule says how to leave the frame of a point:
 *
 *	31                16 15                3   1   0
 *	| RBP, less than 0  | caller's frame    |   |bp |has|
 *
 * Bit 0: there is a rule. Bit 1: the caller's frame is found from RBP. The other two fields are
 * offsets in bytes. The caller's frame begins that far above the stack pointer, or above RBP. RBP
 * is saved that far below the beginning of the caller's frame; 0 means that it is untouched. It
 * is never saved below the stack pointer, or with bit 1 below RBP.
 */
#define COSTACK_RULE		BIT(0)
#define COSTACK_RULE_FROM_BP	BIT(1)
#define COSTACK_RULE_OFFSET	GENMASK(15, 3)
#define COSTACK_RULE_BP_SHIFT	16

/**
 * costack_arch_step() - step to the caller of a frame
 * @frame: the frame, whose stack pointer is aligned; not changed on failure
 * @rule: the rule of its point
 * @lo: lowest mapped byte of the stack; may be 0 if the stack pointer is above that byte,
 *	because nothing below the frame is read
 * @hi: first byte above the stack
 *
 * Context: Any context; the stack does not change.
 * Return: false if there is no rule, or if it does not lead upwards on this stack.
 */
static __always_inline bool costack_arch_step(struct costack_frame *frame, u32 rule,
					      unsigned long lo, unsigned long hi)
{
	unsigned long offset = rule & COSTACK_RULE_OFFSET, sp = frame->sp + offset;
	long saved = (s32)rule >> COSTACK_RULE_BP_SHIFT;

	/* Every rule has an offset. */
	if (unlikely(!offset))
		return false;
	if (unlikely(rule & COSTACK_RULE_FROM_BP)) {
		sp = frame->bp + offset;
		if (frame->bp < frame->sp || sp <= frame->sp || sp % sizeof(long))
			return false;
	}
	/* The return address and RBP must be on this stack. */
	if (unlikely(sp > hi || sp - sizeof(long) < lo || sp + saved < lo))
		return false;
	if (saved)
		frame->bp = READ_ONCE_NOCHECK(*(unsigned long *)(sp + saved));
	frame->ip = READ_ONCE_NOCHECK(*(unsigned long *)(sp - sizeof(long)));
	frame->sp = sp;
	return true;
}

int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault);

unsigned long *costack_arch_interrupted(struct pt_regs *regs,
					bool (*is_coroutine)(unsigned long sp), unsigned long **sp);

void costack_arch_enable_at(unsigned long sp, const bool *came);
int costack_arch_end_interrupt(void);

u32 costack_arch_rule(const struct module *mod, unsigned long ip, bool called,
		      bool interrupted);

pte_t *costack_arch_pte(unsigned long addr);

/**
 * costack_arch_set_pte() - map a page, or nothing, at an address of the arena
 * @addr: page-aligned address
 * @ptep: its page-table entry
 * @page: page to map; %NULL to unmap
 *
 * The CPU keeps no TLB entry for a page that is not present, so mapping needs no flush.
 * Unmapping does: call costack_arch_flush() before mapping anything else there.
 *
 * Context: Any, with interrupts on or off; the fault path maps pages.
 */
static __always_inline void costack_arch_set_pte(unsigned long addr, pte_t *ptep,
						 struct page *page)
{
	set_pte(ptep, page ? mk_pte(page, PAGE_KERNEL) : __pte(0));
}

void costack_arch_flush(void);
unsigned long costack_arch_canary(unsigned long canary);

/* How many addresses an oops may be about: that of the fault, and those in registers. */
#define COSTACK_ARCH_OOPS_WORDS	16

void costack_arch_oops_words(const struct die_args *args,
			     unsigned long words[COSTACK_ARCH_OOPS_WORDS]);

#endif /* _ASM_X86_COSTACK_H */
