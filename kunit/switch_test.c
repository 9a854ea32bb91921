// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the stack switch alone.
 *
 * Functions on a coroutine stack call nothing of the kernel here, because some
 * architectures find current through the stack pointer; and they run with interrupts
 * off.
 */
#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <asm/costack.h>

#include "../module/arena.h"
#include "../module/pool.h"

#define ROUNDS	1000
#define DEPTH	16

/**
 * struct thread - a bare coroutine, and what it notes for its test
 * @ctx: its own context, where it continues
 * @out: the context that it switches to
 * @back: context of the host
 * @slot: its stack
 * @log: end of the log, which it shares with other coroutines
 * @name: what it writes to @log
 * @arg: argument that it was entered with
 * @sp: stack pointer that it saw
 * @frame: address of its outermost C frame
 * @rounds: how often it has continued
 * @bad: how often a value after a switch was not the one before it
 */
struct thread {
	struct costack_ctx	ctx;
	struct costack_ctx	*out;
	struct costack_ctx	back;
	struct costack_slot	*slot;
	char			**log;
	char			name;
	void			*arg;
	unsigned long		sp;
	unsigned long		frame;
	unsigned int		rounds;
	unsigned int		bad;
};

static void free_threads(struct kunit *test)
{
	struct thread *t = test->priv;

	if (t[0].slot)
		costack_stackfree(t[0].slot);
	if (t[1].slot)
		costack_stackfree(t[1].slot);
}

/* Each case has two; most use the first only. */
static int make_threads(struct kunit *test)
{
	struct thread *t = kunit_kcalloc(test, 2, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	for (i = 0; i < 2; i++) {
		t[i].slot = costack_stackalloc(1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t[i].slot);
		t[i].out = &t[i].back;
		t[i].name = 'a' + i;
	}
	return 0;
}

static struct thread *prepare(struct kunit *test, struct costack_ctx *(*entry)(void *))
{
	struct thread *t = test->priv;

	costack_arch_prepare(&t->ctx, t->slot->hi, entry, t);
	return t;
}

static void go(struct thread *t)
{
	local_irq_disable();
	costack_arch_switch(&t->back, &t->ctx);
	local_irq_enable();
}

static void leave(struct thread *t)
{
	costack_arch_switch(&t->ctx, t->out);
}

static struct costack_ctx *leave_for_good(struct thread *t)
{
	for (;;)
		leave(t);
	return NULL;
}

/*
 * Hold more values over a switch than there are callee-saved registers. The compiler
 * cannot recompute any of them.
 */
static noinline bool hold(struct costack_ctx *from, struct costack_ctx *to, unsigned long seed)
{
	unsigned long a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4;
	unsigned long e = seed + 5, f = seed + 6, g = seed + 7, h = seed + 8;

	OPTIMIZER_HIDE_VAR(a);
	OPTIMIZER_HIDE_VAR(b);
	OPTIMIZER_HIDE_VAR(c);
	OPTIMIZER_HIDE_VAR(d);
	OPTIMIZER_HIDE_VAR(e);
	OPTIMIZER_HIDE_VAR(f);
	OPTIMIZER_HIDE_VAR(g);
	OPTIMIZER_HIDE_VAR(h);
	costack_arch_switch(from, to);
	return a == seed + 1 && b == seed + 2 && c == seed + 3 && d == seed + 4 &&
	       e == seed + 5 && f == seed + 6 && g == seed + 7 && h == seed + 8;
}

static struct costack_ctx *note_entry(void *arg)
{
	struct thread *t = arg;

	t->arg = arg;
	t->sp = current_stack_pointer;
	t->frame = (unsigned long)__builtin_frame_address(0);
	t->rounds++;
	return leave_for_good(t);
}

static void entry_gets_its_argument(struct kunit *test)
{
	struct thread *t = prepare(test, note_entry);

	go(t);
	KUNIT_EXPECT_PTR_EQ(test, t->arg, (void *)t);
	KUNIT_EXPECT_EQ(test, t->rounds, 1);
}

static void entry_runs_on_the_stack_it_was_given(struct kunit *test)
{
	struct thread *t = prepare(test, note_entry);

	go(t);
	KUNIT_EXPECT_LT(test, t->sp, t->slot->hi);
	KUNIT_EXPECT_GE(test, t->sp, t->slot->hi - 512);
}

/* The ABI has the stack aligned to 16 bytes where the frame pointer points. */
static void outermost_frame_is_aligned_for_the_compiler(struct kunit *test)
{
	struct thread *t = prepare(test, note_entry);

	go(t);
	KUNIT_ASSERT_NE(test, t->frame, 0);
	KUNIT_EXPECT_EQ(test, t->frame % 16, 0);
}

static void prepare_writes_its_own_frame_only(struct kunit *test)
{
	struct thread *t = test->priv;
	unsigned long lo = costack_slot_lo(t->slot), top = t->slot->hi - PAGE_SIZE;

	memset((void *)lo, 0xa5, 2 * PAGE_SIZE);
	costack_arch_prepare(&t->ctx, top, note_entry, t);
	KUNIT_EXPECT_LT(test, t->ctx.sp, top);
	KUNIT_EXPECT_GE(test, t->ctx.sp, top - 128);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)lo, 0xa5, t->ctx.sp - lo));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)top, 0xa5, PAGE_SIZE));
	go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, 1);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)top, 0xa5, PAGE_SIZE));
}

static void context_prepared_anew_begins_anew(struct kunit *test)
{
	struct thread *t = prepare(test, note_entry);

	go(t);
	go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, 1);
	prepare(test, note_entry);
	go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, 2);
}

static struct costack_ctx *count_rounds(void *arg)
{
	struct thread *t = arg;

	for (;;) {
		t->rounds++;
		leave(t);
	}
	return NULL;
}

static void each_switch_goes_on_where_it_left(struct kunit *test)
{
	struct thread *t = prepare(test, count_rounds);
	unsigned int i, bad = 0;

	for (i = 1; i <= ROUNDS; i++) {
		go(t);
		bad += t->rounds != i;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, t->rounds, ROUNDS);
}

static struct costack_ctx *hold_rounds(void *arg)
{
	struct thread *t = arg;

	for (;;) {
		t->rounds++;
		if (!hold(&t->ctx, t->out, 1000 * t->rounds))
			t->bad++;
	}
	return NULL;
}

/* Both sides hold values over the switches, different ones in each round. */
static unsigned int exchange(struct kunit *test, struct thread *t)
{
	unsigned int i, bad = 0;

	for (i = 0; i < ROUNDS; i++) {
		local_irq_disable();
		bad += !hold(&t->back, &t->ctx, 1000000 + i);
		local_irq_enable();
	}
	KUNIT_EXPECT_EQ(test, t->rounds, ROUNDS);
	return bad;
}

static void registers_of_the_host_survive(struct kunit *test)
{
	struct thread *t = prepare(test, hold_rounds);

	KUNIT_EXPECT_EQ(test, exchange(test, t), 0);
}

static void registers_of_the_coroutine_survive(struct kunit *test)
{
	struct thread *t = prepare(test, hold_rounds);

	exchange(test, t);
	KUNIT_EXPECT_EQ(test, t->bad, 0);
}

static struct costack_ctx *keep_an_array(void *arg)
{
	struct thread *t = arg;
	char array[256];
	char byte = 0;

	for (;;) {
		memset(array, ++byte, sizeof(array));
		barrier_data(array);
		leave(t);
		t->rounds++;
		barrier_data(array);
		if (memchr_inv(array, byte, sizeof(array)))
			t->bad++;
	}
	return NULL;
}

static void stack_of_the_coroutine_survives(struct kunit *test)
{
	struct thread *t = prepare(test, keep_an_array);
	unsigned int i;

	for (i = 0; i <= ROUNDS; i++)
		go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, ROUNDS);
	KUNIT_EXPECT_EQ(test, t->bad, 0);
}

/* Leave the coroutine in every frame, on the way down and on the way up. */
static noinline int descend(struct thread *t, int depth)
{
	int here = depth, below = 0;

	leave(t);
	OPTIMIZER_HIDE_VAR(here);
	if (depth)
		below = descend(t, depth - 1);
	leave(t);
	return here + below;
}

static struct costack_ctx *descend_once(void *arg)
{
	struct thread *t = arg;

	t->rounds = descend(t, DEPTH);
	return leave_for_good(t);
}

static void every_frame_of_a_call_chain_may_switch(struct kunit *test)
{
	struct thread *t = prepare(test, descend_once);
	unsigned int i;

	for (i = 0; i < 2 * (DEPTH + 1); i++) {
		go(t);
		KUNIT_EXPECT_EQ(test, t->rounds, 0);
	}
	go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, DEPTH * (DEPTH + 1) / 2);
}

/* Uses the callee-saved registers, and ends. */
static struct costack_ctx *end(void *arg)
{
	struct thread *t = arg;

	t->bad += !hold(&t->ctx, t->out, 77);
	t->rounds++;
	return t->out;
}

static void entry_that_returns_has_left_for_good(struct kunit *test)
{
	struct thread *t = prepare(test, end);
	struct costack_ctx *from;
	unsigned int bad = 0;

	go(t);
	KUNIT_EXPECT_EQ(test, t->rounds, 0);
	local_irq_disable();
	bad += !hold(&t->back, &t->ctx, 2000000);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, t->rounds, 1);
	KUNIT_EXPECT_EQ(test, t->bad, 0);
	prepare(test, end);
	go(t);
	local_irq_disable();
	from = costack_arch_switch(&t->back, &t->ctx);
	local_irq_enable();
	KUNIT_EXPECT_PTR_EQ(test, from, &t->ctx);
	KUNIT_EXPECT_EQ(test, bad, 0);
}

static struct costack_ctx *write_log(void *arg)
{
	struct thread *t = arg;

	for (;;) {
		*(*t->log)++ = t->name;
		leave(t);
	}
	return NULL;
}

static void coroutines_switch_to_each_other(struct kunit *test)
{
	struct thread *t = test->priv;
	char log[8] = "", *end = log;

	t[0].log = &end;
	t[1].log = &end;
	costack_arch_prepare(&t[0].ctx, t[0].slot->hi, write_log, &t[0]);
	costack_arch_prepare(&t[1].ctx, t[1].slot->hi, write_log, &t[1]);
	t[0].out = &t[1].ctx;	/* a switches to b */
	t[1].out = &t[0].back;	/* b switches to the host context from which a was entered */
	go(&t[0]);
	go(&t[0]);
	go(&t[0]);
	KUNIT_EXPECT_STREQ(test, log, "ababab");
}

static struct kunit_case switch_cases[] = {
	KUNIT_CASE(entry_gets_its_argument),
	KUNIT_CASE(entry_runs_on_the_stack_it_was_given),
	KUNIT_CASE(entry_that_returns_has_left_for_good),
	KUNIT_CASE(outermost_frame_is_aligned_for_the_compiler),
	KUNIT_CASE(prepare_writes_its_own_frame_only),
	KUNIT_CASE(context_prepared_anew_begins_anew),
	KUNIT_CASE(each_switch_goes_on_where_it_left),
	KUNIT_CASE(registers_of_the_host_survive),
	KUNIT_CASE(registers_of_the_coroutine_survive),
	KUNIT_CASE(stack_of_the_coroutine_survives),
	KUNIT_CASE(every_frame_of_a_call_chain_may_switch),
	KUNIT_CASE(coroutines_switch_to_each_other),
	{ }
};

static struct kunit_suite switch_suite = {
	.name		= "costack_switch",
	.init		= make_threads,
	.exit		= free_threads,
	.test_cases	= switch_cases,
};

kunit_test_suite(switch_suite);

MODULE_LICENSE("GPL");
