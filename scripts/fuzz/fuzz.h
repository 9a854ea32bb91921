/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness: what its files call of each other.
 *
 *	harness.c	runs each program unmoved and moved, and compares
 *	move.c		the stacks, and copystack as module/grow.c does it
 *	verdict.c	what the checker says of an instruction
 *	switch.S	from stack to stack, and the hooks
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <setjmp.h>
#include <stdbool.h>

#include "program.h"

#define PAGE		4096UL
#define SLOT_SIZE	0x20000UL	/* as in the kernel, and so aligned */
#define NR_SLOTS	12

/* switch.S has the same order. */
enum fuzz_hook {
	HOOK_HOP, HOOK_NUM, HOOK_NUM32, HOOK_NUM16, HOOK_NUM64, HOOK_EAT, HOOK_PEEK,
	HOOK_POKE, HOOK_SAME, HOOK_HEAP, HOOK_LOOK,
};

/**
 * struct way - how a program is run
 * @moves: at all
 * @rarely: not at each hook, but at one of four
 * @touches: the stack ends at the page of what is used, so that an access below moves it
 * @unmap: who has kept an address of a stack that was left faults
 * @junk: what is not used yet is full of addresses of the stack, as calls that have
 *	returned may have left them
 */
struct way {
	bool	moves, rarely, touches, unmap, junk;
};

/**
 * struct tally - what happened in a run
 * @hops: moves in hooks
 * @touches: moves at instructions that had no room
 * @stayed: moves that a frame did not allow
 * @grown: growths in place, as the instruction or a frame did not allow a move
 * @words: words that were rebased
 * @spared: words that look like addresses of the stack and are known to be none
 */
struct tally {
	u64	hops, touches, stayed, grown, words, spared;
};

/* A small generator of numbers (Marsaglia's xorshift64*). */
static inline u64 draw(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dUL;
}

/* === switch.S === */

void fuzz_enter(void (*fn)(void), unsigned long sp);
u64 fuzz_hook(u64 a, u64 b, u32 hook, unsigned long sp);
extern unsigned long fuzz_host_sp, fuzz_sp;
extern u64 fuzz_junk;
extern char fuzz_base[], fuzz_hooks[], fuzz_hooks_end[];

/* === verdict.c === */

/* Words of a frame, from its stack pointer upwards. */
struct words {
	u32	first, nr;
};

enum kind { POINT_CALL = 1, POINT_TOUCH = 2 };

void verdict_read(const char *path);
bool verdict_in_unit(unsigned long ip);
bool verdict_allows(unsigned long ip, bool newest, const struct words **words, u32 *nr);
void verdict_report(void);

/* === move.c === */

extern struct tally tally;

void move_init(u64 seed);
void move_begin(const struct way *way, u64 seed);
unsigned long move_first_sp(void);
void move_hop(unsigned long sp);
u64 move_rebased(u64 word);
unsigned long move_an_address(u64 random);
void move_catch(sigjmp_buf *crash);

#endif /* _FUZZ_H */
