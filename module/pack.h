/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packed stacks.
 */
#ifndef _COSTACK_PACK_H
#define _COSTACK_PACK_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "coroutine.h"
#include "walk.h"

enum costack_refusal costack_pack(struct costack *co);
bool costack_pack_wanted(const struct costack *co);
long costack_packed_copy(const struct costack *co, const struct costack_slot *slot);
bool costack_unpack_slow(struct costack *co, struct costack_slot **spare);
int costack_pack_init(void);
void costack_pack_exit(void);

/**
 * costack_unpack() - make sure that a coroutine has a stack to run on
 * @co: RUNNABLE, or claimed, by the caller
 * @spare: a stack for one that is packed, if there is no memory for another: it is taken and
 *	becomes %NULL then; or %NULL
 *
 * A coroutine that has not begun has no stack; a packed one gets its stack back.
 *
 * Context: Process context, any stack; may sleep.
 * Return: false if there is no memory; @co stays as it is then.
 */
static __always_inline bool costack_unpack(struct costack *co, struct costack_slot **spare)
{
	return likely(co->slot) || costack_unpack_slow(co, spare);
}

#endif /* _COSTACK_PACK_H */
