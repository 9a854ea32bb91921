// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the decision at a fault, with made-up faults.
 *
 * Under KUnit costack is built in, and no text is movable. So policy copy grows stacks
 * in place here, and nothing is cut off; move_test.c tests those.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/string.h>

#include "../module/arena.h"
#include "../module/fault.h"
#include "../module/frames.h"
#include "../module/grow.h"
#include "../module/pool.h"
#include "fixture.h"

/* A fault and its stack pointer. The general registers do not matter here. */
struct made_up {
	struct costack_fault	fault;
	unsigned long		sp;
};

/* Make the fault of a push with the stack pointer at the lowest mapped byte. */
static void make_fault(struct made_up *m, const struct costack *co)
{
	*m = (struct made_up) {
		.sp = costack_slot_lo(co->slot),
		.fault = {
			.addr		= costack_slot_lo(co->slot) - sizeof(long),
			.ip		= (unsigned long)make_fault,
			.sp		= &m->sp,
			.irqs_on	= true,
			.vector		= -1,
		},
	};
}

static struct costack *make_in_place(struct kunit *test, const struct costack_attr *attr)
{
	costack_knobs.policy = COSTACK_POLICY_INPLACE;
	return make_running(test, attr);
}

static void expect_declined(struct kunit *test, struct made_up *m, unsigned int pages)
{
	const struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, costack_fault(&m->fault), COSTACK_DECLINE);
	KUNIT_EXPECT_EQ(test, f->co->slot->pages, pages);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(f->co)->nr_events, 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 0);
}

/* === Whose fault is it === */

static void expect_not_ours(struct kunit *test, struct made_up *m)
{
	expect_declined(test, m, 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_FAULTS), 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 0);
}

static void address_outside_the_arena_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr = (unsigned long)&m;
	expect_not_ours(test, &m);
}

static void slot_without_a_coroutine_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	co->slot->co = NULL;
	expect_not_ours(test, &m);
	co->slot->co = co;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
}

static void stack_that_the_coroutine_has_left_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct costack_slot *other = costack_stackalloc(0, GFP_KERNEL), *slot = co->slot;
	struct made_up m;

	KUNIT_ASSERT_NOT_NULL(test, other);
	make_fault(&m, co);
	co->slot = other;
	expect_not_ours(test, &m);
	KUNIT_EXPECT_EQ(test, slot->pages, 1);
	co->slot = slot;
	costack_stackfree(other);
}

static void coroutine_that_is_not_running_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;
	unsigned int state;

	make_fault(&m, co);
	for (state = 0; state < COSTACK_NR_STATES; state++) {
		if (state == COSTACK_RUNNING)
			continue;
		atomic_set(&co->state, state);
		expect_not_ours(test, &m);
	}
	atomic_set(&co->state, COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
}

static void stack_pointer_outside_the_slot_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.sp = co->slot->hi + 1;
	expect_not_ours(test, &m);
	m.sp = costack_slot_start(co->slot) - 1;
	expect_not_ours(test, &m);
	m.sp = 0;
	expect_not_ours(test, &m);
}

static void write_to_what_is_mapped_is_declined(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr = costack_slot_lo(co->slot);
	expect_not_ours(test, &m);
	m.fault.addr = co->slot->hi - 1;
	expect_not_ours(test, &m);
}

/* === Growth in place === */

static void write_right_below_grows_in_place(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr = costack_slot_lo(co->slot) - 1;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_PTR_EQ(test, m.fault.co, co);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
	KUNIT_EXPECT_EQ(test, m.sp, co->slot->hi - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_FAULTS), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IRQS_OFF), 0);
}

static void grown_part_is_zero_and_the_rest_as_it_was(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	unsigned long lo = costack_slot_lo(co->slot);
	struct made_up m;

	make_fault(&m, co);
	memset((void *)lo, 0xa5, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)lo, 0xa5, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)(lo - PAGE_SIZE), 0, PAGE_SIZE));
}

static void pages_come_from_the_reserve(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	unsigned int nr = costack_reserve_of(co)->nr_pages;
	struct made_up m;

	make_fault(&m, co);
	KUNIT_ASSERT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_pages, nr - 1);
	make_fault(&m, co);
	KUNIT_ASSERT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_pages, nr - 3);
}

static void climb_to_the_limit_never_lacks_a_page(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;
	unsigned int pages;

	for (pages = 2; pages <= COSTACK_MAX_PAGES; pages *= 2) {
		make_fault(&m, co);
		KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
		KUNIT_EXPECT_EQ(test, co->slot->pages, pages);
	}
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), COSTACK_CLASSES - 1);
}

static void one_growth_serves_a_large_frame(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	/* sub $N,%rsp, and then a write far above the new stack pointer */
	make_fault(&m, co);
	m.sp -= 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 8);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
}

static void one_growth_serves_a_far_write(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr -= 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 8);
}

static void depth_of_the_access_is_kept(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr -= 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->deepest, 6 * PAGE_SIZE + sizeof(long));
}

static void growth_with_interrupts_off_is_counted(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	m.fault.irqs_on = false;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IRQS_OFF), 1);
}

static void too_small_a_reserve_maps_nothing(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	/* The reserve has two pages, and the growth needs seven. */
	while (costack_reserve_of(co)->nr_pages > 2)
		__free_page(costack_reserve_page(costack_reserve_of(co)));
	make_fault(&m, co);
	m.sp -= 5 * PAGE_SIZE;
	expect_declined(test, &m, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_pages, 2);
}

static void growth_leaves_a_note(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	struct made_up m;

	make_fault(&m, co);
	KUNIT_ASSERT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_ASSERT_EQ(test, costack_reserve_of(co)->nr_events, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].kind, COSTACK_EVENT_IN_PLACE);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].from, 1);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].to, 2);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].ip, m.fault.ip);
}

static void notes_beyond_the_last_are_dropped(struct kunit *test)
{
	struct costack *co = make_in_place(test, NULL);
	unsigned int i;

	for (i = 0; i < COSTACK_NR_EVENTS; i++)
		costack_note_replay(co, i, 0);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_events, COSTACK_NR_EVENTS);
	costack_note_replay(co, 99, 0);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->nr_events, COSTACK_NR_EVENTS);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[COSTACK_NR_EVENTS - 1].detail,
			COSTACK_NR_EVENTS - 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_INTERRUPTS_REPLAYED),
			COSTACK_NR_EVENTS + 1);
}

/* === Policy copy === */

static void expect_refused(struct kunit *test, enum costack_refusal why)
{
	const struct fixture *f = test->priv;
	struct costack *co = f->co;
	struct made_up m;

	make_fault(&m, co);
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 2);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_MOVES_REFUSED), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_GROWN_IN_PLACE), 1);
	KUNIT_ASSERT_EQ(test, costack_reserve_of(co)->nr_events, 2);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].kind, COSTACK_EVENT_REFUSE);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[0].detail, why);
	KUNIT_EXPECT_EQ(test, costack_reserve_of(co)->events[1].kind, COSTACK_EVENT_IN_PLACE);
}

static void text_that_is_not_movable_grows_in_place(struct kunit *test)
{
	make_running(test, NULL);
	KUNIT_ASSERT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	expect_refused(test, COSTACK_REFUSED_TEXT);
}

static void pinned_stack_grows_in_place(struct kunit *test)
{
	const struct costack_attr attr = { .flags = COSTACK_PINNED };

	make_running(test, &attr);
	KUNIT_ASSERT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	expect_refused(test, COSTACK_REFUSED_PIN);
}

static void stack_of_a_queued_sudog_grows_in_place(struct kunit *test)
{
	raw_spinlock_t lock;
	struct costack *co = make_running(test, NULL);

	KUNIT_ASSERT_EQ(test, costack_knobs.policy, COSTACK_POLICY_COPY);
	co->roots.sudog.lock = &lock;
	expect_refused(test, COSTACK_REFUSED_PIN);
	co->roots.sudog.lock = NULL;
}

/* === The limit === */

static void stack_at_its_limit_is_an_overflow(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = PAGE_SIZE };
	struct costack *co = make_in_place(test, &attr);
	struct made_up m;

	make_fault(&m, co);
	expect_declined(test, &m, 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_ABORTS), 0);
	KUNIT_EXPECT_FALSE(test, co->aborted);
}

static void access_beyond_the_limit_is_an_overflow(struct kunit *test)
{
	const struct costack_attr attr = { .stack_limit = 4 * PAGE_SIZE };
	struct costack *co = make_in_place(test, &attr);
	struct made_up m;

	make_fault(&m, co);
	m.sp = co->slot->hi - 4 * PAGE_SIZE - 1;
	expect_declined(test, &m, 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 1);
}

static const struct costack_attr abortable = {
	.stack_limit	= 2 * PAGE_SIZE,
	.stack_first	= 2 * PAGE_SIZE,
	.flags		= COSTACK_ABORTABLE,
};

/*
 * Fault for a page at a time until costack declines; returns the number of pages got.
 * The coroutine cannot be cut off, because the text is not movable. @atomic: the faults
 * may be those of an interrupt.
 */
static unsigned int pages_beyond(struct kunit *test, struct costack *co, bool atomic)
{
	unsigned int pages = co->slot->pages;
	enum costack_verdict verdict;
	struct made_up m;

	do {
		KUNIT_ASSERT_LE(test, co->slot->pages, pages + COSTACK_MAX_PAGES);
		make_fault(&m, co);
		m.fault.irqs_on = !atomic;
		verdict = costack_fault(&m.fault);
	} while (verdict == COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, verdict, COSTACK_DECLINE);
	return co->slot->pages - pages;
}

static void abortable_coroutine_gets_pages_beyond(struct kunit *test)
{
	struct costack *co = make_in_place(test, &abortable);

	KUNIT_EXPECT_EQ(test, pages_beyond(test, co, false), COSTACK_BEYOND_KERNEL);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 1);
}

static void defers_of_one_that_was_cut_off_get_one_more(struct kunit *test)
{
	struct costack *co = make_in_place(test, &abortable);

	co->cut = true;
	KUNIT_EXPECT_EQ(test, pages_beyond(test, co, false), COSTACK_BEYOND_DEFERS);
}

/*
 * The last of the pages is one more than the limit: the reserve is made for a climb from
 * one page, and this stack begins with two.
 */
static void interrupt_gets_a_page_when_all_are_used(struct kunit *test)
{
	struct costack *co = make_in_place(test, &abortable);

	KUNIT_EXPECT_EQ(test, pages_beyond(test, co, false), COSTACK_BEYOND_KERNEL);
	KUNIT_EXPECT_EQ(test, pages_beyond(test, co, true),
			COSTACK_BEYOND_LIMIT - COSTACK_BEYOND_KERNEL + 1);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_OVERFLOWS), 2);
}

static void pages_beyond_can_be_had_at_once(struct kunit *test)
{
	struct costack *co = make_in_place(test, &abortable);
	unsigned int most = 2 + COSTACK_BEYOND_KERNEL;
	struct made_up m;

	make_fault(&m, co);
	m.fault.addr = co->slot->hi - most * PAGE_SIZE - 1;
	expect_declined(test, &m, 2);
	m.fault.addr = co->slot->hi - most * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->slot->pages, most);
}

/* A deferred call that needs more is cut off, or else gets what the reserve has. */
static void defers_get_a_page_at_a_time(struct kunit *test)
{
	struct costack *co = make_in_place(test, &abortable);
	struct made_up m;

	co->cut = true;
	make_fault(&m, co);
	m.fault.addr = co->slot->hi - (2 + COSTACK_BEYOND_DEFERS) * PAGE_SIZE;
	expect_declined(test, &m, 2);
	m.fault.addr = co->slot->hi - 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, costack_fault(&m.fault), COSTACK_RESUME);
	KUNIT_EXPECT_EQ(test, co->slot->pages, 3);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(address_outside_the_arena_is_declined),
	KUNIT_CASE(slot_without_a_coroutine_is_declined),
	KUNIT_CASE(stack_that_the_coroutine_has_left_is_declined),
	KUNIT_CASE(coroutine_that_is_not_running_is_declined),
	KUNIT_CASE(stack_pointer_outside_the_slot_is_declined),
	KUNIT_CASE(write_to_what_is_mapped_is_declined),
	KUNIT_CASE(write_right_below_grows_in_place),
	KUNIT_CASE(grown_part_is_zero_and_the_rest_as_it_was),
	KUNIT_CASE(pages_come_from_the_reserve),
	KUNIT_CASE(climb_to_the_limit_never_lacks_a_page),
	KUNIT_CASE(one_growth_serves_a_large_frame),
	KUNIT_CASE(one_growth_serves_a_far_write),
	KUNIT_CASE(depth_of_the_access_is_kept),
	KUNIT_CASE(growth_with_interrupts_off_is_counted),
	KUNIT_CASE(too_small_a_reserve_maps_nothing),
	KUNIT_CASE(growth_leaves_a_note),
	KUNIT_CASE(notes_beyond_the_last_are_dropped),
	KUNIT_CASE(text_that_is_not_movable_grows_in_place),
	KUNIT_CASE(pinned_stack_grows_in_place),
	KUNIT_CASE(stack_of_a_queued_sudog_grows_in_place),
	KUNIT_CASE(stack_at_its_limit_is_an_overflow),
	KUNIT_CASE(access_beyond_the_limit_is_an_overflow),
	KUNIT_CASE(abortable_coroutine_gets_pages_beyond),
	KUNIT_CASE(pages_beyond_can_be_had_at_once),
	KUNIT_CASE(defers_of_one_that_was_cut_off_get_one_more),
	KUNIT_CASE(interrupt_gets_a_page_when_all_are_used),
	KUNIT_CASE(defers_get_a_page_at_a_time),
	{ }
};

static struct kunit_suite fault_suite = {
	.name		= "costack_fault",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= fault_cases,
};

kunit_test_suite(fault_suite);

MODULE_LICENSE("GPL");
