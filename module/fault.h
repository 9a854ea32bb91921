/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fault of a stack, between the architecture and growth.
 */
#ifndef _COSTACK_FAULT_H
#define _COSTACK_FAULT_H

#include <linux/types.h>

struct costack;

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

/*
 * What the architecture's fault entry calls. grow.c has these: it is where the machine
 * comes in, and the only place where a layer calls a higher one.
 */
enum costack_verdict costack_fault(struct costack_fault *fault);
enum costack_verdict costack_newstack(struct costack_fault *fault);
void costack_note_replay(struct costack *co, int vector, unsigned long ip);

#endif /* _COSTACK_FAULT_H */
