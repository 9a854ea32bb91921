// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: Go's newstack. move.c has copystack.
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
 * own stack, and finds the coroutine on the old stack or, once costack_copystack() has
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
#include "coroutine.h"
#include "fault.h"
#include "frames.h"
#include "grow.h"
#include "left.h"
#include "move.h"
#include "pool.h"
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
	struct costack_reserve *reserve = costack_reserve_of(co);
	struct costack_event *own = &reserve->events[reserve->nr_events];

	co->noted = true;
	if (reserve->nr_events == COSTACK_NR_EVENTS)
		return;
	*own = *event;
	own->fn = co->fn;
	own->name = co->name;
	reserve->nr_events++;
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

	if (costack_reserve_of(co)->nr_pages < pages - slot->pages)
		return false;
	while (slot->pages < pages)
		costack_arena_map(slot, costack_reserve_page(costack_reserve_of(co)));
	co->growths++;
	costack_stat_inc(COSTACK_STAT_GROWN_IN_PLACE);
	note(co, &event);
	return true;
}
NOKPROBE_SYMBOL(grow_in_place);

/* === By copy === */

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
	co->refusals += co->refusals < U16_MAX;
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
	struct costack_reserve *reserve = costack_reserve_of(co);
	struct costack_slot *old = co->slot, *new = reserve->next[class];
	enum costack_refusal refusal = COSTACK_REFUSED_RESERVE;
	struct costack_walk walk = { };
	bool moved = false;

	if (costack_thread_points_to(co->task, old))
		refusal = COSTACK_REFUSED_PIN;
	else if (new && fault && READ_ONCE(costack_knobs.verify) == COSTACK_VERIFY_SCAN)
		moved = costack_copystack(co, new, fault, reserve->skip, true, &event);
	if (refusal == COSTACK_REFUSED_RESERVE && new && !moved) {
		refusal = costack_move_verify(co, fault, &walk, reserve->skip);
		event.frames = walk.frames;
		if (refusal == COSTACK_MOVABLE)
			moved = costack_copystack(co, new, fault, reserve->skip, false, &event);
	}
	if (moved) {
		costack_reserve_swap(reserve, class, old);
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
	if (!(co->flags & COSTACK_ABORTABLE) || !fault->irqs_on || costack_is_locking(co))
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

/**
 * costack_fault_has_room() - is the stack mapped down to an address
 * @fault: as costack_fault() left it
 * @addr: address in or below the stack
 *
 * Context: #DF stack or host stack, interrupts off.
 * Return: true if it is.
 */
bool costack_fault_has_room(const struct costack_fault *fault, unsigned long addr)
{
	return addr >= costack_slot_lo(fault->co->slot);
}
NOKPROBE_SYMBOL(costack_fault_has_room);

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

/*
 * Growth at a safe point uses a separate reserve, so that the coroutine's own reserve
 * stays full.
 */
static bool grow_from(struct costack *co, struct costack_reserve *reserve, unsigned int pages)
{
	struct costack_host *own = co->host;
	unsigned int i;
	bool grown;

	co->host = &reserve->host;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	if (READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY)
		grown = move_or_grow(co, pages, NULL);
	else
		grown = grow_in_place(co, pages, 0);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	co->host = own;
	for (i = 0; i < reserve->nr_events; i++)
		note(co, &reserve->events[i]);
	reserve->nr_events = 0;
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
	costack_move_drop_roots(co);
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
	    rcu_preempt_depth() || costack_holds_locks(co) || costack_is_locking(co) ||
	    costack_frames_droppable(co, NULL, &walk) != COSTACK_MOVABLE)
		return false;
	costack_stat_inc(COSTACK_STAT_OVERFLOWS);
	costack_stat_inc(COSTACK_STAT_ABORTS);
	event.frames = walk.frames;
	note(co, &event);
	return true;
}

/**
 * costack_grow_settle() - do what growth has left to the host loop
 * @co: a coroutine that is switched out, and has @noted set
 *
 * Emits its notes, and makes the stacks that it was moved from forget it: they stay with the
 * reserve, while @co may go on in another thread, end there, and be freed.
 *
 * Context: Host stack of @co; any context in which a coroutine makes a request.
 */
void costack_grow_settle(struct costack *co)
{
	struct costack_slot *slot;

	costack_trace_events(co);
	for (slot = costack_reserve_of(co)->retired; slot; slot = slot->next)
		if (slot->co == co)
			WRITE_ONCE(slot->co, NULL);
}
