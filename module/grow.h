/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing a stack: what the fault entry and the safe points call.
 */
#ifndef _COSTACK_GROW_H
#define _COSTACK_GROW_H

#include <linux/types.h>

struct costack;

/*
 * Bytes that a grown stack has to spare below the access that made it grow: for what an
 * interrupt takes there, and a preemption on its way out. Measured (frames.interrupt-depth):
 * 208 bytes without preemption, with it 544 on Linux 6.1, 704 on 6.12 and 720 on 7.3.
 */
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

unsigned int costack_grow_pages(unsigned int pages, size_t need, unsigned int limit);

/* The two calls from the architecture's fault entry. */
enum costack_verdict costack_fault(struct costack_fault *fault);
enum costack_verdict costack_newstack(struct costack_fault *fault);

int costack_grow_ensure(struct costack *co, size_t bytes);
int costack_grow_force(struct costack *co);
bool costack_grow_shrinkable(const struct costack *co);
int costack_grow_shrink(struct costack *co);
void costack_note_replay(struct costack *co, int vector, unsigned long ip);

#endif /* _COSTACK_GROW_H */
