/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KASAN's shadow of the stacks.
 *
 * With CONFIG_KASAN_STACK each frame of instrumented code puts red zones around its
 * locals: it writes one byte of shadow for eight of stack, and keeps where it did so
 * in a register or in its frame until it takes them away again. So a move takes the
 * shadow along, and such a word is rebased as an address of the stack is. A frame that
 * is left without returning leaves its red zones behind: who gets the stack next has
 * them taken away.
 *
 * A stack that nobody stands on has no red zones, guard included.
 */
#ifndef _COSTACK_SHADOW_H
#define _COSTACK_SHADOW_H

#include <linux/types.h>

struct costack_range;

#ifdef CONFIG_KASAN_STACK
bool costack_shadow_rebase(const struct costack_range *range, unsigned long *word);
void costack_shadow_move(const struct costack_range *range, unsigned long sp);
void costack_shadow_clear(unsigned long lo, unsigned long hi);
#else
static inline bool costack_shadow_rebase(const struct costack_range *range, unsigned long *word)
{
	return false;
}

static inline void costack_shadow_move(const struct costack_range *range, unsigned long sp)
{
}

static inline void costack_shadow_clear(unsigned long lo, unsigned long hi)
{
}
#endif

#endif /* _COSTACK_SHADOW_H */
