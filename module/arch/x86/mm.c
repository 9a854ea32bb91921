// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table entries of the arena, the TLB, and addresses that an oops may be about.
 */
#include <linux/build_bug.h>
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/pgtable.h>
#include <asm/ptrace.h>
#include <asm/special_insns.h>

#include <asm/costack.h>

#include "compat.h"

/**
 * costack_arch_pte() - find the page-table entry of an address of the arena
 * @addr: mapped with 4 KiB pages
 *
 * Context: Any.
 * Return: the entry, or %NULL if there is none of that size.
 */
pte_t *costack_arch_pte(unsigned long addr)
{
	unsigned int level;
	pte_t *ptep = lookup_address(addr, &level);

	return level == PG_LEVEL_4K ? ptep : NULL;
}

static void flush_local(void *unused)
{
	costack_flush_tlb_local();
}

/**
 * costack_arch_flush() - flush all translations of unmapped pages, on all CPUs
 *
 * Context: Process context, interrupts on.
 */
void costack_arch_flush(void)
{
	on_each_cpu(flush_local, NULL, 1);
}

/**
 * costack_arch_oops_words() - addresses that an oops may be about
 * @args: argument of a die notifier
 * @words: out: the addresses, the likeliest first
 *
 * The first word is CR2, which a page fault sets; the general registers follow. CR2 may be
 * wrong: before this runs, the oops reads code bytes with nofault accesses to print them, and
 * such an access may have changed CR2.
 *
 * Context: Die notifier, on the CPU of the oops.
 */
void costack_arch_oops_words(const struct die_args *args,
			     unsigned long words[COSTACK_ARCH_OOPS_WORDS])
{
	BUILD_BUG_ON(offsetof(struct pt_regs, orig_ax) !=
		     (COSTACK_ARCH_OOPS_WORDS - 1) * sizeof(long));
	words[0] = native_read_cr2();
	memcpy(&words[1], args->regs, offsetof(struct pt_regs, orig_ax));
}
