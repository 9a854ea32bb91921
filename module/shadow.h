/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KASAN's shadow of the stacks.
 *
 * With CONFIG_KASAN_STACK each function of instrumented code puts red zones around its
 * locals: it writes one byte of shadow for eight bytes of stack, and keeps the address of
 * that shadow in a register or in its frame until it removes the red zones. So a move
 * copies the shadow too, and rebases such a word like an address of the stack. A frame
 * that is dropped without returning leaves its red zones behind; costack_shadow_clear()
 * removes them before the stack is used again.
 *
 * A stack that nobody uses has no red zones, neither in the stack nor in the guard.
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
