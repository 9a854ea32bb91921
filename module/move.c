// SPDX-License-Identifier: GPL-2.0
/*
 * Moving a stack: Go's copystack, and the moves at safe points.
 *
 * A fault moves a stack in the middle of its function; grow.c has that, and the rules that
 * hold there: no allocation, no lock, no sleep. At a safe point the coroutine is switched
 * out. Then a move may allocate the stack to move to.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/costack.h>
#include <trace/events/costack.h>

#include "arena.h"
#include "copy.h"
#include "coroutine.h"
#include "fault.h"
#include "frames.h"
#include "left.h"
#include "move.h"
#include "pool.h"
#include "roots.h"
#include "scan.h"
#include "shadow.h"
#include "stats.h"
#include "thread.h"
#include "trace.h"

/**
 * costack_move_adjust() - adjust everything outside the stack that points into it (Go's
 *	adjustctxt, adjustdefers, adjustpanics, adjustsudogs)
 * @co: the coroutine that moves
 * @fault: where it was interrupted; %NULL at a safe point
 * @used: addresses to adjust in registers, from costack_move_range()
 * @slot: addresses to adjust in what is known to be a pointer
 * @depth: bytes of the stack in use
 *
 * Context: As for costack_copystack().
 * Return: how many words were adjusted.
 */
size_t costack_move_adjust(struct costack *co, const struct costack_fault *fault,
			   const struct costack_range *used, const struct costack_range *slot,
			   size_t depth)
{
	size_t rebased = costack_roots_adjust(&co->roots, slot, depth);

	rebased += costack_move_adjust_known(co, slot);
	if (fault) {
		rebased += costack_rebase_words(used, fault->words, fault->nr_words);
		rebased += costack_rebase(slot, fault->sp);
	}
	return rebased;
}
NOKPROBE_SYMBOL(costack_move_adjust);

/**
 * costack_move_range() - what a move treats as an address of the stack
 * @co: the coroutine that moves
 * @fault: where it was interrupted; %NULL at a safe point
 * @new_hi: end of the stack that it moves to
 *
 * A word of the stack, or a register, that points into the used part, into what the faulting
 * access needs, or into the page below both: a prologue may have taken the address of a local
 * before it moved the stack pointer. The checker relies on exactly this range: it allows no
 * point where code still uses an address further down.
 *
 * Context: As for costack_copystack().
 * Return: the range.
 */
struct costack_range costack_move_range(const struct costack *co,
					const struct costack_fault *fault, unsigned long new_hi)
{
	unsigned long sp = fault ? *fault->sp : co->ctx.sp;

	return (struct costack_range) {
		.lo	= max(ALIGN_DOWN(fault ? min(sp, fault->addr) : sp, sizeof(long)) -
			      COSTACK_BELOW, costack_slot_start(co->slot)),
		.hi	= co->slot->hi,
		.delta	= new_hi - co->slot->hi,
	};
}
NOKPROBE_SYMBOL(costack_move_range);

/* Undo a copy to @new, which nobody has seen. */
static void forget_copy(const struct costack_slot *new, unsigned long *to, size_t nr, bool poison)
{
	size_t i;

	if (poison)
		memset((void *)costack_slot_lo(new), COSTACK_POISON_NEW, new->pages * PAGE_SIZE);
	/* The compiler would make this a memset(), which may be probed. */
	for (i = 0; !poison && i < nr; i++)
		WRITE_ONCE(to[i], 0);
}
NOKPROBE_SYMBOL(forget_copy);

/**
 * costack_copystack() - move to another stack (Go's copystack)
 * @co: the coroutine; state COPYSTACK
 * @new: the stack to move to, zero or filled with 0xfd. The caller passes it, and takes over
 *	the old stack
 * @fault: where @co was interrupted; a move adjusts its registers. %NULL at a safe point
 * @skip: from costack_move_verify(), which has approved the move; with @scan, room for a scan
 * @scan: nobody has approved the move: a scan decides about it during the copy
 * @event: out: how many words were adjusted
 *
 * Stacks are aligned at the top: everything keeps its distance from hi.
 *
 *	old                        new
 *	hi  +-----------+          hi  +-----------+
 *	    | used      |  copy,       | used      |
 *	sp  |           |  rebase      |           |
 *	    +-----------+  ----->  sp  +-----------+
 *	lo  | unused    |              | zero, or  |
 *	    +-----------+              | 0xfb      |
 *	    | guard     |          lo  +-----------+
 *
 * After "sub $N,%rsp" the stack pointer may already lie below lo, in the guard.
 * Then all mapped bytes are in use.
 *
 * A move adjusts a known pointer wherever in the slot it points: otherwise a dead pointer
 * would point into the stack that later takes the old place.
 *
 * Context: Host stack. For a fault: any context, interrupts off.
 * Return: true; false, with nothing changed, if the scan is in doubt.
 */
bool costack_copystack(struct costack *co, struct costack_slot *new, struct costack_fault *fault,
		       unsigned long *skip, bool scan, struct costack_event *event)
{
	struct costack_slot *old = co->slot;
	unsigned long lo = costack_slot_lo(old);
	unsigned long sp = fault ? *fault->sp : co->ctx.sp;
	unsigned long from = costack_frames_from(lo, sp);
	bool poison = READ_ONCE(costack_knobs.poison);
	const struct costack_range used = costack_move_range(co, fault, new->hi);
	const struct costack_range slot = costack_move_slot(old, new->hi);
	size_t nr = (old->hi - from) / sizeof(long);
	unsigned long *to = (unsigned long *)new->hi - nr;

	if (poison)
		memset((void *)costack_slot_lo(new), COSTACK_POISON_COPY, new->pages * PAGE_SIZE);
	costack_arch_copy(to, (void *)from, nr);
	if (!scan) {
		event->words = costack_rebase_copy(&used, to, nr, skip);
	} else if (costack_scan_copy(co, fault, &used, to, skip, &event->words)) {
		forget_copy(new, to, nr, poison);
		return false;
	}
	event->words += costack_move_adjust(co, fault, &used, &slot, old->hi - sp);
	costack_shadow_move(&slot, sp);

	/*
	 * Publish. The old slot keeps naming the coroutine until the slot is freed,
	 * because a costack_current() that a fault interrupted may still read it.
	 */
	new->co = co;
	WRITE_ONCE(co->slot, new);
	if (poison)
		memset((void *)costack_slot_lo(old), COSTACK_POISON_OLD, old->pages * PAGE_SIZE);
	costack_stat_add(COSTACK_STAT_BYTES_COPIED, nr * sizeof(long));
	costack_stat_add(COSTACK_STAT_WORDS_REBASED, event->words);
	return true;
}
NOKPROBE_SYMBOL(costack_copystack);

/**
 * costack_move_verify() - may a stack be moved
 * @co: as for costack_frames_movable(), like the other arguments
 * @fault: likewise
 * @walk: likewise
 * @skip: likewise
 *
 * With the knob verify at "both" this also scans the stack, and compares.
 *
 * Context: As for costack_frames_movable().
 * Return: as costack_frames_movable().
 */
enum costack_refusal costack_move_verify(struct costack *co, const struct costack_fault *fault,
					 struct costack_walk *walk, unsigned long *skip)
{
	bool both = READ_ONCE(costack_knobs.verify) == COSTACK_VERIFY_BOTH;
	enum costack_doubt doubt = COSTACK_CERTAIN;
	enum costack_refusal refusal;

	if (unlikely(both)) {
		const struct costack_range range = costack_move_range(co, fault, co->slot->hi);

		doubt = costack_scan_stack(co, fault, &range, skip);
	}
	refusal = costack_frames_movable(co, fault, walk, skip);
	if (unlikely(both))
		costack_scan_judge(doubt, refusal);
	return refusal;
}
NOKPROBE_SYMBOL(costack_move_verify);

/* === Safe points === */

/* The arguments of a move, for costack_roots_copy(). */
struct move {
	struct costack		*co;
	struct costack_slot	*new;
	unsigned long		skip[COSTACK_SKIP_LONGS];
};

/* costack_frames_prepare() clears four at a time. */
static_assert(COSTACK_SKIP_LONGS % 4 == 0);

static void do_move(void *arg)
{
	struct move *move = arg;
	struct costack_event event = { };

	costack_copystack(move->co, move->new, NULL, move->skip, false, &event);
}

/* Move a switched-out coroutine to a stack of @class; its state is COPYSTACK. */
static int move_to(struct costack *co, unsigned int class, gfp_t gfp)
{
	struct move *move = kmalloc(sizeof(*move), gfp);
	struct costack_slot *old = co->slot;
	enum costack_refusal refusal = COSTACK_REFUSED_PIN;
	struct costack_walk walk = { };
	int err = -ENOMEM;

	costack_move_drop_roots(co);
	if (!move)
		return err;
	move->co = co;
	move->new = NULL;
	/* No thread, not even this one, points into the stack of a parked coroutine. */
	if (!costack_thread_points_to(current, old))
		refusal = costack_move_verify(co, NULL, &walk, move->skip);
	if (refusal == COSTACK_MOVABLE) {
		move->new = costack_stackalloc_for(class, costack_owner_of(co), gfp);
	} else {
		err = -EBUSY;
		co->refusal = refusal;
		trace_costack_refuse(co->name, co->fn, refusal, walk.frames, walk.ip);
	}
	if (move->new) {
		costack_roots_copy(&co->roots, do_move, move);
		if (unlikely(READ_ONCE(costack_knobs.unmap)))
			costack_left_add(co, old);
		else
			costack_stackfree_soon(old, (struct costack_owner) { });
		err = 0;
	}
	kfree(move);
	return err;
}

/**
 * costack_move_force() - move without growing (Go's stackForceMove)
 * @co: a coroutine that is switched out for a request
 *
 * With the knob unmap, the old stack is unmapped (Go's stackFaultOnFree).
 *
 * Context: Host stack of @co. May sleep. Does not move a coroutine that made its
 * request in atomic context.
 * Return: 0, -EBUSY if the stack is not movable now, -ENOMEM.
 */
int costack_move_force(struct costack *co)
{
	unsigned int class = costack_class(co->slot->pages);
	int err;

	if (class >= COSTACK_CLASSES || irqs_disabled() || rcu_preempt_depth() ||
	    (IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()))
		return -EBUSY;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	costack_left_retired(co, costack_reserve_of(co));
	err = move_to(co, class, COSTACK_GFP);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	if (!err) {
		costack_stat_inc(COSTACK_STAT_MOVES_FORCED);
		trace_costack_move(co->name, co->fn, co->slot->pages, co->slot->pages);
	}
	return err;
}

/**
 * costack_move_shrinkable() - is this stack too large (Go's shrinkstack)
 * @co: a coroutine that is switched out; for any other the answer is a guess
 *
 * A stack is too large if less than a quarter of it is used, counting what an
 * interrupt and a callee need. After the move to half the size, at most half is used:
 * this gap keeps the stack from growing back at once.
 *
 * Context: Any.
 * Return: true if it should move to half its size; false if @co is packed, or has not begun.
 */
bool costack_move_shrinkable(const struct costack *co)
{
	const struct costack_slot *slot = READ_ONCE(co->slot);
	size_t used;

	if (!slot)
		return false;
	used = slot->hi - READ_ONCE(co->ctx.sp) + COSTACK_HEADROOM;
	return slot->pages > 1 && used < slot->pages * PAGE_SIZE / 4;
}

/**
 * costack_move_shrink() - move to half the size
 * @co: a coroutine that is switched out, and whose state the caller has set to
 *	COPYSTACK, so that nobody else uses the stack
 *
 * Context: Process context. Allocates without sleeping.
 * Return: 0, -EBUSY if the stack is not movable now, -ENOMEM.
 */
int costack_move_shrink(struct costack *co)
{
	unsigned int pages = co->slot->pages;
	int err;

	if (!is_power_of_2(pages))
		return -EBUSY;
	err = move_to(co, costack_class(pages) - 1, GFP_NOWAIT | __GFP_NOWARN);
	if (!err) {
		costack_stat_inc(COSTACK_STAT_SHRUNK);
		costack_stat_add(COSTACK_STAT_BYTES_SHRUNK, pages / 2 * PAGE_SIZE);
		trace_costack_shrink(co->name, co->fn, pages, pages / 2);
	}
	return err;
}
