/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a coroutine, and the host loop.
 */
#ifndef _COSTACK_COSTACK_H
#define _COSTACK_COSTACK_H

#include <linux/align.h>
#include <linux/costack.h>
#include <linux/types.h>
#include <asm/costack.h>

#include "arena.h"
#include "coroutine.h"
#include "pool.h"
#include "shadow.h"

struct costack_ctx *costack_enter(void *arg);

/**
 * costack_start_at() - set up the first frame on a stack
 * @co: switched out; has ended, or has not begun
 * @sp: where the stack begins
 * @entry: what begins there; returns the host loop's context
 *
 * Context: Host stack.
 */
static __always_inline void costack_start_at(struct costack *co, unsigned long sp,
					     struct costack_ctx *(*entry)(void *arg))
{
	co->base = ALIGN_DOWN(sp, 16);
	costack_shadow_clear(costack_slot_start(co->slot), co->base);
	costack_arch_prepare(&co->ctx, co->base, entry, co);
}

struct costack *costack_create(const struct costack_attr *attr, costack_fn_t fn, void *arg,
			       struct costack_owner user);
struct costack *costack_resume(struct costack *co, struct costack_reserve *reserve);
struct costack *costack_serve(struct costack *co);
void costack_cut(struct costack *co, int err);
void costack_finish(struct costack *co);
void costack_destroy(struct costack *co);
void costack_discard(struct costack *co);
int costack_init(void);
void costack_exit(void);

#endif /* _COSTACK_COSTACK_H */
