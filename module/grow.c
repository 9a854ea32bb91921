// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: Go's newstack and copystack.
 *
 * The way of a fault, and the stack each part runs on:
 *
 *	coroutine stack   a write below the mapped part
 *	#DF stack         costack_fault(): whose is it; grow in place right here,
 *	                  or hand over
 *	host stack        costack_newstack(): walk, verify, then copy; or grow in
 *	                  place after all; or overflow
 *	coroutine stack   the same instruction again
 *
 * From the fault to the resume interrupts are off. The fault may have come with
 * any lock held, with interrupts off, inside the page allocator, or inside the
 * context switch, when "current" and the stack belong to different threads. So
 * nothing here allocates, takes a lock, sleeps or looks at current, but for
 * may_abort(), which says why it may. An NMI may come at any instruction: it has
 * a stack of its own, and finds the coroutine either on the old stack or, from
 * publish() on, on the new one, both mapped and whole.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/costack.h>
#include <trace/events/costack.h>

#include "arena.h"
#include "copy.h"
#include "coroutine.h"
#include "fault.h"
#include "frames.h"
#include "grow.h"
#include "left.h"
#include "pool.h"
#include "roots.h"
#include "shadow.h"
#include "stats.h"
#include "text.h"
#include "thread.h"
#include "trace.h"

static bool preemption_is_off(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count();
}
NOKPROBE_SYMBOL(preemption_is_off);

static void note(struct costack *co, const struct costack_event *event)
{
	if (co->nr_events < COSTACK_NR_EVENTS)
		co->events[co->nr_events++] = *event;
}
NOKPROBE_SYMBOL(note);

/**
 * costack_grow_pages() - choose the size to grow to
 * @pages: size now
 * @need: bytes from the top of the stack to the lowest one that must be there
 * @limit: pages not to grow beyond
 *
 * Enough doublings for @need and some headroom, so that one growth serves one
 * fault (Go's newstack, round-up by funcMaxSPDelta). The headroom is given up
 * where the limit leaves no room for it.
 *
 * Context: Any context, any stack.
 * Return: pages, or 0 if @need is beyond the limit.
 */
unsigned int costack_grow_pages(unsigned int pages, size_t need, unsigned int limit)
{
	size_t want = roundup_pow_of_two(DIV_ROUND_UP(need + COSTACK_HEADROOM, PAGE_SIZE));

	want = min_t(size_t, max_t(size_t, want, 2 * pages), limit);
	return want > pages && want * PAGE_SIZE >= need ? want : 0;
}
NOKPROBE_SYMBOL(costack_grow_pages);

/* === In place === */

/*
 * Map more pages below. No address changes, so this is right for any stack at
 * any instruction. All or nothing.
 */
static bool grow_in_place(struct costack *co, unsigned int pages, unsigned long ip)
{
	struct costack_slot *slot = co->slot;
	struct costack_event event = {
		.kind = COSTACK_EVENT_IN_PLACE, .from = slot->pages, .to = pages, .ip = ip,
	};

	if (co->reserve->nr_pages < pages - slot->pages)
		return false;
	while (slot->pages < pages)
		costack_arena_map(slot, costack_reserve_page(co->reserve));
	co->growths++;
	costack_stat_inc(COSTACK_STAT_GROWN_IN_PLACE);
	note(co, &event);
	return true;
}
NOKPROBE_SYMBOL(grow_in_place);

/* === Copy === */

/*
 * Everything outside the stack that points into it (Go's adjustctxt,
 * adjustdefers, adjustpanics, adjustsudogs).
 */
static size_t adjust(struct costack *co, const struct costack_fault *fault,
		     const struct costack_range *used, const struct costack_range *slot,
		     size_t depth)
{
	size_t rebased = costack_roots_adjust(&co->roots, slot, depth);

	rebased += costack_rebase(slot, &co->base);
	rebased += costack_rebase(slot, &co->ctx.sp);
	rebased += costack_rebase(slot, (unsigned long *)&co->req.arg);
	rebased += costack_rebase(slot, (unsigned long *)&co->opaque);
	rebased += costack_rebase(slot, (unsigned long *)&co->plug);
	if (fault) {
		rebased += costack_rebase_words(used, fault->words, fault->nr_words);
		rebased += costack_rebase(slot, fault->sp);
	}
	return rebased;
}
NOKPROBE_SYMBOL(adjust);

/*
 * Move to @new. The walk has approved. Stacks are aligned at the top: everything
 * keeps its distance from hi. Who called has @new and gets the old stack.
 *
 *	old                        new
 *	hi  +-----------+          hi  +-----------+
 *	    | used      |  copy,       | used      |
 *	sp  |           |  rebase      |           |
 *	    +-----------+  ----->  sp  +-----------+
 *	lo  | not used  |              | zero, or  |
 *	    +-----------+              | 0xfb      |
 *	    | guard     |          lo  +-----------+
 *
 * After "sub $N,%rsp" the stack pointer may lie below lo already, in the guard;
 * then all that is mapped is used.
 *
 *
 * A word of the stack, or a register, is taken for an address only if it is one of
 * what is used, of what the faulting access needs, or of the page below both: a
 * prologue may have taken the address of a local before it moved the stack pointer.
 * The checker counts on this very range: where an address further down is of use,
 * there is no point. What is known to be a pointer is adjusted wherever in the slot it
 * points to: one that is dead then does not come to point to what somebody else has
 * where this stack was.
 */
static void copystack(struct costack *co, struct costack_slot *new,
		      struct costack_fault *fault, const unsigned long *skip,
		      struct costack_event *event)
{
	struct costack_slot *old = co->slot;
	unsigned long lo = costack_slot_lo(old);
	unsigned long sp = fault ? *fault->sp : co->ctx.sp;
	unsigned long from = costack_frames_from(lo, sp);
	bool poison = READ_ONCE(costack_knobs.poison);
	const struct costack_range used = {
		.lo	= max(ALIGN_DOWN(fault ? min(sp, fault->addr) : sp, sizeof(long)) -
			      COSTACK_BELOW, costack_slot_start(old)),
		.hi	= old->hi,
		.delta	= new->hi - old->hi,
	};
	const struct costack_range slot = {
		.lo	= costack_slot_start(old),
		.hi	= old->hi,
		.delta	= used.delta,
	};

	if (poison)
		memset((void *)costack_slot_lo(new), COSTACK_POISON_COPY, new->pages * PAGE_SIZE);
	event->words = costack_copy_words(&used, (void *)(from + used.delta), (void *)from,
					  (old->hi - from) / sizeof(long), skip);
	event->words += adjust(co, fault, &used, &slot, old->hi - sp);
	costack_shadow_move(&slot, sp);

	/*
	 * Publish. The old slot goes on naming the coroutine until it is freed,
	 * as a costack_current() that was cut off in between still looks there.
	 */
	new->co = co;
	WRITE_ONCE(co->slot, new);
	if (poison)
		memset((void *)lo, COSTACK_POISON_OLD, old->hi - lo);
	costack_stat_add(COSTACK_STAT_BYTES_COPIED, old->hi - from);
	costack_stat_add(COSTACK_STAT_WORDS_REBASED, event->words);
}
NOKPROBE_SYMBOL(copystack);

/* @ip: of the frame that is refused, which need not be the interrupted one. */
static void refuse(struct costack *co, enum costack_refusal why, unsigned int frames,
		   unsigned long ip)
{
	struct costack_event event = {
		.kind = COSTACK_EVENT_REFUSE, .detail = why, .from = co->slot->pages,
		.to = co->slot->pages, .frames = frames, .ip = ip,
	};

	costack_stat_inc(COSTACK_STAT_MOVES_REFUSED);
	co->refusal = why;
	co->refusals++;
	note(co, &event);
}
NOKPROBE_SYMBOL(refuse);

/* Move if every frame allows it, else grow in place. False: neither is possible. */
static bool move_or_grow(struct costack *co, unsigned int pages, struct costack_fault *fault)
{
	unsigned int class = costack_class(pages);
	struct costack_event event = {
		.kind = COSTACK_EVENT_COPY, .from = co->slot->pages, .to = pages,
		.ip = fault ? fault->ip : 0,
	};
	enum costack_refusal refusal = COSTACK_REFUSED_RESERVE;
	struct costack_walk walk = { };

	if (costack_thread_points_to(co->task, co->slot))
		refusal = COSTACK_REFUSED_PIN;
	else if (co->reserve->next[class])
		refusal = costack_frames_movable(co, fault, &walk, co->reserve->skip);
	event.frames = walk.frames;
	if (refusal == COSTACK_MOVABLE) {
		struct costack_slot *old = co->slot;

		copystack(co, co->reserve->next[class], fault, co->reserve->skip, &event);
		costack_reserve_swap(co->reserve, class, old);
		co->growths++;
		costack_stat_inc(COSTACK_STAT_GROWN_BY_COPY);
		note(co, &event);
		return true;
	}
	refuse(co, refusal, walk.frames, walk.ip ?: event.ip);
	return grow_in_place(co, pages, event.ip);
}
NOKPROBE_SYMBOL(move_or_grow);

/* === The fault === */

/* Bytes from the top of the stack down to what the access needs. */
static size_t need(const struct costack *co, const struct costack_fault *fault)
{
	return co->slot->hi - min(fault->addr, *fault->sp);
}
NOKPROBE_SYMBOL(need);

/*
 * May this coroutine be cut off here? Only where it could as well have called
 * schedule(), and where every frame to be dropped is movable text (verify()).
 * "current" may be trusted once interrupts are known to have been on and
 * preemption too: that is not inside the context switch.
 */
static bool may_abort(const struct costack *co, const struct costack_fault *fault)
{
	if (!(co->flags & COSTACK_ABORTABLE) || !fault->irqs_on)
		return false;
	if (!costack_text_movable(fault->ip))
		return false;
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT) || preempt_count())
		return false;
	if (costack_holds_locks(co))
		return false;
	return !rcu_preempt_depth();
}
NOKPROBE_SYMBOL(may_abort);

static void report_overflow(const struct costack *co, const struct costack_fault *fault)
{
	pr_emerg("coroutine %s: %ps: stack exceeds %lu-byte limit\n",
		 co->name[0] ? co->name : "(no name)", co->fn, co->limit * PAGE_SIZE);
	pr_emerg("at %pS: %zu bytes wanted; not abortable there: stack overflow\n",
		 (void *)fault->ip, need(co, fault));
}
NOKPROBE_SYMBOL(report_overflow);

/* As many pages as are needed, if these are no more than @most. */
static bool grow_beyond(struct costack *co, const struct costack_fault *fault,
			unsigned int most)
{
	size_t pages = DIV_ROUND_UP(need(co, fault), PAGE_SIZE);

	return co->flags & COSTACK_ABORTABLE && pages <= most &&
	       pages <= COSTACK_MAX_PAGES + COSTACK_BEYOND_LIMIT &&
	       grow_in_place(co, pages, fault->ip);
}
NOKPROBE_SYMBOL(grow_beyond);

/*
 * Nor can it be cut off while the kernel runs with interrupts or preemption off: that is
 * an interrupt, as a rule, or what it preempts for. It gets one page more than there are,
 * whoever has had those: a function that the kernel has called back may have used all
 * that there are beyond the limit, and its caller goes on there; and the knob force_move
 * gives a stack as many as its class has.
 */
static unsigned int most_pages(const struct costack *co, const struct costack_fault *fault)
{
	unsigned int most = co->limit + COSTACK_BEYOND_KERNEL;
	bool atomic = !fault->irqs_on || preemption_is_off();

	return atomic && !costack_text_movable(fault->ip) ? max(most, co->slot->pages + 1) : most;
}
NOKPROBE_SYMBOL(most_pages);

/*
 * Over the limit. An abortable coroutine is ended if it can be cut off here. If
 * it cannot, as this is an interrupt, or the kernel's code in the middle of something,
 * or a function that such code has called back, which overflow() finds, then the pages
 * beyond the limit let that finish. One more is for the defers of one that was cut off:
 * they begin where that was, with hardly any room. They have what is left, a page at a
 * time; one that wants more is cut off itself.
 */
static enum costack_verdict over_limit(struct costack *co, const struct costack_fault *fault)
{
	if (co->cut && need(co, fault) <= (co->slot->pages + 1) * PAGE_SIZE &&
	    grow_beyond(co, fault, co->limit + COSTACK_BEYOND_DEFERS))
		return COSTACK_RESUME;
	if (may_abort(co, fault))
		return COSTACK_TO_HOST;
	if (grow_beyond(co, fault, most_pages(co, fault)))
		return COSTACK_RESUME;
	costack_stat_inc(COSTACK_STAT_OVERFLOWS);
	report_overflow(co, fault);
	return COSTACK_DECLINE;
}
NOKPROBE_SYMBOL(over_limit);

/**
 * costack_fault() - decide about a write that a stack had no room for
 * @fault: what the architecture knows; @fault->co is filled in
 *
 * The coroutine is found from the address, never from current.
 *
 * Context: #DF stack, interrupts off, NMI-like: the interrupted code may be
 * anything. No stack protector: the interrupted code may not even be ours.
 * Return: any verdict but %COSTACK_ABORT.
 */
enum costack_verdict costack_fault(struct costack_fault *fault)
{
	struct costack_slot *slot = costack_arena_lookup(fault->addr);
	enum costack_refusal refusal;
	struct costack *co;
	unsigned int pages;

	if (!slot)
		return COSTACK_DECLINE;
	co = READ_ONCE(slot->co);
	if (!co || READ_ONCE(co->slot) != slot || costack_state(co) != COSTACK_RUNNING)
		return COSTACK_DECLINE;
	if (*fault->sp < costack_slot_start(slot) || *fault->sp > slot->hi)
		return COSTACK_DECLINE;
	if (fault->addr >= costack_slot_lo(slot))
		return COSTACK_DECLINE;

	fault->co = co;
	costack_stat_inc(COSTACK_STAT_FAULTS);
	if (!fault->irqs_on)
		costack_stat_inc(COSTACK_STAT_GROWN_IRQS_OFF);
	if (preemption_is_off())
		costack_stat_inc(COSTACK_STAT_GROWN_ATOMIC);
	pages = costack_grow_pages(slot->pages, need(co, fault), co->limit);
	if (!pages)
		return over_limit(co, fault);
	co->deepest = max_t(size_t, co->deepest, need(co, fault));
	if (READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY) {
		refusal = co->pins ? COSTACK_REFUSED_PIN : costack_frames_refusal(fault->ip);
		if (refusal == COSTACK_MOVABLE)
			return COSTACK_TO_HOST;
		refuse(co, refusal, 0, fault->ip);
	}
	return grow_in_place(co, pages, fault->ip) ? COSTACK_RESUME : COSTACK_DECLINE;
}
NOKPROBE_SYMBOL(costack_fault);

/*
 * Overflow of an abortable coroutine: leave all its frames. The host loop finds
 * a request with no handler, as if the coroutine had ended, and runs the defers.
 */
static enum costack_verdict overflow(struct costack *co, struct costack_fault *fault)
{
	struct costack_event event = {
		.kind = COSTACK_EVENT_OVERFLOW, .from = co->slot->pages, .to = co->limit,
		.ip = fault->ip,
	};
	enum costack_refusal refusal;
	struct costack_walk walk;

	refusal = costack_frames_droppable(co, fault, &walk);
	if (refusal != COSTACK_MOVABLE) {
		refuse(co, refusal, walk.frames, walk.ip);
		if (grow_beyond(co, fault, co->limit + COSTACK_BEYOND_KERNEL))
			return COSTACK_RESUME;
		costack_stat_inc(COSTACK_STAT_OVERFLOWS);
		report_overflow(co, fault);
		return COSTACK_DECLINE;
	}
	costack_stat_inc(COSTACK_STAT_OVERFLOWS);
	event.frames = walk.frames;
	note(co, &event);
	costack_stat_inc(COSTACK_STAT_ABORTS);
	co->aborted = true;
	co->req.handler = NULL;
	return COSTACK_ABORT;
}
NOKPROBE_SYMBOL(overflow);

/**
 * costack_newstack() - grow by copy, or overflow (Go's newstack)
 * @fault: as costack_fault() left it; registers and stack pointer are adjusted
 *
 * The interrupted instruction is in movable text, so it is not inside the
 * context switch nor in an interrupt.
 *
 * Context: host stack of @fault->co, interrupts off.
 * Return: any verdict but %COSTACK_TO_HOST.
 */
enum costack_verdict costack_newstack(struct costack_fault *fault)
{
	struct costack *co = fault->co;
	unsigned int pages = costack_grow_pages(co->slot->pages, need(co, fault), co->limit);
	enum costack_verdict verdict;

	if (!costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK))
		return COSTACK_DECLINE;
	if (!pages)
		verdict = overflow(co, fault);
	else
		verdict = move_or_grow(co, pages, fault) ? COSTACK_RESUME : COSTACK_DECLINE;
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	return verdict;
}
NOKPROBE_SYMBOL(costack_newstack);

/**
 * costack_note_replay() - note that a lost interrupt is made up for
 * @co: the coroutine on whose stack its delivery failed
 * @vector: which interrupt
 * @ip: interrupted instruction
 *
 * Context: #DF stack or host stack, interrupts off.
 */
void costack_note_replay(struct costack *co, int vector, unsigned long ip)
{
	struct costack_event event = {
		.kind = COSTACK_EVENT_REPLAY, .detail = vector, .ip = ip,
	};

	costack_stat_inc(COSTACK_STAT_INTERRUPTS_REPLAYED);
	note(co, &event);
}
NOKPROBE_SYMBOL(costack_note_replay);

/* === Safe points === */

/* What was registered by functions that have returned is not looked at by a move. */
static void drop_roots(struct costack *co)
{
	if (unlikely(co->roots.tracked))
		costack_roots_drop(&co->roots, co->slot->hi - co->ctx.sp, true);
}

/*
 * Growth at a safe point is paid for from a reserve of its own, so that the one
 * that the coroutine climbs with stays whole.
 */
static bool grow_from(struct costack *co, struct costack_reserve *reserve, unsigned int pages)
{
	struct costack_reserve *own = co->reserve;
	bool grown;

	co->reserve = reserve;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	if (READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY)
		grown = move_or_grow(co, pages, NULL);
	else
		grown = grow_in_place(co, pages, 0);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	co->reserve = own;
	return grown;
}

/**
 * costack_grow_ensure() - make room at a safe point
 * @co: a coroutine that is switched out
 * @bytes: to have below its stack pointer
 *
 * Context: Process context, host stack of @co; may sleep.
 * Return: 0; -EOVERFLOW if @bytes are beyond the limit; -ENOMEM. Nothing has
 * changed where it is not 0.
 */
int costack_grow_ensure(struct costack *co, size_t bytes)
{
	struct costack_slot *slot = co->slot;
	struct costack_reserve *reserve;
	unsigned int pages;
	size_t total;
	bool grown;

	if (check_add_overflow(slot->hi - co->ctx.sp, bytes, &total) || total > COSTACK_SLOT_SIZE)
		return -EOVERFLOW;
	if (total <= slot->pages * PAGE_SIZE)
		return 0;
	pages = costack_grow_pages(slot->pages, total, co->limit);
	if (!pages)
		return -EOVERFLOW;
	reserve = costack_reserve_get(pages, true, COSTACK_GFP);
	if (!reserve)
		return -ENOMEM;
	drop_roots(co);
	grown = grow_from(co, reserve, pages);
	costack_left_retired(co, reserve);
	costack_reserve_put(reserve);
	if (!grown)
		return -ENOMEM;
	co->deepest = max_t(size_t, co->deepest, total);
	return 0;
}

/* The arguments of a move, for costack_roots_copy(). */
struct move {
	struct costack		*co;
	struct costack_slot	*new;
	unsigned long		skip[COSTACK_SKIP_LONGS];
};

static void do_move(void *arg)
{
	struct move *move = arg;
	struct costack_event event = { };

	copystack(move->co, move->new, NULL, move->skip, &event);
}

/* Move a switched-out coroutine to a stack of @class; its state is COPYSTACK. */
static int move_to(struct costack *co, unsigned int class, gfp_t gfp)
{
	struct move *move = kmalloc(sizeof(*move), gfp);
	struct costack_slot *old = co->slot;
	struct costack_walk walk;
	int err = -ENOMEM;

	drop_roots(co);
	if (!move)
		return err;
	move->co = co;
	move->new = NULL;
	/* Of one that is parked nothing is in any thread, this one included. */
	if (costack_thread_points_to(current, old) ||
	    costack_frames_movable(co, NULL, &walk, move->skip) != COSTACK_MOVABLE)
		err = -EBUSY;
	else
		move->new = costack_stackalloc(class, gfp);
	if (move->new) {
		costack_roots_copy(&co->roots, do_move, move);
		if (unlikely(READ_ONCE(costack_knobs.unmap)))
			costack_left_add(co, old);
		else
			costack_stackfree(old);
		err = 0;
	}
	kfree(move);
	return err;
}

/**
 * costack_grow_force() - move without growing (Go's stackForceMove)
 * @co: a coroutine that is switched out for a request
 *
 * With the knob unmap, what it leaves is unmapped (Go's stackFaultOnFree).
 *
 * Context: Host stack of @co. May sleep; where the coroutine asked for something
 * in atomic context, it does not move.
 * Return: 0, -EBUSY if the stack is not movable now, -ENOMEM.
 */
int costack_grow_force(struct costack *co)
{
	unsigned int class = costack_class(co->slot->pages);
	int err;

	if (class >= COSTACK_CLASSES || irqs_disabled() || rcu_preempt_depth() ||
	    preemption_is_off())
		return -EBUSY;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	costack_left_retired(co, co->reserve);
	err = move_to(co, class, COSTACK_GFP);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	if (!err) {
		costack_stat_inc(COSTACK_STAT_MOVES_FORCED);
		trace_costack_move(co->name, co->fn, co->slot->pages, co->slot->pages);
	}
	return err;
}

/**
 * costack_grow_shrinkable() - is this stack too large (Go's shrinkstack)
 * @co: a coroutine that is switched out; a guess is given for any other
 *
 * Less than a quarter is used, with what an interrupt and a callee need counted
 * in. After the move to half the size at most half is used: that gap keeps a
 * stack from growing right back.
 *
 * Context: Any.
 * Return: true if it should move to half its size.
 */
bool costack_grow_shrinkable(const struct costack *co)
{
	const struct costack_slot *slot = READ_ONCE(co->slot);
	size_t used = slot->hi - READ_ONCE(co->ctx.sp) + COSTACK_HEADROOM;

	return slot->pages > 1 && used < slot->pages * PAGE_SIZE / 4;
}

/**
 * costack_grow_shrink() - move to half the size
 * @co: a coroutine that is switched out, and whose state the caller has set to
 *	COPYSTACK: that makes it the only one to touch the stack
 *
 * Context: Process context. Allocates, does not sleep for it.
 * Return: 0, -EBUSY if the stack is not movable now, -ENOMEM.
 */
int costack_grow_shrink(struct costack *co)
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
