/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arch contract for user-mode Linux on x86-64 hosts.
 *
 * The same twenty hooks as on x86. The stack switch is real, but there is no fault: the
 * host turns a write below a stack into a signal, and the kernel cannot pass that signal on
 * to this module. So a stack grows only through costack_ensure().
 *
 * This architecture finds current through the stack pointer. So only code that does not use
 * current may run on a coroutine stack, which rules out most of the kernel. Signals do no
 * harm: the host delivers them on a separate stack, from where the kernel finds current in
 * another way.
 */
#ifndef _ASM_UM_COSTACK_H
#define _ASM_UM_COSTACK_H

#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/types.h>
#include <asm/tlbflush.h>

#include "../../../x86-64/switch.h"

struct costack_fault;
struct costack_walk;
struct die_args;
struct module;
struct pt_regs;
struct task_struct;

/**
 * struct costack_frame - registers of a frame during its call
 * @ip: where the frame continues
 * @sp: its stack pointer there
 */
struct costack_frame {
	unsigned long ip;
	unsigned long sp;
};

/*
 * A write below the stack does not make it grow: it raises the host's SIGSEGV. Kbuild overrides
 * this for a benchmark whose stacks never overflow.
 */
#ifndef COSTACK_ARCH_GUARD
#define COSTACK_ARCH_GUARD	0
#endif

static inline int costack_arch_init(void)
{
	return 0;
}

static inline void costack_arch_exit(void)
{
}

/* There is no unwinder, so there is no trace of a thread that sleeps. */
static inline struct costack_ctx costack_arch_asleep(const struct task_struct *task)
{
	return (struct costack_ctx) { .sp = 0 };
}

/* For tests: treat every frame on the stacks that they make as movable. */
extern bool costack_um_movable;

int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault);

/* No walk begins here: costack_arch_walk() decides about a stack as a whole. */
static inline struct costack_frame costack_arch_newest(const struct costack_ctx *ctx,
						       const struct costack_fault *fault)
{
	return (struct costack_frame) { };
}

/* There is no scan. Text lies below the stacks, so a scan would compare each word twice. */
#define COSTACK_ARCH_SCAN	0

static inline bool costack_arch_maybe_text(unsigned long word)
{
	return true;
}

static inline bool costack_arch_is_base(unsigned long ip)
{
	return false;
}

static inline bool costack_arch_step(struct costack_frame *frame, u32 rule, unsigned long lo,
				     unsigned long hi)
{
	return false;
}

/* There is no unwinder to take rules from. */
static inline u32 costack_arch_rule(const struct module *mod, unsigned long ip, bool called,
				    bool interrupted)
{
	return 0;
}

pte_t *costack_arch_pte(unsigned long addr);

/**
 * costack_arch_set_pte() - map a page, or nothing, at an address of the arena
 * @addr: page-aligned address
 * @ptep: its page-table entry
 * @page: page to map; %NULL to unmap
 *
 * The page tables describe what the host has to map. This updates the host at once, so
 * that a mapping takes effect without a flush, as the contract requires.
 *
 * Context: Any.
 */
static inline void costack_arch_set_pte(unsigned long addr, pte_t *ptep, struct page *page)
{
	set_pte(ptep, page ? mk_pte(page, PAGE_KERNEL) : __pte(0));
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}

/* Nothing to do: costack_arch_set_pte() has updated the host already, and there is one CPU. */
static inline void costack_arch_flush(void)
{
}

/* All threads share one stack-protector canary, so a function may return in any of them. */
static inline unsigned long costack_arch_canary(unsigned long canary)
{
	return 0;
}

/* An access to a stack that was left raises the host's SIGSEGV, and no die notifier runs. */
#define COSTACK_ARCH_OOPS_WORDS	1

static inline void costack_arch_oops_words(const struct die_args *args,
					   unsigned long words[COSTACK_ARCH_OOPS_WORDS])
{
	words[0] = 0;
}

/* Interrupts are signals of the host, which have a stack of their own. So none can be lost. */
static inline void costack_arch_enable_at(unsigned long sp, const bool *came)
{
}

static inline int costack_arch_end_interrupt(void)
{
	return -1;
}

static inline unsigned long *costack_arch_interrupted(struct pt_regs *regs,
						      bool (*is_coroutine)(unsigned long sp),
						      unsigned long **sp)
{
	return NULL;
}

#endif /* _ASM_UM_COSTACK_H */
