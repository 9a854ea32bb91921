// SPDX-License-Identifier: GPL-2.0
/*
 * Measures, at the speed of the host, what needs no fault. This is not a test: it is a
 * KUnit suite only because that is how code gets into a user-mode kernel.
 * scripts/bench.sh native runs it. It prints lines in the format of
 * selftests/bench/run.sh, "NAME COUNT SAMPLE...", in ns.
 *
 *	native_switch		costack_arch_switch(), in and out
 *	native_copy		costack_arch_copy() and costack_rebase_copy() of 1 KiB with no
 *				pointer in it
 *	native_copy_pointers	the same, one word in eight a pointer: frames of 64 bytes
 *	native_memcpy		memcpy() of the same
 *	native_pool		costack_stackalloc() and costack_stackfree(), one page
 *	native_cache		kmem_cache_alloc() and kmem_cache_free() of as much
 *	native_cache_zeroed	the same with kmem_cache_zalloc(): stacks are cleared, too
 *
 * The user-mode kernel is built for one CPU, so spinlocks cost nothing in it.
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

#include "../module/copy.h"
#include "../module/pool.h"

#define ROUNDS	31
#define LINE	512
#define WORDS	(1024 / sizeof(unsigned long))

/* Measure rounds of @count calls of @op; the first round only fills the caches. */
static void measure(struct kunit *test, const char *name, void (*op)(void *arg), void *arg,
		    unsigned int count)
{
	char *line = kunit_kzalloc(test, LINE, GFP_KERNEL);
	unsigned int i, round, len = 0;

	KUNIT_ASSERT_NOT_NULL(test, line);
	for (round = 0; round <= ROUNDS; round++) {
		s64 start = ktime_get_ns();

		for (i = 0; i < count; i++)
			op(arg);
		if (round)
			len += scnprintf(line + len, LINE - len, " %lld", ktime_get_ns() - start);
	}
	pr_info("bench: %s %u%s\n", name, count, line);
}

/* === Switch === */

struct bare {
	struct costack_ctx	here;
	struct costack_ctx	there;
};

/* Calls nothing, because current may be found through the stack pointer. */
static void bounce(void *arg)
{
	struct bare *bare = arg;

	for (;;)
		costack_arch_switch(&bare->there, &bare->here);
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
	measure(test, "native_switch", in_and_out, &bare, 10000);
	local_irq_enable();
	costack_stackfree(slot);
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
	measure(test, "native_memcpy", copy_with_memcpy, words, 10000);
	measure(test, "native_copy", copy, words, 10000);
	KUNIT_EXPECT_EQ(test, words->rebased, 0);
	for (i = 0; i < WORDS; i += 8)
		words->from[i] = words->range.lo + i;
	measure(test, "native_copy_pointers", copy, words, 10000);
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
	measure(test, "native_pool", get_and_put, NULL, 10000);
	measure(test, "native_cache", alloc_and_free, cache, 10000);
	measure(test, "native_cache_zeroed", zalloc_and_free, cache, 10000);
	kmem_cache_destroy(cache);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(figure_switch),
	KUNIT_CASE(figure_copy),
	KUNIT_CASE(figure_pool),
	{ }
};

static struct kunit_suite suite = {
	.name = "costack_native",
	.test_cases = cases,
};

kunit_test_suite(suite);
