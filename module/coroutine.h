/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a coroutine is: its struct and its states. This header holds types and the functions
 * that read or change one word of them. Every layer may include it; it includes none of the
 * layers that do anything.
 */
#ifndef _COSTACK_COROUTINE_H
#define _COSTACK_COROUTINE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/costack.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <asm/costack.h>

#include "roots.h"

struct blk_plug;
struct costack_reserve;
struct costack_runner;
struct costack_slot;
struct costack_waiter;
struct costack_work;

/* Size classes: 1, 2, 4, 8, 16 pages. */
#define COSTACK_CLASSES		5
#define COSTACK_MAX_PAGES	(1U << (COSTACK_CLASSES - 1))

/* In @flags of struct costack: it was called, and its thread has died under it. */
#define COSTACK_LOST		BIT(7)

/**
 * enum costack_state - what a coroutine is doing (Go's g status)
 * @COSTACK_IDLE: created, but not yet to be run
 * @COSTACK_RUNNABLE: to be run
 * @COSTACK_RUNNING: a thread runs it; only that thread touches its stack
 * @COSTACK_COPYSTACK: its stack is being moved; the mover that set this state owns the
 *	stack, and observers skip the coroutine
 * @COSTACK_WAITING: parked
 * @COSTACK_DEAD: ended; it uses no stack any more
 *
 * Legal transitions, rows from, columns to (costack_state_legal() is this table):
 *
 *	            IDLE  RUNNABLE  RUNNING  COPYSTACK  WAITING  DEAD
 *	IDLE                 x                                     x
 *	RUNNABLE                       x
 *	RUNNING              x                   x         x       x
 *	COPYSTACK            x         x                   x
 *	WAITING              x                   x
 *	DEAD         x
 */
enum costack_state {
	COSTACK_IDLE,
	COSTACK_RUNNABLE,
	COSTACK_RUNNING,
	COSTACK_COPYSTACK,
	COSTACK_WAITING,
	COSTACK_DEAD,
};

#define COSTACK_NR_STATES	(COSTACK_DEAD + 1)

/**
 * enum costack_next - what the host loop does after a request
 * @COSTACK_CONTINUE: switch in again
 * @COSTACK_LEAVE: the coroutine has left the thread; another thread may run it already
 */
enum costack_next {
	COSTACK_CONTINUE,
	COSTACK_LEAVE,
};

/**
 * struct costack_request - what a coroutine wants done on the host stack
 * @handler: handles the request; %NULL: the function, or a defer, has ended
 * @fn: for @handler
 * @arg: for @handler; a root, as it may be an address of the coroutine's stack, and
 *	the stack may move after @arg is stored and before it is read
 * @ret: what the API call returns
 *
 * The counterpart of Go's mcall. A thread writes the request on the coroutine stack and
 * reads it on the host stack after the switch. Once the coroutine is parked, the thread
 * that is to run it next reads @handler.
 */
struct costack_request {
	enum costack_next	(*handler)(struct costack *co);
	void			*fn;
	void			*arg;
	long			ret;
};

/**
 * enum costack_waits - what a parked coroutine waits for
 * @COSTACK_WAITS_NOT: nothing: it is not parked, as far as can be told
 * @COSTACK_WAITS_UNPARK: costack_unpark()
 * @COSTACK_WAITS_TIME: the end of costack_sleep()
 * @COSTACK_WAITS_QUEUE: a wait queue
 * @COSTACK_WAITS_ITEM: the end of a work item
 * @COSTACK_WAITS_CHANNEL: a channel
 * @COSTACK_WAITS_LOCK: a lock
 * @COSTACK_WAITS_GROUP: the end of all children of a group
 * @COSTACK_WAITS_COMPLETION: a completion
 *
 * The tracepoint costack_park and debugfs print words for the numbers.
 */
enum costack_waits {
	COSTACK_WAITS_NOT,
	COSTACK_WAITS_UNPARK,
	COSTACK_WAITS_TIME,
	COSTACK_WAITS_QUEUE,
	COSTACK_WAITS_ITEM,
	COSTACK_WAITS_CHANNEL,
	COSTACK_WAITS_LOCK,
	COSTACK_WAITS_GROUP,
	COSTACK_WAITS_COMPLETION,
};

#define COSTACK_NR_WAITS	(COSTACK_WAITS_COMPLETION + 1)

/* Bits of @heed in struct costack. */
enum {
	/* It can be cut off at the limit of its stack. */
	COSTACK_HEED_LIMIT	= COSTACK_ABORTABLE,
	/* Its work item has been cancelled. */
	COSTACK_HEED_CANCEL	= BIT(7),
};

/**
 * struct costack_host - what a thread lends to the coroutine that it runs
 * @ctx: where the host stack continues
 * @runner: the runner that the thread is; %NULL: the thread is in costack_call()
 * @on_host: the coroutine for which it runs a function on the host stack, or %NULL; for the watch
 *
 * It is part of a struct costack_reserve. A coroutine that is handed a thread is handed this
 * pointer. Others must not follow it: the coroutine may have left the thread.
 */
struct costack_host {
	struct costack_ctx	ctx;
	struct costack_runner	*runner;
	struct costack		*on_host;
};

/**
 * struct costack - a coroutine
 * @run_next: link in a run queue
 * @idle: link in a CPU's list of coroutines kept for reuse
 * @ctx: where the coroutine continues, while it is not running
 * @slot: the stack it uses; %NULL: it has not begun, or is packed. Once it has begun, only a
 *	move, a pack and an unpack change it.
 * @host: while it runs: its thread's side, and so the reserve that it may grow into. Only
 *	the running coroutine and, while it is switched out, its host loop follow it.
 * @packed: while it is packed: what was on its stack, see pack.c
 * @state: an enum costack_state, and whether an unpark has come since it was last
 *	switched in; only the functions below change it
 * @pins: more than 0: do not move. Changed on the coroutine stack, and by its host loop.
 * @limit: maximal size of its stack in pages
 * @flags: COSTACK_ABORTABLE, COSTACK_PINNED, COSTACK_PACK, COSTACK_ACCOUNT, COSTACK_LOST
 * @base: stack pointer at the outermost frame, where a walk must end
 * @task: the thread it runs in
 * @work: the item it runs, %NULL for costack_call()
 * @aborted: overflow cut it off; written by growth, read by the host loop
 * @cut: it was cut off: defers run where they were registered
 * @heed: %COSTACK_HEED_CANCEL, %COSTACK_HEED_LIMIT: what its calls have to heed, 0 for most. One
 *	byte, which the fast paths test at once. Once it has begun, a cancel changes it, under
 *	the work item's lock.
 * @masked: it waits for something that has to end first, and heeds a cancel only
 *	after that; changed on the coroutine stack, and cleared when it is cut off
 * @told: which of the thread's kthread_stop() and kthread_park() it has been told of
 * @noted: its growth has taken notes since it was last in the host loop
 * @packs: it is to be packed at each park (%COSTACK_PACK)
 * @parks_slow: either of these two: the host loop must see its parks
 * @refusal: why a move was last refused, an enum costack_refusal; 0: none was
 * @marks: all of these, from @aborted on: 0 if nothing unusual has happened to it
 * @started: it has run
 * @class: size class of the stack that it gets next, while it has none. This and @probe are
 *	one byte: only who runs @co, or may move it, changes them.
 * @probe: the size class that was remembered of @fn when it began, if it was to begin with
 *	a smaller one all the same; otherwise 0: see first.c
 * @waits: what it is parked for, an enum costack_waits; 0: costack_waits() knows it otherwise
 * @sudog_ret: result of its wait with @roots.sudog; written by who ends the wait, before the
 *	wake-up
 * @looked: number of the look that has last come across it, see called.c; of a work item: its
 *	tags, see tags.c
 * @req: what it asks of the host loop
 * @roots: what points into its stack
 * @opaque: ranges declared in frames of its stack, which its moves copy as they are; the
 *	newest, which is the lowest, first. Changed on the coroutine stack only.
 * @plug: its flushed block plug while it is parked; a root, as a plug is mostly a local
 * @fn: what it runs; its argument is in @req until it begins
 * @ret: what @fn returned, or why it did not
 * @deepest: bytes in use at the deepest growth
 * @growths: times it has grown
 * @refusals: times a move was refused, up to the largest number
 * @held: how many mutexes it holds: changed by the coroutine, and by who hands it one that it
 *	waits for
 * @locks_held: lockdep's count for the thread when it was switched in: the locks that the
 *	workqueue itself holds
 * @left: stacks that it was moved away from, unmapped, newest first; with the knob
 *	unmap only. Whoever may move the coroutine changes the list.
 * @shrink_gen: number of the last call to shrink that it has heeded
 * @all: link in a list of all coroutines of work items
 * @cpu: the CPU whose list that is
 * @gen: number of the last mark that was made before it was added, see items.c; of a called one:
 *	its tags
 * @seq: a number of its own
 * @waiter: the innermost of the waits that it is in, or %NULL; changed by its host loop,
 *	while it is switched out
 * @name: for reports; empty: the symbol of @fn. The user keeps it until @co has ended
 */
struct costack {
	union {
		struct costack	*run_next;
		struct costack	*idle;
	};
	struct costack_ctx	ctx;
	struct costack_slot	*slot;
	union {
		struct costack_host *host;
		unsigned long	*packed;
	};
	atomic_t		state;
	u16			pins;
	u8			limit;
	u8			flags;
	unsigned long		base;
	struct task_struct	*task;
	struct costack_work	*work;
	union {
		struct {
			bool	aborted;
			bool	cut;
			u8	heed;
			bool	masked;
			u8	told;
			u8	refusal;
			union {
				struct {
					bool	noted;
					bool	packs;
				};
				u16	parks_slow;
			};
		};
		u64		marks;
	};
	bool			started;
	u8			class : 4;
	u8			probe : 4;
	u8			waits;
	s8			sudog_ret;
	unsigned int		looked;
	struct costack_request	req;
	struct costack_roots	roots;
	struct costack_opaque_range *opaque;
	struct blk_plug		*plug;
	costack_fn_t		fn;
	int			ret;
	unsigned int		deepest;
	unsigned int		growths;
	u16			refusals;
	u16			held;
	u16			shrink_gen;
	u16			cpu;
	unsigned int		gen;
	struct costack_slot	*left;
#ifdef CONFIG_LOCKDEP
	int			locks_held;
#endif

	struct list_head	all;
	unsigned long		seq;

	struct costack_waiter	*waiter;
	const char		*name;
};

#ifdef CONFIG_LOCKDEP
/* The calling thread switches @co in. */
static inline void costack_locks_note(struct costack *co)
{
	co->locks_held = current->lockdep_depth;
}

/* The thread of @co is handed over to @next. */
static inline void costack_locks_pass(const struct costack *co, struct costack *next)
{
	next->locks_held = co->locks_held;
}

/* How many locks the running coroutine holds. */
static inline int costack_locks_held(const struct costack *co)
{
	return current->lockdep_depth - co->locks_held;
}
#else
/* Without lockdep nobody knows. */
static inline void costack_locks_note(struct costack *co) { }
static inline void costack_locks_pass(const struct costack *co, struct costack *next) { }

static inline int costack_locks_held(const struct costack *co)
{
	return 0;
}
#endif

/* Does the running coroutine hold a lock, as far as lockdep knows? */
static inline bool costack_holds_locks(const struct costack *co)
{
	return costack_locks_held(co) > 0;
}

/* Has its work item been cancelled? */
static __always_inline bool costack_cancel_came(const struct costack *co)
{
	return READ_ONCE(co->heed) & COSTACK_HEED_CANCEL;
}

/* Is it to end now: to be cut off, or to get -ECANCELED from the calls that park? */
static inline bool costack_is_cancelled(const struct costack *co)
{
	return unlikely(costack_cancel_came(co)) && !READ_ONCE(co->masked);
}

/* Is it in a call that waits for a lock? It may have the lock already: it is not cut off there. */
static __always_inline bool costack_is_locking(const struct costack *co)
{
	return READ_ONCE(co->waits) == COSTACK_WAITS_LOCK;
}

/* Has what was on the stack of @co been packed? Then @co has no stack, though it has begun. */
static __always_inline bool costack_is_packed(const struct costack *co)
{
	return !co->slot && co->started;
}

/* === States === */

/**
 * costack_state_legal() - is this transition legal
 * @from: state before
 * @to: state after
 *
 * Context: Any context, any stack.
 * Return: true if the table has it.
 */
static __always_inline bool costack_state_legal(enum costack_state from, enum costack_state to)
{
	switch (from) {
	case COSTACK_IDLE:
		return to == COSTACK_RUNNABLE || to == COSTACK_DEAD;
	case COSTACK_RUNNABLE:
		return to == COSTACK_RUNNING;
	case COSTACK_RUNNING:
		return to == COSTACK_RUNNABLE || to == COSTACK_COPYSTACK ||
		       to == COSTACK_WAITING || to == COSTACK_DEAD;
	case COSTACK_COPYSTACK:
		return to == COSTACK_RUNNABLE || to == COSTACK_RUNNING || to == COSTACK_WAITING;
	case COSTACK_WAITING:
		return to == COSTACK_RUNNABLE || to == COSTACK_COPYSTACK;
	case COSTACK_DEAD:
		return to == COSTACK_IDLE;
	}
	return false;
}

/*
 * An unpark has come. The flag shares the word with the state, so one atomic step either
 * parks a coroutine or finds that it must not park. After that step the thread that parked
 * the coroutine does not own it any more: it may run elsewhere, end, and be reused.
 *
 * The flag is cleared when the coroutine is switched in and when it ends.
 */
#define COSTACK_WAKEUP		BIT(3)

/**
 * costack_state() - what a coroutine is doing
 * @co: the coroutine
 *
 * Context: Any context, any stack. The state may have changed by the time of the return.
 * Return: its state, without the flag.
 */
static __always_inline enum costack_state costack_state(const struct costack *co)
{
	BUILD_BUG_ON(COSTACK_NR_STATES > COSTACK_WAKEUP);
	return atomic_read(&co->state) & ~COSTACK_WAKEUP;
}

/**
 * costack_set_state() - change state (Go's casgstatus)
 * @co: the coroutine
 * @from: state it must be in; a constant
 * @to: state to change to; a constant
 *
 * Fully ordered where it succeeds: an observer that sees @to also sees what was done
 * before. A transition that the table does not have does not compile.
 *
 * Context: Any context, any stack.
 * Return: false, and nothing has changed, if @co is in another state, or is to be
 * WAITING and an unpark has come.
 */
static __always_inline bool costack_set_state(struct costack *co, enum costack_state from,
					      enum costack_state to)
{
	const int kept = to == COSTACK_COPYSTACK ||
			 (to == COSTACK_RUNNING && from == COSTACK_COPYSTACK) ? COSTACK_WAKEUP : 0;
	int old = from;

	BUILD_BUG_ON(!costack_state_legal(from, to));
	if (likely(atomic_try_cmpxchg(&co->state, &old, to)))
		return true;
	/* Only a thread that may change the state clears the flag. */
	return to != COSTACK_WAITING && old == (from | COSTACK_WAKEUP) &&
	       atomic_try_cmpxchg(&co->state, &old, to | kept);
}

/**
 * costack_set_own_state() - change the state of a coroutine that only the caller knows
 * @co: a coroutine whose function has not begun, or has ended
 * @from: state it is in; a constant
 * @to: state to change to; a constant
 *
 * Nobody can have its address to unpark it: only its function can give that away, and it
 * must not be unparked once it has ended. So there is no flag to keep. An observer that sees
 * @to also sees what was done before: a release. As with costack_set_state(), a transition
 * that the table does not have does not compile.
 *
 * Context: Any context, any stack.
 */
static __always_inline void costack_set_own_state(struct costack *co, enum costack_state from,
						  enum costack_state to)
{
	BUILD_BUG_ON(!costack_state_legal(from, to));
	atomic_set_release(&co->state, to);
}

/**
 * costack_set_running() - RUNNABLE -> RUNNING, by a plain store
 * @co: RUNNABLE, and taken from its queue by the caller, who alone may change its state
 *
 * Only wakers write the word meanwhile, and what they write is the flag, which a switch-in
 * clears anyway. But @co must then see what such a waker did before. So the caller executes
 * a full barrier between this and the first instruction of @co. It pairs with the cmpxchg in
 * costack_wake(): either the waker finds RUNNING, and its flag stays; or its write comes
 * before this store, and @co sees, after the barrier, what came before that write.
 *
 * A release: an observer that sees RUNNING also sees what was done before.
 *
 * Context: Any stack; the caller runs @co next.
 */
static __always_inline void costack_set_running(struct costack *co)
{
	BUILD_BUG_ON(!costack_state_legal(COSTACK_RUNNABLE, COSTACK_RUNNING));
	atomic_set_release(&co->state, COSTACK_RUNNING);
}

/**
 * costack_wake() - make a parked coroutine runnable, or tell one that is not parked
 * @co: a coroutine that has not ended
 *
 * Fully ordered in any case: the coroutine sees what the waker did before when it is
 * switched in, or when it finds that it must not park.
 *
 * Context: Any context, any stack.
 * Return: true if @co was made RUNNABLE: the caller must then have it run.
 */
static __always_inline bool costack_wake(struct costack *co)
{
	int old = COSTACK_WAITING;

	if (likely(atomic_try_cmpxchg(&co->state, &old, COSTACK_RUNNABLE)))
		return true;
	while (!atomic_try_cmpxchg(&co->state, &old, old == COSTACK_WAITING ?
				   COSTACK_RUNNABLE : old | COSTACK_WAKEUP))
		;
	return old == COSTACK_WAITING;
}

/**
 * costack_heed_wakeup() - take note of an unpark
 * @co: RUNNING, and the caller runs it
 *
 * Full barrier: the caller sees afterwards what the wakers did before they woke @co.
 *
 * Context: Any context, any stack.
 */
static __always_inline void costack_heed_wakeup(struct costack *co)
{
	atomic_fetch_andnot(COSTACK_WAKEUP, &co->state);
}

/**
 * costack_release() - release a parked coroutine whose stack was moved
 * @co: was WAITING when the caller made it COPYSTACK
 *
 * Context: Any context, any stack.
 * Return: true if @co was made RUNNABLE because an unpark has come meanwhile: the caller
 * must then have it run.
 */
static __always_inline bool costack_release(struct costack *co)
{
	return !costack_set_state(co, COSTACK_COPYSTACK, COSTACK_WAITING) &&
	       costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNABLE);
}

/**
 * costack_claim() - claim a parked coroutine
 * @co: the coroutine, of which the caller knows that it exists
 *
 * Until costack_unclaim() nobody else runs @co or touches its stack. A wake-up waits for that,
 * so the caller keeps its CPU. On a real-time kernel it may be preempted, because it takes locks
 * that sleep there.
 *
 * Context: Process context, any stack but @co's. If this succeeds, the caller must not sleep
 * before costack_unclaim().
 * Return: false if @co is not parked, or somebody else has claimed it.
 */
static __always_inline bool costack_claim(struct costack *co)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	if (likely(costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK)))
		return true;
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	return false;
}

/**
 * costack_unclaim() - end a claim
 * @co: the coroutine, claimed by costack_claim()
 *
 * Context: As for costack_claim().
 * Return: as costack_release().
 */
static __always_inline bool costack_unclaim(struct costack *co)
{
	bool woken = costack_release(co);

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	return woken;
}

#endif /* _COSTACK_COROUTINE_H */
