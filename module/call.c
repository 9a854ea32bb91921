// SPDX-License-Identifier: GPL-2.0
/*
 * Calls: coroutines that run to their end in the thread that calls costack_call().
 *
 * The thread waits while its coroutine is parked. A call of a function that neither grows its
 * stack nor makes a request is a common case, so it is one function from the checks to the
 * switch and back: costack_call(), with a coroutine that the CPU keeps ready.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "arena.h"
#include "call.h"
#include "calls.h"
#include "compat.h"
#include "coroutine.h"
#include "costack.h"
#include "first.h"
#include "once.h"
#include "pack.h"
#include "pool.h"
#include "stats.h"
#include "thread.h"

#define ASKED_TO_STOP	BIT(0)
#define ASKED_TO_PARK	BIT(1)

/* Which of kthread_stop() and kthread_park() have been called for this thread. */
static u8 asked(void)
{
	return (kthread_should_stop() ? ASKED_TO_STOP : 0) |
	       (kthread_should_park() ? ASKED_TO_PARK : 0);
}

static unsigned long times_switched(void)
{
	/* data_race: the scheduler counts in the same thread, between any two instructions. */
	return data_race(current->nvcsw + current->nivcsw);
}

/*
 * Has kthread_stop() or kthread_park() come that a called coroutine may not know of? It is
 * told of each request once, by an unpark, which makes it check its condition again: the check
 * before it parked may have been too early.
 */
static bool has_news(struct costack *co)
{
	u8 now = asked();
	bool news = now & ~co->told;

	co->told = now;
	return news;
}

/*
 * A called coroutine has parked: its thread waits with it. No signal ends the wait, as
 * none would in a worker. But a freezable thread can be frozen here.
 *
 * @switched: how often the thread had been switched out when the last wait ended. If that has
 * changed, it may have been parked and unparked, and be asked to park once more.
 */
static noinline void wait_runnable(struct costack *co, unsigned long *switched)
{
	if (times_switched() != *switched)
		co->told &= ~ASKED_TO_PARK;
	for (;;) {
		/*
		 * Pairs with the state change in costack_unpark(), as in any wait loop, and
		 * with the setting of the kthread flags before the thread is woken.
		 */
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		if (costack_state(co) == COSTACK_RUNNABLE)
			break;
		if (unlikely(has_news(co)))
			costack_wake(co);
		else
			schedule();
	}
	__set_current_state(TASK_RUNNING);
	*switched = times_switched();
	co->req.ret = 0;
}

/*
 * Called coroutines are readers from when they may be switched out to their end: see livepatch.c.
 * They use the functions that lockdep does not see, as a thread may be frozen meanwhile, and
 * lockdep would report that it holds a lock.
 */
DEFINE_STATIC_SRCU(called);

/*
 * This and run_on() are entered after a function of the coroutine has switched out, and left
 * after that function has returned. The graph tracer's list of returns would not be in order.
 */
static noinline notrace void run_parked(struct costack *co, struct costack_reserve *reserve)
{
	unsigned long switched = 0;

	do {
		wait_runnable(co, &switched);
	} while (!costack_resume(co, reserve));
}
NOKPROBE_SYMBOL(run_parked);

static void run_loop(struct costack *co, struct costack_reserve *reserve)
{
	if (unlikely(!costack_resume(co, reserve)))
		run_parked(co, reserve);
}

/**
 * costack_called_mark() - mark the called coroutines that may be switched out
 *
 * Context: Process context.
 * Return: a mark for costack_called_ended().
 */
unsigned long costack_called_mark(void)
{
	return start_poll_synchronize_srcu(&called);
}

/**
 * costack_called_ended() - have all called coroutines of a mark ended
 * @mark: from costack_called_mark()
 *
 * Context: Process context.
 * Return: true if so.
 */
bool costack_called_ended(unsigned long mark)
{
	return poll_state_synchronize_srcu(&called, mark);
}

/*
 * A function that is cut off does not return. So no return on its stack may be hooked, and
 * what it has set in the thread is undone here.
 */
static noinline void run_abortable(struct costack *co, struct costack_reserve *reserve)
{
	struct costack_thread was;

	costack_thread_note(&was);
	pause_graph_tracing();
	run_loop(co, reserve);
	unpause_graph_tracing();
	if (co->cut)
		costack_thread_put_right(co, &was);
}
NOKPROBE_SYMBOL(run_abortable);

/* The function of @co has ended, in this thread. */
static __always_inline void end_run(struct costack *co)
{
	costack_thread_leave_stack(co);
	costack_set_own_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	WARN_ONCE((IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()) || irqs_disabled(),
		  "costack: %ps ended with preempt count %x, interrupts %s\n",
		  co->fn, preempt_count(), irqs_disabled() ? "off" : "on");
}

/**
 * costack_run() - run a coroutine to its end in this thread
 * @co: idle
 *
 * Without memory for a stack and a reserve, the coroutine does not start and ends with
 * -ENOMEM.
 *
 * Context: Process context, the stack that becomes the host stack; may sleep.
 */
void costack_run(struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack_reserve *reserve = NULL;
	int idx;

	if (unlikely(costack_first_any()) && costack_first_maybe(co->fn))
		costack_first_begin(co);
	if (likely(costack_unpack(co, NULL)))
		reserve = costack_reserve_get(co->limit, copies, COSTACK_GFP);
	if (unlikely(!reserve)) {
		co->ret = -ENOMEM;
		costack_set_own_state(co, COSTACK_IDLE, COSTACK_DEAD);
		return;
	}
	costack_set_own_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	idx = srcu_read_lock_notrace(&called);
	if (unlikely(co->flags & COSTACK_ABORTABLE))
		run_abortable(co, reserve);
	else
		run_loop(co, reserve);
	srcu_read_unlock_notrace(&called, idx);
	end_run(co);
	costack_reserve_put(reserve);
}

/* === Spares === */

/*
 * A coroutine that each CPU keeps for the next costack_call(), with its stack and its
 * reserve. It is DEAD, and otherwise as it was when its last call began. A thread takes it
 * and puts it back by one exchange, which no interrupt and no migration can divide; so
 * preemption stays on.
 */
static DEFINE_PER_CPU(struct costack *, spare);

static noinline void drop_spare(struct costack *co)
{
	costack_reserve_put(costack_reserve_of(co));
	costack_discard(co);
}

/* Has its function left @co as it was, so that the next call need not undo anything? */
static __always_inline bool is_as_new(const struct costack *co)
{
	return !(co->marks | co->pins | co->held | co->growths | (unsigned long)co->opaque |
		 (unsigned long)co->roots.tracked | (unsigned long)co->roots.defers |
		 (unsigned long)co->waiter | (unsigned long)co->left);
}

/* Take the spare of this CPU, if it is what a call needs with the knobs as they are now. */
static __always_inline struct costack *take_spare(void)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack *co = this_cpu_xchg(spare, NULL);

	if (unlikely(!co))
		return NULL;
	if (likely(co->slot->pages == READ_ONCE(costack_knobs.stack_min) &&
		   co->limit == READ_ONCE(costack_knobs.stack_max) &&
		   costack_reserve_full(costack_reserve_of(co), co->limit, copies) &&
		   !READ_ONCE(costack_knobs.force_move)))
		return co;
	drop_spare(co);
	return NULL;
}

/*
 * @co has a full reserve, and ran for this thread. If the thread has come here from another
 * NUMA node, @co is not kept.
 */
static __always_inline void put_spare(struct costack *co)
{
	costack_stack_soil(co->slot, costack_owner_thread());
	if (unlikely(costack_stack_is_remote(co->slot))) {
		drop_spare(co);
		return;
	}
	co = this_cpu_xchg(spare, co);
	if (unlikely(co))
		drop_spare(co);
}

/*
 * Keep the coroutine of a call as a spare, unless it has left something behind, or its stack is
 * not of the size that most calls start with.
 */
static void keep_or_destroy(struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack_reserve *reserve = NULL;

	if (co->started && is_as_new(co) && !READ_ONCE(costack_knobs.force_move) &&
	    co->slot->pages == READ_ONCE(costack_knobs.stack_min))
		reserve = costack_reserve_get(co->limit, copies, COSTACK_GFP);
	if (!reserve) {
		costack_destroy(co);
		return;
	}
	co->host = &reserve->host;
	costack_stat_add(COSTACK_STAT_LIVE, -1);
	put_spare(co);
}

/**
 * costack_call_exit() - give up what is kept for calls
 *
 * Context: Process context; no coroutine lives.
 */
void costack_call_exit(void)
{
	struct costack *co;
	int cpu;

	for_each_possible_cpu(cpu) {
		co = xchg(per_cpu_ptr(&spare, cpu), NULL);
		if (co)
			drop_spare(co);
	}
	/* A grace period that costack_called_mark() began may still need a work item of SRCU's. */
	synchronize_srcu(&called);
}

/* === Public interface: call === */

/* A nested call, which the coroutine @outer makes on its host stack. */
struct nested_call {
	struct costack			*outer;
	const struct costack_attr	*attr;
	costack_fn_t			fn;
	void				*arg;
};

static int nested(void *arg)
{
	const struct nested_call *call = arg;
	int ret = call->attr ? costack_call_attr(call->attr, call->fn, call->arg) :
			       costack_call(call->fn, call->arg);

	/*
	 * @outer checks its conditions after this. If it makes this call within a condition, its
	 * wait has a note of its own: @told in struct costack_waiter.
	 */
	call->outer->told = asked();
	return ret;
}

/* The function at @ip called costack_call() from where that is not allowed. */
static noinline int refuse_call(unsigned long ip)
{
	static struct costack_once once;

	if (costack_once(&once, ip))
		pr_warn("%pS calls costack_call() %s: refused\n", (void *)ip,
			!(current->flags & PF_KTHREAD) ?
			"in a user process, not a kernel thread: queue a work item" :
			"where it may not sleep");
	return -EINVAL;
}

/* May this context call a coroutine? */
static __always_inline bool may_call(void)
{
	return likely(current->flags & PF_KTHREAD) && likely(!in_interrupt()) &&
	       likely(!irqs_disabled()) &&
	       likely(!IS_ENABLED(CONFIG_PREEMPT_COUNT) || !preempt_count());
}

/* @ip: who calls. */
static noinline int call(const struct costack_attr *attr, costack_fn_t fn, void *arg,
			 unsigned long ip)
{
	struct costack *outer, *co;
	int ret;

	if (unlikely(!may_call()))
		return refuse_call(ip);
	might_sleep();
	outer = __costack_current();
	if (unlikely(outer)) {
		struct nested_call call = { outer, attr, fn, arg };

		return costack_on_host(nested, &call);
	}
	if (unlikely(costack_host_left() < COSTACK_HOST_ROOM))
		return -EOVERFLOW;
	co = costack_create(attr, fn, arg, costack_owner_thread());
	if (IS_ERR(co))
		return PTR_ERR(co);
	/* Before it can run, and after it is set up: is_same() in called.c relies on that. */
	costack_stat_inc(COSTACK_STAT_CALLS);
	costack_run(co);
	if (unlikely(co->growths | co->probe))
		costack_first_end(co);
	ret = co->ret;
	if (attr)
		costack_destroy(co);
	else
		keep_or_destroy(co);
	return ret;
}

/**
 * costack_call_attr() - run a function now, on a coroutine stack, in this thread
 * @attr: name, sizes and flags, or %NULL
 * @fn: what to run
 * @arg: argument of @fn
 *
 * Calls may be nested: a coroutine that makes a call continues when the inner coroutine
 * has ended. But each call uses some of the thread's own stack, which does not grow.
 *
 * While @fn is parked, the thread waits. kthread_stop() and kthread_park() of the thread
 * make @fn continue once, as they would wake a waiting thread: costack_wait_event() checks
 * its condition again, costack_park() and costack_sleep() return. A wait for a channel
 * goes on.
 *
 * Context: Kernel thread, process context, preemptible; host or coroutine
 * stack. May sleep.
 * Return: what @fn returned, or
 * * -EINVAL	- not a kernel thread, not preemptible, or bad attributes
 * * -ENOMEM	- no stack or no reserve; @fn was not started
 * * -EOVERFLOW	- less than a quarter of the thread's own stack was left, and @fn was
 *		  not started; or @fn was cut off at the limit (%COSTACK_ABORTABLE)
 */
int costack_call_attr(const struct costack_attr *attr, costack_fn_t fn, void *arg)
{
	return call(attr, fn, arg, _RET_IP_);
}
EXPORT_SYMBOL_GPL(costack_call_attr);

/* @co has made a request, or has something to clear up. */
static noinline notrace void run_on(struct costack *co)
{
	int idx = srcu_read_lock_notrace(&called);

	if (unlikely(!costack_serve(co)))
		run_parked(co, costack_reserve_of(co));
	srcu_read_unlock_notrace(&called, idx);
}
NOKPROBE_SYMBOL(run_on);

/**
 * costack_call() - run a function now, on a coroutine stack, with default attributes
 * @fn: what to run
 * @arg: argument of @fn
 *
 * The same as costack_call_attr() with %NULL for the attributes.
 *
 * Context: Kernel thread, process context, preemptible; host or coroutine
 * stack. May sleep.
 * Return: what @fn returned, or an error of costack_call_attr().
 */
int costack_call(costack_fn_t fn, void *arg)
{
	struct costack *co = NULL;
	bool as_new;
	int ret;

	/*
	 * The common case: no coroutine calls, and the spare is all that the call needs. Nobody
	 * else changes its state meanwhile, and called.c, which looks, wants RUNNING to come after
	 * all that it reads. Whatever else there is to check, and to refuse, call() checks.
	 */
	if (likely(may_call() && fn && !__costack_current() &&
		   costack_host_left() >= COSTACK_HOST_ROOM &&
		   (!costack_first_any() || !costack_first_maybe(fn) ||
		    1U << costack_first_class(fn) <= READ_ONCE(costack_knobs.stack_min))))
		co = take_spare();
	if (unlikely(!co))
		return call(NULL, fn, arg, _RET_IP_);
	might_sleep();
	costack_stack_clean(co->slot, costack_owner_thread());
	co->fn = fn;
	co->req.arg = arg;
	co->task = current;
	costack_locks_note(co);
	costack_stat_inc(COSTACK_STAT_LIVE);
	costack_stat_inc(COSTACK_STAT_CALLS);
	costack_start_at(co, co->slot->hi, costack_enter);
	costack_set_own_state(co, COSTACK_DEAD, COSTACK_IDLE);
	costack_set_own_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	costack_set_own_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	/* A call has no runner, so nothing is handed over: the one that comes back is @co. */
	costack_arch_switch(&co->host->ctx, &co->ctx);
	as_new = !co->req.handler && is_as_new(co);
	if (unlikely(!as_new)) {
		run_on(co);
		as_new = is_as_new(co);
	}
	end_run(co);
	ret = co->ret;
	if (unlikely(!as_new)) {
		if (co->growths)
			costack_first_end(co);
		costack_reserve_put(costack_reserve_of(co));
		costack_destroy(co);
		return ret;
	}
	costack_stat_add(COSTACK_STAT_LIVE, -1);
	put_spare(co);
	return ret;
}
EXPORT_SYMBOL_GPL(costack_call);
