// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: Go's newstack and copystack.
 *
 * The steps of a fault, and the stack that each step runs on:
 *
 *	coroutine stack   a write below the mapped part
 *	#DF stack         costack_fault(): find the coroutine; grow in place right
 *	                  here, or hand over to the host stack
 *	host stack        costack_newstack(): walk, verify, then copy; or grow in
 *	                  place after all; or overflow
 *	coroutine stack   execute the same instruction again
 *
 * Interrupts are off from the fault to the resume. The fault can occur with any
 * lock held, with interrupts off, inside the page allocator, or inside the context
 * switch, when "current" and the stack belong to different threads. So nothing
 * here allocates, takes a lock, sleeps or uses current, except may_abort(), whose
 * comment explains why it may. An NMI can arrive at any instruction: it runs on its
 * own stack, and finds the coroutine on the old stack or, once copystack() has
 * published the new slot, on the new one. Both are mapped and complete.
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
#include "scan.h"
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
 * @pages: current size
 * @need: bytes from the top of the stack to the lowest byte that must be mapped
 * @limit: largest size allowed, in pages
 *
 * Double the size until it holds @need and some headroom, so that one growth serves
 * one fault (Go's newstack, round-up by funcMaxSPDelta). Leave out the headroom if
 * the limit has no room for it.
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
 * Map more pages below the stack. No address changes, so this is correct for any
 * stack at any instruction. Maps all the pages or none.
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
 * Adjust everything outside the stack that points into it (Go's adjustctxt,
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
 * What a move treats as an address of the stack: a word of the stack, or a register, that
 * points into the used part, into what the faulting access needs, or into the page below
 * both: a prologue may have taken the address of a local before it moved the stack
 * pointer. The checker relies on exactly this range: it allows no point where code
 * still uses an address further down.
 */
static struct costack_range used_range(const struct costack *co, const struct costack_fault *fault,
				       unsigned long new_hi)
{
	unsigned long sp = fault ? *fault->sp : co->ctx.sp;

	return (struct costack_range) {
		.lo	= max(ALIGN_DOWN(fault ? min(sp, fault->addr) : sp, sizeof(long)) -
			      COSTACK_BELOW, costack_slot_start(co->slot)),
		.hi	= co->slot->hi,
		.delta	= new_hi - co->slot->hi,
	};
}
NOKPROBE_SYMBOL(used_range);

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

/*
 * Move to @new; the walk has approved the move, or a @scan is to approve it. Stacks are
 * aligned at the top: everything keeps its distance from hi. The caller passes @new and
 * takes over the old stack.
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
 * Return false, with nothing changed, if the scan is in doubt.
 */
static bool copystack(struct costack *co, struct costack_slot *new,
		      struct costack_fault *fault, unsigned long *skip, bool scan,
		      struct costack_event *event)
{
	struct costack_slot *old = co->slot;
	unsigned long lo = costack_slot_lo(old);
	unsigned long sp = fault ? *fault->sp : co->ctx.sp;
	unsigned long from = costack_frames_from(lo, sp);
	bool poison = READ_ONCE(costack_knobs.poison);
	const struct costack_range used = used_range(co, fault, new->hi);
	const struct costack_range slot = {
		.lo	= costack_slot_start(old),
		.hi	= old->hi,
		.delta	= used.delta,
	};
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
	event->words += adjust(co, fault, &used, &slot, old->hi - sp);
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
NOKPROBE_SYMBOL(copystack);

/* As costack_frames_movable(); with the knob verify, also scan, and compare. */
static enum costack_refusal frames_movable(struct costack *co, const struct costack_fault *fault,
					   struct costack_walk *walk, unsigned long *skip)
{
	bool both = READ_ONCE(costack_knobs.verify) == COSTACK_VERIFY_BOTH;
	enum costack_doubt doubt = COSTACK_CERTAIN;
	enum costack_refusal refusal;

	if (unlikely(both)) {
		const struct costack_range range = used_range(co, fault, co->slot->hi);

		doubt = costack_scan_stack(co, fault, &range, skip);
	}
	refusal = costack_frames_movable(co, fault, walk, skip);
	if (unlikely(both))
		costack_scan_judge(doubt, refusal);
	return refusal;
}
NOKPROBE_SYMBOL(frames_movable);

/* @ip: address in the refused frame, which need not be the interrupted one. */
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

/* Move if every frame allows it, else grow in place. Return false if neither is possible. */
static bool move_or_grow(struct costack *co, unsigned int pages, struct costack_fault *fault)
{
	unsigned int class = costack_class(pages);
	struct costack_event event = {
		.kind = COSTACK_EVENT_COPY, .from = co->slot->pages, .to = pages,
		.ip = fault ? fault->ip : 0,
	};
	struct costack_slot *old = co->slot, *new = co->reserve->next[class];
	enum costack_refusal refusal = COSTACK_REFUSED_RESERVE;
	struct costack_walk walk = { };
	bool moved = false;

	if (costack_thread_points_to(co->task, old))
		refusal = COSTACK_REFUSED_PIN;
	else if (new && fault && READ_ONCE(costack_knobs.verify) == COSTACK_VERIFY_SCAN)
		moved = copystack(co, new, fault, co->reserve->skip, true, &event);
	if (refusal == COSTACK_REFUSED_RESERVE && new && !moved) {
		refusal = frames_movable(co, fault, &walk, co->reserve->skip);
		event.frames = walk.frames;
		if (refusal == COSTACK_MOVABLE)
			moved = copystack(co, new, fault, co->reserve->skip, false, &event);
	}
	if (moved) {
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

/* Bytes from the top of the stack down to the lowest byte that the access needs. */
static size_t need(const struct costack *co, const struct costack_fault *fault)
{
	return co->slot->hi - min(fault->addr, *fault->sp);
}
NOKPROBE_SYMBOL(need);

/*
 * May the fault handler abort this coroutine here? Only where the coroutine could
 * have called schedule(), and where every frame to be dropped is movable text, which
 * overflow() checks. "current" is valid once interrupts and preemption are known to
 * have been on: such code is not inside the context switch.
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

/* Grow in place to the pages that are needed, if these are no more than @most. */
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
 * The largest size that a coroutine may grow to where it cannot be aborted. Kernel code
 * with interrupts or preemption off is usually an interrupt handler, or the preemption
 * that follows it. It may always have one page more than are mapped now, no matter what
 * used those: a function that the kernel called back may have used all pages beyond the
 * limit, and its caller continues there; and the knob force_move gives a stack all the
 * pages of its class.
 */
static unsigned int most_pages(const struct costack *co, const struct costack_fault *fault)
{
	unsigned int most = co->limit + COSTACK_BEYOND_KERNEL;
	bool atomic = !fault->irqs_on || preemption_is_off();

	return atomic && !costack_text_movable(fault->ip) ? max(most, co->slot->pages + 1) : most;
}
NOKPROBE_SYMBOL(most_pages);

/*
 * The stack needs more than its limit. Abort an abortable coroutine if this is possible
 * here. It is not possible in an interrupt, in kernel code that must finish, or in a
 * function that such code called back, which overflow() detects. Then the pages beyond the
 * limit let that code finish. One more page is for the defers of an aborted coroutine: they
 * start where it was aborted, with hardly any room. They get the remaining pages one at a
 * time; a defer that needs more is itself aborted.
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

/*
 * May nobody move this running coroutine? It may be pinned, or on the queue of a channel and
 * about to park: then the other side may be using the value on its stack.
 */
static bool is_pinned(const struct costack *co)
{
	/* Pairs with the release in chan.c: the value has been read or written. */
	return co->pins || smp_load_acquire(&co->roots.sudog.lock);
}
NOKPROBE_SYMBOL(is_pinned);

/**
 * costack_fault() - decide what to do about a write below a stack
 * @fault: what the architecture knows; this function fills in @fault->co
 *
 * Finds the coroutine from the address, never from current.
 *
 * Context: #DF stack, interrupts off, NMI-like: the fault can interrupt any code.
 * No stack protector: the interrupted code may not be a coroutine's.
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
		refusal = is_pinned(co) ? COSTACK_REFUSED_PIN : costack_frames_refusal(fault->ip);
		if (refusal == COSTACK_MOVABLE)
			return COSTACK_TO_HOST;
		refuse(co, refusal, 0, fault->ip);
	}
	return grow_in_place(co, pages, fault->ip) ? COSTACK_RESUME : COSTACK_DECLINE;
}
NOKPROBE_SYMBOL(costack_fault);

/*
 * Abort an abortable coroutine that overflowed: drop all its frames. The host loop
 * finds a request with no handler, as if the coroutine had ended, and runs the defers.
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
 * @fault: as costack_fault() left it; a move adjusts its registers and stack pointer
 *
 * The interrupted instruction is in movable text, so it is neither inside the
 * context switch nor in an interrupt.
 *
 * Context: Host stack of @fault->co, interrupts off.
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
 * costack_note_replay() - note that a lost interrupt is replayed
 * @co: the coroutine on whose stack the CPU failed to deliver it
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

/* Drop roots that functions which have returned registered. A move ignores them. */
static void drop_roots(struct costack *co)
{
	if (unlikely(co->roots.tracked))
		costack_roots_drop(&co->roots, co->slot->hi - co->ctx.sp, true);
}

/*
 * Growth at a safe point uses a separate reserve, so that the coroutine's own reserve
 * stays full.
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
 * @bytes: room to have below its stack pointer
 *
 * Context: Process context, host stack of @co; may sleep.
 * Return: 0; -EOVERFLOW if @bytes would exceed the limit; -ENOMEM. On an error the
 * stack has not changed.
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

/**
 * costack_grow_over() - is a coroutine to be aborted at this call
 * @co: an abortable coroutine that is switched out
 *
 * A recursion that calls kernel functions at each level may never fault itself: a kernel
 * function goes deeper than the next level does, so it is always the one that meets the end
 * of the stack. It gets a page beyond the limit, and returns. So the caller is aborted at its
 * next call, if what it uses itself is beyond the limit by then.
 *
 * Context: Process context, host stack of @co.
 * Return: true if it is to be cut off with -EOVERFLOW.
 */
bool costack_grow_over(struct costack *co)
{
	struct costack_event event = {
		.kind = COSTACK_EVENT_OVERFLOW, .from = co->slot->pages, .to = co->limit,
	};
	struct costack_walk walk;

	if (likely(co->slot->hi - co->ctx.sp <= co->limit * PAGE_SIZE) || co->cut)
		return false;
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT) || preempt_count() || irqs_disabled() ||
	    rcu_preempt_depth() || costack_holds_locks(co) ||
	    costack_frames_droppable(co, NULL, &walk) != COSTACK_MOVABLE)
		return false;
	costack_stat_inc(COSTACK_STAT_OVERFLOWS);
	costack_stat_inc(COSTACK_STAT_ABORTS);
	event.frames = walk.frames;
	note(co, &event);
	return true;
}

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

	copystack(move->co, move->new, NULL, move->skip, false, &event);
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
	/* No thread, not even this one, points into the stack of a parked coroutine. */
	if (costack_thread_points_to(current, old) ||
	    frames_movable(co, NULL, &walk, move->skip) != COSTACK_MOVABLE)
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
 * With the knob unmap, the old stack is unmapped (Go's stackFaultOnFree).
 *
 * Context: Host stack of @co. May sleep. Does not move a coroutine that made its
 * request in atomic context.
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
 * @co: a coroutine that is switched out; for any other the answer is a guess
 *
 * A stack is too large if less than a quarter of it is used, counting what an
 * interrupt and a callee need. After the move to half the size, at most half is used:
 * this gap keeps the stack from growing back at once.
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
 *	COPYSTACK, so that nobody else uses the stack
 *
 * Context: Process context. Allocates without sleeping.
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
