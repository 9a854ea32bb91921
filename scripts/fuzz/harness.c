// SPDX-License-Identifier: GPL-2.0
/*
 * Runs each program of the unit that it is linked with: once unmoved, then in several
 * ways on a stack that moves. All runs of a program must have the same results.
 *
 * usage: harness TABLE SEED ROUNDS [PROGRAM [ROUND [WAYS]]]
 *
 * TABLE is the file that verdict.c reads. The numbers that a program gets depend on SEED,
 * its name and the round. WAYS has a bit for each way to run it. The output has these lines:
 *
 *	sum NAME ROUND SUM		a program and its result in a round
 *	broken NAME ROUND HOW		a program that crashes or does not end, even unmoved
 *	differs NAME ROUND WAY WHAT	a program that had another result when it moved
 *	stopped ADDRESS REFUSED N	a function that kept a stack from moving, N times
 *	NAME=VALUE...			all counts, at the end
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <asm/prctl.h>
#include <unistd.h>

#include "fuzz.h"

#define HEAP_SIZE	0x40000UL
/* Limits of a run: hooks, and seconds of CPU time for a program that calls no more hooks. */
#define MAX_HOOKS	10000
#define MAX_SECONDS	2

unsigned long fuzz_host_sp, fuzz_sp;
u64 fuzz_junk;

/* The data of the unit, as objcopy has named it, and a copy of its initial contents. */
extern char __start_unit_data[] __attribute__((__weak__));
extern char __stop_unit_data[] __attribute__((__weak__));
static char *first_data;

/* The addresses of calls of __fentry__. The kernel turns these calls into nops. */
extern unsigned long __start___mcount_loc[] __attribute__((__weak__));
extern unsigned long __stop___mcount_loc[] __attribute__((__weak__));

/* Code that is compiled like a module's expects its canary at %gs:40. */
static u64 thread_data[8] = { [5] = 0x5ca1ab1e0dd00d00 };

/* One run. */
static struct {
	u64	numbers, junk, sum, hooks, max_hooks;
	size_t	heap;
} run;

static char heap_area[HEAP_SIZE] __attribute__((__aligned__(64)));
static sigjmp_buf crash;

/* How a program that does not end has crashed; no signal has this number. */
#define NOT_OVER	1000

static const struct way ways[] = {
	{ .moves = true },
	{ .moves = true, .touches = true, .junk = true },
	{ .moves = true, .rarely = true, .touches = true, .unmap = true },
	{ .moves = true, .junk = true, .unmap = true },
	{ .moves = true, .rarely = true, .touches = true, .junk = true },
	{ .moves = true, .rarely = true, .touches = true, .junk = true },
	{ .moves = true, .rarely = true, .touches = true },
};

#define NR_WAYS	(sizeof(ways) / sizeof(ways[0]))

/* === Hooks === */

/* Return a number that is often the lower half, or the lower 16 bits, of a stack's address. */
static u32 hard_number(void)
{
	u64 random = draw(&run.numbers);

	switch (random % 8) {
	case 0:
		return random >> 32;
	case 1:
		return (random >> 32) % 0x4000;
	case 2:
		return -((random >> 32) % 0x4000);
	default:
		return move_an_address(random >> 3);
	}
}

/* Return a number like a heap pointer or a product, but never an address in a slot. */
static u64 harmless_number(void)
{
	return draw(&run.numbers) | 1UL << 63;
}

static u32 checksum(const unsigned char *bytes, u64 size)
{
	u32 sum = 1;

	while (size--)
		sum = sum * 31 + *bytes++;
	return sum;
}

static u64 poke_bytes(unsigned char *bytes, u64 size)
{
	while (size--)
		*bytes++ += draw(&run.numbers);
	return 0;
}

static u64 heap_bytes(u64 size)
{
	char *bytes = &heap_area[run.heap];

	run.heap += (size + 15) & ~15UL;
	if (run.heap > HEAP_SIZE)
		siglongjmp(crash, NOT_OVER);
	return (u64)bytes;
}

static u64 perform(enum fuzz_hook hook, u64 a, u64 b)
{
	switch (hook) {
	case HOOK_NUM:
		return draw(&run.numbers) % (u32)a;
	case HOOK_NUM32:
	case HOOK_NUM16:
		return hard_number();
	case HOOK_NUM64:
		return harmless_number();
	case HOOK_EAT:
		run.sum = (run.sum ^ a) * 0x9e3779b97f4a7c15UL;
		run.sum ^= run.sum >> 29;
		return 0;
	case HOOK_PEEK:
		return checksum((void *)a, b);
	case HOOK_POKE:
		return poke_bytes((void *)a, b);
	case HOOK_SAME:
		return a;
	case HOOK_HEAP:
		return heap_bytes(a);
	case HOOK_LOOK:
		return a * 0x9e3779b97f4a7c15UL >> 41;
	case HOOK_HOP:
		break;
	}
	return 0;
}

/* Return what a hook leaves in registers that it may change: an address of the stack. */
static u64 junk(void)
{
	return fuzz_sp + draw(&run.junk) % 0x400;
}

/* Fill the bits of a result that the caller must not use with junk. */
static u64 with_junk(enum fuzz_hook hook, u64 result)
{
	switch (hook) {
	case HOOK_NUM:
	case HOOK_NUM32:
	case HOOK_PEEK:
	case HOOK_LOOK:
		return (u32)result | (junk() & ~0xffffffffUL);
	case HOOK_NUM16:
		return (u16)result | (junk() & ~0xffffUL);
	case HOOK_NUM64:
	case HOOK_SAME:
	case HOOK_HEAP:
		return move_rebased(result);
	default:
		return junk();
	}
}

/* Called by switch.S on the host stack. */
u64 fuzz_hook(u64 a, u64 b, u32 hook, unsigned long sp)
{
	u64 result;

	if (++run.hooks > run.max_hooks)
		siglongjmp(crash, NOT_OVER);
	result = perform(hook, a, b);
	move_hop(sp);
	fuzz_junk = junk();
	return with_junk(hook, result);
}

/* === Programs === */

static u64 mix(u64 a, u64 b)
{
	u64 state = (a + 1) * 0x9e3779b97f4a7c15UL ^ (b + 1) * 0xc2b2ae3d27d4eb4fUL;

	draw(&state);
	return draw(&state) | 1;
}

static u64 hash_of(const char *name)
{
	u64 hash = 0;

	while (*name)
		hash = mix(hash, *name++);
	return hash;
}

static void limit_time(time_t seconds)
{
	struct itimerval limit = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/*
 * Run a program. Return 0, or how it crashed; its result is run.sum. A run with moves takes far
 * more time for the same hooks, so it has a higher limit.
 */
static int run_program(u32 i, u64 seed, const struct way *way, u64 max_hooks)
{
	int how;

	if (first_data)
		memcpy(__start_unit_data, first_data, __stop_unit_data - __start_unit_data);
	memset(heap_area, 0, run.heap < HEAP_SIZE ? run.heap : HEAP_SIZE);
	memset(&run, 0, sizeof(run));
	run.numbers = seed;
	run.max_hooks = max_hooks;
	run.junk = mix(seed, 1);
	move_begin(way, mix(seed, way - ways + 2));
	limit_time(way->moves ? 20 * MAX_SECONDS : MAX_SECONDS);
	how = sigsetjmp(crash, 1);
	if (!how)
		fuzz_enter(programs[i].run, move_first_sp());
	return how;
}

static bool runs_alike(u32 i, u32 round, u32 in_ways, u64 seed)
{
	static const struct way unmoved = { };
	int how = run_program(i, seed, &unmoved, MAX_HOOKS);
	u64 sum = run.sum, hooks = run.hooks;
	u32 w;

	if (how) {
		printf("broken %s %u signal %d\n", programs[i].name, round, how);
		return true;
	}
	printf("sum %s %u %lx\n", programs[i].name, round, sum);
	for (w = 0; w < NR_WAYS; w++) {
		if (!(in_ways & 1U << w))
			continue;
		how = run_program(i, seed, &ways[w], hooks);
		if (!how && run.sum == sum && run.hooks == hooks)
			continue;
		printf("differs %s %u %u ", programs[i].name, round, w);
		if (how == NOT_OVER)
			printf("does not end\n");
		else if (how)
			printf("signal %d\n", how);
		else
			printf("%lx is not %lx\n", run.sum, sum);
		return false;
	}
	return true;
}

/* === The unit === */

static void make_nops(void)
{
	static const char nop[] = { 0x0f, 0x1f, 0x44, 0, 0 };
	unsigned long *at;

	for (at = __start___mcount_loc; at < __stop___mcount_loc; at++) {
		unsigned long page = *at & -PAGE;

		if (mprotect((void *)page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC)) {
			perror("mprotect");
			exit(2);
		}
		memcpy((void *)*at, nop, sizeof(nop));
	}
}

static void keep_data(void)
{
	size_t size = __stop_unit_data - __start_unit_data;

	if (!size)
		return;
	first_data = malloc(size);
	memcpy(first_data, __start_unit_data, size);
}

/* The part of the unit to be run. */
struct choice {
	u64	seed;
	u32	rounds, program, round, ways;
};

/* Run a program in the requested rounds. Return false after the first in which it differs. */
static bool run_rounds(u32 i, const struct choice *choice)
{
	u64 seed = mix(choice->seed, hash_of(programs[i].name));
	u32 round;

	for (round = 0; round < choice->rounds; round++) {
		if (choice->round != -1U && round != choice->round)
			continue;
		if (!runs_alike(i, round, choice->ways, mix(seed, round)))
			return false;
	}
	return true;
}

static u32 argument(char **argv, int argc, int i)
{
	return i < argc ? strtoul(argv[i], NULL, 0) : -1U;
}

int main(int argc, char **argv)
{
	u32 i, ran = 0, bad = 0;
	struct choice choice;

	if (argc < 4) {
		fputs("usage: harness TABLE SEED ROUNDS [PROGRAM [ROUND [WAYS]]]\n", stderr);
		return 2;
	}
	choice = (struct choice) {
		.seed	 = strtoul(argv[2], NULL, 0),
		.rounds	 = argument(argv, argc, 3),
		.program = argument(argv, argc, 4),
		.round	 = argument(argv, argc, 5),
		.ways	 = argument(argv, argc, 6),
	};
	setvbuf(stdout, NULL, _IOLBF, 0);
	verdict_read(argv[1]);
	syscall(SYS_arch_prctl, ARCH_SET_GS, thread_data);
	make_nops();
	keep_data();
	move_init(mix(choice.seed, 0));
	move_catch(&crash);
	for (i = 0; i < nr_programs; i++) {
		if (choice.program != -1U && i != choice.program)
			continue;
		bad += !run_rounds(i, &choice);
		ran++;
	}
	verdict_report();
	printf("programs=%u hops=%lu touches=%lu stayed=%lu grown=%lu words=%lu spared=%lu\n",
	       ran, tally.hops, tally.touches, tally.stayed, tally.grown, tally.words,
	       tally.spared);
	return bad ? 1 : 0;
}
