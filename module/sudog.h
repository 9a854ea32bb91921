/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sudogs: how a coroutine waits on a queue of a channel or of a lock.
 */
#ifndef _COSTACK_SUDOG_H
#define _COSTACK_SUDOG_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "coroutine.h"
#include "sched.h"

long costack_sudog_wait_slow(struct costack *co);
void costack_sudog_expire(struct timer_list *timer);
int costack_sudog_why_to_end(const struct costack *co);
int costack_sudog_begin(struct costack *co);
int costack_sudog_wait_timeout(struct costack *co, long timeout);
void costack_sudog_end(struct costack *co);

/* In @elem of a sudog on the queue of a lock or a completion: it is that of a thread. */
#define COSTACK_SUDOG_THREAD	BIT(0)

/**
 * struct costack_thread_sudog - how a thread waits on such a queue; lies on its own stack
 * @sudog: on the queue
 * @task: the thread
 */
struct costack_thread_sudog {
	struct costack_sudog	sudog;
	struct task_struct	*task;
};

static __always_inline bool costack_sudog_is_thread(const struct costack_sudog *sudog)
{
	return (unsigned long)sudog->elem & COSTACK_SUDOG_THREAD;
}

/* The thread that waits with @sudog. */
static __always_inline struct task_struct *costack_sudog_task(struct costack_sudog *sudog)
{
	return container_of(sudog, struct costack_thread_sudog, sudog)->task;
}

/**
 * costack_sudog_wake_thread() - take the sudog of a thread off its queue, and end the wait
 * @sudog: the sudog
 *
 * Context: The lock of the queue is held, and interrupts are off.
 */
static inline void costack_sudog_wake_thread(struct costack_sudog *sudog)
{
	struct task_struct *task = costack_sudog_task(sudog);

	costack_sudog_remove(sudog);
	/*
	 * Pairs with the acquire in costack_sudog_queued(). From here on the thread may continue
	 * and end. As interrupts are off, RCU keeps its task_struct until the wake-up is done.
	 */
	smp_store_release(&sudog->lock, NULL);
	wake_up_process(task);
}

/* The coroutine that waits with @sudog, its own one. */
static __always_inline struct costack *costack_sudog_co(struct costack_sudog *sudog)
{
	return container_of(sudog, struct costack, roots.sudog);
}

/**
 * costack_sudog_enqueue() - begin to wait
 * @co: the running coroutine, which is about to park
 * @lock: protects @queue; held
 * @queue: the queue
 * @elem: the value to send, or where to store the received one; or a number that says what
 *	@co waits for
 *
 * From here on no fault moves the stack, and somebody else may end the wait as soon as @lock
 * is dropped.
 *
 * Context: Coroutine stack or host stack of @co.
 */
static __always_inline void costack_sudog_enqueue(struct costack *co, raw_spinlock_t *lock,
						  struct list_head *queue, void *elem)
{
	struct costack_sudog *sudog = &co->roots.sudog;

	sudog->elem = elem;
	WRITE_ONCE(sudog->lock, lock);
	costack_sudog_append(sudog, queue);
}

/**
 * costack_sudog_dequeue() - take a sudog off its queue
 * @sudog: of a coroutine, on a queue
 * @ret: what its wait returns
 *
 * Context: The lock of the queue is held. costack_sudog_release() must follow before that lock
 * is dropped.
 */
static __always_inline void costack_sudog_dequeue(struct costack_sudog *sudog, int ret)
{
	costack_sudog_remove(sudog);
	costack_sudog_co(sudog)->sudog_ret = ret;
}

/**
 * costack_sudog_release() - end the wait of a sudog that was dequeued
 * @sudog: the sudog
 * @by: the coroutine that does this, or %NULL
 *
 * The wake-up comes first: once the coroutine sees that the sudog's lock is clear, it may
 * continue and end.
 *
 * Context: As for costack_sudog_dequeue().
 */
static __always_inline void costack_sudog_release(struct costack_sudog *sudog, struct costack *by)
{
	if (by)
		costack_unpark_from(costack_sudog_co(sudog), by);
	else
		costack_unpark(costack_sudog_co(sudog));
	/* Pairs with the acquire in costack_sudog_queued(), which then sees the value and ret. */
	smp_store_release(&sudog->lock, NULL);
}

/* Does the wait go on? If not, all that was done before its end is seen. */
static __always_inline bool costack_sudog_queued(const struct costack_sudog *sudog)
{
	/* Pairs with the release in costack_sudog_release(). */
	return smp_load_acquire(&sudog->lock);
}

/**
 * costack_sudog_wait() - park until the wait has ended
 * @co: the running coroutine, which has enqueued its sudog; costack_may_park() has answered true
 *
 * Context: Coroutine stack of @co.
 * Return: what the wait returns: from costack_sudog_dequeue(), or -ECANCELED.
 */
static __always_inline int costack_sudog_wait(struct costack *co)
{
	costack_park_now(co);
	while (unlikely(costack_sudog_queued(&co->roots.sudog)))
		costack_sudog_wait_slow(co);
	return co->sudog_ret;
}

#endif /* _COSTACK_SUDOG_H */
