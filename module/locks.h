/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the locks keep in words of theirs and of the sudogs on their queues.
 */
#ifndef _COSTACK_LOCKS_H
#define _COSTACK_LOCKS_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/costack.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "coroutine.h"

/*
 * In @elem of a sudog that waits for a lock, beside COSTACK_SUDOG_THREAD: what it waits for. It
 * is a number, below all addresses, so a move of the stack leaves it alone.
 */
enum {
	/* It is to be the writer of an rwsem. */
	COSTACK_LOCK_WRITER	= BIT(1),
	/* It waits for a mutex. */
	COSTACK_LOCK_MUTEX	= BIT(2),
};

/*
 * In @owner of a mutex, beside the address of the coroutine or of the thread that has locked it;
 * the word is 0 if the mutex is not locked.
 */
enum {
	/* The address is that of a thread. */
	COSTACK_MUTEX_THREAD	= BIT(0),
	/*
	 * Somebody may wait: who unlocks it must look at the queue. While this is set the word
	 * changes under the lock of the queue only.
	 */
	COSTACK_MUTEX_WAITERS	= BIT(1),
	/* It is part of a cycle that was reported; set while all owners in it are claimed. */
	COSTACK_MUTEX_REPORTED	= BIT(2),
};

#define COSTACK_MUTEX_FLAGS	(COSTACK_MUTEX_WAITERS | COSTACK_MUTEX_REPORTED)

/* Who locks a mutex: the running coroutine @co or, if that is NULL, the thread. */
static __always_inline unsigned long costack_mutex_self(const struct costack *co)
{
	return co ? (unsigned long)co : (unsigned long)current | COSTACK_MUTEX_THREAD;
}

/* Who has locked it, as costack_mutex_self() put it, or 0. */
static __always_inline unsigned long costack_mutex_owner(const struct costack_mutex *mutex)
{
	return atomic_long_read(&mutex->owner) & ~COSTACK_MUTEX_FLAGS;
}

/* The coroutine that @owner stands for, or NULL. */
static __always_inline struct costack *costack_mutex_owner_co(unsigned long owner)
{
	return owner & COSTACK_MUTEX_THREAD ? NULL : (struct costack *)owner;
}

/*
 * The mutex that a coroutine waits for, or NULL. @co is claimed, or is the running one. It has
 * not returned from the call that locks the mutex: so the mutex exists, even if it has been handed
 * to @co by now.
 */
static inline struct costack_mutex *costack_mutex_awaited(const struct costack *co)
{
	const struct costack_sudog *sudog = &co->roots.sudog;
	raw_spinlock_t *lock = READ_ONCE(sudog->lock);

	if (!lock || READ_ONCE(co->waits) != COSTACK_WAITS_LOCK ||
	    !((unsigned long)sudog->elem & COSTACK_LOCK_MUTEX))
		return NULL;
	return container_of(lock, struct costack_mutex, base.lock);
}

#endif /* _COSTACK_LOCKS_H */
