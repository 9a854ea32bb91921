// SPDX-License-Identifier: GPL-2.0
/*
 * Is a walk needed at all? A scan decides without one, for the knob verify.
 *
 * Every frame but the newest is on the stack as a return address, in an aligned word. So if
 * each word that may be an address of text is one that a call returns to at a point, every
 * frame is at a point, wherever the frames are. The scan does not know which of these words
 * are return addresses of frames: others are left from calls that have returned. Two things
 * follow:
 *
 *	A word that no frame uses any more may be an address of text that is not movable.
 *	Then the scan is in doubt, and a walk decides.
 *
 *	The map of a point says which words of its frame are numbers. A frame begins right
 *	above its return address, so the scan can note the numbers of all that may be frames.
 *	A word that nobody notes is no number in any frame. A word that somebody notes is a
 *	number only if the one who notes it is a frame. That matters only if the word looks
 *	like an address of the stack: then the scan is in doubt.
 *
 * So where the scan is certain, it finds the words that a move has to adjust to be the same
 * that a walk finds. It reads the words from the lowest up; whoever notes a word lies below.
 *
 * A scan sees a hooked return address as what it is, an address of text that is not movable.
 */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <asm/costack.h>

#include "copy.h"
#include "coroutine.h"
#include "fault.h"
#include "frames.h"
#include "numbers.h"
#include "points.h"
#include "scan.h"
#include "stats.h"
#include "text.h"

/* @word may be a return address; what is called there has its stack pointer at @sp. */
static noinline enum costack_doubt note_return(struct costack_walk *walk, unsigned long word,
					       unsigned long sp)
{
	const struct costack_points *points = walk->points;
	const struct costack_point *point;

	if (unlikely(!points || word - points->start >= points->size)) {
		points = costack_text_points(word);
		if (!points)
			return costack_text_data(word) ? COSTACK_CERTAIN : COSTACK_DOUBT_TEXT;
		walk->points = points;
	}
	/* Without a rule, only the unwinder knows whether a frame can be left there. */
	if (unlikely(!costack_point_find(points, word, &point) ||
		     !(point->what & COSTACK_POINT_CALL) || !point->rule))
		return costack_arch_is_base(word) ? COSTACK_CERTAIN : COSTACK_DOUBT_POINT;
	walk->frames++;
	if (COSTACK_POINT_MAP(point->what)) {
		walk->mapped = true;
		costack_numbers_note(walk, points->maps + COSTACK_POINT_MAP(point->what),
				     point->what & COSTACK_POINT_RUNS, sp, true);
	}
	return COSTACK_CERTAIN;
}
NOKPROBE_SYMBOL(note_return);

/* The newest frame of a stack that was interrupted; any other is on the stack. */
static enum costack_doubt note_newest(struct costack_walk *walk, const struct costack *co,
				      const struct costack_fault *fault)
{
	const struct costack_frame frame = costack_arch_newest(&co->ctx, fault);
	const struct costack_points *points = costack_text_points(frame.ip);
	const struct costack_point *point;

	if (!points || !costack_point_find(points, frame.ip, &point) ||
	    !(point->what & walk->wanted) || !point->rule || frame.sp % sizeof(long))
		return COSTACK_DOUBT_STACK;
	walk->points = points;
	if (COSTACK_POINT_MAP(point->what)) {
		walk->mapped = true;
		costack_numbers_note(walk, points->maps + COSTACK_POINT_MAP(point->what),
				     point->what & COSTACK_POINT_RUNS, frame.sp, false);
	}
	return COSTACK_CERTAIN;
}
NOKPROBE_SYMBOL(note_newest);

/* Is word @i a number in what may be a frame? */
static __always_inline bool noted(const struct costack_walk *walk, size_t i)
{
	return walk->skip[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1;
}

/* What a scan looks for, and what it has done. */
struct scan {
	struct costack_walk	*walk;
	unsigned long		*words;
	unsigned long		lo;
	unsigned long		span;
	unsigned long		delta;
	unsigned int		rebased;
};

/* Look at the word @at, which is not below all addresses of the stack. */
static __always_inline enum costack_doubt look(struct scan *scan, unsigned long *at, bool rebase)
{
	unsigned long word = *at;
	size_t i = at - scan->words;

	if (costack_arch_maybe_text(word))
		return note_return(scan->walk, word, scan->walk->from + (i + 1) * sizeof(long));
	if (word - scan->lo > scan->span)
		return COSTACK_CERTAIN;
	if (unlikely(noted(scan->walk, i)))
		return COSTACK_DOUBT_NUMBER;
	if (rebase) {
		*at = word + scan->delta;
		scan->rebased++;
	}
	return COSTACK_CERTAIN;
}

/* Number of words that one turn of the loop in scan() looks at. */
#define GROUP	16

/*
 * Look at @words, the stack of @walk or a copy of it. All addresses of text lie above all
 * stacks, so one comparison dismisses most words. @rebase: adjust @words.
 */
static __always_inline enum costack_doubt scan(struct costack_walk *walk,
					       const struct costack_range *range,
					       unsigned long *words, unsigned int *rebased,
					       bool rebase)
{
	struct scan scan = { walk, words, range->lo, range->hi - range->lo, range->delta };
	const u32 upper = costack_upper_half(&range->lo);
	enum costack_doubt doubt = COSTACK_CERTAIN;
	unsigned long *end = words + walk->nr, *word = words;
	unsigned int i;

	for (; word + GROUP <= end; word += GROUP) {
#pragma GCC unroll 16
		for (i = 0; i < GROUP; i++) {
			if (likely(costack_upper_half(&word[i]) < upper))
				continue;
			doubt = look(&scan, &word[i], rebase);
			if (unlikely(doubt != COSTACK_CERTAIN))
				return doubt;
		}
	}
	for (; word < end && doubt == COSTACK_CERTAIN; word++)
		if (costack_upper_half(word) >= upper)
			doubt = look(&scan, word, rebase);
	*rebased = scan.rebased;
	return doubt;
}

static enum costack_doubt begin(const struct costack *co, const struct costack_fault *fault,
				const struct costack_range *range, struct costack_walk *walk,
				unsigned long *skip)
{
	if (!COSTACK_ARCH_SCAN || !costack_one_upper_half(range) || co->opaque ||
	    !costack_frames_prepare(co, fault, walk, skip))
		return COSTACK_DOUBT_STACK;
	return fault ? note_newest(walk, co, fault) : COSTACK_CERTAIN;
}
NOKPROBE_SYMBOL(begin);

static void count(enum costack_doubt doubt, const struct costack_walk *walk)
{
	costack_stat_inc(COSTACK_STAT_SCANS);
	if (walk->mapped)
		costack_stat_inc(COSTACK_STAT_SCANS_MAPPED);
	if (doubt != COSTACK_CERTAIN)
		costack_stat_inc(COSTACK_STAT_SCANS_DOUBT_STACK + doubt - COSTACK_DOUBT_STACK);
}
NOKPROBE_SYMBOL(count);

static enum costack_doubt scan_in_place(const struct costack *co,
					const struct costack_fault *fault,
					const struct costack_range *range,
					struct costack_walk *walk, unsigned long *skip)
{
	enum costack_doubt doubt = begin(co, fault, range, walk, skip);
	unsigned int rebased;

	if (doubt != COSTACK_CERTAIN)
		return doubt;
	return scan(walk, range, (unsigned long *)walk->from, &rebased, false);
}
NOKPROBE_SYMBOL(scan_in_place);

/**
 * costack_scan_stack() - scan a stack, read-only
 * @co: the coroutine whose stack it is
 * @fault: where it was interrupted; %NULL at a safe point, where it is switched out
 * @range: addresses that a move would adjust
 * @skip: as for costack_frames_movable(); out: nothing of use
 *
 * Context: As for costack_frames_movable().
 * Return: %COSTACK_CERTAIN, or why not.
 */
enum costack_doubt costack_scan_stack(const struct costack *co, const struct costack_fault *fault,
				      const struct costack_range *range, unsigned long *skip)
{
	struct costack_walk walk = { };
	enum costack_doubt doubt;

	if (fault) {
		doubt = scan_in_place(co, fault, range, &walk, skip);
	} else {
		/* Keeps the verdict from being freed; in a fault, disabled interrupts do. */
		rcu_read_lock();
		doubt = scan_in_place(co, NULL, range, &walk, skip);
		rcu_read_unlock();
	}
	count(doubt, &walk);
	return doubt;
}
NOKPROBE_SYMBOL(costack_scan_stack);

/**
 * costack_scan_copy() - scan the copy of a stack and adjust it
 * @co: the coroutine whose stack it is
 * @fault: where it was interrupted
 * @range: addresses to adjust
 * @words: the copy; in doubt some of its words are adjusted
 * @skip: as for costack_frames_movable(); out: nothing of use
 * @rebased: out: how many words were adjusted, if the scan is certain
 *
 * Context: Host stack of @co, interrupts off.
 * Return: %COSTACK_CERTAIN, or why not.
 */
enum costack_doubt costack_scan_copy(const struct costack *co, const struct costack_fault *fault,
				     const struct costack_range *range, unsigned long *words,
				     unsigned long *skip, unsigned int *rebased)
{
	struct costack_walk walk = { };
	enum costack_doubt doubt = begin(co, fault, range, &walk, skip);

	if (doubt == COSTACK_CERTAIN)
		doubt = scan(&walk, range, words, rebased, true);
	count(doubt, &walk);
	return doubt;
}
NOKPROBE_SYMBOL(costack_scan_copy);

/**
 * costack_scan_judge() - compare what a scan and a walk have said of a stack
 * @doubt: what the scan has said
 * @refusal: what the walk has said
 *
 * Context: Any context, host stack.
 */
void costack_scan_judge(enum costack_doubt doubt, enum costack_refusal refusal)
{
	if (doubt == COSTACK_CERTAIN && refusal != COSTACK_MOVABLE) {
		costack_stat_inc(COSTACK_STAT_SCANS_WRONG);
		WARN_ONCE(1, "costack: a scan would move what the walk refuses: %d\n", refusal);
	} else if (doubt != COSTACK_CERTAIN && refusal == COSTACK_MOVABLE) {
		costack_stat_inc(COSTACK_STAT_SCANS_CAREFUL);
	}
}
NOKPROBE_SYMBOL(costack_scan_judge);
