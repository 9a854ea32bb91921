// SPDX-License-Identifier: GPL-2.0
/*
 * Locks that coroutines and threads may use: mutexes, semaphores, and rwsems.
 *
 * A coroutine that has to wait parks, and does not hold its worker. It waits with its sudog, as
 * for a channel; a thread waits with one on its own stack, and sleeps. Both stand in one queue,
 * first come, first served, and who gives the lock up hands it to the first one: nobody can take
 * it in between. So a lock that is handed over needs no second attempt, and the coroutine that
 * unlocks can pass its thread on to the next owner when it parks.
 *
 * A mutex that nobody waits for is locked and unlocked by one cmpxchg each. All else happens
 * under the lock of the queue with interrupts off, on the stack of the caller, as in chan.c.
 *
 * A coroutine is not cut off while it waits for a lock, even if it is abortable: a cancel makes
 * the call return. Otherwise the lock might have been handed to it, and never be given up.
 */
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "holder.h"
#include "locks.h"
#include "sched.h"
#include "stats.h"
#include "sudog.h"

/* What can be waited for. */
enum aim {
	FOR_MUTEX,
	FOR_SEM,
	FOR_READ,
	FOR_WRITE,
};

static const unsigned long marks[] = {
	[FOR_MUTEX]	= COSTACK_LOCK_MUTEX,
	[FOR_WRITE]	= COSTACK_LOCK_WRITER,
	[FOR_SEM]	= 0,
	[FOR_READ]	= 0,
};

/* === Lockdep === */

static void init(struct costack_lock *lock, const char *name, struct lock_class_key *key)
{
	raw_spin_lock_init(&lock->lock);
	INIT_LIST_HEAD(&lock->waiters);
	lockdep_init_map(&lock->dep_map, name, key, 0);
}

/*
 * Lockdep keeps what is held by threads, and a lock that is held over a park may be given up in
 * another thread. Nor would costack_may_park() let a coroutine park that holds a lock. So lockdep
 * is told of each wait, but not for how long the lock is held: it sees which of the kernel's
 * locks are held when one of these is taken, and that the caller may sleep. Cycles among these
 * locks alone are found when they happen: holder.c.
 */
static __always_inline void note_order(struct costack_lock *lock)
{
	/* As might_sleep(), but it does not reschedule: most calls need not wait. */
	__might_sleep(__FILE__, __LINE__);
	lock_map_acquire(&lock->dep_map);
	lock_map_release(&lock->dep_map);
}

/* Can the lock be taken at once, on this stack, without regard to anything else? */
static __always_inline bool is_heedless(const struct costack *co)
{
	/* data_race: a cancel may come at any time. */
	return likely(!co || !data_race(co->heed));
}

/* === Attempts; the lock of the queue is held === */

/* Returns -EBUSY in place of -EAGAIN if the owner is a coroutine that does not go on by itself. */
static __always_inline int attempt_mutex(struct costack_mutex *mutex, struct costack *co)
{
	unsigned long self = costack_mutex_self(co);
	long old = atomic_long_read(&mutex->owner);
	struct costack *owner;

	do {
		if (unlikely((old & ~COSTACK_MUTEX_FLAGS) == self))
			return -EDEADLK;
		if (old & COSTACK_MUTEX_WAITERS)
			break;
	} while (!atomic_long_try_cmpxchg_acquire(&mutex->owner, &old,
						  old ? old | COSTACK_MUTEX_WAITERS : self));
	if (!old) {
		if (co)
			co->held++;
		return 0;
	}
	/* It exists: it cannot unlock the mutex meanwhile, see costack_mutex_unlock(). */
	owner = costack_mutex_owner_co(old & ~COSTACK_MUTEX_FLAGS);
	if (unlikely(owner && (costack_state(owner) == COSTACK_WAITING ||
			       costack_state(owner) == COSTACK_DEAD)))
		return -EBUSY;
	return -EAGAIN;
}

static __always_inline int attempt_sem(struct costack_sem *sem)
{
	if (!sem->count)
		return -EAGAIN;
	sem->count--;
	return 0;
}

static __always_inline int attempt_rwsem(struct costack_rwsem *rwsem, enum aim aim)
{
	if (!list_empty(&rwsem->base.waiters) ||
	    (aim == FOR_READ ? rwsem->count < 0 : rwsem->count))
		return -EAGAIN;
	rwsem->count += aim == FOR_READ ? 1 : -1;
	return 0;
}

static __always_inline int attempt(struct costack_lock *lock, enum aim aim, struct costack *co)
{
	lockdep_assert_held(&lock->lock);
	switch (aim) {
	case FOR_MUTEX:
		return attempt_mutex(container_of(lock, struct costack_mutex, base), co);
	case FOR_SEM:
		return attempt_sem(container_of(lock, struct costack_sem, base));
	default:
		return attempt_rwsem(container_of(lock, struct costack_rwsem, base), aim);
	}
}

static __always_inline void enqueue(struct costack_lock *lock, struct costack_sudog *sudog,
				    unsigned long elem)
{
	sudog->elem = (void *)elem;
	/* As in costack_sudog_enqueue(). */
	WRITE_ONCE(sudog->lock, &lock->lock);
	costack_sudog_append(sudog, &lock->waiters);
}

/* Attempt it, or queue @sudog: then the result is -EAGAIN or -EBUSY. */
static __always_inline int attempt_or_enqueue(struct costack_lock *lock, enum aim aim,
					      struct costack *co, struct costack_sudog *sudog)
{
	int ret;

	raw_spin_lock_irq(&lock->lock);
	ret = attempt(lock, aim, co);
	if (ret == -EAGAIN || ret == -EBUSY)
		enqueue(lock, sudog, marks[aim] | (co ? 0 : COSTACK_SUDOG_THREAD));
	raw_spin_unlock_irq(&lock->lock);
	return ret;
}

static bool try(struct costack_lock *lock, enum aim aim)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&lock->lock, flags);
	ret = attempt(lock, aim, NULL);
	raw_spin_unlock_irqrestore(&lock->lock, flags);
	return !ret;
}

/* === Handing over; the lock of the queue is held === */

/* As costack_mutex_self() for the one that waits with @sudog, and is given a mutex. */
static __always_inline unsigned long waiter_word(struct costack_sudog *sudog)
{
	if (likely(!costack_sudog_is_thread(sudog))) {
		costack_sudog_co(sudog)->held++;
		return (unsigned long)costack_sudog_co(sudog);
	}
	return (unsigned long)costack_sudog_task(sudog) | COSTACK_MUTEX_THREAD;
}

/* The wait of @sudog succeeds. @by: as for costack_sudog_release(). */
static __always_inline void release(struct costack_sudog *sudog, struct costack *by)
{
	if (unlikely(costack_sudog_is_thread(sudog))) {
		costack_sudog_wake_thread(sudog);
		return;
	}
	costack_sudog_dequeue(sudog, 0);
	costack_sudog_release(sudog, by);
}

static __always_inline struct costack_sudog *first_of(struct costack_lock *lock)
{
	return list_first_entry_or_null(&lock->waiters, struct costack_sudog, queue);
}

/* Grant an rwsem to the first writer, or to all readers before it. */
static void serve_rwsem(struct costack_rwsem *rwsem)
{
	struct costack_sudog *sudog;

	while ((sudog = first_of(&rwsem->base))) {
		bool writes = (unsigned long)sudog->elem & COSTACK_LOCK_WRITER;

		if (writes ? rwsem->count : rwsem->count < 0)
			return;
		rwsem->count += writes ? -1 : 1;
		release(sudog, NULL);
	}
}

/* === Waits === */

static int serve_others(void *lock)
{
	struct costack_rwsem *rwsem = container_of(lock, struct costack_rwsem, base);
	unsigned long flags;

	raw_spin_lock_irqsave(&rwsem->base.lock, flags);
	serve_rwsem(rwsem);
	raw_spin_unlock_irqrestore(&rwsem->base.lock, flags);
	return 0;
}

/*
 * A wait has failed, and its sudog is off the queue. If it was that of a writer, the readers
 * behind it need not wait any more.
 */
static noinline void left_queue(struct costack_lock *lock, enum aim aim)
{
	if (aim != FOR_WRITE)
		return;
	/* As in unlock_mutex_slow(). */
	if (COSTACK_ARCH_GUARD)
		serve_others(lock);
	else
		costack_on_host(serve_others, lock);
}

/* Returns false if the other side has ended the wait meanwhile. */
static bool leave_thread(struct costack_lock *lock, struct costack_thread_sudog *waiter)
{
	bool queued;

	raw_spin_lock_irq(&lock->lock);
	queued = waiter->sudog.lock;
	if (queued)
		costack_sudog_remove(&waiter->sudog);
	raw_spin_unlock_irq(&lock->lock);
	return queued;
}

/* @timeout: jiffies, more than 0. */
static noinline int wait_thread(struct costack_lock *lock, enum aim aim, long timeout)
{
	struct costack_thread_sudog waiter = { .task = current };
	int ret = attempt_or_enqueue(lock, aim, NULL, &waiter.sudog);

	if (ret != -EAGAIN && ret != -EBUSY)
		return ret;
	ret = 0;
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!costack_sudog_queued(&waiter.sudog))
			break;
		if (!timeout && leave_thread(lock, &waiter)) {
			ret = -ETIMEDOUT;
			break;
		}
		timeout = schedule_timeout(timeout);
	}
	__set_current_state(TASK_RUNNING);
	if (ret)
		left_queue(lock, aim);
	return ret;
}

static enum costack_next do_attempt(struct costack *co)
{
	co->req.ret = attempt_or_enqueue(co->req.fn, (enum aim)(unsigned long)co->req.arg, co,
					 &co->roots.sudog);
	return COSTACK_CONTINUE;
}

/* As in chan.c. */
static noinline int heedful_attempt(struct costack_lock *lock, enum aim aim, struct costack *co)
{
	if (costack_cancel_came(co))
		return -ECANCELED;
	if (COSTACK_ARCH_GUARD && !READ_ONCE(costack_knobs.force_move) &&
	    !costack_may_be_cut_here(co))
		return attempt_or_enqueue(lock, aim, co, &co->roots.sudog);
	return costack_request(co, do_attempt, lock, (void *)aim);
}
NOKPROBE_SYMBOL(heedful_attempt);

static __always_inline int begin(struct costack_lock *lock, enum aim aim, struct costack *co)
{
	/* data_race: a knob may change at any time, and a cancel may come; the two are one test. */
	if (likely(COSTACK_ARCH_GUARD && !data_race(co->heed | costack_knobs.force_move)))
		return attempt_or_enqueue(lock, aim, co, &co->roots.sudog);
	return heedful_attempt(lock, aim, co);
}

static enum costack_next do_find_cycle(struct costack *co)
{
	costack_mutex_report_cycle(co);
	return COSTACK_CONTINUE;
}

/* @co is about to wait for what a coroutine holds that is itself parked, or has ended. */
static noinline void look_for_cycle(struct costack_lock *lock, struct costack *co,
				    unsigned long ip)
{
	struct costack_mutex *mutex = container_of(lock, struct costack_mutex, base);
	struct costack *owner;
	bool ended;

	/* It may unlock the mutex and end meanwhile: then it is not the owner any more. */
	rcu_read_lock();
	owner = costack_mutex_owner_co(costack_mutex_owner(mutex));
	ended = owner && costack_state(owner) == COSTACK_DEAD &&
		costack_mutex_owner(mutex) == (unsigned long)owner;
	rcu_read_unlock();
	if (ended)
		costack_mutex_report_ended(mutex, ip);
	else
		costack_request(co, do_find_cycle, NULL, NULL);
}
NOKPROBE_SYMBOL(look_for_cycle);

/* Park until the sudog, which is queued, is released. */
static __always_inline int wait_queued(struct costack_lock *lock, enum aim aim,
				       struct costack *co, long timeout)
{
	int ret = timeout == MAX_SCHEDULE_TIMEOUT ? costack_sudog_wait(co) :
						    costack_sudog_wait_timeout(co, timeout);

	if (unlikely(ret))
		left_queue(lock, aim);
	return ret;
}

/* Lock it, or wait for it. */
static __always_inline int wait_co(struct costack_lock *lock, enum aim aim, struct costack *co,
				   long timeout, unsigned long ip)
{
	int ret = begin(lock, aim, co);

	if (aim == FOR_MUTEX && unlikely(ret == -EBUSY)) {
		look_for_cycle(lock, co, ip);
		ret = -EAGAIN;
	}
	return ret == -EAGAIN ? wait_queued(lock, aim, co, timeout) : ret;
}

static __always_inline int wait_co_timeout(struct costack_lock *lock, enum aim aim,
					   struct costack *co, long timeout, unsigned long ip)
{
	int ret = costack_sudog_begin(co);

	if (ret)
		return ret;
	ret = wait_co(lock, aim, co, timeout, ip);
	costack_sudog_end(co);
	return ret;
}

/* Lock it, or wait for it, on whatever stack. @timeout: jiffies, more than 0. */
static __always_inline int wait_for(struct costack_lock *lock, enum aim aim, struct costack *co,
				    long timeout, unsigned long ip)
{
	int ret;

	if (unlikely(!co))
		return wait_thread(lock, aim, timeout);
	if (unlikely(!costack_may_park(co)))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	/*
	 * Before the sudog is queued: whoever claims @co sees both. And until the end of all
	 * requests that are made here, @co is not cut off: it may have the lock already.
	 */
	WRITE_ONCE(co->waits, COSTACK_WAITS_LOCK);
	if (unlikely(timeout != MAX_SCHEDULE_TIMEOUT))
		ret = wait_co_timeout(lock, aim, co, timeout, ip);
	else
		ret = wait_co(lock, aim, co, timeout, ip);
	WRITE_ONCE(co->waits, COSTACK_WAITS_NOT);
	return ret;
}

/* For semaphores and rwsems; @timeout as in the public functions. */
static __always_inline int lock(struct costack_lock *lock, enum aim aim, long timeout,
				unsigned long ip)
{
	struct costack *co = __costack_current();

	note_order(lock);
	if (is_heedless(co) && likely(try(lock, aim)))
		return 0;
	if (unlikely(timeout <= 0))
		return co && costack_cancel_came(co) ? -ECANCELED :
		       try(lock, aim) ? 0 : -ETIMEDOUT;
	return wait_for(lock, aim, co, timeout, ip);
}

/* === Public interface: mutex === */

/* Behind costack_mutex_init(); costack.h has the kernel-doc. */
void __costack_mutex_init(struct costack_mutex *mutex, const char *name,
			  struct lock_class_key *key)
{
	atomic_long_set(&mutex->owner, 0);
	mutex->ip = 0;
	init(&mutex->base, name, key);
}
EXPORT_SYMBOL_GPL(__costack_mutex_init);

static __always_inline bool lock_free_by(struct costack_mutex *mutex, unsigned long owner)
{
	long free = 0;

	return likely(atomic_long_try_cmpxchg_acquire(&mutex->owner, &free, owner));
}

static __always_inline bool lock_free_mutex(struct costack_mutex *mutex, struct costack *co,
					    unsigned long ip)
{
	unsigned long flags;
	bool locked;

	/* An abortable coroutine is not cut off between the two steps: see may_abort(). */
	local_irq_save(flags);
	locked = lock_free_by(mutex, costack_mutex_self(co));
	if (locked && co)
		co->held++;
	local_irq_restore(flags);
	if (locked)
		WRITE_ONCE(mutex->ip, ip);
	return locked;
}

static __always_inline int wait_for_mutex(struct costack_mutex *mutex, struct costack *co,
					  long timeout, unsigned long ip)
{
	int ret = wait_for(&mutex->base, FOR_MUTEX, co, timeout, ip);

	if (likely(!ret))
		WRITE_ONCE(mutex->ip, ip);
	else if (unlikely(ret == -EDEADLK))
		costack_mutex_report_recursion(mutex, co, ip);
	return ret;
}

/* @co: the running coroutine, which has nothing to heed. */
static noinline int lock_mutex_contended(struct costack_mutex *mutex, struct costack *co,
					 unsigned long ip)
{
	return wait_for_mutex(mutex, co, MAX_SCHEDULE_TIMEOUT, ip);
}
NOKPROBE_SYMBOL(lock_mutex_contended);

/* For a thread, or a coroutine that is not found at once, or has something to heed. */
static noinline int lock_mutex_slow(struct costack_mutex *mutex, unsigned long ip)
{
	struct costack *co = __costack_current();

	if (is_heedless(co) && lock_free_mutex(mutex, co, ip))
		return 0;
	return wait_for_mutex(mutex, co, MAX_SCHEDULE_TIMEOUT, ip);
}
NOKPROBE_SYMBOL(lock_mutex_slow);

static noinline int lock_mutex_timeout(struct costack_mutex *mutex, struct costack *co,
				       long timeout, unsigned long ip)
{
	return wait_for_mutex(mutex, co, timeout, ip);
}
NOKPROBE_SYMBOL(lock_mutex_timeout);

/* Is there a running coroutine that is found at once and has nothing to heed? Then it is @co. */
static __always_inline bool find_heedless(struct costack **co)
{
	struct costack_slot *guess = this_cpu_read(costack_arena_guess);

	if (unlikely(guess->hi - current_stack_pointer >= COSTACK_SLOT_SIZE))
		return false;
	/* The slot has a coroutine, as the caller runs on it. */
	*co = guess->co;
	/* data_race: as in is_heedless(). */
	return likely(!data_race((*co)->heed));
}

/**
 * costack_mutex_lock() - lock a mutex
 * @mutex: the mutex
 *
 * A coroutine that has to wait parks, and does not hold its worker; a thread sleeps. Those that
 * wait are given the mutex in the order in which they came.
 *
 * What a coroutine locks belongs to the coroutine, in whatever thread it continues; what is
 * locked elsewhere, inside of costack_on_host() too, belongs to the thread. Whoever has locked
 * the mutex must unlock it, and before it ends. An item that may be cut off (%COSTACK_ABORTABLE)
 * must see to that by costack_defer(); it is not cut off while it waits here.
 *
 * If coroutines wait for each other in a cycle, the log names them as soon as the last one waits,
 * and they wait on. If two of them begin to wait at the same time, the cycle may be found only with
 * the knob stuck_after, by the next round.
 *
 * Context: Process context; coroutine or host stack. May park or sleep.
 * Return:
 * * 0			- locked
 * * -EINVAL		- this is not a place to park, and the coroutine would have to wait, or is
 *			  abortable
 * * -ECANCELED		- the work item was cancelled; not locked
 * * -EDEADLK		- the caller has locked it already; this is reported
 */
int costack_mutex_lock(struct costack_mutex *mutex)
{
	struct costack *co;

	note_order(&mutex->base);
	if (!find_heedless(&co))
		return lock_mutex_slow(mutex, _RET_IP_);
	if (!lock_free_by(mutex, (unsigned long)co))
		return lock_mutex_contended(mutex, co, _RET_IP_);
	WRITE_ONCE(mutex->ip, _RET_IP_);
	co->held++;
	return 0;
}
EXPORT_SYMBOL_GPL(costack_mutex_lock);
NOKPROBE_SYMBOL(costack_mutex_lock);

/**
 * costack_mutex_lock_timeout() - lock a mutex, but do not wait for long
 * @mutex: the mutex
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Without a wait, a caller that has locked the mutex already gets -ETIMEDOUT, not -EDEADLK.
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock(); -ETIMEDOUT: not locked; -ENOMEM: the same, as there is no
 * memory to wait.
 */
int costack_mutex_lock_timeout(struct costack_mutex *mutex, long timeout)
{
	struct costack *co = __costack_current();

	note_order(&mutex->base);
	if (co && unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	if (is_heedless(co) && lock_free_mutex(mutex, co, _RET_IP_))
		return 0;
	if (timeout <= 0)
		return lock_free_mutex(mutex, co, _RET_IP_) ? 0 : -ETIMEDOUT;
	return lock_mutex_timeout(mutex, co, timeout, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_mutex_lock_timeout);
NOKPROBE_SYMBOL(costack_mutex_lock_timeout);

/**
 * costack_mutex_trylock() - lock a mutex without waiting
 * @mutex: the mutex
 *
 * Context: Process context, which may be atomic; coroutine or host stack.
 * Return: whether the mutex was locked.
 */
bool costack_mutex_trylock(struct costack_mutex *mutex)
{
	return lock_free_mutex(mutex, __costack_current(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_mutex_trylock);

/*
 * Somebody waits, or a thread unlocks it, or somebody that has not locked it. Or one that is
 * abortable: with interrupts on it could be cut off between the two steps that this takes.
 * @by: as for costack_sudog_release().
 */
static __always_inline int unlock_mutex(struct costack_mutex *mutex, struct costack *co,
					struct costack *by, unsigned long ip)
{
	struct costack_sudog *first;
	unsigned long next = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&mutex->base.lock, flags);
	if (unlikely(costack_mutex_owner(mutex) != costack_mutex_self(co))) {
		raw_spin_unlock_irqrestore(&mutex->base.lock, flags);
		costack_mutex_report_owner(mutex, co, ip);
		return -EPERM;
	}
	if (co)
		co->held--;
	first = first_of(&mutex->base);
	if (first) {
		next = waiter_word(first);
		if (!list_is_last(&first->queue, &mutex->base.waiters))
			next |= COSTACK_MUTEX_WAITERS;
	}
	atomic_long_set_release(&mutex->owner, next);
	if (first)
		release(first, by);
	raw_spin_unlock_irqrestore(&mutex->base.lock, flags);
	return 0;
}

static enum costack_next do_unlock(struct costack *co)
{
	co->req.ret = unlock_mutex(co->req.fn, co, co, (unsigned long)co->req.arg);
	return COSTACK_CONTINUE;
}

static noinline int unlock_mutex_slow(struct costack_mutex *mutex, unsigned long ip)
{
	struct costack *co = __costack_current();

	/* As heedful_attempt(): nothing is woken from a stack that does not grow by a fault. */
	if (!COSTACK_ARCH_GUARD && co)
		return costack_request(co, do_unlock, mutex, (void *)ip);
	return unlock_mutex(mutex, co, NULL, ip);
}

/* @co: the running coroutine, which has nothing to heed. */
static noinline int unlock_mutex_contended(struct costack_mutex *mutex, struct costack *co,
					   unsigned long ip)
{
	/* A section with softirqs off must not pass the thread on: see runner_here() in sched.c. */
	if (unlikely(in_interrupt()))
		return unlock_mutex_slow(mutex, ip);
	return unlock_mutex(mutex, co, co, ip);
}

/**
 * costack_mutex_unlock() - unlock a mutex
 * @mutex: locked by the caller
 *
 * The one that has waited longest owns the mutex when this returns.
 *
 * Context: Process context, which may be atomic; coroutine or host stack.
 * Return: 0; or -EPERM if somebody else has locked it, or nobody has: this is reported, with the
 * call traces of both, and the mutex stays as it is.
 */
int costack_mutex_unlock(struct costack_mutex *mutex)
{
	struct costack *co;
	long self;

	if (!COSTACK_ARCH_GUARD || !find_heedless(&co))
		return unlock_mutex_slow(mutex, _RET_IP_);
	self = (long)co;
	if (unlikely(!atomic_long_try_cmpxchg_release(&mutex->owner, &self, 0)))
		return unlock_mutex_contended(mutex, co, _RET_IP_);
	co->held--;
	return 0;
}
EXPORT_SYMBOL_GPL(costack_mutex_unlock);

/**
 * costack_mutex_is_locked() - has somebody locked a mutex
 * @mutex: the mutex
 *
 * Context: Any context, any stack.
 * Return: true if so, at this moment.
 */
bool costack_mutex_is_locked(const struct costack_mutex *mutex)
{
	return costack_mutex_owner(mutex);
}
EXPORT_SYMBOL_GPL(costack_mutex_is_locked);

/* === Public interface: semaphore === */

/* Behind costack_sem_init(); costack.h has the kernel-doc. */
void __costack_sem_init(struct costack_sem *sem, unsigned int count, const char *name,
			struct lock_class_key *key)
{
	sem->count = count;
	init(&sem->base, name, key);
}
EXPORT_SYMBOL_GPL(__costack_sem_init);

/**
 * costack_sem_down() - take one of a semaphore
 * @sem: the semaphore
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock(), but for -EDEADLK.
 */
int costack_sem_down(struct costack_sem *sem)
{
	return lock(&sem->base, FOR_SEM, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_sem_down);
NOKPROBE_SYMBOL(costack_sem_down);

/**
 * costack_sem_down_timeout() - take one of a semaphore, but do not wait for long
 * @sem: the semaphore
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock_timeout(), but for -EDEADLK.
 */
int costack_sem_down_timeout(struct costack_sem *sem, long timeout)
{
	return lock(&sem->base, FOR_SEM, timeout, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_sem_down_timeout);
NOKPROBE_SYMBOL(costack_sem_down_timeout);

/**
 * costack_sem_trydown() - take one of a semaphore without waiting
 * @sem: the semaphore
 *
 * Context: Any context, hard interrupts included; any stack.
 * Return: whether one was taken.
 */
bool costack_sem_trydown(struct costack_sem *sem)
{
	return try(&sem->base, FOR_SEM);
}
EXPORT_SYMBOL_GPL(costack_sem_trydown);

/**
 * costack_sem_up() - give one to a semaphore
 * @sem: the semaphore
 *
 * The one that has waited longest gets it.
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_sem_up(struct costack_sem *sem)
{
	struct costack_sudog *first;
	unsigned long flags;

	raw_spin_lock_irqsave(&sem->base.lock, flags);
	first = first_of(&sem->base);
	if (first)
		release(first, NULL);
	else
		sem->count++;
	raw_spin_unlock_irqrestore(&sem->base.lock, flags);
}
EXPORT_SYMBOL_GPL(costack_sem_up);

/* === Public interface: rwsem === */

/* Behind costack_rwsem_init(); costack.h has the kernel-doc. */
void __costack_rwsem_init(struct costack_rwsem *rwsem, const char *name,
			  struct lock_class_key *key)
{
	rwsem->count = 0;
	init(&rwsem->base, name, key);
}
EXPORT_SYMBOL_GPL(__costack_rwsem_init);

/**
 * costack_rwsem_down_read() - lock for reading
 * @rwsem: the rwsem
 *
 * A reader waits while a writer holds it, or one waits that came before: no writer waits for
 * ever. So a reader must not lock it a second time.
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock(), but for -EDEADLK.
 */
int costack_rwsem_down_read(struct costack_rwsem *rwsem)
{
	return lock(&rwsem->base, FOR_READ, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_rwsem_down_read);
NOKPROBE_SYMBOL(costack_rwsem_down_read);

/**
 * costack_rwsem_down_read_timeout() - lock for reading, but do not wait for long
 * @rwsem: the rwsem
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock_timeout(), but for -EDEADLK.
 */
int costack_rwsem_down_read_timeout(struct costack_rwsem *rwsem, long timeout)
{
	return lock(&rwsem->base, FOR_READ, timeout, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_rwsem_down_read_timeout);
NOKPROBE_SYMBOL(costack_rwsem_down_read_timeout);

/**
 * costack_rwsem_try_read() - lock for reading without waiting
 * @rwsem: the rwsem
 *
 * Context: Any context, hard interrupts included; any stack.
 * Return: whether it was locked.
 */
bool costack_rwsem_try_read(struct costack_rwsem *rwsem)
{
	return try(&rwsem->base, FOR_READ);
}
EXPORT_SYMBOL_GPL(costack_rwsem_try_read);

/**
 * costack_rwsem_down_write() - lock for writing
 * @rwsem: the rwsem
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock(), but for -EDEADLK.
 */
int costack_rwsem_down_write(struct costack_rwsem *rwsem)
{
	return lock(&rwsem->base, FOR_WRITE, MAX_SCHEDULE_TIMEOUT, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_rwsem_down_write);
NOKPROBE_SYMBOL(costack_rwsem_down_write);

/**
 * costack_rwsem_down_write_timeout() - lock for writing, but do not wait for long
 * @rwsem: the rwsem
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_mutex_lock().
 * Return: as costack_mutex_lock_timeout(), but for -EDEADLK.
 */
int costack_rwsem_down_write_timeout(struct costack_rwsem *rwsem, long timeout)
{
	return lock(&rwsem->base, FOR_WRITE, timeout, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_rwsem_down_write_timeout);
NOKPROBE_SYMBOL(costack_rwsem_down_write_timeout);

/**
 * costack_rwsem_try_write() - lock for writing without waiting
 * @rwsem: the rwsem
 *
 * Context: Any context, hard interrupts included; any stack.
 * Return: whether it was locked.
 */
bool costack_rwsem_try_write(struct costack_rwsem *rwsem)
{
	return try(&rwsem->base, FOR_WRITE);
}
EXPORT_SYMBOL_GPL(costack_rwsem_try_write);

/* @by: what to add to the count. */
static void up_rwsem(struct costack_rwsem *rwsem, int by)
{
	unsigned long flags;
	bool held;

	raw_spin_lock_irqsave(&rwsem->base.lock, flags);
	held = by < 0 ? rwsem->count > 0 : rwsem->count < 0;
	if (likely(held)) {
		rwsem->count += by;
		serve_rwsem(rwsem);
	}
	raw_spin_unlock_irqrestore(&rwsem->base.lock, flags);
	WARN_ONCE(!held, "costack: an rwsem is unlocked that is not locked so\n");
}

/**
 * costack_rwsem_up_read() - unlock what was locked for reading
 * @rwsem: the rwsem
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_rwsem_up_read(struct costack_rwsem *rwsem)
{
	up_rwsem(rwsem, -1);
}
EXPORT_SYMBOL_GPL(costack_rwsem_up_read);

/**
 * costack_rwsem_up_write() - unlock what was locked for writing
 * @rwsem: the rwsem
 *
 * Context: Any context, hard interrupts included; any stack.
 */
void costack_rwsem_up_write(struct costack_rwsem *rwsem)
{
	up_rwsem(rwsem, 1);
}
EXPORT_SYMBOL_GPL(costack_rwsem_up_write);
