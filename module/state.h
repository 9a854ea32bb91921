/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States of a coroutine.
 */
#ifndef _COSTACK_STATE_H
#define _COSTACK_STATE_H

#include <linux/atomic.h>
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
 *	COPYSTACK                      x                   x
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
		return to == COSTACK_RUNNING || to == COSTACK_WAITING;
	case COSTACK_WAITING:
		return to == COSTACK_RUNNABLE || to == COSTACK_COPYSTACK;
	case COSTACK_DEAD:
		return to == COSTACK_IDLE;
	}
	return false;
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
 * Return: false, and nothing has changed, if @co is in another state.
 */
static __always_inline bool costack_set_state(struct costack *co, enum costack_state from,
					      enum costack_state to)
{
	BUILD_BUG_ON(!costack_state_legal(from, to));
	return atomic_cmpxchg(&co->state, from, to) == from;
}

#endif /* _COSTACK_STATE_H */
