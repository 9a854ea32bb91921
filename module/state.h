/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States of a coroutine.
 */
#ifndef _COSTACK_STATE_H
#define _COSTACK_STATE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#include "costack.h"

/**
 * enum costack_state - what a coroutine is doing (Go's g status)
 * @COSTACK_IDLE: made, not yet to be run
 * @COSTACK_RUNNABLE: to be run
 * @COSTACK_RUNNING: a thread runs it; only that thread touches its stack
 * @COSTACK_COPYSTACK: its stack is being moved; who set this owns the stack,
 *	observers skip the coroutine
 * @COSTACK_WAITING: parked
 * @COSTACK_DEAD: ended; stands on no stack
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
 * costack_state_legal() - is there such a transition
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
 * Beside the state, in the same word: an unpark has come. So that one step parks a
 * coroutine or finds that it must not, and after that step it is nobody's who parked
 * it: it may run elsewhere, end, and be another's.
 *
 * The flag goes when the coroutine is switched in, and with its life.
 */
#define COSTACK_WAKEUP		BIT(3)

/**
 * costack_state() - what a coroutine is doing
 * @co: the coroutine
 *
 * Context: Any context, any stack; it may be doing something else by now.
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
 * Fully ordered where it succeeds: who sees @to sees what was done before. A
 * transition that the table does not have does not compile.
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
	/* Nobody takes the flag away but who may change the state. */
	return to != COSTACK_WAITING && old == (from | COSTACK_WAKEUP) &&
	       atomic_try_cmpxchg(&co->state, &old, to | kept);
}

/**
 * costack_wake() - make a coroutine runnable if it is parked, else tell it
 * @co: has not ended
 *
 * Fully ordered in any case: what the waker did before is seen by the coroutine when
 * it is switched in, or when it finds that it must not park.
 *
 * Context: Any context, any stack.
 * Return: true if it was made RUNNABLE: the caller has to see that it is run.
 */
static __always_inline bool costack_wake(struct costack *co)
{
	int old = COSTACK_WAITING;
	int new = COSTACK_RUNNABLE;

	while (!atomic_try_cmpxchg(&co->state, &old, new))
		new = old == COSTACK_WAITING ? COSTACK_RUNNABLE : old | COSTACK_WAKEUP;
	return old == COSTACK_WAITING;
}

/**
 * costack_heed_wakeup() - take note of an unpark
 * @co: RUNNING, and the caller runs it
 *
 * Full barrier: what wakers did before is seen after.
 *
 * Context: Any context, any stack.
 */
static __always_inline void costack_heed_wakeup(struct costack *co)
{
	atomic_fetch_andnot(COSTACK_WAKEUP, &co->state);
}

/**
 * costack_release() - give back a parked coroutine whose stack was moved
 * @co: was WAITING when the caller made it COPYSTACK
 *
 * Context: Any context, any stack.
 * Return: true if it was made RUNNABLE, as an unpark has come meanwhile: the caller
 * has to see that it is run.
 */
static __always_inline bool costack_release(struct costack *co)
{
	return !costack_set_state(co, COSTACK_COPYSTACK, COSTACK_WAITING) &&
	       costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNABLE);
}

#endif /* _COSTACK_STATE_H */
