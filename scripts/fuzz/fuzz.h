/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness: what its files share.
 *
 *	harness.c	runs each program unmoved and moved, and compares
 *	move.c		the stacks, and copystack as module/move.c does it
 *	verdict.c	the checker's verdict on an instruction
 *	switch.S	the switch between stacks, and the hooks
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <setjmp.h>
#include <stdbool.h>

#include "program.h"

#define PAGE		4096UL
#define SLOT_SIZE	0x20000UL	/* aligned as in the kernel */
#define NR_SLOTS	12

/* In the same order as in switch.S. */
enum fuzz_hook {
	HOOK_HOP, HOOK_NUM, HOOK_NUM32, HOOK_NUM16, HOOK_NUM64, HOOK_EAT, HOOK_PEEK,
	HOOK_POKE, HOOK_SAME, HOOK_HEAP, HOOK_LOOK,
};

/**
 * struct way - how a program is run
 * @moves: whether the stack moves at all
 * @rarely: it moves at one hook in four, not at each
 * @touches: only the used pages of the stack are mapped, so that an access below them moves it
 * @unmap: the old stack is unmapped, so that a use of a kept address faults
 * @junk: the unused part of the stack is full of addresses of the stack, as calls that have
 *	returned may leave them there
 */
struct way {
	bool	moves, rarely, touches, unmap, junk;
};

/**
 * struct tally - what happened in a run
 * @hops: moves in hooks
 * @touches: moves at instructions that had no room
 * @stayed: moves in hooks that a frame did not allow
 * @grown: growths in place, because the instruction or a frame did not allow a move
 * @words: words that were rebased
 * @spared: words that look like addresses of the stack but are known to be numbers
 */
struct tally {
	u64	hops, touches, stayed, grown, words, spared;
};

/* A small random number generator (Marsaglia's xorshift64*). */
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
