// SPDX-License-Identifier: GPL-2.0
/*
 * KASAN's shadow of the stacks: see shadow.h. Built with CONFIG_KASAN_STACK only, and
 * not itself instrumented.
 *
 * The shadow of the whole arena, guards included, exists from the moment when vmap() has
 * reserved the arena (CONFIG_KASAN_VMALLOC, which CONFIG_VMAP_STACK requires). So code can
 * write shadow where no stack is mapped: a prologue does this when it has moved the stack
 * pointer into the guard but has not touched the guard yet.
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
 * costack_shadow_rebase() - adjust a word that may be an address of shadow
 * @range: addresses of the stack that moves
 * @word: the word, which may hold an address of the stack's shadow, with or without the
 *	offset of the shadow
 *
 * The compiler may add the offset, a constant, at any place. Slots are so large and so
 * aligned that two shadows are an eighth as far apart as the two stacks.
 *
 * Context: Any context, any stack.
 * Return: true if the word held such an address and has been adjusted.
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
 * costack_shadow_move() - move the red zones with the stack
 * @range: from the lowest to the highest address of the stack that moves
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
 * costack_shadow_clear() - remove all red zones
 * @lo: lowest address; a multiple of 8
 * @hi: one past the highest; a multiple of 8
 *
 * Context: Any context, any stack; nobody uses that part of the stack.
 */
void costack_shadow_clear(unsigned long lo, unsigned long hi)
{
	memset(kasan_mem_to_shadow((void *)lo), 0, index_of(hi) - index_of(lo));
}
NOKPROBE_SYMBOL(costack_shadow_clear);
