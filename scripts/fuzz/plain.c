// SPDX-License-Identifier: GPL-2.0
/*
 * The harness without stacks of its own: the hooks are plain C and nothing moves. It runs the
 * programs with the compiler's sanitizers, to show that their behaviour is defined.
 */
#include <signal.h>

#include "../../module/copy.h"
#include "fuzz.h"

struct tally tally;
char fuzz_base[1], fuzz_hooks[1], fuzz_hooks_end[1];

void hop(void)
{
	fuzz_hook(0, 0, HOOK_HOP, 0);
}

u32 num(u32 below)
{
	return fuzz_hook(below, 0, HOOK_NUM, 0);
}

u32 num32(void)
{
	return fuzz_hook(0, 0, HOOK_NUM32, 0);
}

u16 num16(void)
{
	return fuzz_hook(0, 0, HOOK_NUM16, 0);
}

u64 num64(void)
{
	return fuzz_hook(0, 0, HOOK_NUM64, 0);
}

u32 look(u64 at)
{
	return fuzz_hook(at, 0, HOOK_LOOK, 0);
}

void eat(u64 value)
{
	fuzz_hook(value, 0, HOOK_EAT, 0);
}

u32 peek(const void *bytes, u64 size)
{
	return fuzz_hook((u64)bytes, size, HOOK_PEEK, 0);
}

void poke(void *bytes, u64 size)
{
	fuzz_hook((u64)bytes, size, HOOK_POKE, 0);
}

void *same(const void *address)
{
	return (void *)fuzz_hook((u64)address, 0, HOOK_SAME, 0);
}

void *heap(u64 size)
{
	return (void *)fuzz_hook(size, 0, HOOK_HEAP, 0);
}

void fuzz_enter(void (*fn)(void), unsigned long sp)
{
	fn();
}

void move_init(u64 seed)
{
}

void move_begin(const struct way *way, u64 seed)
{
}

unsigned long move_first_sp(void)
{
	return 0;
}

void move_hop(unsigned long sp)
{
}

u64 move_rebased(u64 word)
{
	return word;
}

unsigned long move_an_address(u64 random)
{
	return (u32)random;
}

static void *crash_to;

static void caught(int signal)
{
	siglongjmp(*(sigjmp_buf *)crash_to, signal);
}

/* Catch the signal for a program that does not end. */
void move_catch(sigjmp_buf *crash)
{
	crash_to = crash;
	signal(SIGVTALRM, caught);
}

void verdict_read(const char *path)
{
}

void verdict_report(void)
{
}
