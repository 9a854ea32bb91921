/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing a stack: what the fault entry and the safe points call.
 */
#ifndef _COSTACK_GROW_H
#define _COSTACK_GROW_H

#include <linux/types.h>

struct costack;
struct task_struct;

/* Bytes that a grown stack has to spare below the access that made it grow. */
#define COSTACK_HEADROOM	1024

/**
 * struct costack_fault - a write below a stack, as the architecture reports it
 * @addr: address that could not be written
 * @ip: interrupted instruction; it is executed again
 * @sp: interrupted stack pointer; adjusted by a move
 * @words: the general registers; adjusted by a move
 * @nr_words: number of @words
 * @irqs_on: whether interrupts were enabled there
 * @vector: interrupt whose delivery was lost and has to be made up for, or -1
 * @co: the coroutine, once costack_fault() has found it
 */
struct costack_fault {
	unsigned long	addr;
	unsigned long	ip;
	unsigned long	*sp;
	unsigned long	*words;
	unsigned int	nr_words;
	bool		irqs_on;
	int		vector;
	struct costack	*co;
};

/**
 * enum costack_verdict - what the fault entry is to do
 * @COSTACK_DECLINE: not ours: hand over to the kernel's own handler
 * @COSTACK_RESUME: grown: execute the instruction again
 * @COSTACK_TO_HOST: call costack_newstack() on the host stack of @co
 * @COSTACK_ABORT: leave the coroutine, go on where its host was switched out
 */
enum costack_verdict {
	COSTACK_DECLINE,
	COSTACK_RESUME,
	COSTACK_TO_HOST,
	COSTACK_ABORT,
};

/**
 * enum costack_refusal - why a stack is not moved
 * @COSTACK_MOVABLE: it may be
 * @COSTACK_REFUSED_PIN: pinned
 * @COSTACK_REFUSED_TEXT: a frame, or the interrupted code, is not movable text
 * @COSTACK_REFUSED_UNWIND: the unwinder is not sure
 * @COSTACK_REFUSED_HOOK: a return address is hooked (kretprobe, graph tracer)
 * @COSTACK_REFUSED_RESERVE: no stack to move to, as the policy changed meanwhile
 */
enum costack_refusal {
	COSTACK_MOVABLE,
	COSTACK_REFUSED_PIN,
	COSTACK_REFUSED_TEXT,
	COSTACK_REFUSED_UNWIND,
	COSTACK_REFUSED_HOOK,
	COSTACK_REFUSED_RESERVE,
};

/**
 * struct costack_walk - a read-only walk over a stack
 * @lo: lowest mapped byte
 * @hi: first byte above
 * @base: stack pointer at the outermost frame; the walk must end there
 * @task: the thread that runs it
 * @movable: called with each frame's address: is it movable text
 * @any: walk over frames that could not be moved too, to show them
 * @frames: out: frames seen
 * @stopped_at: out: the frame that @movable said no to, or 0
 */
struct costack_walk {
	unsigned long		lo;
	unsigned long		hi;
	unsigned long		base;
	struct task_struct	*task;
	bool			(*movable)(unsigned long ip);
	bool			any;
	unsigned int		frames;
	unsigned long		stopped_at;
};

unsigned int costack_grow_pages(unsigned int pages, size_t need, unsigned int limit);

/* The two calls from the architecture's fault entry. */
enum costack_verdict costack_fault(struct costack_fault *fault);
enum costack_verdict costack_newstack(struct costack_fault *fault);

int costack_grow_ensure(struct costack *co, size_t bytes);
enum costack_refusal costack_grow_verify(struct costack *co, struct costack_walk *walk);
int costack_grow_force(struct costack *co);
void costack_grow_forget(struct costack *co);
bool costack_grow_shrinkable(const struct costack *co);
int costack_grow_shrink(struct costack *co);
void costack_note_replay(struct costack *co, int vector, unsigned long ip);

#endif /* _COSTACK_GROW_H */
