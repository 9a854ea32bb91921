// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table entries of the arena, and the TLB.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include <asm/costack.h>

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
	__flush_tlb_all();
}

/**
 * costack_arch_flush() - forget all translations of unmapped pages, on all CPUs
 *
 * Context: Process context, interrupts on.
 */
void costack_arch_flush(void)
{
	on_each_cpu(flush_local, NULL, 1);
}
