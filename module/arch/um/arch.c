// SPDX-License-Identifier: GPL-2.0
/*
 * User-mode Linux: contexts, page-table entries, and no unwinder.
 */
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include <asm/costack.h>

#include "../../fault.h"
#include "../../walk.h"

/*
 * A test sets this around a move if it knows what is on its coroutine's stack. Then copystack
 * can run on frames that a compiler made.
 */
bool costack_um_movable;

/**
 * costack_arch_walk() - walk a whole stack, read-only
 * @walk: in: what to walk; out: what the walk found
 * @ctx: where the coroutine was switched out
 * @fault: where it was interrupted, or %NULL if it is switched out
 *
 * Without unwind tables every frame is in doubt.
 *
 * Context: Host stack.
 * Return: %COSTACK_REFUSED_UNWIND, unless a test vouches for its stack.
 */
int costack_arch_walk(struct costack_walk *walk, const struct costack_ctx *ctx,
		      const struct costack_fault *fault)
{
	return costack_um_movable ? COSTACK_MOVABLE : COSTACK_REFUSED_UNWIND;
}

/**
 * costack_arch_pte() - find the page-table entry of an address of the arena
 * @addr: mapped with 4 KiB pages
 *
 * Context: Any.
 * Return: the entry, or %NULL if there is no page table.
 */
pte_t *costack_arch_pte(unsigned long addr)
{
	return virt_to_pte(&init_mm, addr);
}
