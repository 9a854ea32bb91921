// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of copystack, word by word, with made-up stacks on which nothing runs.
 *
 * User-mode Linux has no unwinder, so the suite vouches for its own frames.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <asm/costack.h>

#include "../module/arena.h"
#include "../module/copy.h"
#include "../module/fault.h"
#include "../module/frames.h"
#include "../module/grow.h"
#include "../module/move.h"
#include "../module/pool.h"
#include "fixture.h"

static int move_init(struct kunit *test)
{
	costack_um_movable = true;
	return fixture_init(test);
}

static void move_exit(struct kunit *test)
{
	costack_um_movable = false;
	fixture_exit(test);
}

/* === Made-up stacks and faults === */

#define USED	32	/* words at the top of a made-up stack */

/**
 * struct made_up - a coroutine, and the fault that interrupted it
 * @co: the coroutine
 * @old: its stack
 * @new: the stack it is to move to
 * @delta: distance from @old to @new
 * @fault: the fault of a push with @sp at the lowest mapped byte
 * @sp: the interrupted stack pointer
 * @regs: the other registers
 */
struct made_up {
	struct costack		*co;
	struct costack_slot	*old;
	struct costack_slot	*new;
	unsigned long		delta;
	struct costack_fault	fault;
	unsigned long		sp;
	unsigned long		regs[4];
};

static void make_fault(struct kunit *test, struct made_up *m, const struct costack_attr *attr)
{
	struct costack *co = make_running(test, attr);

	*m = (struct made_up) {
		.co	= co,
		.old	= co->slot,
		.new	= costack_reserve_of(co)->next[1],
		.sp	= co->slot->hi - USED * sizeof(long),
		.fault	= {
			.addr		= costack_slot_lo(co->slot) - sizeof(long),
			.sp		= &m->sp,
			.words		= m->regs,
			.nr_words	= ARRAY_SIZE(m->regs),
			.irqs_on	= true,
			.vector		= -1,
			.co		= co,
		},
	};
	if (m->new)
		m->delta = m->new->hi - m->old->hi;
	memset((void *)costack_slot_lo(m->old), 0, m->old->pages * PAGE_SIZE);
}

static void expect_moved(struct kunit *test, struct made_up *m)
{
	KUNIT_ASSERT_NOT_NULL(test, m->new);
	KUNIT_ASSERT_EQ(test, costack_newstack(&m->fault), COSTACK_RESUME);
	KUNIT_ASSERT_PTR_EQ(test, m->co->slot, m->new);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->co->state), COSTACK_RUNNING);
}

static void expect_in_place(struct kunit *test, struct made_up *m, enum costack_refusal why)
{
	KUNIT_ASSERT_EQ(test, costack_newstack(&m->fault), COSTACK_RESUME);
	KUNIT_EXPECT_PTR_EQ(test, m->co->slot, m->old);
	KUNIT_EXPECT_EQ(test, m->old->pages, 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_REFUSED), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m->co)->events[0].kind, COSTACK_EVENT_REFUSE);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m->co)->events[0].detail, why);
}

static void used_words_keep_their_distance_from_the_top(struct kunit *test)
{
	struct made_up m;
	unsigned long *old, *new;
	unsigned int i, wrong = 0;

	make_fault(test, &m, NULL);
	old = (unsigned long *)m.sp;
	for (i = 0; i < USED; i++)
		old[i] = i % 4 ? i : m.sp + i;
	expect_moved(test, &m);
	new = (unsigned long *)m.new->hi - USED;
	for (i = 0; i < USED; i++)
		wrong += new[i] != old[i] + (i % 4 ? 0 : m.delta);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void stack_that_was_left_names_nobody(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	expect_moved(test, &m);
	KUNIT_EXPECT_PTR_EQ(test, m.old->co, m.co);
	KUNIT_EXPECT_TRUE(test, m.co->noted);
	costack_grow_settle(m.co);
	KUNIT_EXPECT_FALSE(test, m.co->noted);
	KUNIT_EXPECT_PTR_EQ(test, costack_reserve_of(m.co)->retired, m.old);
	KUNIT_EXPECT_NULL(test, m.old->co);
	KUNIT_EXPECT_PTR_EQ(test, m.new->co, m.co);
}

static void unused_words_are_not_copied(struct kunit *test)
{
	struct made_up m;
	unsigned long lo;

	make_fault(test, &m, NULL);
	memset((void *)costack_slot_lo(m.old), 0xa5, PAGE_SIZE);
	expect_moved(test, &m);
	lo = costack_slot_lo(m.new);
	KUNIT_EXPECT_EQ(test, m.new->pages, 2);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)lo, 0, m.sp - lo));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)m.sp, 0xa5, m.new->hi - m.sp));
}

static void registers_follow(struct kunit *test)
{
	struct made_up m;
	unsigned long sp, lo;

	make_fault(test, &m, NULL);
	sp = m.sp;
	lo = costack_slot_lo(m.old);
	m.regs[0] = lo;
	m.regs[1] = m.old->hi;
	m.regs[2] = m.old->hi + 1;
	m.regs[3] = 42;
	expect_moved(test, &m);
	KUNIT_EXPECT_EQ(test, m.sp, sp + m.delta);
	KUNIT_EXPECT_EQ(test, m.regs[0], lo + m.delta);
	KUNIT_EXPECT_EQ(test, m.regs[1], m.new->hi);
	KUNIT_EXPECT_EQ(test, m.regs[2], m.old->hi + 1);
	KUNIT_EXPECT_EQ(test, m.regs[3], 42);
}

/* Around sub $N,%rsp registers may point to memory that is not mapped yet. */
static void registers_that_point_into_the_guard_follow(struct kunit *test)
{
	struct made_up m;
	unsigned long lo;

	make_fault(test, &m, NULL);
	lo = costack_slot_lo(m.old);
	m.sp = lo - 512;
	m.fault.addr = lo - 600;
	m.regs[0] = lo - 512;
	m.regs[1] = lo - 600 - COSTACK_BELOW;
	m.regs[2] = lo - 601 - COSTACK_BELOW;
	m.regs[3] = costack_slot_start(m.old);
	expect_moved(test, &m);
	KUNIT_EXPECT_EQ(test, m.sp, lo - 512 + m.delta);
	KUNIT_EXPECT_EQ(test, m.regs[0], lo - 512 + m.delta);
	KUNIT_EXPECT_EQ(test, m.regs[1], lo - 600 - COSTACK_BELOW + m.delta);
	KUNIT_EXPECT_EQ(test, m.regs[2], lo - 601 - COSTACK_BELOW);
	KUNIT_EXPECT_EQ(test, m.regs[3], costack_slot_start(m.old));
}

/* A word that looks like an address in the slot, far below the used part, is a number. */
static void words_far_below_what_is_used_are_numbers(struct kunit *test)
{
	unsigned long *old, *new, lowest;
	struct made_up m;

	make_fault(test, &m, NULL);
	old = (unsigned long *)m.sp;
	lowest = m.fault.addr - COSTACK_BELOW;
	old[0] = lowest;
	old[1] = lowest - 1;
	old[2] = costack_slot_start(m.old);
	old[3] = m.old->hi;
	expect_moved(test, &m);
	new = (unsigned long *)m.new->hi - USED;
	KUNIT_EXPECT_EQ(test, new[0], lowest + m.delta);
	KUNIT_EXPECT_EQ(test, new[1], lowest - 1);
	KUNIT_EXPECT_EQ(test, new[2], costack_slot_start(m.old));
	KUNIT_EXPECT_EQ(test, new[3], m.new->hi);
}

/* A root is known to be a pointer, so it follows even far below the used part. */
static void roots_far_below_what_is_used_follow(struct kunit *test)
{
	struct costack_defer defer;
	struct made_up m;
	void *heap;

	make_fault(test, &m, NULL);
	heap = (void *)costack_slot_start(m.old);
	KUNIT_ASSERT_EQ(test, costack_roots_track(&m.co->roots, &heap, 0, _THIS_IP_), 0);
	KUNIT_ASSERT_EQ(test, costack_roots_defer(&m.co->roots, never_deferred, heap, m.sp), 0);
	expect_moved(test, &m);
	KUNIT_EXPECT_PTR_EQ(test, heap, (void *)costack_slot_start(m.new));
	KUNIT_ASSERT_TRUE(test, costack_roots_pop(&m.co->roots, &defer));
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)costack_slot_start(m.new));
}

static void all_is_copied_if_the_stack_pointer_is_below(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	m.sp = costack_slot_lo(m.old) - 512;
	memset((void *)costack_slot_lo(m.old), 0xa5, PAGE_SIZE);
	expect_moved(test, &m);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)(m.new->hi - PAGE_SIZE), 0xa5, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_BYTES_COPIED), PAGE_SIZE);
}

static void context_base_and_request_follow(struct kunit *test)
{
	struct made_up m;
	unsigned long sp;

	make_fault(test, &m, NULL);
	sp = m.co->ctx.sp;
	m.co->req.arg = (void *)(m.old->hi - 8);
	expect_moved(test, &m);
	KUNIT_EXPECT_EQ(test, m.co->base, m.new->hi);
	KUNIT_EXPECT_EQ(test, m.co->ctx.sp, sp + m.delta);
	KUNIT_EXPECT_PTR_EQ(test, m.co->req.arg, (void *)(m.new->hi - 8));
}

static void roots_follow(struct kunit *test)
{
	struct made_up m;
	struct costack_defer defer;
	void *heap;

	make_fault(test, &m, NULL);
	heap = (void *)m.sp;
	KUNIT_ASSERT_EQ(test, costack_roots_track(&m.co->roots, &heap, 0, _THIS_IP_), 0);
	KUNIT_ASSERT_EQ(test, costack_roots_defer(&m.co->roots, never_deferred, heap, m.sp), 0);
	expect_moved(test, &m);
	KUNIT_EXPECT_PTR_EQ(test, heap, (void *)m.sp);
	KUNIT_ASSERT_TRUE(test, costack_roots_pop(&m.co->roots, &defer));
	KUNIT_EXPECT_PTR_EQ(test, defer.arg, (void *)m.sp);
	KUNIT_EXPECT_EQ(test, defer.sp, m.sp);
}

static void move_counts_bytes_and_words(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	/* Two words and two registers; then the base, the context and the stack pointer. */
	((unsigned long *)m.sp)[0] = m.sp;
	((unsigned long *)m.sp)[1] = m.sp;
	m.regs[0] = m.sp;
	m.regs[3] = m.sp;
	/* Overwrite what costack_arch_prepare() has left at the top. */
	m.co->req.arg = NULL;
	memset((void *)(m.sp + 16), 0, m.old->hi - m.sp - 16);
	expect_moved(test, &m);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_WORDS_REBASED), 7);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_BYTES_COPIED), USED * sizeof(long));
	KUNIT_ASSERT_EQ(test, costack_reserve_of(m.co)->nr_events, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m.co)->events[0].kind, COSTACK_EVENT_COPY);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m.co)->events[0].from, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m.co)->events[0].to, 2);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m.co)->events[0].words, 7);
}

static void old_stack_is_kept_with_the_reserve(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	expect_moved(test, &m);
	KUNIT_EXPECT_PTR_EQ(test, m.new->co, m.co);
	KUNIT_EXPECT_PTR_EQ(test, m.old->co, m.co);
	KUNIT_EXPECT_PTR_EQ(test, costack_reserve_of(m.co)->retired, m.old);
	KUNIT_EXPECT_NULL(test, costack_reserve_of(m.co)->next[1]);
	KUNIT_EXPECT_NOT_NULL(test, costack_reserve_of(m.co)->next[2]);
}

static void one_move_serves_a_large_frame(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	m.new = costack_reserve_of(m.co)->next[3];
	m.delta = m.new->hi - m.old->hi;
	m.sp = m.old->hi - 5 * PAGE_SIZE;
	expect_moved(test, &m);
	KUNIT_EXPECT_EQ(test, m.co->slot->pages, 8);
}

static void poison_is_where_it_should_be(struct kunit *test)
{
	struct made_up m;
	unsigned long lo;

	make_fault(test, &m, NULL);
	costack_knobs.poison = true;
	memset((void *)m.sp, 0, m.old->hi - m.sp);
	expect_moved(test, &m);
	lo = costack_slot_lo(m.new);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)lo, COSTACK_POISON_COPY, m.sp - lo));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)m.sp, 0, m.new->hi - m.sp));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(m.old), COSTACK_POISON_OLD,
					   PAGE_SIZE));
}

static void frame_in_doubt_grows_in_place(struct kunit *test)
{
	struct made_up m;

	costack_um_movable = false;
	make_fault(test, &m, NULL);
	expect_in_place(test, &m, COSTACK_REFUSED_UNWIND);
}

static void pin_grows_in_place(struct kunit *test)
{
	const struct costack_attr attr = { .flags = COSTACK_PINNED };
	struct made_up m;

	make_fault(test, &m, &attr);
	expect_in_place(test, &m, COSTACK_REFUSED_PIN);
}

static void missing_stack_grows_in_place(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, NULL);
	costack_reserve_of(m.co)->next[1] = NULL;
	expect_in_place(test, &m, COSTACK_REFUSED_RESERVE);
	costack_reserve_of(m.co)->next[1] = m.new;
}

static void coroutine_that_is_not_running_is_not_moved(struct kunit *test)
{
	struct made_up m;
	unsigned int state;

	make_fault(test, &m, NULL);
	for (state = 0; state < COSTACK_NR_STATES; state++) {
		if (state == COSTACK_RUNNING)
			continue;
		atomic_set(&m.co->state, state);
		KUNIT_EXPECT_EQ(test, costack_newstack(&m.fault), COSTACK_DECLINE);
		KUNIT_EXPECT_EQ(test, atomic_read(&m.co->state), state);
		KUNIT_EXPECT_PTR_EQ(test, m.co->slot, m.old);
	}
	atomic_set(&m.co->state, COSTACK_RUNNING);
	expect_moved(test, &m);
}

static void climb_to_the_limit_is_all_moves(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	unsigned long *word, sp;
	struct costack_fault fault = { .sp = &sp, .irqs_on = true, .vector = -1, .co = co };
	unsigned int pages;

	/* A word at the top that points to itself must follow. */
	word = (unsigned long *)co->slot->hi - 1;
	*word = (unsigned long)word;
	for (pages = 2; pages <= COSTACK_MAX_PAGES; pages *= 2) {
		sp = costack_slot_lo(co->slot);
		fault.addr = sp - sizeof(long);
		KUNIT_ASSERT_EQ(test, costack_newstack(&fault), COSTACK_RESUME);
		KUNIT_EXPECT_EQ(test, co->slot->pages, pages);
		KUNIT_EXPECT_EQ(test, sp, co->slot->hi - pages / 2 * PAGE_SIZE);
		word = (unsigned long *)co->slot->hi - 1;
		KUNIT_EXPECT_EQ(test, *word, (unsigned long)word);
	}
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), COSTACK_CLASSES - 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
}

/* === Overflow === */

static const struct costack_attr one_page = {
	.stack_limit	= PAGE_SIZE,
	.flags		= COSTACK_ABORTABLE,
};

static void overflow_cuts_off(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, &one_page);
	KUNIT_EXPECT_EQ(test, costack_newstack(&m.fault), COSTACK_ABORT);
	KUNIT_EXPECT_TRUE(test, m.co->aborted);
	KUNIT_EXPECT_NULL(test, m.co->req.handler);
	KUNIT_EXPECT_EQ(test, atomic_read(&m.co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, m.co->slot->pages, 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_ABORTS), 1);
	KUNIT_ASSERT_EQ(test, costack_reserve_of(m.co)->nr_events, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(m.co)->events[0].kind, COSTACK_EVENT_OVERFLOW);
	m.co->aborted = false;
}

static void overflow_of_a_pinned_stack_cuts_off_too(struct kunit *test)
{
	struct made_up m;

	make_fault(test, &m, &one_page);
	m.co->pins = 2;
	KUNIT_EXPECT_EQ(test, costack_newstack(&m.fault), COSTACK_ABORT);
	KUNIT_EXPECT_EQ(test, m.co->pins, 2);
	m.co->aborted = false;
}

/* Such a frame is, for example, that of a function which a kernel function called back. */
static void overflow_with_a_frame_in_doubt_gets_pages_beyond(struct kunit *test)
{
	struct made_up m;

	costack_um_movable = false;
	make_fault(test, &m, &one_page);
	KUNIT_EXPECT_EQ(test, costack_newstack(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_FALSE(test, m.co->aborted);
	KUNIT_EXPECT_PTR_EQ(test, m.co->slot, m.old);
	KUNIT_EXPECT_EQ(test, m.old->pages, 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_REFUSED), 1);
}

static void overflow_with_a_frame_in_doubt_is_handed_over(struct kunit *test)
{
	struct made_up m;

	costack_um_movable = false;
	make_fault(test, &m, &one_page);
	m.fault.addr = m.old->hi - (1 + COSTACK_BEYOND_KERNEL) * PAGE_SIZE - 1;
	KUNIT_EXPECT_EQ(test, costack_newstack(&m.fault), COSTACK_DECLINE);
	KUNIT_EXPECT_FALSE(test, m.co->aborted);
	KUNIT_EXPECT_EQ(test, m.old->pages, 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_ABORTS), 0);
}

/* === Moves at a safe point === */

static void request_moves_and_keeps_the_reserve_whole(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	struct costack_reserve *reserve = costack_reserve_of(co), before = *reserve;
	struct costack_slot *old = co->slot;
	unsigned long used = old->hi - co->ctx.sp;

	KUNIT_EXPECT_EQ(test, costack_grow_ensure(co, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_NE(test, co->slot, old);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
	KUNIT_EXPECT_EQ(test, co->slot->hi - co->ctx.sp, used);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 1);
	KUNIT_EXPECT_PTR_EQ(test, costack_reserve_of(co), reserve);
	/* All but the notes. */
	KUNIT_EXPECT_EQ(test, memcmp(reserve, &before,
				     offsetof(struct costack_reserve, nr_events)), 0);
	KUNIT_EXPECT_NULL(test, old->co);
}

static void forced_move_keeps_the_size(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = 4 * PAGE_SIZE };
	struct costack *co = make_running(test, &attr);
	struct costack_reserve *reserve = costack_reserve_of(co), before = *reserve;
	struct costack_slot *old = co->slot;

	KUNIT_EXPECT_EQ(test, costack_move_force(co), 0);
	KUNIT_EXPECT_PTR_NE(test, co->slot, old);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 4);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_BY_COPY), 0);
	/* All but the notes. */
	KUNIT_EXPECT_EQ(test, memcmp(reserve, &before,
				     offsetof(struct costack_reserve, nr_events)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
}

static void forced_move_is_not_made_with_interrupts_off(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	struct costack_slot *old = co->slot;
	int ret;

	local_irq_disable();
	ret = costack_move_force(co);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, old);
}

static void forced_move_is_not_made_with_a_frame_in_doubt(struct kunit *test)
{
	struct costack *co = make_running(test, NULL);
	struct costack_slot *old = co->slot;

	costack_um_movable = false;
	KUNIT_EXPECT_EQ(test, costack_move_force(co), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, old);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_FORCED), 0);
}

static void shrinking_moves_to_half_the_size(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = 4 * PAGE_SIZE };
	struct costack *co = make_running(test, &attr);
	struct costack_slot *old = co->slot;
	unsigned long *word = (unsigned long *)old->hi - 1, sp = co->ctx.sp;
	unsigned long delta;

	*word = (unsigned long)word;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	KUNIT_EXPECT_EQ(test, costack_move_shrink(co), 0);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	KUNIT_EXPECT_PTR_NE(test, co->slot, old);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
	KUNIT_EXPECT_NULL(test, old->co);
	delta = co->slot->hi - old->hi;
	KUNIT_EXPECT_EQ(test, co->ctx.sp, sp + delta);
	word = (unsigned long *)co->slot->hi - 1;
	KUNIT_EXPECT_EQ(test, *word, (unsigned long)word);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_SHRUNK), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_BYTES_SHRUNK), 2 * PAGE_SIZE);
}

/* The pool has a stack with bytes of this thread. An item must not get them from its mover. */
static void shrunk_stack_of_an_item_holds_nothing_of_its_mover(struct kunit *test)
{
	struct costack_slot *dirty = costack_stackalloc(0, GFP_KERNEL);
	const struct costack_attr attr = { .stack_first = 2 * PAGE_SIZE };
	struct costack_work work = { };
	struct costack *co;

	KUNIT_ASSERT_NOT_NULL(test, dirty);
	co = make_running(test, &attr);
	memset((void *)costack_slot_lo(dirty), 0xa5, PAGE_SIZE);
	costack_stackfree_of(dirty, costack_owner_thread());
	co->work = &work;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	KUNIT_EXPECT_EQ(test, costack_move_shrink(co), 0);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	co->work = NULL;
	KUNIT_ASSERT_PTR_EQ(test, co->slot, dirty);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(dirty), 0,
					   co->ctx.sp - costack_slot_lo(dirty)));
}

static void shrinking_waits_until_no_frame_is_in_doubt(struct kunit *test)
{
	const struct costack_attr attr = { .stack_first = 4 * PAGE_SIZE };
	struct costack *co = make_running(test, &attr);
	struct costack_slot *old = co->slot;

	costack_um_movable = false;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_COPYSTACK);
	KUNIT_EXPECT_EQ(test, costack_move_shrink(co), -EBUSY);
	costack_set_state(co, COSTACK_COPYSTACK, COSTACK_RUNNING);
	KUNIT_EXPECT_PTR_EQ(test, co->slot, old);
	KUNIT_EXPECT_EQ(test, old->pages, 4);
}

static struct kunit_case move_cases[] = {
	KUNIT_CASE(used_words_keep_their_distance_from_the_top),
	KUNIT_CASE(stack_that_was_left_names_nobody),
	KUNIT_CASE(unused_words_are_not_copied),
	KUNIT_CASE(registers_follow),
	KUNIT_CASE(registers_that_point_into_the_guard_follow),
	KUNIT_CASE(words_far_below_what_is_used_are_numbers),
	KUNIT_CASE(roots_far_below_what_is_used_follow),
	KUNIT_CASE(all_is_copied_if_the_stack_pointer_is_below),
	KUNIT_CASE(context_base_and_request_follow),
	KUNIT_CASE(roots_follow),
	KUNIT_CASE(move_counts_bytes_and_words),
	KUNIT_CASE(old_stack_is_kept_with_the_reserve),
	KUNIT_CASE(one_move_serves_a_large_frame),
	KUNIT_CASE(poison_is_where_it_should_be),
	KUNIT_CASE(frame_in_doubt_grows_in_place),
	KUNIT_CASE(pin_grows_in_place),
	KUNIT_CASE(missing_stack_grows_in_place),
	KUNIT_CASE(coroutine_that_is_not_running_is_not_moved),
	KUNIT_CASE(climb_to_the_limit_is_all_moves),
	KUNIT_CASE(overflow_cuts_off),
	KUNIT_CASE(overflow_of_a_pinned_stack_cuts_off_too),
	KUNIT_CASE(overflow_with_a_frame_in_doubt_gets_pages_beyond),
	KUNIT_CASE(overflow_with_a_frame_in_doubt_is_handed_over),
	KUNIT_CASE(request_moves_and_keeps_the_reserve_whole),
	KUNIT_CASE(forced_move_keeps_the_size),
	KUNIT_CASE(forced_move_is_not_made_with_interrupts_off),
	KUNIT_CASE(forced_move_is_not_made_with_a_frame_in_doubt),
	KUNIT_CASE(shrinking_moves_to_half_the_size),
	KUNIT_CASE(shrunk_stack_of_an_item_holds_nothing_of_its_mover),
	KUNIT_CASE(shrinking_waits_until_no_frame_is_in_doubt),
	{ }
};

static struct kunit_suite move_suite = {
	.name		= "costack_move",
	.init		= move_init,
	.exit		= move_exit,
	.test_cases	= move_cases,
};

kunit_test_suite(move_suite);

MODULE_LICENSE("GPL");
