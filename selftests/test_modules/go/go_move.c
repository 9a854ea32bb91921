// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks that are moved, and what an unwinder finds on them (see go.h). This file is built with
 * frame pointers, so that the compiler puts an address of the stack into each frame.
 *
 *	go.MoveStackOnNextCall	a pointer follows a forced move, a number does not
 *	go.MoveStackRepeatedly	100 forced moves at each size, no growth
 *	go.FramePointerAdjust DEPTH
 *				frame pointers after growth
 *	go.SystemstackFramePointerAdjust DEPTH
 *				frame pointers after the stack has shrunk
 *	go.TracebackSystemstack	a trace across nested calls on the host stack
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "go.h"

/* === Moves that are asked for === */

static int nothing(void *arg)
{
	return (long)arg;
}

/*
 * Go's GCTestMoveStackOnNextCall: the next call on the host stack moves the caller's stack.
 */
static void move_on_next_call(void)
{
	go_set_knob("force_move", "1");
	CST_EQ(54, costack_on_host(nothing, (void *)54L));
}

/* Writing the knob is a call as well, and makes one more move. */
static void no_more_moves(void)
{
	go_set_knob("force_move", "0");
}

struct linked {
	struct linked	*self;
	long		value;
};

/* Not inlined, so that @new is passed in a call. */
static noinline void check_moved(struct linked *new, unsigned long old, bool expected)
{
	CST_EQ(expected, go_has_moved(new, old));
	CST_TRUE(new->self == new);
	CST_EQ(4715, new->value);
}

static int move_once_body(void *arg)
{
	struct linked linked = { &linked, 4715 };
	unsigned long disguised = cst_disguise(&linked);

	barrier_data(&linked);
	CST_EQ(0, costack_on_host(nothing, NULL));
	check_moved(&linked, disguised, false);
	move_on_next_call();
	check_moved(&linked, disguised, true);
	no_more_moves();

	/* A pinned stack is not moved. */
	CST_EQ(0, costack_pin());
	disguised = cst_disguise(&linked);
	move_on_next_call();
	check_moved(&linked, disguised, false);
	no_more_moves();
	CST_EQ(0, costack_unpin());
	check_moved(&linked, disguised, false);
	return 55;
}

/*
 * Go's TestGCTestMoveStackOnNextCall: a pointer to an object on the stack follows the move, and
 * a copy of it in an integer does not. The copy shows that there was a move. Here the copy is
 * disguised, because costack would take a plain copy for a pointer; and the script expects two
 * moves of each of the two coroutines.
 */
static void move_stack_on_next_call(const long *args)
{
	struct costack_work work;

	CST_EQ(55, go_run(&work, NULL, move_once_body, NULL));
	CST_EQ(0, work.growths);
	CST_EQ(55, costack_call(move_once_body, NULL));
}

static int move_often_body(void *arg)
{
	struct linked linked = { &linked, 4715 };
	size_t size = costack_stack_size();
	unsigned long disguised;
	int i;

	barrier_data(&linked);
	for (i = 0; i < 100; i++) {
		disguised = cst_disguise(&linked);
		CST_EQ(i, costack_on_host(nothing, (void *)(long)i));
		check_moved(&linked, disguised, true);
		CST_EQ(size, costack_stack_size());
	}
	return 56;
}

/*
 * Go's TestGCTestMoveStackRepeatedly: 100 moves in a row do not double the stack each time.
 * Here they do not change its size at all, whatever it is. The script counts the moves.
 */
static void move_stack_repeatedly(const long *args)
{
	struct costack_attr attr = { .stack_first = 4096 };
	struct costack_work work;

	go_set_knob("force_move", "1");
	for (; attr.stack_first <= 65536; attr.stack_first *= 2) {
		CST_EQ(56, go_run(&work, &attr, move_often_body, NULL));
		CST_EQ(0, work.growths);
	}
	go_set_knob("force_move", "0");
}

/* === Frame pointers === */

/* How far above the locals of a function its frame pointer may be. */
#define FP_NEAR		0x100

/* Check that the caller's frame pointer, which this frame has saved, is just above its locals. */
static __always_inline bool fp_is_near(const long *local_of_caller)
{
	const unsigned long *frame = __builtin_frame_address(0);

	return frame[0] - (unsigned long)local_of_caller < FP_NEAR;
}

/* Count the frames of the chain of frame pointers, as far as it leads upwards on this stack. */
static noinline long fp_chain(void)
{
	const unsigned long lo = cst_stack_lo(), hi = lo + costack_stack_size();
	const unsigned long *frame = __builtin_frame_address(0);
	unsigned long last = 0;
	long frames = 0;

	while ((unsigned long)frame >= max(lo, last + 1) && (unsigned long)frame < hi) {
		last = (unsigned long)frame;
		frame = (const unsigned long *)READ_ONCE_NOCHECK(frame[0]);
		frames++;
	}
	return frames;
}

static noinline int fp_level(long *above, int level)
{
	long here = level;
	int bad = !fp_is_near(above);

	OPTIMIZER_HIDE_VAR(above);
	if (level)
		bad += fp_level(&here, level - 1);
	else
		bad += fp_chain() < *above;
	bad += !fp_is_near(above);
	barrier_data(&here);
	return bad + (here != level);
}

/*
 * Have an address of a frame that does not exist yet while the stack moves. A prologue has one
 * if it takes the address of a local before it moves the stack pointer below that local. A push
 * between the two may find no room, and does here for one of the places that this starts at.
 */
static noinline int fp_early(void *arg)
{
	unsigned long before, after, pushed;

	asm volatile("leaq	-1024(%%rsp), %0\n\t"
		     "pushq	%3\n\t"
		     "leaq	-1016(%%rsp), %1\n\t"
		     "popq	%2"
		     : "=&r" (before), "=&r" (after), "=&r" (pushed)
		     : "r" (arg));
	return before == after && pushed == (unsigned long)arg;
}

static int fp_early_body(void *arg)
{
	return cst_call_with_left((long)arg, fp_early, NULL);
}

static int frame_pointer_body(void *arg)
{
	long depth = (long)arg;

	CST_EQ(0, fp_level(&depth, 10));
	CST_EQ(0, fp_level(&depth, depth));
	CST_EQ(0, fp_level(&depth, 10));
	return 57;
}

/*
 * Go's TestFramePointerAdjust: a deep recursion moves the stack, and a frame pointer that was
 * saved before is close to the caller's locals before and after. Here each frame of the recursion
 * checks that, and at the bottom the chain of frame pointers must contain all frames. Also, the
 * stack moves while code has an address of a frame that is not complete.
 */
static void frame_pointer_adjust(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct costack_work work;
	long left;

	CST_EQ(57, go_run(&work, NULL, frame_pointer_body, (void *)args[0]));
	CST_GROWN(4, work.growths);
	CST_EQ(57, costack_call(frame_pointer_body, (void *)args[0]));
	for (left = 0; left < 128; left += 8)
		CST_EQ(1, costack_call_attr(&attr, fp_early_body, (void *)left));
}

struct chain {
	struct chain	*self;
	long		frames;
};

/* Runs on the host stack. Its argument points to where the coroutine stack is now. */
static int check_chain(void *arg)
{
	struct chain *chain = arg;

	CST_TRUE(chain->self == chain);
	return chain->frames;
}

/* Go's growAndShrinkStack, with ballast of 1 KiB. */
static noinline long grow_and_shrink(int level)
{
	char ballast[1024] __uninitialized;
	struct chain chain = { &chain, 0 };
	long frames = 0;

	WRITE_ONCE(ballast[0], level);
	if (level)
		frames = grow_and_shrink(level - 1);
	go_gc();
	CST_EQ(0, costack_yield());
	chain.frames = fp_chain();
	/* There is one frame less here than in the function that was called from here. */
	if (frames)
		CST_EQ(frames - 1, chain.frames);
	CST_EQ(chain.frames, costack_on_host(check_chain, &chain));
	CST_EQ(level, READ_ONCE(ballast[0]));
	return chain.frames;
}

static int systemstack_body(void *arg)
{
	CST_TRUE(grow_and_shrink((long)arg) >= 2);
	return costack_stack_size();
}

/*
 * Go's TestSystemstackFramePointerAdjust (issue 59692): on the way back from a deep recursion,
 * each frame makes the stack shrink and then follows the frame pointers. The frame pointer that
 * was saved at the switch to the system stack points to the new place. Here the argument of a
 * call on the host stack must point there as well. The script counts how often the stack
 * shrinks, and repeats this with the old stack poisoned, as Go does.
 */
static void systemstack_frame_pointer_adjust(const long *args)
{
	struct costack_work work;

	CST_EQ(8192, go_run(&work, NULL, systemstack_body, (void *)args[0]));
	CST_GROWN(4, work.growths);
}

/* === Traces === */

#define TRACE_MAX	256

static struct {
	unsigned long	entries[TRACE_MAX];
	unsigned int	nr;
} trace;

/* Count the entries of this function in the trace. */
static int count_in_trace(const char *name)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned int i;
	int found = 0;

	for (i = 0; i < trace.nr; i++) {
		sprint_symbol_no_offset(symbol, trace.entries[i]);
		/* The name of the module follows that of the function. */
		symbol[strcspn(symbol, " ")] = 0;
		found += !strcmp(symbol, name);
	}
	return found;
}

static int traceback_inside(void *arg);

static noinline int traceback_outside(void *arg)
{
	int ret = costack_on_host(traceback_inside, (void *)((long)arg - 1));

	/* Prevent a tail call, which would leave no frame. */
	barrier();
	return ret;
}

/* Go's TracebackSystemstack: nest as many calls as @arg says, then take the trace. */
static noinline int traceback_inside(void *arg)
{
	int ret = 58;

	CST_TRUE(!costack_current());
	if (arg)
		ret = costack_call(traceback_outside, arg);
	else
		trace.nr = stack_trace_save(trace.entries, TRACE_MAX, 0);
	barrier();
	return ret;
}

/*
 * Go's TestTracebackSystemstack: a trace that is taken inside five nested calls on the system
 * stack shows each of the five, and shows the function that made the first call once. Here each
 * call is made by another coroutine. The trace is that of the thread that runs them all: it
 * shows nothing of their stacks, and ends where kernel threads begin.
 */
static void traceback_systemstack(const long *args)
{
	struct costack_work work;

	trace.nr = 0;
	CST_EQ(58, go_run(&work, NULL, traceback_outside, (void *)5L));
	CST_TRUE(trace.nr < TRACE_MAX);
	CST_EQ(5, count_in_trace("traceback_inside"));
	CST_EQ(0, count_in_trace("traceback_outside"));
	CST_EQ(1, count_in_trace("worker_thread"));
	CST_EQ(1, count_in_trace("kthread"));
	CST_EQ(1, count_in_trace("ret_from_fork"));
}

static const struct cst_case cases[] = {
	{ "go.MoveStackOnNextCall", move_stack_on_next_call },
	{ "go.MoveStackRepeatedly", move_stack_repeatedly },
	{ "go.FramePointerAdjust", frame_pointer_adjust },
	{ "go.SystemstackFramePointerAdjust", systemstack_frame_pointer_adjust },
	{ "go.TracebackSystemstack", traceback_systemstack },
	{ }
};

struct cst_suite cst_go_move = { .owner = THIS_MODULE, .cases = cases };
