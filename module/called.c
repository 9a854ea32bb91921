// SPDX-License-Identifier: GPL-2.0
/*
 * The coroutines of costack_call(), for whoever has to look at them.
 *
 * A call keeps no list, as that would cost every call a lock. Whoever looks finds the
 * coroutines by their stacks: each slot of the arena names its coroutine. Nothing keeps the
 * call from ending meanwhile, and its coroutine from being used for another one or freed.
 * So:
 *
 *  - The memory of a coroutine stays a coroutine for as long as RCU is held
 *    (SLAB_TYPESAFE_BY_RCU), and its thread stays too: it was alive when RCU was taken. A
 *    thread that dies under its coroutine marks it first, see lost.c.
 *  - What is read of a coroutine that may run counts only if is_same() can tell that it is
 *    all of one call.
 *  - A parked coroutine is claimed while its stack is walked, as one of a work item is.
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "arena.h"
#include "called.h"
#include "coroutine.h"
#include "runner.h"
#include "stats.h"

/* A call that lasts is seen at the first try, or a few later if its CPU is busy with calls. */
#define MAX_TRIES	100

/* Serialises those who look, so that @looked of a coroutine is of one of them. */
static DEFINE_MUTEX(look_lock);
static unsigned int look_nr;

/**
 * struct moment - what identifies a call, and what its thread has done so far
 * @state: state of the coroutine
 * @task: thread of the call; %NULL if it has died
 * @switches: how often @task has been switched out
 * @cpu: where @task runs or ran last
 * @calls: number of calls that have begun on that CPU
 */
struct moment {
	enum costack_state		state;
	const struct task_struct	*task;
	unsigned long			switches;
	unsigned int			cpu;
	long				calls;
};

static bool is_call(const struct costack *co, const struct costack_slot *slot)
{
	return !READ_ONCE(co->work) && READ_ONCE(co->slot) == slot;
}

static bool has_begun(const struct costack *co, enum costack_state state)
{
	switch (state) {
	case COSTACK_IDLE:
	case COSTACK_DEAD:
		return false;
	case COSTACK_RUNNABLE:
		return READ_ONCE(co->started);
	default:
		return true;
	}
}

/* Returns false if the coroutine is not in a call, or uses another slot by now. */
static bool take_moment(struct moment *moment, const struct costack *co,
			const struct costack_slot *slot)
{
	moment->state = costack_state(co);
	/* Pairs with costack_set_state(): what is read from here on is no older. */
	smp_rmb();
	if (!is_call(co, slot) || !has_begun(co, moment->state))
		return false;
	moment->task = READ_ONCE(co->flags) & COSTACK_LOST ? NULL : READ_ONCE(co->task);
	if (!moment->task)
		return true;
	moment->switches = READ_ONCE(moment->task->nvcsw) + READ_ONCE(moment->task->nivcsw);
	moment->cpu = task_cpu(moment->task);
	moment->calls = READ_ONCE(per_cpu(costack_stats, moment->cpu)[COSTACK_STAT_CALLS]);
	return true;
}

/*
 * Is all that was read between two moments of the same call? If not, the thread of the
 * second moment began its call after the first one. It would have done so on the CPU that
 * both moments name, as it was not switched out, and so cannot have been on two CPUs. But
 * no call has begun there: costack_call() counts it before the coroutine can run, and after
 * it has set up the coroutine.
 */
static bool is_same(const struct moment *a, const struct moment *b)
{
	return a->state == b->state && a->task == b->task &&
	       (!a->task || (a->switches == b->switches && a->cpu == b->cpu &&
			     a->calls == b->calls));
}

static void see(struct costack_slot *slot, void *arg)
{
	const struct costack_called_look *look = arg;
	struct moment before = { }, after = { };
	struct costack *co;
	unsigned int tries;

	rcu_read_lock();
	co = READ_ONCE(slot->co);
	for (tries = 0; co && tries < MAX_TRIES; tries++) {
		if (READ_ONCE(co->looked) == look_nr || !take_moment(&before, co, slot))
			break;
		/* What is read in between is no older than @before, and no newer than @after. */
		smp_rmb();
		look->see(co, before.task, look->arg);
		/* Pairs with the one above. */
		smp_rmb();
		if (take_moment(&after, co, slot) && is_same(&before, &after)) {
			WRITE_ONCE(co->looked, look_nr);
			look->keep(look->arg);
			break;
		}
	}
	rcu_read_unlock();
	cond_resched();
}

/**
 * costack_called_each() - look at all called coroutines
 * @look: what to do with each
 *
 * A call that begins, ends, or moves its stack meanwhile may be left out.
 *
 * Context: Process context; may sleep.
 */
void costack_called_each(const struct costack_called_look *look)
{
	mutex_lock(&look_lock);
	look_nr++;
	costack_arena_each(see, (void *)look);
	mutex_unlock(&look_lock);
}

static void give_back(struct costack *co)
{
	struct task_struct *task;

	/* As in unpark_called(): the thread may end as soon as it sees RUNNABLE. */
	rcu_read_lock();
	task = co->task;
	if (!costack_unclaim(co))
		task = NULL;
	if (task)
		wake_up_process(task);
	rcu_read_unlock();
}

static void give_back_item(struct costack *co)
{
	if (costack_unclaim(co))
		costack_ready(co);
}

/*
 * Claim a parked coroutine. Its call may have ended after the check, and a work item have
 * been given the coroutine: then the item is released before RCU is. The one who removes
 * the coroutine of a dead worker waits for RCU first, see bury(): it must not find an item
 * that is claimed here.
 */
static struct costack *claim(const struct costack_slot *slot)
{
	struct costack *co;

	rcu_read_lock();
	co = READ_ONCE(slot->co);
	if (co && (costack_state(co) != COSTACK_WAITING || !is_call(co, slot) ||
		   !costack_claim(co)))
		co = NULL;
	if (co && unlikely(co->work)) {
		give_back_item(co);
		co = NULL;
	}
	rcu_read_unlock();
	return co;
}

/* What to call for each parked coroutine. */
struct visit {
	void	(*fn)(struct costack *co, void *arg);
	void	*arg;
};

static void visit_parked(struct costack_slot *slot, void *arg)
{
	const struct visit *visit = arg;
	struct costack *co = claim(slot);

	if (co && READ_ONCE(co->looked) != look_nr) {
		WRITE_ONCE(co->looked, look_nr);
		visit->fn(co, visit->arg);
	}
	if (co)
		give_back(co);
	cond_resched();
}

/**
 * costack_called_each_parked() - claim each parked called coroutine for a moment
 * @fn: called for each claimed coroutine; nobody else runs it or touches its stack
 * @arg: passed to @fn
 *
 * The caller of this owns a stack while the state is COPYSTACK: the thread waits on, and a
 * waker leaves a wake-up, which costack_unclaim() finds.
 *
 * Context: Process context; may sleep. @fn must not.
 */
void costack_called_each_parked(void (*fn)(struct costack *co, void *arg), void *arg)
{
	struct visit visit = { fn, arg };

	mutex_lock(&look_lock);
	look_nr++;
	costack_arena_each(visit_parked, &visit);
	mutex_unlock(&look_lock);
}
