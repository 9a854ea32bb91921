/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations for the suites that correspond to tests of Go's runtime.
 *
 * A case has the name of the Go test that it corresponds to: go.StackGrowth is
 * TestStackGrowth. This is what takes the place of Go's functions:
 *
 *	goroutine	a work item; the case's thread waits for it
 *	Goexit		costack_cancel() of a parked item that is COSTACK_ABORTABLE
 *	panic		go_panic(): an overflow cuts the coroutine off
 *	recover		the item's result, -EOVERFLOW; the defers have run before
 *	GC		go_gc(): parked stacks that are too large shrink, and so does the
 *			stack of a coroutine at its next costack_yield()
 *	stackForceMove	the knob force_move, at every call
 *
 * Go's own tests use larger stacks; these fit into 64 KiB.
 */
#ifndef _COSTACK_TEST_GO_H
#define _COSTACK_TEST_GO_H

#include "costack_test.h"

/* The limit of a coroutine that calls go_panic(): less than the frame of that function. */
#define GO_PANIC_LIMIT	16384

int go_run(struct costack_work *work, const struct costack_attr *attr, costack_fn_t fn,
	   void *arg);
int go_use_stack_and_call(long bytes, costack_fn_t fn, void *arg);
void go_panic(void);

void go_set_knob(const char *name, const char *value);
void go_gc(void);
bool go_wait_parked(long nr);

/**
 * go_has_moved() - check whether a local has moved
 * @local: its address
 * @disguised: what cst_disguise() made of it before
 *
 * Context: Coroutine stack.
 * Return: true if it has.
 */
static inline bool go_has_moved(const void *local, unsigned long disguised)
{
	return cst_disguise(local) != disguised;
}

#endif /* _COSTACK_TEST_GO_H */
