// SPDX-License-Identifier: GPL-2.0
/*
 * KASAN's shadow of the stacks: see shadow.h. Built with CONFIG_KASAN_STACK only, and
 * itself not instrumented.
 *
 * The shadow of the whole arena, guards included, is there from the moment when vmap()
 * has reserved it (CONFIG_KASAN_VMALLOC, which CONFIG_VMAP_STACK demands). So it can be
 * written where no stack is mapped: a prologue does, when it has moved the stack
 * pointer into the guard and not yet touched it.
 */
#include <linux/kasan.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "range.h"
#include "shadow.h"

static unsigned long index_of(unsigned long addr)
{
	return addr >> KASAN_SHADOW_SCALE_SHIFT;
}
NOKPROBE_SYMBOL(index_of);

/**
 * costack_shadow_rebase() - adjust a word that says where shadow is
 * @range: addresses of the stack that is moved
 * @word: what may be the address of its shadow, or that without the offset
 *
 * The compiler adds the offset, a constant, where it likes. Slots are so large and
 * aligned that the distance of two shadows is an eighth of that of the stacks.
 *
 * Context: Any context, any stack.
 * Return: true if it was, and is adjusted.
 */
bool costack_shadow_rebase(const struct costack_range *range, unsigned long *word)
{
	unsigned long lo = index_of(range->lo), span = index_of(range->hi) - lo;

	if (*word - lo > span && *word - KASAN_SHADOW_OFFSET - lo > span)
		return false;
	*word += index_of(range->lo + range->delta) - lo;
	return true;
}
NOKPROBE_SYMBOL(costack_shadow_rebase);

/**
 * costack_shadow_move() - take the red zones along
 * @range: from the lowest to the highest address of the stack that is moved
 * @sp: its stack pointer; may lie in the guard
 *
 * Context: Any context, any stack but the two.
 */
void costack_shadow_move(const struct costack_range *range, unsigned long sp)
{
	memcpy(kasan_mem_to_shadow((void *)(sp + range->delta)),
	       kasan_mem_to_shadow((void *)sp), index_of(range->hi) - index_of(sp));
	costack_shadow_clear(range->lo, range->hi);
}
NOKPROBE_SYMBOL(costack_shadow_move);

/**
 * costack_shadow_clear() - take all red zones away
 * @lo: lowest address; a multiple of 8
 * @hi: one past the highest; a multiple of 8
 *
 * Context: Any context, any stack; nobody stands on that part of it.
 */
void costack_shadow_clear(unsigned long lo, unsigned long hi)
{
	memset(kasan_mem_to_shadow((void *)lo), 0, index_of(hi) - index_of(lo));
}
NOKPROBE_SYMBOL(costack_shadow_clear);
