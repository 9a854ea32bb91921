/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stack fault: the interface between the architecture and growth.
 */
#ifndef _COSTACK_FAULT_H
#define _COSTACK_FAULT_H

#include <linux/types.h>

struct costack;

/**
 * struct costack_fault - a write below a stack, as the architecture reports it
 * @addr: address that could not be written
 * @ip: interrupted instruction; the CPU executes it again
 * @sp: interrupted stack pointer; a move adjusts it
 * @words: the general registers; a move adjusts them
 * @nr_words: number of @words
 * @irqs_on: whether interrupts were enabled there
 * @vector: interrupt whose delivery was lost and that must be replayed, or -1
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
 * @COSTACK_DECLINE: hand over to the kernel's own handler
 * @COSTACK_RESUME: the stack has grown: execute the instruction again
 * @COSTACK_TO_HOST: call costack_newstack() on the coroutine's host stack
 * @COSTACK_ABORT: leave the coroutine, continue where its host was switched out
 */
enum costack_verdict {
	COSTACK_DECLINE,
	COSTACK_RESUME,
	COSTACK_TO_HOST,
	COSTACK_ABORT,
};

/*
 * The architecture's fault entry calls these; grow.c defines them. This is the only place
 * where a layer calls a higher one.
 */
enum costack_verdict costack_fault(struct costack_fault *fault);
bool costack_fault_has_room(const struct costack_fault *fault, unsigned long addr);
enum costack_verdict costack_newstack(struct costack_fault *fault);
void costack_note_replay(struct costack *co, int vector, unsigned long ip);

#endif /* _COSTACK_FAULT_H */
