// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the states: every pair of them, legal or not.
 */
#include <kunit/test.h>

#include "../module/coroutine.h"

static const char * const names[COSTACK_NR_STATES] = {
	[COSTACK_IDLE]		= "idle",
	[COSTACK_RUNNABLE]	= "runnable",
	[COSTACK_RUNNING]	= "running",
	[COSTACK_COPYSTACK]	= "copystack",
	[COSTACK_WAITING]	= "waiting",
	[COSTACK_DEAD]		= "dead",
};

/* The picture in coroutine.h: a row for each state before, a column for each after. */
static const char * const table[COSTACK_NR_STATES] = {
	[COSTACK_IDLE]		= ".x...x",
	[COSTACK_RUNNABLE]	= "..x...",
	[COSTACK_RUNNING]	= ".x.xxx",
	[COSTACK_COPYSTACK]	= ".xx.x.",
	[COSTACK_WAITING]	= ".x.x..",
	[COSTACK_DEAD]		= "x.....",
};

struct pair {
	enum costack_state from;
	enum costack_state to;
	bool legal;
};

static const void *next_pair(const void *prev, char *desc)
{
	static struct pair pair;

	if (!prev)
		pair = (struct pair) { };
	else if (++pair.to == COSTACK_NR_STATES)
		pair = (struct pair) { .from = pair.from + 1 };
	if (pair.from == COSTACK_NR_STATES)
		return NULL;
	pair.legal = table[pair.from][pair.to] == 'x';
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_to_%s_is_%s", names[pair.from],
		 names[pair.to], pair.legal ? "legal" : "illegal");
	return &pair;
}

static void pair_is_as_in_the_table(struct kunit *test)
{
	const struct pair *pair = test->param_value;

	KUNIT_EXPECT_EQ(test, costack_state_legal(pair->from, pair->to), pair->legal);
}

/* The arguments of costack_set_state() must be constants, so each pair has its own. */
#define SETTER(_from, _to)						\
static bool _from##_to_##_to(struct costack *co)			\
{									\
	return costack_set_state(co, COSTACK_##_from, COSTACK_##_to);	\
}

SETTER(IDLE, RUNNABLE)
SETTER(IDLE, DEAD)
SETTER(RUNNABLE, RUNNING)
SETTER(RUNNING, RUNNABLE)
SETTER(RUNNING, COPYSTACK)
SETTER(RUNNING, WAITING)
SETTER(RUNNING, DEAD)
SETTER(COPYSTACK, RUNNABLE)
SETTER(COPYSTACK, RUNNING)
SETTER(COPYSTACK, WAITING)
SETTER(WAITING, RUNNABLE)
SETTER(WAITING, COPYSTACK)
SETTER(DEAD, IDLE)

struct transition {
	enum costack_state from;
	enum costack_state to;
	bool (*set)(struct costack *co);
};

#define TRANSITION(_from, _to) { COSTACK_##_from, COSTACK_##_to, _from##_to_##_to }

static const struct transition transitions[] = {
	TRANSITION(IDLE, RUNNABLE),
	TRANSITION(IDLE, DEAD),
	TRANSITION(RUNNABLE, RUNNING),
	TRANSITION(RUNNING, RUNNABLE),
	TRANSITION(RUNNING, COPYSTACK),
	TRANSITION(RUNNING, WAITING),
	TRANSITION(RUNNING, DEAD),
	TRANSITION(COPYSTACK, RUNNABLE),
	TRANSITION(COPYSTACK, RUNNING),
	TRANSITION(COPYSTACK, WAITING),
	TRANSITION(WAITING, RUNNABLE),
	TRANSITION(WAITING, COPYSTACK),
	TRANSITION(DEAD, IDLE),
};

static const void *next_transition(const void *prev, char *desc)
{
	const struct transition *t = prev ? prev + sizeof(*t) : transitions;

	if (t == transitions + ARRAY_SIZE(transitions))
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s_to_%s", names[t->from], names[t->to]);
	return t;
}

static void change_is_made_from_that_state_and_no_other(struct kunit *test)
{
	const struct transition *t = test->param_value;
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);
	unsigned int state;

	KUNIT_ASSERT_NOT_NULL(test, co);
	for (state = 0; state < COSTACK_NR_STATES; state++) {
		bool match = state == t->from;

		atomic_set(&co->state, state);
		KUNIT_EXPECT_EQ(test, t->set(co), match);
		KUNIT_EXPECT_EQ(test, atomic_read(&co->state), match ? t->to : state);
	}
}

/* A move of the stack must not lose the unpark, and a park must not overlook it. */
static void unpark_is_kept_until_it_is_heeded(struct kunit *test)
{
	const struct transition *t = test->param_value;
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);
	bool parks = t->to == COSTACK_WAITING;
	bool keeps = t->to == COSTACK_COPYSTACK || t->set == COPYSTACK_to_RUNNING;

	KUNIT_ASSERT_NOT_NULL(test, co);
	atomic_set(&co->state, t->from | COSTACK_WAKEUP);
	KUNIT_EXPECT_EQ(test, costack_state(co), t->from);
	KUNIT_EXPECT_EQ(test, t->set(co), !parks);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state),
			(parks ? t->from : t->to) | (parks || keeps ? COSTACK_WAKEUP : 0));
}

static void wake_makes_runnable_what_waits_and_tells_all_others(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);
	unsigned int state;

	KUNIT_ASSERT_NOT_NULL(test, co);
	for (state = 0; state < COSTACK_NR_STATES; state++) {
		bool waits = state == COSTACK_WAITING;
		int after = waits ? COSTACK_RUNNABLE : state | COSTACK_WAKEUP;

		atomic_set(&co->state, state);
		KUNIT_EXPECT_EQ(test, costack_wake(co), waits);
		KUNIT_EXPECT_EQ(test, atomic_read(&co->state), after);
		KUNIT_EXPECT_FALSE(test, costack_wake(co));
		KUNIT_EXPECT_EQ(test, atomic_read(&co->state),
				(waits ? COSTACK_RUNNABLE : state) | COSTACK_WAKEUP);
	}
}

static void heeding_leaves_the_state(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	atomic_set(&co->state, COSTACK_RUNNING | COSTACK_WAKEUP);
	costack_heed_wakeup(co);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
	costack_heed_wakeup(co);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNING);
}

static void release_tells_whether_an_unpark_has_come(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	atomic_set(&co->state, COSTACK_COPYSTACK);
	KUNIT_EXPECT_FALSE(test, costack_release(co));
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_WAITING);
	atomic_set(&co->state, COSTACK_COPYSTACK | COSTACK_WAKEUP);
	KUNIT_EXPECT_TRUE(test, costack_release(co));
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNABLE);
}

static void every_legal_pair_is_tried(struct kunit *test)
{
	unsigned int i, from, to, legal = 0;

	for (from = 0; from < COSTACK_NR_STATES; from++)
		for (to = 0; to < COSTACK_NR_STATES; to++)
			legal += table[from][to] == 'x';
	KUNIT_EXPECT_EQ(test, legal, ARRAY_SIZE(transitions));
	for (i = 0; i < ARRAY_SIZE(transitions); i++)
		KUNIT_EXPECT_EQ(test, table[transitions[i].from][transitions[i].to], 'x');
}

static void no_state_beyond_the_last_is_legal(struct kunit *test)
{
	unsigned int state;

	for (state = 0; state <= COSTACK_NR_STATES; state++) {
		KUNIT_EXPECT_FALSE(test, costack_state_legal(state, COSTACK_NR_STATES));
		KUNIT_EXPECT_FALSE(test, costack_state_legal(COSTACK_NR_STATES, state));
		KUNIT_EXPECT_FALSE(test, costack_state_legal(state, 64));
		KUNIT_EXPECT_FALSE(test, costack_state_legal(-1, state));
	}
}

static void new_coroutine_is_idle(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_IDLE);
}

static void life_goes_through_every_state_and_back(struct kunit *test)
{
	static bool (* const life[])(struct costack *co) = {
		IDLE_to_RUNNABLE, RUNNABLE_to_RUNNING, RUNNING_to_COPYSTACK,
		COPYSTACK_to_RUNNING, RUNNING_to_WAITING, WAITING_to_COPYSTACK,
		COPYSTACK_to_WAITING, WAITING_to_RUNNABLE, RUNNABLE_to_RUNNING,
		RUNNING_to_RUNNABLE, RUNNABLE_to_RUNNING, RUNNING_to_DEAD, DEAD_to_IDLE,
	};
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, co);
	for (i = 0; i < ARRAY_SIZE(life); i++)
		KUNIT_EXPECT_TRUE(test, life[i](co));
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_IDLE);
}

/* Of two wakers that find a coroutine waiting, one makes it runnable. */
static void second_waker_loses(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	atomic_set(&co->state, COSTACK_WAITING);
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_RUNNABLE));
	KUNIT_EXPECT_FALSE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_RUNNABLE));
	KUNIT_EXPECT_EQ(test, atomic_read(&co->state), COSTACK_RUNNABLE);
}

/* A waker and a thread that shrinks the stack: the second finds the coroutine taken. */
static void waker_does_not_take_what_is_being_moved(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, co);
	atomic_set(&co->state, COSTACK_WAITING);
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK));
	KUNIT_EXPECT_FALSE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_RUNNABLE));
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_COPYSTACK, COSTACK_WAITING));
	KUNIT_EXPECT_TRUE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_RUNNABLE));
	KUNIT_EXPECT_FALSE(test, costack_set_state(co, COSTACK_WAITING, COSTACK_COPYSTACK));
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(pair_is_as_in_the_table, next_pair),
	KUNIT_CASE_PARAM(change_is_made_from_that_state_and_no_other, next_transition),
	KUNIT_CASE_PARAM(unpark_is_kept_until_it_is_heeded, next_transition),
	KUNIT_CASE(wake_makes_runnable_what_waits_and_tells_all_others),
	KUNIT_CASE(heeding_leaves_the_state),
	KUNIT_CASE(release_tells_whether_an_unpark_has_come),
	KUNIT_CASE(every_legal_pair_is_tried),
	KUNIT_CASE(no_state_beyond_the_last_is_legal),
	KUNIT_CASE(new_coroutine_is_idle),
	KUNIT_CASE(life_goes_through_every_state_and_back),
	KUNIT_CASE(second_waker_loses),
	KUNIT_CASE(waker_does_not_take_what_is_being_moved),
	{ }
};

static struct kunit_suite state_suite = {
	.name		= "costack_state",
	.test_cases	= state_cases,
};

kunit_test_suite(state_suite);

MODULE_LICENSE("GPL");
