/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coroutines that a test runs step by step. The test takes the place of
 * costack_run(), and checks a coroutine each time it has parked. So nothing happens
 * except what the test does, in the test's order.
 *
 * Functions on a coroutine stack keep to the rules of fixture.h and call_test.c. They
 * may park: costack_may_park() reads current only in a kernel that counts preemption
 * or locks, and user-mode Linux, which finds current through the stack pointer, counts
 * neither. They wake others through costack_on_host().
 */
#ifndef _COSTACK_KUNIT_PARTY_H
#define _COSTACK_KUNIT_PARTY_H

#include <linux/slab.h>

#include <linux/costack.h>

#include "../module/wait.h"
#include "../module/waiter.h"
#include "fixture.h"

#define PARTY_MAX	8

/**
 * struct guest - a coroutine that a test runs
 * @co: %NULL once it has ended
 * @ret: how it ended
 * @parks: how often it has left the thread
 */
struct guest {
	struct costack	*co;
	int		ret;
	unsigned int	parks;
};

/**
 * struct party - the coroutines of a case, and what they share
 * @fixture: must be first
 * @reserve: the thread's reserve, lent to each coroutine while it runs
 * @guests: the coroutines
 * @nr_guests: number of @guests
 * @chans: channels to be freed at the end
 * @nr_chans: number of @chans
 */
struct party {
	struct fixture		fixture;
	struct costack_reserve	*reserve;
	struct guest		guests[PARTY_MAX];
	unsigned int		nr_guests;
	struct costack_chan	*chans[PARTY_MAX];
	unsigned int		nr_chans;
};

static inline int party_init(struct kunit *test)
{
	struct party *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, fixture_init(test), 0);
	p->fixture = *(struct fixture *)test->priv;
	test->priv = p;
	p->reserve = costack_reserve_get(costack_knobs.stack_max, true, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->reserve);
	return 0;
}

/*
 * A case that failed may leave coroutines parked. They end here, wherever they are:
 * nothing on their stacks has to be undone.
 */
static inline void party_exit(struct kunit *test)
{
	struct party *p = test->priv;
	unsigned int i;

	for (i = 0; i < p->nr_guests; i++) {
		struct costack *co = p->guests[i].co;

		if (!co)
			continue;
		costack_waiters_forget(co);
		atomic_set(&co->state, COSTACK_DEAD);
		costack_destroy(co);
	}
	for (i = 0; i < p->nr_chans; i++)
		costack_chan_destroy(p->chans[i]);
	if (p->reserve)
		costack_reserve_put(p->reserve);
	fixture_exit(test);
}

static inline struct costack_chan *make_chan(struct kunit *test, size_t elem_size,
					     unsigned int nr)
{
	struct party *p = test->priv;

	KUNIT_ASSERT_LT(test, p->nr_chans, PARTY_MAX);
	p->chans[p->nr_chans] = costack_chan_create(elem_size, nr);
	KUNIT_ASSERT_NOT_NULL(test, p->chans[p->nr_chans]);
	return p->chans[p->nr_chans++];
}

/* Make a coroutine that has not run yet. */
static inline struct guest *invite(struct kunit *test, const struct costack_attr *attr,
				   costack_fn_t fn, void *arg)
{
	struct costack *co = costack_create(attr, fn, arg, costack_owner_thread());
	struct party *p = test->priv;
	struct guest *guest = &p->guests[p->nr_guests];

	KUNIT_ASSERT_FALSE(test, IS_ERR(co));
	if (p->nr_guests == PARTY_MAX) {
		costack_set_state(co, COSTACK_IDLE, COSTACK_DEAD);
		costack_destroy(co);
		KUNIT_ASSERT_LT(test, p->nr_guests, PARTY_MAX);
	}
	p->nr_guests++;
	guest->co = co;
	KUNIT_ASSERT_TRUE(test, costack_unpack(co, NULL));
	costack_set_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	return guest;
}

static inline int guest_state(const struct guest *guest)
{
	return guest->co ? costack_state(guest->co) : COSTACK_DEAD;
}

/* Run a coroutine until it parks or ends: the thread's side of costack_run(). */
static inline void go_on(struct kunit *test, struct guest *guest)
{
	struct party *p = test->priv;
	struct costack *co = guest->co;

	KUNIT_ASSERT_EQ(test, guest_state(guest), COSTACK_RUNNABLE);
	if (!costack_resume(co, p->reserve)) {
		guest->parks++;
		return;
	}
	guest->ret = co->ret;
	guest->co = NULL;
	costack_set_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	costack_destroy(co);
}

/* Make a coroutine and run it until it parks or ends. */
static inline struct guest *start(struct kunit *test, const struct costack_attr *attr,
				  costack_fn_t fn, void *arg)
{
	struct guest *guest = invite(test, attr, fn, arg);

	go_on(test, guest);
	return guest;
}

/* Run a runnable coroutine to its end. */
static inline int finish(struct kunit *test, struct guest *guest)
{
	go_on(test, guest);
	KUNIT_ASSERT_EQ(test, guest_state(guest), COSTACK_DEAD);
	return guest->ret;
}

#endif /* _COSTACK_KUNIT_PARTY_H */
