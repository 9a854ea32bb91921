// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds a mutex: reports of misuse, and of coroutines that wait for each other in a cycle.
 *
 * To look at a coroutine that holds a mutex, costack claims it, as a mover does (COPYSTACK).
 * A claimed coroutine does not continue. So it neither unlocks what it holds nor returns from
 * the lock that it waits for, and the mutex of that wait cannot be freed. If it cannot be claimed
 * it is not parked, and so not part of a cycle yet.
 *
 * The coroutine of an owner word exists as long as it holds the mutex: one that ends while it
 * holds one is never freed (costack_destroy()). It may unlock the mutex, end, and be another
 * coroutine by the time of the claim. RCU keeps its memory until then, and the owner is compared
 * once more after the claim.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "coroutine.h"
#include "holder.h"
#include "locks.h"
#include "once.h"
#include "report.h"
#include "runner.h"

/* === Claims === */

/* Release a coroutine that was claimed. The caller is in an RCU read side. */
static void give_back(struct costack *co)
{
	/* A thread that waits for its called coroutine may end as soon as it sees RUNNABLE. */
	struct task_struct *task = co->work ? NULL : co->task;

	if (!costack_unclaim(co))
		return;
	if (task)
		wake_up_process(task);
	else
		costack_ready(co);
}

/*
 * Claim the coroutine that has locked @mutex. Returns NULL if none has, or it is not parked. The
 * caller is in an RCU read side until it has given the coroutine back.
 */
static struct costack *claim_owner(struct costack_mutex *mutex)
{
	struct costack *co = costack_mutex_owner_co(costack_mutex_owner(mutex));

	if (!co || costack_state(co) != COSTACK_WAITING || !costack_claim(co))
		return NULL;
	/* As in claim_parked() of items.c: find_lost() must not take it for a lost one. */
	if (co->work && !costack_is_packed(co))
		co->host = NULL;
	if (likely(costack_mutex_owner(mutex) == (unsigned long)co))
		return co;
	give_back(co);
	return NULL;
}

/* === Misuse === */

/* Frames that are printed of the owner. */
#define OWNER_FRAMES	24U

static void print_caller(struct costack *co)
{
	if (co)
		costack_report_trace(co);
	else
		dump_stack();
}

/* The thread may have ended. So look for it among those that exist. */
static void print_thread(const struct task_struct *owner)
{
	struct task_struct *process, *thread, *found = NULL;

	rcu_read_lock();
	for_each_process_thread(process, thread)
		if (thread == owner)
			found = thread;
	if (found)
		get_task_struct(found);
	rcu_read_unlock();
	if (!found) {
		pr_warn("by a thread that has ended\n");
		return;
	}
	pr_warn("by the thread %s, pid %d:\n", found->comm, task_pid_nr(found));
	sched_show_task(found);
	put_task_struct(found);
}

static void print_coroutine(struct costack_mutex *mutex)
{
	unsigned long ip[OWNER_FRAMES];
	char name[COSTACK_NAME_LEN];
	unsigned int nr = 0, i;
	struct costack *co;
	const void *fn;
	bool packed;

	rcu_read_lock();
	co = claim_owner(mutex);
	if (!co) {
		rcu_read_unlock();
		pr_warn("by a coroutine that is not parked\n");
		return;
	}
	strscpy(name, co->name[0] ? co->name : "(no name)", sizeof(name));
	fn = co->fn;
	packed = !co->slot;
	if (!packed)
		nr = costack_report_frames(co->slot, &co->ctx, co->base, ip, OWNER_FRAMES);
	give_back(co);
	rcu_read_unlock();
	pr_warn("by coroutine %s, %ps, which is parked%s:\n", name, fn,
		packed ? " and packed" : "");
	for (i = 0; i < nr; i++)
		pr_warn(" %pS\n", (void *)ip[i]);
}

/**
 * costack_mutex_report_owner() - somebody else than the owner unlocks a mutex
 * @mutex: the mutex
 * @co: the running coroutine, or %NULL: a thread does it
 * @ip: where
 *
 * Reported once for each place.
 *
 * Context: Any stack; does not sleep.
 */
void costack_mutex_report_owner(struct costack_mutex *mutex, struct costack *co,
				unsigned long ip)
{
	unsigned long owner = costack_mutex_owner(mutex);
	static struct costack_once once;

	if (!costack_once(&once, ip))
		return;
	pr_warn("%pS unlocks a mutex that %s: refused\n", (void *)ip,
		owner ? "another one has locked" : "is not locked");
	print_caller(co);
	if (!owner)
		return;
	pr_warn("it was locked at %pS\n", (void *)READ_ONCE(mutex->ip));
	if (costack_mutex_owner_co(owner))
		print_coroutine(mutex);
	else
		print_thread((struct task_struct *)(owner & ~COSTACK_MUTEX_THREAD));
}

/**
 * costack_mutex_report_recursion() - the owner of a mutex locks it once more
 * @mutex: the mutex
 * @co: the running coroutine, or %NULL: a thread does it
 * @ip: where
 *
 * Reported once for each place.
 *
 * Context: Any stack; does not sleep.
 */
void costack_mutex_report_recursion(struct costack_mutex *mutex, struct costack *co,
				    unsigned long ip)
{
	static struct costack_once once;

	if (!costack_once(&once, ip))
		return;
	pr_warn("%pS locks a mutex that it has locked at %pS: refused\n", (void *)ip,
		(void *)READ_ONCE(mutex->ip));
	print_caller(co);
}

/**
 * costack_mutex_report_ended() - the owner of a mutex that somebody waits for has ended
 * @mutex: the mutex, whose owner is a coroutine
 * @ip: where the other one waits
 *
 * Reported once for each place where such a mutex was locked.
 *
 * Context: Any stack; does not sleep.
 */
void costack_mutex_report_ended(struct costack_mutex *mutex, unsigned long ip)
{
	unsigned long locked_at = READ_ONCE(mutex->ip);
	static struct costack_once once;

	if (costack_once(&once, locked_at))
		pr_warn("%pS waits for a mutex that was locked at %pS by a coroutine that has ended\n",
			(void *)ip, (void *)locked_at);
}

/* === Cycles === */

/* So many steps from owner to owner. */
#define MAX_STEPS	64U

/**
 * struct member - one of those that wait for each other
 * @name: its name
 * @fn: what it runs
 * @mutex: the mutex that it waits for, which the next one holds
 * @ip: where that was locked
 */
struct member {
	char			name[COSTACK_NAME_LEN];
	const void		*fn;
	const struct costack_mutex *mutex;
	unsigned long		ip;
};

/*
 * A cycle that is about to be printed. The names are copied while the coroutines are claimed:
 * after that they may end.
 */
static struct member members[MAX_STEPS];
static DEFINE_RAW_SPINLOCK(members_lock);

/* Returns whether the cycle is a new one. */
static bool mark(struct costack *const *in, unsigned int nr)
{
	unsigned int i, marked = 0;

	for (i = 0; i < nr; i++)
		marked += !!(atomic_long_fetch_or(COSTACK_MUTEX_REPORTED,
						  &costack_mutex_awaited(in[i])->owner) &
			     COSTACK_MUTEX_REPORTED);
	return marked < nr;
}

static void note(struct costack *const *in, unsigned int nr)
{
	const struct costack_mutex *mutex;
	unsigned int i;

	lockdep_assert_held(&members_lock);
	for (i = 0; i < nr; i++) {
		mutex = costack_mutex_awaited(in[i]);
		strscpy(members[i].name, in[i]->name[0] ? in[i]->name : "(no name)",
			sizeof(members[i].name));
		members[i].fn = in[i]->fn;
		members[i].mutex = mutex;
		members[i].ip = READ_ONCE(mutex->ip);
	}
}

static void print_cycle(unsigned int nr)
{
	unsigned int i;

	pr_warn("deadlock: %u coroutines wait for each other\n", nr);
	for (i = 0; i < nr; i++)
		pr_warn(" %s, %ps, waits for mutex %p, which the next one has locked at %pS\n",
			members[i].name, members[i].fn, members[i].mutex,
			(void *)members[i].ip);
}

/*
 * Follow the chain from @in[0], and claim each coroutine on it. Returns how many are in the cycle
 * if it leads back to @in[0], or 0; @claimed of them, after the first, are to be given back.
 *
 * The owner of a mutex does not change while it is claimed. So in the end, all owners that were
 * found hold what they were found with, all at once. The first step needs care if @in[0] is the
 * running one: its mutex may be handed to it meanwhile, and then it waits for nobody.
 */
static unsigned int follow(struct costack **in, unsigned int *claimed)
{
	struct costack_mutex *mutex;
	struct costack *owner;
	unsigned int nr = 1;

	for (;;) {
		mutex = costack_mutex_awaited(in[nr - 1]);
		if (!mutex)
			return 0;
		if (costack_mutex_owner(mutex) == (unsigned long)in[0])
			return nr > 1 ? nr : 0;
		owner = nr < MAX_STEPS ? claim_owner(mutex) : NULL;
		if (!owner)
			return 0;
		in[nr++] = owner;
		*claimed = nr - 1;
	}
}

/* Give back those that follow() has claimed. */
static void give_back_all(struct costack *const *in, unsigned int claimed)
{
	while (claimed)
		give_back(in[claimed--]);
}

/* Report the cycle that follow() has found. The claims end before the printing begins. */
static void report_cycle(struct costack *const *in, unsigned int nr, unsigned int claimed)
{
	bool news;

	raw_spin_lock(&members_lock);
	news = mark(in, nr);
	if (news)
		note(in, nr);
	give_back_all(in, claimed);
	if (news)
		print_cycle(nr);
	raw_spin_unlock(&members_lock);
}

/**
 * costack_mutex_report_cycle() - do coroutines wait for each other
 * @co: waits for a mutex; claimed by the caller, or about to park, on its host stack
 *
 * If the chain from @co, to who holds what it waits for, and so on, leads back to @co, no
 * coroutine on it will continue: except for a limit of time, or a cancel. Each cycle is printed
 * once. Coroutines that are not parked end the chain.
 *
 * Context: Process context, any stack but @co's; does not sleep.
 * Return: true if there is a cycle.
 */
bool costack_mutex_report_cycle(struct costack *co)
{
	struct costack *in[MAX_STEPS] = { co };
	unsigned int claimed = 0, nr;

	rcu_read_lock();
	nr = follow(in, &claimed);
	if (unlikely(nr))
		report_cycle(in, nr, claimed);
	else
		give_back_all(in, claimed);
	rcu_read_unlock();
	return nr;
}
