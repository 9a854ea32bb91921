// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of locks: who is given them, in which order, and what is told of misuse.
 *
 * The test runs the coroutines step by step, see party.h. It takes part itself, as a thread that
 * does not wait.
 */
#include <kunit/test.h>
#include <linux/compiler.h>

#include "../module/holder.h"
#include "../module/locks.h"
#include "../module/sudog.h"
#include "party.h"

static struct costack_mutex mutexes[3];
static struct costack_sem sem;
static struct costack_rwsem rwsem;

static int locks_init(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mutexes); i++)
		costack_mutex_init(&mutexes[i]);
	costack_sem_init(&sem, 1);
	costack_rwsem_init(&rwsem);
	return party_init(test);
}

#define mutex	(&mutexes[0])

/* === What coroutines do; their argument is a mutex === */

static int lock_and_unlock(void *arg)
{
	return costack_mutex_lock(arg) ?: costack_mutex_unlock(arg);
}

static int lock_in_time(void *arg)
{
	return costack_mutex_lock_timeout(arg, 1000 * HZ) ?: costack_mutex_unlock(arg);
}

static int lock_and_end(void *arg)
{
	return costack_mutex_lock(arg);
}

/* Parks while it holds the mutex, and then locks the next one, too. */
static int lock_two(void *arg)
{
	struct costack_mutex *first = arg;
	struct costack_mutex *second = first == &mutexes[2] ? mutex : first + 1;
	int err = costack_mutex_lock(first) ?: costack_park() ?: costack_mutex_lock(second);

	if (!err)
		costack_mutex_unlock(second);
	costack_mutex_unlock(first);
	return err;
}

/* See party.h: they wake others on the host stack. */
static int give_one(void *unused)
{
	costack_sem_up(&sem);
	return 0;
}

static int end_read(void *unused)
{
	costack_rwsem_up_read(&rwsem);
	return 0;
}

static int end_write(void *unused)
{
	costack_rwsem_up_write(&rwsem);
	return 0;
}

static int down_and_up(void *arg)
{
	return costack_sem_down(&sem) ?: costack_on_host(give_one, NULL);
}

static int read_and_park(void *arg)
{
	int err = costack_rwsem_down_read(&rwsem);

	if (err)
		return err;
	err = costack_park();
	costack_on_host(end_read, NULL);
	return err;
}

static int write_once(void *arg)
{
	return costack_rwsem_down_write(&rwsem) ?: costack_on_host(end_write, NULL);
}

static void expect_waiting(struct kunit *test, const struct guest *guest)
{
	KUNIT_ASSERT_EQ(test, guest_state(guest), COSTACK_WAITING);
	KUNIT_EXPECT_EQ(test, costack_waits(guest->co), COSTACK_WAITS_LOCK);
}

static void go_on_by_unpark(struct kunit *test, struct guest *guest)
{
	costack_unpark(guest->co);
	go_on(test, guest);
}

/* === Mutexes === */

static void free_mutex_is_locked_at_once(struct kunit *test)
{
	struct guest *guest = start(test, NULL, lock_and_unlock, mutex);

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_DEAD);
	KUNIT_EXPECT_EQ(test, guest->ret, 0);
	KUNIT_EXPECT_EQ(test, counted(test, COSTACK_STAT_PARKS), 0);
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
}

static void unlock_hands_over(struct kunit *test)
{
	struct guest *guest;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	guest = start(test, NULL, lock_and_unlock, mutex);
	expect_waiting(test, guest);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	/* It is the guest's by now, though that has not run. */
	KUNIT_EXPECT_EQ(test, costack_mutex_owner(mutex), (unsigned long)guest->co);
	KUNIT_EXPECT_FALSE(test, costack_mutex_trylock(mutex));
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
	KUNIT_EXPECT_TRUE(test, costack_mutex_trylock(mutex));
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
}

static void waiters_are_served_in_turn(struct kunit *test)
{
	struct guest *guests[3];
	unsigned int i, j;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	for (i = 0; i < 3; i++)
		guests[i] = start(test, NULL, lock_and_unlock, mutex);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	for (i = 0; i < 3; i++) {
		for (j = i + 1; j < 3; j++)
			expect_waiting(test, guests[j]);
		KUNIT_EXPECT_EQ(test, finish(test, guests[i]), 0);
	}
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
}

static void stray_unpark_ends_no_wait(struct kunit *test)
{
	struct guest *guest;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	guest = start(test, NULL, lock_and_unlock, mutex);
	go_on_by_unpark(test, guest);
	expect_waiting(test, guest);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
}

static void cancelled_waiter_gets_nothing(struct kunit *test)
{
	struct guest *first, *second;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	first = start(test, NULL, lock_and_unlock, mutex);
	second = start(test, NULL, lock_and_unlock, mutex);
	WRITE_ONCE(first->co->heed, COSTACK_HEED_CANCEL);
	costack_unpark(first->co);
	KUNIT_EXPECT_EQ(test, finish(test, first), -ECANCELED);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	KUNIT_EXPECT_EQ(test, finish(test, second), 0);
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
}

static void cancel_after_the_hand_over_changes_nothing(struct kunit *test)
{
	struct guest *guest;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	guest = start(test, NULL, lock_and_unlock, mutex);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	WRITE_ONCE(guest->co->heed, COSTACK_HEED_CANCEL);
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
}

static void time_ends_a_wait(struct kunit *test)
{
	struct guest *guest;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	guest = start(test, NULL, lock_in_time, mutex);
	expect_waiting(test, guest);
	costack_sudog_expire(costack_waiter_timer(guest->co->waiter));
	KUNIT_EXPECT_EQ(test, finish(test, guest), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, list_empty(&mutex->base.waiters));
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(mutex));
}

static void hand_over_before_the_time(struct kunit *test)
{
	struct guest *guest;

	KUNIT_EXPECT_EQ(test, costack_mutex_lock(mutex), 0);
	guest = start(test, NULL, lock_in_time, mutex);
	KUNIT_EXPECT_EQ(test, costack_mutex_unlock(mutex), 0);
	costack_sudog_expire(costack_waiter_timer(guest->co->waiter));
	KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
}

/* === Misuse === */

/* Its memory is not that of another coroutine: the mutex still refers to it. */
static void memory_of_a_holder_is_kept(struct kunit *test)
{
	struct guest *guest = start(test, NULL, lock_and_end, mutex);
	unsigned long owner = costack_mutex_owner(mutex);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, guest_state(guest), COSTACK_DEAD);
	KUNIT_ASSERT_NE(test, owner, 0UL);
	KUNIT_EXPECT_EQ(test, costack_state((struct costack *)owner), COSTACK_DEAD);
	for (i = 0; i < PARTY_MAX - 2; i++) {
		guest = invite(test, NULL, lock_and_unlock, &mutexes[1]);
		KUNIT_EXPECT_NE(test, (unsigned long)guest->co, owner);
		KUNIT_EXPECT_EQ(test, finish(test, guest), 0);
	}
}

static bool find_cycle(const struct guest *guest)
{
	bool found;

	if (!costack_claim(guest->co))
		return false;
	found = costack_mutex_report_cycle(guest->co);
	costack_unclaim(guest->co);
	return found;
}

static bool is_reported(const struct costack_mutex *it)
{
	return atomic_long_read(&it->owner) & COSTACK_MUTEX_REPORTED;
}

static void cycle_is_found_when_it_closes(struct kunit *test)
{
	struct guest *guests[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		guests[i] = start(test, NULL, lock_two, &mutexes[i]);
	for (i = 0; i < 2; i++) {
		go_on_by_unpark(test, guests[i]);
		expect_waiting(test, guests[i]);
		KUNIT_EXPECT_FALSE(test, find_cycle(guests[i]));
	}
	/* The last one closes it, and says so. */
	KUNIT_EXPECT_FALSE(test, is_reported(mutex));
	go_on_by_unpark(test, guests[2]);
	expect_waiting(test, guests[2]);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, is_reported(&mutexes[i]));
		KUNIT_EXPECT_TRUE(test, find_cycle(guests[i]));
		expect_waiting(test, guests[i]);
	}
	/* One gives up: the others go on, and the mark is gone with the owner. */
	WRITE_ONCE(guests[2]->co->heed, COSTACK_HEED_CANCEL);
	costack_unpark(guests[2]->co);
	KUNIT_EXPECT_EQ(test, finish(test, guests[2]), -ECANCELED);
	KUNIT_EXPECT_FALSE(test, is_reported(&mutexes[2]));
	KUNIT_EXPECT_FALSE(test, find_cycle(guests[0]));
	KUNIT_EXPECT_EQ(test, finish(test, guests[1]), 0);
	KUNIT_EXPECT_EQ(test, finish(test, guests[0]), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, costack_mutex_is_locked(&mutexes[i]));
}

/* A chain that leads into a cycle is not part of it. */
static void who_waits_for_a_cycle_is_not_in_it(struct kunit *test)
{
	struct guest *guests[3], *outside;
	unsigned int i;

	for (i = 0; i < 3; i++)
		guests[i] = start(test, NULL, lock_two, &mutexes[i]);
	for (i = 0; i < 3; i++)
		go_on_by_unpark(test, guests[i]);
	outside = start(test, NULL, lock_and_unlock, mutex);
	expect_waiting(test, outside);
	KUNIT_EXPECT_FALSE(test, find_cycle(outside));
	for (i = 0; i < 3; i++)
		expect_waiting(test, guests[i]);
}

/* === Semaphores and rwsems === */

static void semaphore_has_as_many_as_were_given(struct kunit *test)
{
	struct guest *first, *second;

	KUNIT_EXPECT_TRUE(test, costack_sem_trydown(&sem));
	KUNIT_EXPECT_FALSE(test, costack_sem_trydown(&sem));
	first = start(test, NULL, down_and_up, NULL);
	second = start(test, NULL, down_and_up, NULL);
	expect_waiting(test, first);
	costack_sem_up(&sem);
	expect_waiting(test, second);
	KUNIT_EXPECT_FALSE(test, costack_sem_trydown(&sem));
	KUNIT_EXPECT_EQ(test, finish(test, first), 0);
	KUNIT_EXPECT_EQ(test, finish(test, second), 0);
	KUNIT_EXPECT_TRUE(test, costack_sem_trydown(&sem));
}

static void writer_is_not_overtaken(struct kunit *test)
{
	struct guest *reader = start(test, NULL, read_and_park, NULL);
	struct guest *writer = start(test, NULL, write_once, NULL);
	struct guest *late[2];

	late[0] = start(test, NULL, read_and_park, NULL);
	late[1] = start(test, NULL, read_and_park, NULL);
	KUNIT_EXPECT_EQ(test, rwsem.count, 1);
	expect_waiting(test, writer);
	expect_waiting(test, late[0]);
	KUNIT_EXPECT_FALSE(test, costack_rwsem_try_read(&rwsem));
	go_on_by_unpark(test, reader);
	KUNIT_EXPECT_EQ(test, reader->ret, 0);
	KUNIT_EXPECT_EQ(test, rwsem.count, -1);
	KUNIT_EXPECT_EQ(test, finish(test, writer), 0);
	/* Both at once. */
	KUNIT_EXPECT_EQ(test, rwsem.count, 2);
	go_on(test, late[0]);
	go_on(test, late[1]);
	go_on_by_unpark(test, late[0]);
	go_on_by_unpark(test, late[1]);
	KUNIT_EXPECT_EQ(test, rwsem.count, 0);
}

static void readers_need_not_wait_for_a_writer_that_gave_up(struct kunit *test)
{
	struct guest *reader = start(test, NULL, read_and_park, NULL);
	struct guest *writer = start(test, NULL, write_once, NULL);
	struct guest *late = start(test, NULL, read_and_park, NULL);

	expect_waiting(test, late);
	WRITE_ONCE(writer->co->heed, COSTACK_HEED_CANCEL);
	costack_unpark(writer->co);
	KUNIT_EXPECT_EQ(test, finish(test, writer), -ECANCELED);
	KUNIT_EXPECT_EQ(test, rwsem.count, 2);
	go_on(test, late);
	go_on_by_unpark(test, late);
	go_on_by_unpark(test, reader);
	KUNIT_EXPECT_EQ(test, rwsem.count, 0);
}

static struct kunit_case locks_cases[] = {
	KUNIT_CASE(free_mutex_is_locked_at_once),
	KUNIT_CASE(unlock_hands_over),
	KUNIT_CASE(waiters_are_served_in_turn),
	KUNIT_CASE(stray_unpark_ends_no_wait),
	KUNIT_CASE(cancelled_waiter_gets_nothing),
	KUNIT_CASE(cancel_after_the_hand_over_changes_nothing),
	KUNIT_CASE(time_ends_a_wait),
	KUNIT_CASE(hand_over_before_the_time),
	KUNIT_CASE(memory_of_a_holder_is_kept),
	KUNIT_CASE(cycle_is_found_when_it_closes),
	KUNIT_CASE(who_waits_for_a_cycle_is_not_in_it),
	KUNIT_CASE(semaphore_has_as_many_as_were_given),
	KUNIT_CASE(writer_is_not_overtaken),
	KUNIT_CASE(readers_need_not_wait_for_a_writer_that_gave_up),
	{ }
};

static struct kunit_suite locks_suite = {
	.name		= "costack_locks",
	.init		= locks_init,
	.exit		= party_exit,
	.test_cases	= locks_cases,
};

kunit_test_suite(locks_suite);

MODULE_LICENSE("GPL");
