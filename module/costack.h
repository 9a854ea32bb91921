/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A coroutine.
 */
#ifndef _COSTACK_COSTACK_H
#define _COSTACK_COSTACK_H

#include <linux/atomic.h>
#include <linux/costack.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/costack.h>

#include "arena.h"
#include "roots.h"

struct blk_plug;
struct costack_reserve;
struct costack_runner;
struct costack_work;

enum costack_event_kind {
	COSTACK_EVENT_IN_PLACE,
	COSTACK_EVENT_COPY,
	COSTACK_EVENT_REFUSE,
	COSTACK_EVENT_OVERFLOW,
	COSTACK_EVENT_REPLAY,
};

/**
 * struct costack_event - a decision of growth, kept until it can be traced
 * @kind: what was decided
 * @detail: the reason of a refusal, the vector of a replay
 * @from: pages before
 * @to: pages after
 * @frames: frames walked
 * @words: words rebased
 * @ip: interrupted instruction
 *
 * A fault may come inside the tracer, so it only takes a note; the note becomes
 * a tracepoint when the coroutine next comes to the host loop.
 */
struct costack_event {
	u8		kind;
	u8		detail;
	u16		from;
	u16		to;
	u16		frames;
	u32		words;
	unsigned long	ip;
};

/*
 * At most two notes for each doubling: the growth and a refusal or a replay.
 * What does not fit is counted in stats/ all the same.
 */
#define COSTACK_NR_EVENTS	10

/**
 * enum costack_next - what the host loop does after a request
 * @COSTACK_CONTINUE: switch in again
 * @COSTACK_LEAVE: the coroutine has left the thread; another may run it already
 */
enum costack_next {
	COSTACK_CONTINUE,
	COSTACK_LEAVE,
};

/**
 * struct costack_request - what a coroutine wants done on the host stack
 * @handler: does it; %NULL: the function, or a defer, has ended
 * @fn: for @handler
 * @arg: for @handler; a root, as it may be an address of the coroutine's stack
 *	and a move may come between its being stored here and being read
 * @ret: what the API call returns
 *
 * The counterpart of Go's mcall: written on the coroutine stack, read on the
 * host stack after the switch, by one thread; of one that is parked @handler is read
 * by who is to run it.
 */
struct costack_request {
	enum costack_next	(*handler)(struct costack *co);
	void			*fn;
	void			*arg;
	long			ret;
};

/**
 * struct costack_waiter - a wait for a wait queue, until its condition is true
 * @entry: on the queue; its private is the coroutine
 * @wq: the queue that @entry is on, or %NULL
 * @state: who ends the wait, see wait.c
 * @outer: the wait whose condition this one is part of, or %NULL
 */
struct costack_waiter {
	struct wait_queue_entry	entry;
	struct wait_queue_head	*wq;
	atomic_t		state;
	struct costack_waiter	*outer;
};

/**
 * struct costack - a coroutine
 * @idle: link in a CPU's list of coroutines kept for reuse
 * @ctx: where it goes on, while it is not running
 * @host: where its thread's host stack goes on, while it is running; handed over
 *	with the thread
 * @slot: the stack it stands on. Changed by copystack only.
 * @reserve: what it may grow into; its thread's, lent while it runs. Nobody but
 *	the running coroutine and, while it is switched out, its host loop touches it.
 * @state: an enum costack_state, and whether an unpark has come since it was last
 *	switched in; changed by the functions of state.h only
 * @limit: pages not to grow beyond
 * @pins: more than 0: do not move. Changed on the coroutine stack only.
 * @base: stack pointer at the outermost frame, where a walk must end
 * @task: the thread it runs in
 * @runner: the runner it runs in, %NULL for costack_call(); set when switched in
 * @work: the item it runs, %NULL for costack_call()
 * @flags: COSTACK_ABORTABLE, COSTACK_PINNED
 * @aborted: overflow cut it off; written by growth, read by the host loop
 * @cut: it was cut off: defers run where they were registered
 * @started: has run
 * @cancelled: is to end; set under the work item's lock, read at API calls
 * @masked: it waits for something that has to end first: @cancelled is heeded after
 *	that; changed on the coroutine stack only
 * @told: what it has been told of kthread_stop(), kthread_park(); its thread's
 * @req: what it asks of the host loop
 * @roots: what points into its stack
 * @opaque: what its moves copy as it is: ranges declared in frames of its stack, the
 *	newest, and lowest, first. Changed on the coroutine stack only.
 * @plug: its block plug while it is parked, flushed; a root, as it is in a local mostly
 * @fn: what it runs
 * @arg: argument of @fn
 * @ret: what @fn returned, or why it did not
 * @deepest: bytes in use at the deepest growth
 * @growths: times it has grown
 * @locks_held: lockdep's count of the thread when it was switched in: what the
 *	workqueue itself holds
 * @left: stacks that it was moved away from, unmapped, newest first: with the
 *	knob unmap only; changed by who may move it
 * @shrink_gen: the call to shrink that it has heeded
 * @run_next: link in the run queue
 * @all: link in the list of all that run work items
 * @seq: its number in there
 * @waiter: the innermost of the waits that it is in, or %NULL; changed by itself and,
 *	while it is switched out, by its host loop
 * @first_waiter: the outermost; further ones are allocated
 * @nap: as the state of a waiter: of a wait for time alone
 * @timer: bounds a wait
 * @timed: the state of the wait that @timer bounds
 * @nr_events: notes taken since it was last in the host loop
 * @events: the notes
 * @name: for reports; empty: the symbol of @fn
 */
struct costack {
	struct costack		*idle;
	struct costack_ctx	ctx;
	struct costack_ctx	host;
	struct costack_slot	*slot;
	struct costack_reserve	*reserve;
	atomic_t		state;
	unsigned int		limit;
	unsigned int		pins;
	unsigned int		flags;
	unsigned long		base;
	struct task_struct	*task;
	struct costack_runner	*runner;
	struct costack_work	*work;
	bool			aborted;
	bool			cut;
	bool			started;
	bool			cancelled;
	bool			masked;
	u8			told;
	u8			nr_events;
	struct costack_request	req;
	struct costack_roots	roots;
	struct costack_opaque_range *opaque;
	struct blk_plug		*plug;
	costack_fn_t		fn;
	void			*arg;
	int			ret;
	unsigned int		deepest;
	unsigned int		growths;
	int			locks_held;
	unsigned int		shrink_gen;
	struct costack_slot	*left;

	struct costack		*run_next;
	struct list_head	all;
	unsigned long		seq;

	struct costack_waiter	*waiter;
	struct costack_waiter	first_waiter;
	atomic_t		nap;
	struct timer_list	timer;
	atomic_t		*timed;

	struct costack_event	events[COSTACK_NR_EVENTS];
	char			name[COSTACK_NAME_LEN];
};

/* Locks that lockdep counts for this thread; 0 where it is not built in. */
static inline int costack_locks_held(void)
{
#ifdef CONFIG_LOCKDEP
	return current->lockdep_depth;
#else
	return 0;
#endif
}

/* Has the running coroutine taken a lock and not given it back, as far as is known? */
static inline bool costack_holds_locks(const struct costack *co)
{
	return IS_ENABLED(CONFIG_LOCKDEP) && costack_locks_held() > co->locks_held;
}

/* Is it to end now: to be cut off, or to get -ECANCELED from what parks? */
static inline bool costack_is_cancelled(const struct costack *co)
{
	return unlikely(READ_ONCE(co->cancelled)) && !READ_ONCE(co->masked);
}

/*
 * An abortable coroutine may be cut off where our own code goes over its limit: so
 * with less room than that takes, what must not be left half done is done on the host
 * stack. @sp is its stack pointer.
 */
#define COSTACK_CUT_ROOM	512UL

static __always_inline bool costack_may_be_cut(const struct costack *co, unsigned long sp)
{
	return unlikely(co->flags & COSTACK_ABORTABLE) &&
	       sp - costack_slot_lo(READ_ONCE(co->slot)) < COSTACK_CUT_ROOM;
}

/*
 * Bytes that a thread's own stack must have left for a coroutine to be called in it:
 * for the host loop, a growth by copy, an allocation that has to find memory first, and
 * interrupts meanwhile. Nested calls each take some of it. What then runs on the host
 * stack, by costack_on_host(), finds at least a half.
 */
#define COSTACK_HOST_ROOM	(THREAD_SIZE / 4)

/*
 * Bytes left on the calling thread's own stack; more than THREAD_SIZE on any other
 * stack.
 */
static __always_inline size_t costack_host_left(void)
{
	return current_stack_pointer - (unsigned long)end_of_stack(current);
}

/* costack_current(), inlined. */
static __always_inline struct costack *__costack_current(void)
{
	return costack_arena_at(current_stack_pointer);
}

struct costack *costack_create(const struct costack_attr *attr, costack_fn_t fn, void *arg);
struct costack *costack_resume(struct costack *co, struct costack_reserve *reserve);
void costack_cut(struct costack *co, int err);
void costack_run(struct costack *co);
unsigned long costack_called_mark(void);
bool costack_called_ended(unsigned long mark);
void costack_destroy(struct costack *co);
long costack_request(struct costack *co, enum costack_next (*handler)(struct costack *co),
		     void *fn, void *arg);
int costack_init(void);
void costack_exit(void);

#endif /* _COSTACK_COSTACK_H */
