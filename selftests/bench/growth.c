// SPDX-License-Identifier: GPL-2.0
/*
 * Growth. What one fault costs is the difference between a recursion that makes
 * the stack grow and the same recursion again, on the stack that has grown: all
 * else is the same, instruction for instruction.
 *
 *	grow_inplace_8k .. _64k		one fault, to that size, under policy inplace
 *	grow_copy_8k .. _64k		one fault, under policy copy, frames of 64 bytes
 *	grow_copy_8k_large ..		the same with frames of 1 KiB
 *	grow_copy_64k_128b .. _512b	the same with frames of so many bytes
 *	grow_first_64k, .._large	grow_copy_64k and .._large where nothing has moved before
 *	grow_copy_64k_pointers		frames of 1 KiB, each fourth word a pointer
 *	climb				4 KiB to 64 KiB by recursion, the first time
 *	climb_peer			the same recursion, 64 KiB from the start
 *	steady, steady_peer		the same recursion once grown; on a kthread stack
 *	grown_after_warmup		of a hundred items of one function, so many grow at all
 *
 * Whoever runs the row sets the policy.
 */
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "bench.h"

typedef int (*recursion_fn_t)(unsigned int depth, long *above);

/*
 * A level of a recursion. A pointer into the caller's frame goes down with it, so
 * that there is something to rebase in each. The compiler adds three words to the
 * room (return address, saved registers): frames are of 64 bytes to 1 KiB.
 */
static __always_inline int descend(recursion_fn_t fn, unsigned int depth, long *here,
				   long *above)
{
	here[0] = depth;
	barrier_data(here);
	if (depth > 1)
		fn(depth - 1, here);
	(*above)++;
	return 0;
}

static noinline int small(unsigned int depth, long *above)
{
	long here[5];

	return descend(small, depth, here, above);
}

static noinline int frame_128(unsigned int depth, long *above)
{
	long here[13];

	return descend(frame_128, depth, here, above);
}

static noinline int frame_256(unsigned int depth, long *above)
{
	long here[29];

	return descend(frame_256, depth, here, above);
}

static noinline int frame_512(unsigned int depth, long *above)
{
	long here[61];

	return descend(frame_512, depth, here, above);
}

static noinline int large(unsigned int depth, long *above)
{
	long here[125];

	return descend(large, depth, here, above);
}

/* Like large(), but of four words that lie together one is always a pointer. */
static noinline int pointers(unsigned int depth, long *above)
{
	long here[125];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(here); i++)
		here[i] = i % 4 ? 0 : (long)&here[i];
	return descend(pointers, depth, here, above);
}

struct kind {
	recursion_fn_t	fn;
	size_t		frame;
};

static const struct kind small_frames = { small, 64 };
static const struct kind frames_128 = { frame_128, 128 };
static const struct kind frames_256 = { frame_256, 256 };
static const struct kind frames_512 = { frame_512, 512 };
static const struct kind large_frames = { large, 1024 };
static const struct kind pointer_frames = { pointers, 1024 };

static s64 time_recursion(const struct kind *kind, unsigned int depth)
{
	long top = 0;
	s64 start = bench_now();

	kind->fn(depth, &top);
	return bench_now() - start;
}

/* === One fault === */

struct growth {
	const struct kind	*kind;
	size_t			size;
	s64			cost;
};

static int grow_body(void *arg)
{
	struct growth *growth = arg;
	unsigned int depth = costack_stack_left() / growth->kind->frame + 1;
	s64 cold, warm;

	/*
	 * The clock is in the kernel's text, and must not be the call that makes the stack
	 * grow.
	 */
	bench_now();
	bench_quiet();
	cold = time_recursion(growth->kind, depth);
	if (costack_stack_size() != 2 * growth->size)
		return -EIO;
	warm = time_recursion(growth->kind, depth);
	/* In ns, noise can make the difference negative; the median tolerates that. */
	growth->cost = max(cold - warm, 0LL);
	return 0;
}

static s64 grow(const struct kind *kind, size_t size)
{
	const struct costack_attr attr = { .stack_first = size };
	struct growth growth = { .kind = kind, .size = size };
	int err = costack_call_attr(&attr, grow_body, &growth);

	return err ?: growth.cost;
}

static s64 small_8k(unsigned int count)
{
	return grow(&small_frames, SZ_4K);
}

static s64 small_16k(unsigned int count)
{
	return grow(&small_frames, SZ_8K);
}

static s64 small_32k(unsigned int count)
{
	return grow(&small_frames, SZ_16K);
}

static s64 small_64k(unsigned int count)
{
	return grow(&small_frames, SZ_32K);
}

static s64 large_8k(unsigned int count)
{
	return grow(&large_frames, SZ_4K);
}

static s64 large_16k(unsigned int count)
{
	return grow(&large_frames, SZ_8K);
}

static s64 large_32k(unsigned int count)
{
	return grow(&large_frames, SZ_16K);
}

static s64 large_64k(unsigned int count)
{
	return grow(&large_frames, SZ_32K);
}

static s64 copy_128(unsigned int count)
{
	return grow(&frames_128, SZ_32K);
}

static s64 copy_256(unsigned int count)
{
	return grow(&frames_256, SZ_32K);
}

static s64 copy_512(unsigned int count)
{
	return grow(&frames_512, SZ_32K);
}

static s64 copy_pointers(unsigned int count)
{
	return grow(&pointer_frames, SZ_32K);
}

/* === A climb === */

/* This depth needs 64 KiB, and no more. */
#define CLIMB_BYTES	(40 * 1024)

static int climb_body(void *arg)
{
	s64 *elapsed = arg;

	bench_now();
	bench_quiet();
	*elapsed = time_recursion(&small_frames, CLIMB_BYTES / 64);
	return costack_stack_size() == SZ_64K ? 0 : -EIO;
}

static s64 climb_from(size_t first)
{
	const struct costack_attr attr = { .stack_first = first };
	s64 elapsed = 0;
	int err = costack_call_attr(&attr, climb_body, &elapsed);

	return err ?: elapsed;
}

static s64 climb(unsigned int count)
{
	return climb_from(SZ_4K);
}

static s64 climb_peer(unsigned int count)
{
	return climb_from(SZ_64K);
}

/* === Once grown === */

/* This depth fits on the stack of a kernel thread too. */
#define STEADY_DEPTH	(8 * 1024 / 64)

struct steady {
	unsigned int	count;
	s64		elapsed;
};

static int steady_body(void *arg)
{
	struct steady *steady = arg;
	unsigned int i;
	long top = 0;
	s64 start;

	small(STEADY_DEPTH, &top);
	bench_quiet();
	start = bench_now();
	for (i = 0; i < steady->count; i++)
		small(STEADY_DEPTH, &top);
	steady->elapsed = bench_now() - start;
	return 0;
}

static s64 steady(unsigned int count)
{
	const struct costack_attr attr = { .stack_first = SZ_4K };
	struct steady steady = { .count = count };
	int err = costack_call_attr(&attr, steady_body, &steady);

	return err ?: steady.elapsed;
}

static s64 steady_peer(unsigned int count)
{
	struct steady steady = { .count = count };

	steady_body(&steady);
	return steady.elapsed;
}

/* === First sizes === */

/* This depth takes a larger stack than the smallest. */
#define WARM_DEPTH	(6 * 1024 / 64)

static int warm_body(void *arg)
{
	long top = 0;

	return small(WARM_DEPTH, &top);
}

/* In per cent, and not in ns. The round that is thrown away is the warm-up. */
static s64 grown_after_warmup(unsigned int count)
{
	static struct costack_work work;
	unsigned int i, grown = 0;
	int err;

	for (i = 0; i < count; i++) {
		costack_work_init(&work, warm_body, NULL, NULL);
		err = costack_queue(&work) ?: costack_wait(&work);
		if (err)
			return err;
		grown += work.growths > 0;
	}
	return 100 * grown;
}

const struct bench_row bench_growth_rows[] = {
	{ "grow_inplace_8k", small_8k, 1 },
	{ "grow_inplace_16k", small_16k, 1 },
	{ "grow_inplace_32k", small_32k, 1 },
	{ "grow_inplace_64k", small_64k, 1 },
	{ "grow_inplace_64k_large", large_64k, 1 },
	{ "grow_copy_8k", small_8k, 1 },
	{ "grow_copy_16k", small_16k, 1 },
	{ "grow_copy_32k", small_32k, 1 },
	{ "grow_copy_64k", small_64k, 1 },
	{ "grow_copy_8k_large", large_8k, 1 },
	{ "grow_copy_16k_large", large_16k, 1 },
	{ "grow_copy_32k_large", large_32k, 1 },
	{ "grow_copy_64k_large", large_64k, 1 },
	{ "grow_copy_64k_128b", copy_128, 1 },
	{ "grow_copy_64k_256b", copy_256, 1 },
	{ "grow_copy_64k_512b", copy_512, 1 },
	{ "grow_copy_64k_pointers", copy_pointers, 1 },
	{ "grow_first_64k", small_64k, 1, .once = true },
	{ "grow_first_64k_large", large_64k, 1, .once = true },
	{ "climb_inplace", climb, 1 },
	{ "climb_copy", climb, 1 },
	{ "climb_peer", climb_peer, 1 },
	{ "steady", steady, 100 },
	{ "steady_peer", steady_peer, 100 },
	{ "grown_after_warmup", grown_after_warmup, 1310 },
	{ }
};
