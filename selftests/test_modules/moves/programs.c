// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_programs: random functions of scripts/fuzz on real coroutine stacks. Each program
 * runs with a move at every call of a hook and where its stack overflows, and then on an
 * ordinary stack with the same numbers; both must have the same results.
 *
 *	programs ROUNDS		each program so often, begun at other places of a page
 *	programs-fixed ROUNDS	the same on stacks that are pinned
 *
 * Programs that the checker has refused, wholly or in part, grow in place.
 */
#include <linux/bits.h>
#include <linux/device/driver.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "costack_test.h"
#include "program.h"

#define MAX_NUMBERS	2048
#define HEAP_SIZE	65536U

/**
 * struct run - one run of a program
 * @rnd: where numbers come from
 * @numbers: the numbers that it was given; the second run is given the same
 * @seen: how many
 * @again: this is the second run, whose results are compared
 * @sum: the checksum of its results
 * @hooks: calls of hooks
 * @heap: bytes of @memory that it has got
 * @memory: its heap
 */
static struct run {
	struct rnd_state	rnd;
	u64			numbers[MAX_NUMBERS];
	u32			seen;
	bool			again;
	u64			sum;
	u32			hooks;
	u32			heap;
	u8			memory[HEAP_SIZE];
} *run;

static int nothing(void *arg)
{
	return 0;
}

/* A call to the host stack: with force_move the stack moves there. */
void hop(void)
{
	run->hooks++;
	costack_on_host(nothing, NULL);
}

/* Drawn in the first run, the same in the second. */
static u64 next_number(u64 drawn)
{
	u32 at = run->seen++ % MAX_NUMBERS;

	if (!run->again)
		run->numbers[at] = drawn;
	return run->numbers[at];
}

static u64 draw(void)
{
	return (u64)prandom_u32_state(&run->rnd) << 32 | prandom_u32_state(&run->rnd);
}

u32 num(u32 below)
{
	u32 number = next_number(draw() % below);

	hop();
	return number;
}

/* Every other one is the lower half of an address of the stack. */
u32 num32(void)
{
	u32 number = prandom_u32_state(&run->rnd);

	if (!run->again && number & 1)
		number = cst_stack_lo() + number % PAGE_SIZE;
	number = next_number(number);
	hop();
	return number;
}

u16 num16(void)
{
	return num32();
}

/* No address of the kernel. */
u64 num64(void)
{
	u64 number = next_number(draw() & ~BIT_ULL(63)) | BIT_ULL(62);

	hop();
	return number;
}

u32 look(u64 at)
{
	u32 value = at * 0x9e3779b97f4a7c15ULL >> 41;

	hop();
	return value;
}

void eat(u64 value)
{
	run->sum = (run->sum ^ value) * 0x9e3779b97f4a7c15ULL;
	run->sum ^= run->sum >> 29;
	hop();
}

u32 peek(const void *bytes, u64 size)
{
	const u8 *at = bytes;
	u32 sum = 1;

	while (size--)
		sum = sum * 31 + *at++;
	hop();
	return sum;
}

void poke(void *bytes, u64 size)
{
	u8 *at = bytes;
	u64 number = 0;

	while (size--) {
		if (!(size % 8))
			number = next_number(draw());
		*at++ += number >> (size % 8 * 8);
	}
	hop();
}

void *same(const void *address)
{
	hop();
	return (void *)address;
}

void *heap(u64 size)
{
	void *memory = &run->memory[run->heap];

	run->heap += ALIGN(size, 16);
	if (run->heap > HEAP_SIZE) {
		cst_fail(__func__, __LINE__, "heap", HEAP_SIZE, run->heap);
		run->heap = 0;
		memory = run->memory;
	}
	hop();
	return memory;
}

/* Where in its first page a program begins: so many frames of some 100 bytes from its end. */
struct start {
	u32	program, depth;
};

static noinline int deeper(const struct start *start, u32 depth)
{
	u32 here[14] = { depth };
	int ret = 0;

	barrier_data(here);
	if (depth)
		ret = deeper(start, depth - 1);
	else
		programs[start->program].run();
	barrier_data(here);
	return ret + (here[0] != depth);
}

static int begin(void *arg)
{
	const struct start *start = arg;

	return deeper(start, start->depth);
}

static void reset(u32 seed, bool again)
{
	prandom_seed_state(&run->rnd, seed);
	memset(run->memory, 0, sizeof(run->memory));
	run->seen = 0;
	run->heap = 0;
	run->sum = 0;
	run->hooks = 0;
	run->again = again;
}

static bool run_program(u32 program, u32 round, u32 flags)
{
	struct costack_attr attr = {
		.name = programs[program].name, .stack_first = PAGE_SIZE, .flags = flags,
	};
	u32 seed = program * 1000 + round + 1;
	struct start start = { program, seed % 41 };
	u32 hooks;
	u64 sum;

	reset(seed, false);
	CST_EQ(0, costack_call_attr(&attr, begin, &start));
	sum = run->sum;
	hooks = run->hooks;
	CST_TRUE(run->seen < MAX_NUMBERS);
	reset(seed, true);
	CST_EQ(0, begin(&start));
	return cst_equal(programs[program].name, round, "hooks", run->hooks, hooks) &&
	       cst_equal(programs[program].name, round, "sum", run->sum, sum);
}

static void run_programs(u32 rounds, u32 flags)
{
	u32 program, round;
	bool good = true;

	run = kvzalloc(sizeof(*run), GFP_KERNEL);
	if (!CST_TRUE(run))
		return;
	for (program = 0; program < nr_programs; program++)
		for (round = 0; round < rounds && good; round++)
			good = run_program(program, round, flags);
	kvfree(run);
}

static void programs_moved(const long *args)
{
	run_programs(args[0], 0);
}

static void programs_fixed(const long *args)
{
	run_programs(args[0], COSTACK_PINNED);
}

static const struct cst_case cases[] = {
	{ "programs", programs_moved },
	{ "programs-fixed", programs_fixed },
	{ }
};

static struct cst_suite suite = { .owner = THIS_MODULE, .cases = cases };

module_driver(suite, cst_register, cst_unregister);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Random functions of scripts/fuzz on coroutine stacks");
