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

extern const char costack_base[];

/*
 * The frame that costack_arch_switch() leaves on the stack, from the stack pointer up.
 * The order matches the pushes in switch.S.
 */
struct switch_frame {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bx;
	unsigned long bp;
	unsigned long ret;
};

/**
 * costack_arch_prepare() - make a context that begins with a call
 * @ctx: out: the context
 * @top: where its outermost frame begins; aligned to 16 bytes
 * @entry: function to call there; must not return
 * @arg: its argument
 *
 * Context: Process context; nothing runs on that stack.
 */
void costack_arch_prepare(struct costack_ctx *ctx, unsigned long top,
			  void (*entry)(void *), void *arg)
{
	struct switch_frame *frame = (struct switch_frame *)top - 1;

	BUILD_BUG_ON(sizeof(*frame) > COSTACK_ARCH_START_BYTES);
	*frame = (struct switch_frame) {
		.ret	= (unsigned long)costack_base,
		.bx	= (unsigned long)entry,
		.r12	= (unsigned long)arg,
	};
	ctx->sp = (unsigned long)frame;
}

/*
 * A test sets this around a move: the test knows what is on its coroutine's stack, so
 * copystack can run on frames that a compiler made.
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
