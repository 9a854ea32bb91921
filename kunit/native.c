// SPDX-License-Identifier: GPL-2.0
/*
 * Measures, at the speed of the host, what needs no fault. This is not a test: it is a
 * KUnit suite only because that is how code gets into a user-mode kernel.
 * scripts/bench.sh native runs it. It prints lines in the format of
 * selftests/bench/run.sh, "NAME COUNT SAMPLE...", in ns.
 *
 *	native_switch		costack_arch_switch(), in and out
 *	native_park		two coroutines unpark each other and park: there and back
 *	native_chan		a value there and one back through unbuffered channels
 *	native_copy		costack_arch_copy() and costack_rebase_copy() of 1 KiB with no
 *				pointer in it
 *	native_copy_pointers	the same, one word in eight a pointer: frames of 64 bytes
 *	native_memcpy		memcpy() of the same
 *	native_pool		costack_stackalloc() and costack_stackfree(), one page
 *	native_cache		kmem_cache_alloc() and kmem_cache_free() of as much
 *	native_cache_zeroed	the same with kmem_cache_zalloc(): stacks are cleared, too
 *
 * The user-mode kernel is built for one CPU, but costack in it with module/arch/um/smp/: so its
 * atomic operations, spinlocks and counters cost what they cost in a kernel for several. The
 * slabs of the kernel itself have no such cost.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/costack.h>
#include <linux/costack.h>

#include "../module/copy.h"
#include "../module/coroutine.h"
#include "../module/pool.h"
#include "../module/stats.h"

/* A round is shorter than a time slice of the host: few of them are interrupted. */
#define ROUNDS	31
#define COUNT	1000
#define LINE	512
#define WORDS	(1024 / sizeof(unsigned long))

struct rounds {
	s64	ns[ROUNDS];
};

static void print(struct kunit *test, const char *name, const struct rounds *rounds)
{
	char *line = kunit_kzalloc(test, LINE, GFP_KERNEL);
	unsigned int round, len = 0;

	KUNIT_ASSERT_NOT_NULL(test, line);
	for (round = 0; round < ROUNDS; round++)
		len += scnprintf(line + len, LINE - len, " %lld", rounds->ns[round]);
	pr_info("bench: %s %u%s\n", name, COUNT, line);
}

/* Measure rounds of @op; one more, before these, only fills the caches. */
static void measure(struct kunit *test, const char *name, void (*op)(void *arg), void *arg)
{
	struct rounds *rounds = kunit_kzalloc(test, sizeof(*rounds), GFP_KERNEL);
	int i, round;

	KUNIT_ASSERT_NOT_NULL(test, rounds);
	for (round = -1; round < ROUNDS; round++) {
		s64 start = ktime_get_ns();

		for (i = 0; i < COUNT; i++)
			op(arg);
		if (round >= 0)
			rounds->ns[round] = ktime_get_ns() - start;
	}
	print(test, name, rounds);
}

/* === Switch === */

struct bare {
	struct costack_ctx	here;
	struct costack_ctx	there;
};

/* Calls nothing, because current may be found through the stack pointer. */
static struct costack_ctx *bounce(void *arg)
{
	struct bare *bare = arg;

	for (;;)
		costack_arch_switch(&bare->there, &bare->here);
	return NULL;
}

static void in_and_out(void *arg)
{
	struct bare *bare = arg;

	costack_arch_switch(&bare->here, &bare->there);
}

static void figure_switch(struct kunit *test)
{
	struct costack_slot *slot = costack_stackalloc(0, GFP_KERNEL);
	struct bare bare;

	KUNIT_ASSERT_NOT_NULL(test, slot);
	costack_arch_prepare(&bare.there, slot->hi, bounce, &bare);
	local_irq_disable();
	measure(test, "native_switch", in_and_out, &bare);
	local_irq_enable();
	costack_stackfree(slot);
}

/* === Two coroutines === */

/**
 * struct pair - two work items, and what they share
 * @first: measures the rounds
 * @second: answers it until it is cancelled
 * @first_co: coroutine of @first
 * @second_co: coroutine of @second; set when it runs
 * @there: channel from @first to @second
 * @back: channel from @second to @first
 * @rounds: the figures
 */
struct pair {
	struct costack_work	first;
	struct costack_work	second;
	struct costack		*first_co;
	struct costack		*second_co;
	struct costack_chan	*there;
	struct costack_chan	*back;
	struct rounds		rounds;
};

/*
 * The kernel finds current through the stack pointer: where the stack begins, if it is one of
 * THREAD_SIZE. The stacks here are of that size, and get what the worker's has. There is one
 * worker. So interrupts that come while they are off can be handled on these stacks.
 */
static struct costack *look_like_a_thread(void)
{
	struct costack *co = costack_current();

	*current_thread_info() = *task_thread_info(co->task);
	return co;
}

static __always_inline int measure_first(struct pair *pair, int (*trip)(struct pair *pair))
{
	int i, round, err = 0;

	pair->first_co = look_like_a_thread();
	for (round = -1; round < ROUNDS && !err; round++) {
		s64 start = ktime_get_ns();

		for (i = 0; i < COUNT && !err; i++)
			err = trip(pair);
		if (round >= 0)
			pair->rounds.ns[round] = ktime_get_ns() - start;
	}
	return err;
}

static __always_inline int unpark_and_park(struct pair *pair)
{
	costack_unpark(pair->second_co);
	return costack_park();
}

static int park_first(void *arg)
{
	return measure_first(arg, unpark_and_park);
}

static int park_second(void *arg)
{
	struct pair *pair = arg;
	int err;

	WRITE_ONCE(pair->second_co, look_like_a_thread());
	while (!(err = costack_park()))
		costack_unpark(pair->first_co);
	return err;
}

static __always_inline int send_and_receive(struct pair *pair)
{
	unsigned long value = 0;

	return costack_chan_send(pair->there, &value) ?: costack_chan_recv(pair->back, &value);
}

static int chan_first(void *arg)
{
	return measure_first(arg, send_and_receive);
}

static int chan_second(void *arg)
{
	struct pair *pair = arg;
	unsigned long value;
	int err;

	WRITE_ONCE(pair->second_co, look_like_a_thread());
	do
		err = costack_chan_recv(pair->there, &value) ?:
		      costack_chan_send(pair->back, &value);
	while (!err);
	return err;
}

static struct pair *make_pair(struct kunit *test)
{
	struct pair *pair = kunit_kzalloc(test, sizeof(*pair), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pair);
	pair->there = costack_chan_create(sizeof(unsigned long), 0);
	KUNIT_ASSERT_NOT_NULL(test, pair->there);
	pair->back = costack_chan_create(sizeof(unsigned long), 0);
	KUNIT_ASSERT_NOT_NULL(test, pair->back);
	return pair;
}

/* Run both to their end. The second is started first, so that it waits already. */
static void measure_pair(struct kunit *test, const char *name, costack_fn_t first,
			 costack_fn_t second)
{
	const struct costack_attr attr = { .stack_first = THREAD_SIZE };
	const long handovers = costack_stat_read(COSTACK_STAT_HANDOVERS);
	struct pair *pair = make_pair(test);

	costack_work_init(&pair->second, second, pair, &attr);
	costack_work_init(&pair->first, first, pair, &attr);
	KUNIT_ASSERT_EQ(test, costack_queue(&pair->second), 0);
	while (!READ_ONCE(pair->second_co))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, costack_queue(&pair->first), 0);
	KUNIT_EXPECT_EQ(test, costack_wait(&pair->first), 0);
	costack_cancel(&pair->second);
	KUNIT_EXPECT_EQ(test, costack_wait(&pair->second), -ECANCELED);
	/* Nearly all switches are from one coroutine to the other. */
	KUNIT_EXPECT_GT(test, costack_stat_read(COSTACK_STAT_HANDOVERS) - handovers,
			2L * ROUNDS * COUNT * 9 / 10);
	print(test, name, &pair->rounds);
	costack_chan_destroy(pair->there);
	costack_chan_destroy(pair->back);
}

static void figure_pair(struct kunit *test)
{
	const unsigned int workers = costack_knobs.workers;

	WRITE_ONCE(costack_knobs.workers, 1);
	measure_pair(test, "native_park", park_first, park_second);
	measure_pair(test, "native_chan", chan_first, chan_second);
	WRITE_ONCE(costack_knobs.workers, workers);
}

/* === Words === */

struct words {
	struct costack_range	range;
	size_t			rebased;
	unsigned long		from[WORDS];
	unsigned long		to[WORDS];
};

static void copy(void *arg)
{
	static const unsigned long none[BITS_TO_LONGS(WORDS)];
	struct words *words = arg;

	costack_arch_copy(words->to, words->from, WORDS);
	words->rebased = costack_rebase_copy(&words->range, words->to, WORDS, none);
}

static void copy_with_memcpy(void *arg)
{
	struct words *words = arg;

	memcpy(words->to, words->from, sizeof(words->to));
	barrier_data(words->to);
}

static void figure_copy(struct kunit *test)
{
	struct words *words = kunit_kzalloc(test, sizeof(*words), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, words);
	words->range = (struct costack_range) {
		.lo = 0xffffc90000100000, .hi = 0xffffc90000120000, .delta = 0x200000,
	};
	measure(test, "native_memcpy", copy_with_memcpy, words);
	measure(test, "native_copy", copy, words);
	KUNIT_EXPECT_EQ(test, words->rebased, 0);
	for (i = 0; i < WORDS; i += 8)
		words->from[i] = words->range.lo + i;
	measure(test, "native_copy_pointers", copy, words);
	KUNIT_EXPECT_EQ(test, words->rebased, WORDS / 8);
}

/* === Stacks === */

static void get_and_put(void *unused)
{
	struct costack_slot *slot = costack_stackalloc(0, GFP_KERNEL);

	if (slot)
		costack_stackfree(slot);
}

static void alloc_and_free(void *cache)
{
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL));
}

static void zalloc_and_free(void *cache)
{
	kmem_cache_free(cache, kmem_cache_zalloc(cache, GFP_KERNEL | __GFP_NOFAIL));
}

static void figure_pool(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("costack_native", PAGE_SIZE, 0, 0, NULL);

	KUNIT_ASSERT_NOT_NULL(test, cache);
	measure(test, "native_pool", get_and_put, NULL);
	measure(test, "native_cache", alloc_and_free, cache);
	measure(test, "native_cache_zeroed", zalloc_and_free, cache);
	kmem_cache_destroy(cache);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(figure_switch),
	KUNIT_CASE(figure_pair),
	KUNIT_CASE(figure_copy),
	KUNIT_CASE(figure_pool),
	{ }
};

static struct kunit_suite suite = {
	.name = "costack_native",
	.test_cases = cases,
};

kunit_test_suite(suite);
