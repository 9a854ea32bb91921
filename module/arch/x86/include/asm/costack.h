/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arch contract, x86-64 side.
 *
 * Eleven hooks, the same on every architecture; generic code knows no register
 * and no descriptor table. In the other direction the fault entry calls the functions
 * that fault.h declares.
 */
#ifndef _ASM_X86_COSTACK_H
#define _ASM_X86_COSTACK_H

#include <linux/linkage.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/types.h>

struct costack_fault;
struct costack_walk;
struct die_args;
struct module;

/**
 * struct costack_ctx - a context that was switched away from (Go's gobuf)
 * @sp: stack pointer; the callee-saved registers and the return address lie
 *	there, as costack_arch_switch() pushed them
 */
struct costack_ctx {
	unsigned long sp;
};

/* Bytes that costack_arch_prepare() needs below its argument @top. */
#define COSTACK_ARCH_START_BYTES	64

/* A write below the stack makes it grow, by a fault. */
#define COSTACK_ARCH_GUARD	1

int costack_arch_init(void);
void costack_arch_exit(void);

asmlinkage struct costack_ctx *costack_arch_switch(struct costack_ctx *from,
						   struct costack_ctx *to);
void costack_arch_prepare(struct costack_ctx *ctx, unsigned long top,
			  void (*entry)(void *), void *arg);

int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault);

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

/* Number of addresses that an oops may be about: that of the fault, and the registers. */
#define COSTACK_ARCH_OOPS_WORDS	16

void costack_arch_oops_words(const struct die_args *args,
			     unsigned long words[COSTACK_ARCH_OOPS_WORDS]);

#endif /* _ASM_X86_COSTACK_H */
