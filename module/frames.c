// SPDX-License-Identifier: GPL-2.0
/*
 * Checking the frames on a stack before a move or an abort.
 *
 * A stack may be moved if each frame is at a point that the verdict of its text names:
 * there every value derived from the stack pointer is a plain address, or is not used
 * again. The verdict also says which words of the frame certainly hold no address;
 * copystack leaves those unchanged, whatever they look like. Frames may be dropped if all
 * of them are movable text: nobody will use them again.
 *
 * This code writes only the bitmap, which is memory of the reserve. A fault calls it on
 * the host stack, with interrupts off and any lock held; a safe point calls it in process
 * context.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <asm/costack.h>

#include "arena.h"
#include "coroutine.h"
#include "fault.h"
#include "frames.h"
#include "numbers.h"
#include "stats.h"
#include "text.h"
#include "points.h"

/* Check each rule with the unwinder on debug kernels, and with the knob force_move. */
static __always_inline bool doubted(void)
{
	return IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ||
	       READ_ONCE(costack_knobs.force_move);
}

static enum costack_refusal no_point(const struct costack_points *points, unsigned long ip)
{
	if (points && costack_text_approved(points, ip))
		return COSTACK_REFUSED_POINT;
	return costack_text_movable(ip) ? COSTACK_REFUSED_VERDICT : COSTACK_REFUSED_TEXT;
}
NOKPROBE_SYMBOL(no_point);

/* For costack_arch_walk(): may this frame be moved? */
static enum costack_refusal move_frame(struct costack_walk *walk, unsigned long ip,
				       unsigned long sp)
{
	const struct costack_points *points = walk->points;
	const struct costack_point *point = NULL;

	if (!points || ip - points->start >= points->size) {
		points = costack_text_points(ip);
		walk->points = points;
	}
	if (points)
		point = costack_point_at(points, ip);
	if (!point || !(point->what & walk->wanted))
		return no_point(points, ip);
	if (sp % sizeof(long))
		return COSTACK_REFUSED_UNWIND;
	walk->wanted = COSTACK_POINT_CALL;
	walk->rule = point->rule;
	if (COSTACK_POINT_MAP(point->what))
		costack_numbers_note(walk, points->maps + COSTACK_POINT_MAP(point->what),
				     point->what & COSTACK_POINT_RUNS, sp, false);
	return COSTACK_MOVABLE;
}
NOKPROBE_SYMBOL(move_frame);

static enum costack_refusal drop_frame(struct costack_walk *walk, unsigned long ip,
				       unsigned long sp)
{
	return costack_text_movable(ip) ? COSTACK_MOVABLE : COSTACK_REFUSED_TEXT;
}
NOKPROBE_SYMBOL(drop_frame);

/*
 * Mark each word that contains an opaque byte. The range structures lie in frames, each
 * above the one before; otherwise refuse the move.
 */
static enum costack_refusal skip_opaque(const struct costack *co, const struct costack_walk *walk)
{
	const struct costack_opaque_range *range;
	unsigned long lowest = walk->from, at, buf, end;

	for (range = co->opaque; range; range = range->next) {
		at = (unsigned long)range;
		if (at < lowest || at + sizeof(*range) > walk->hi || at % sizeof(long))
			return COSTACK_REFUSED_OPAQUE;
		lowest = at + sizeof(*range);
		buf = (unsigned long)range->buf;
		if (buf >= walk->hi)
			continue;
		end = buf + min(range->len, walk->hi - buf);
		costack_numbers_run(walk,
				    costack_numbers_word(walk, ALIGN_DOWN(buf, sizeof(long))),
				    costack_numbers_word(walk, ALIGN(end, sizeof(long))));
	}
	return COSTACK_MOVABLE;
}
NOKPROBE_SYMBOL(skip_opaque);

/*
 * Note the numbers of a frame and step to its caller. @above: the frame is not the newest.
 * Such a frame lies above @walk->lo, and no rule reads below its frame: nothing is left to
 * be compared with @walk->lo.
 */
static __always_inline bool leave(const struct costack_walk *walk, struct costack_frame *frame,
				  const struct costack_points *points, u32 wanted, bool above)
{
	const struct costack_point *point;

	if (unlikely(!costack_point_find(points, frame->ip, &point) || !(point->what & wanted)))
		return false;
	if (COSTACK_POINT_MAP(point->what))
		costack_numbers_note(walk, points->maps + COSTACK_POINT_MAP(point->what),
				     point->what & COSTACK_POINT_RUNS, frame->sp, above);
	return likely(costack_arch_step(frame, point->rule, above ? 0 : walk->lo, walk->hi));
}

/*
 * Walk by rules alone. Nearly every stack that moves has a point with a rule in each frame;
 * then this loop decides about it in some sixty instructions a frame. It never refuses: if
 * it returns false, anything may be the reason, and costack_arch_walk() has to find out.
 */
static bool walk_by_rules(struct costack_walk *walk, struct costack_frame frame)
{
	const struct costack_points *points = costack_text_points(frame.ip);
	bool more;

	if (unlikely(frame.sp % sizeof(long)))
		return false;
	more = points && leave(walk, &frame, points, walk->wanted, false);
	while (likely(more)) {
		walk->frames++;
		/* Most frames of a stack belong to the same module. */
		if (unlikely(frame.ip - points->start >= points->size)) {
			points = costack_text_points(frame.ip);
			if (!points)
				break;
		}
		more = leave(walk, &frame, points, COSTACK_POINT_CALL, true);
	}
	/* The outermost frame has no rule, either. */
	return costack_arch_is_base(frame.ip) && frame.sp == walk->base;
}
NOKPROBE_SYMBOL(walk_by_rules);

static enum costack_refusal walk_frames(struct costack *co, const struct costack_fault *fault,
					struct costack_walk *walk)
{
	enum costack_refusal refusal;

	walk->lo = costack_slot_lo(co->slot);
	walk->hi = co->slot->hi;
	walk->base = co->base;
	if (walk->frame == move_frame && !walk->compare &&
	    walk_by_rules(walk, costack_arch_newest(&co->ctx, fault))) {
		refusal = COSTACK_MOVABLE;
	} else {
		walk->frames = 0;
		/* The thread that a parked coroutine last ran in may have exited. */
		walk->task = fault ? co->task : current;
		refusal = costack_arch_walk(walk, &co->ctx, fault);
	}
	costack_stat_add(COSTACK_STAT_FRAMES_WALKED, walk->frames);
	return refusal;
}
NOKPROBE_SYMBOL(walk_frames);

/**
 * costack_frames_prepare() - begin to look at the frames of a stack that is to be moved
 * @co: the coroutine whose stack it is
 * @fault: where it was interrupted; %NULL at a safe point, where it is switched out
 * @walk: out: what is known before anybody looks
 * @skip: out: all bits that a walk may set are clear
 *
 * Context: As for costack_frames_movable().
 * Return: false if the stack is pinned.
 */
bool costack_frames_prepare(const struct costack *co, const struct costack_fault *fault,
			    struct costack_walk *walk, unsigned long *skip)
{
	unsigned long from = costack_frames_from(costack_slot_lo(co->slot),
						 fault ? *fault->sp : co->ctx.sp);
	unsigned long i, nr = (co->slot->hi - from) / sizeof(long);

	*walk = (struct costack_walk) {
		.wanted	= fault ? COSTACK_POINT_CALL | COSTACK_POINT_TOUCH : COSTACK_POINT_CALL,
		.hi	= co->slot->hi,
		.from	= from,
		.nr	= nr,
		.skip	= skip,
	};
	if (co->pins)
		return false;
	/*
	 * Four at a time, as @skip has room for. The compiler would make a plain loop a
	 * memset(), which may be probed.
	 */
	for (i = 0; i < nr / BITS_PER_LONG + 2; i += 4) {
		WRITE_ONCE(skip[i], 0);
		WRITE_ONCE(skip[i + 1], 0);
		WRITE_ONCE(skip[i + 2], 0);
		WRITE_ONCE(skip[i + 3], 0);
	}
	return true;
}
NOKPROBE_SYMBOL(costack_frames_prepare);

/**
 * costack_frames_movable() - may a stack be moved
 * @co: the coroutine whose stack it is
 * @fault: where it was interrupted; %NULL at a safe point, where it is switched out
 * @walk: out: what the walk found
 * @skip: out: COSTACK_SKIP_LONGS words with a bit for each word from
 *	costack_frames_from() up; set where copystack must not rebase
 *
 * Context: For a fault: host stack of @co, interrupts off. Otherwise: process context,
 * and nobody else runs or moves @co.
 * Return: %COSTACK_MOVABLE, or why not; @walk->ip then is the address in question.
 */
enum costack_refusal costack_frames_movable(struct costack *co, const struct costack_fault *fault,
					    struct costack_walk *walk, unsigned long *skip)
{
	enum costack_refusal refusal;

	if (!costack_frames_prepare(co, fault, walk, skip))
		return COSTACK_REFUSED_PIN;
	walk->frame = move_frame;
	walk->compare = doubted();
	if (fault) {
		refusal = walk_frames(co, fault, walk);
	} else {
		/* Keeps the verdict from being freed; in a fault, disabled interrupts do. */
		rcu_read_lock();
		refusal = walk_frames(co, NULL, walk);
		rcu_read_unlock();
	}
	if (unlikely(co->opaque) && refusal == COSTACK_MOVABLE)
		refusal = skip_opaque(co, walk);
	return refusal;
}
NOKPROBE_SYMBOL(costack_frames_movable);

/**
 * costack_frames_droppable() - may a coroutine be aborted where it is
 * @co: the coroutine
 * @fault: where it was interrupted; %NULL at a safe point, where it is switched out
 * @walk: out: what the walk found
 *
 * A pinned stack may not be moved, but its frames may be dropped.
 *
 * Context: As for costack_frames_movable().
 * Return: %COSTACK_MOVABLE, or why not.
 */
enum costack_refusal costack_frames_droppable(struct costack *co,
					      const struct costack_fault *fault,
					      struct costack_walk *walk)
{
	*walk = (struct costack_walk) { .frame = drop_frame };
	return walk_frames(co, fault, walk);
}
NOKPROBE_SYMBOL(costack_frames_droppable);

/**
 * costack_frames_refusal() - may the frame of interrupted code be moved
 * @ip: where it was interrupted
 *
 * Context: Any context with interrupts off, any stack, the #DF stack included.
 * Return: %COSTACK_MOVABLE, or why not.
 */
enum costack_refusal costack_frames_refusal(unsigned long ip)
{
	const struct costack_points *points = costack_text_points(ip);

	if (points && costack_point_at(points, ip))
		return COSTACK_MOVABLE;
	return no_point(points, ip);
}
NOKPROBE_SYMBOL(costack_frames_refusal);
