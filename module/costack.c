// SPDX-License-Identifier: GPL-2.0
/*
 * A coroutine: its life, and the thread that runs it.
 *
 * A thread that runs a coroutine is in the host loop, costack_run(), on its ordinary
 * stack: the host stack. The coroutine switches back to that loop with a request; the
 * loop handles the request and switches in again (Go's mcall and systemstack). So an API
 * call does its work on the host stack, while the coroutine is switched out: the call may
 * sleep, it may move the coroutine, and growth never finds it half done.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "costack.h"
#include "grow.h"
#include "left.h"
#include "limbo.h"
#include "once.h"
#include "pool.h"
#include "shadow.h"
#include "stats.h"
#include "thread.h"
#include "trace.h"
#include "wait.h"
#include "waiter.h"

static struct kmem_cache *cache;

/* === The coroutine's side === */

/* First frame of every coroutine. It returns to the host loop, and the stack is left. */
static notrace struct costack_ctx *enter(void *arg)
{
	struct costack *co = arg;

	co->ret = co->fn(co->arg);
	co->req.handler = NULL;
	return &co->host;
}
NOKPROBE_SYMBOL(enter);

/* First frame of a deferred call. */
static notrace struct costack_ctx *enter_defer(void *arg)
{
	struct costack *co = arg;
	costack_defer_fn_t fn = co->req.fn;

	fn(co->req.arg);
	co->req.handler = NULL;
	return &co->host;
}
NOKPROBE_SYMBOL(enter_defer);

/* === The host's side === */

static __always_inline void start_at(struct costack *co, unsigned long sp,
				     struct costack_ctx *(*entry)(void *arg))
{
	co->base = ALIGN_DOWN(sp, 16);
	costack_shadow_clear(costack_slot_start(co->slot), co->base);
	costack_arch_prepare(&co->ctx, co->base, entry, co);
}

/**
 * costack_cut() - end a coroutine where it is
 * @co: switched out; all its frames are of movable text
 * @err: what the coroutine returns
 *
 * The frames stay as they are, as arguments of defers may point into them.
 *
 * Context: Host stack.
 */
void costack_cut(struct costack *co, int err)
{
	co->aborted = false;
	co->cut = true;
	/* It may have been cut off in costack_wait(). A cancel ends the waits of its defers. */
	co->masked = false;
	co->ret = err;
	co->req.handler = NULL;
	costack_waiters_forget(co);
	costack_waiters_drop(co);
	costack_thread_unplug(co);
}

/*
 * Where a defer starts after a cut: at the place where it was registered, below the
 * frame that registered it. But it must not start so close to the end of the stack that
 * start_at() would write beyond the end. And the place may not be on the stack at all, if
 * the function that registered the defer has returned and the stack has shrunk since. In
 * these cases the defer starts at the lowest place, which is below every frame that is
 * still of use, and the stack grows from there. Directly above either place there are only
 * frames of the API call that the coroutine was in.
 */
static unsigned long cut_sp(const struct costack *co, const struct costack_defer *defer)
{
	return max(defer->sp, costack_slot_lo(co->slot) + COSTACK_ARCH_START_BYTES);
}

/*
 * The function or a defer has ended, or overflow has cut it off. Set up the next
 * defer, last in first out. After an ordinary end the stack is empty and the defers
 * start at its top. After a cut each starts below the frame of the function that
 * registered it, where that function called costack_defer(). Deeper frames are gone
 * then, and so are the roots that they registered, which is not their fault.
 */
static bool next_defer(struct costack *co)
{
	struct costack_defer defer;
	unsigned long sp;

	if (unlikely(co->aborted))
		costack_cut(co, -EOVERFLOW);
	if (unlikely(co->roots.tracked && !co->cut))
		costack_roots_drop(&co->roots, 0, true);
	if (likely(!costack_roots_pop(&co->roots, &defer)))
		return false;
	sp = co->cut ? cut_sp(co, &defer) : co->slot->hi;
	if (unlikely(co->roots.tracked))
		costack_roots_drop(&co->roots, co->slot->hi - sp, false);
	/* Drop the ranges of the frames that are gone: their memory is reused now. */
	while (unlikely(co->opaque && (unsigned long)co->opaque < sp))
		co->opaque = co->opaque->next;
	co->req.fn = defer.fn;
	co->req.arg = defer.arg;
	start_at(co, sp, enter_defer);
	return true;
}

/* With the knob force_move: move @co, then handle its request. */
static enum costack_next do_forced(struct costack *co)
{
	enum costack_next next;

	costack_left_arrive(co);
	costack_grow_force(co);
	if (co->slot->use == COSTACK_QUIET)
		co->slot->use = COSTACK_CLEAN;
	next = co->req.handler(co);
	if (next == COSTACK_CONTINUE)
		costack_left_depart(co);
	return next;
}

/* It was cut off while it was switched out, and has no defers. */
static struct costack *ended(struct costack *co)
{
	if (co->nr_events)
		costack_trace_events(co);
	return co;
}

/**
 * costack_resume() - switch in, and handle requests (Go's execute)
 * @co: RUNNABLE
 * @reserve: what the coroutine may grow into meanwhile; full
 *
 * A coroutine may hand its thread over to another one, so the coroutine that comes back
 * need not be @co.
 *
 * Context: Process context, the stack that becomes the host stack; may sleep.
 * Return: the coroutine that has ended, after its defers have run; or %NULL: the
 * coroutine that ran last has left the thread, and the caller owns no coroutine any more.
 */
notrace struct costack *costack_resume(struct costack *co, struct costack_reserve *reserve)
{
	enum costack_next next;

	co->task = current;
	co->reserve = reserve;
	costack_thread_enter(co);
	if (IS_ENABLED(CONFIG_LOCKDEP))
		co->locks_held = costack_locks_held();
	costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	if (unlikely(!co->started)) {
		co->started = true;
		if (unlikely(READ_ONCE(costack_knobs.force_move)))
			costack_left_start(co);
		start_at(co, co->slot->hi, enter);
	}
	/* It was cut off while it was switched out. Its defers may park. */
	if (unlikely(co->cut && !co->req.handler) && !next_defer(co))
		return ended(co);

	for (;;) {
		co = container_of(costack_arch_switch(&co->host, &co->ctx), struct costack, ctx);
		if (unlikely(co->nr_events))
			costack_trace_events(co);
		if (!co->req.handler) {
			if (!next_defer(co))
				return co;
			continue;
		}
		next = unlikely(READ_ONCE(costack_knobs.force_move)) ? do_forced(co) :
								       co->req.handler(co);
		if (next == COSTACK_LEAVE)
			return NULL;
		if (unlikely(co->flags & COSTACK_ABORTABLE) && costack_grow_over(co)) {
			costack_cut(co, -EOVERFLOW);
			if (!next_defer(co))
				return ended(co);
		}
	}
}
NOKPROBE_SYMBOL(costack_resume);

/* Which of kthread_stop() and kthread_park() have been called for this thread. */
static u8 asked(void)
{
	return kthread_should_stop() | kthread_should_park() << 1;
}

/*
 * Has kthread_stop() or kthread_park() come that a called coroutine may not know of? It is
 * told of each once, by an unpark, which makes it check its condition again: the check
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
 */
static noinline void wait_runnable(struct costack *co)
{
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
	co->req.ret = 0;
}

/*
 * Called coroutines are readers from their first park to their end: see livepatch.c. Not for
 * lockdep, which would take a thread that is frozen meanwhile for one that holds a lock.
 */
DEFINE_STATIC_SRCU(called);

static noinline void run_parked(struct costack *co, struct costack_reserve *reserve)
{
	int idx = srcu_read_lock_notrace(&called);

	do {
		wait_runnable(co);
	} while (!costack_resume(co, reserve));
	srcu_read_unlock_notrace(&called, idx);
}
NOKPROBE_SYMBOL(run_parked);

static void run_loop(struct costack *co, struct costack_reserve *reserve)
{
	if (unlikely(!costack_resume(co, reserve)))
		run_parked(co, reserve);
}

/**
 * costack_called_mark() - mark the called coroutines that have parked
 *
 * Context: Process context.
 * Return: a mark for costack_called_ended().
 */
unsigned long costack_called_mark(void)
{
	return start_poll_synchronize_srcu(&called);
}

/**
 * costack_called_ended() - have all called coroutines that had parked ended
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

/**
 * costack_run() - run a coroutine to its end in this thread
 * @co: idle
 *
 * Without memory for a reserve, the coroutine does not start and ends with -ENOMEM.
 *
 * Context: Process context, the stack that becomes the host stack; may sleep.
 */
void costack_run(struct costack *co)
{
	bool copies = READ_ONCE(costack_knobs.policy) == COSTACK_POLICY_COPY;
	struct costack_reserve *reserve;

	reserve = costack_reserve_get(co->limit, copies, COSTACK_GFP);
	if (unlikely(!reserve)) {
		co->ret = -ENOMEM;
		costack_set_state(co, COSTACK_IDLE, COSTACK_DEAD);
		return;
	}
	costack_set_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	if (unlikely(co->flags & COSTACK_ABORTABLE))
		run_abortable(co, reserve);
	else
		run_loop(co, reserve);
	costack_thread_leave_stack(co);
	costack_set_state(co, COSTACK_RUNNING, COSTACK_DEAD);
	costack_reserve_put(reserve);
	WARN_ONCE((IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count()) || irqs_disabled(),
		  "costack: %ps ended with preempt count %x, interrupts %s\n",
		  co->fn, preempt_count(), irqs_disabled() ? "off" : "on");
}

static unsigned int to_pages(size_t bytes, unsigned int fallback)
{
	if (!bytes)
		return fallback;
	return roundup_pow_of_two(DIV_ROUND_UP(bytes, PAGE_SIZE));
}

/* === Life === */

/*
 * Coroutines that have ended, kept with their stacks for reuse (Go's gfput, gfget).
 * Only the CPU itself touches its list, with preemption off.
 */
struct idle_list {
	struct costack	*first;
	unsigned int	nr;
};

#define CPU_KEEP_IDLE	8U

static DEFINE_PER_CPU(struct idle_list, idle_list);

static struct costack *get_idle(unsigned int pages)
{
	struct idle_list *idle = get_cpu_ptr(&idle_list);
	struct costack *co = idle->first;

	if (likely(co && co->slot->pages == pages)) {
		idle->first = co->idle;
		idle->nr--;
	} else {
		co = NULL;
	}
	put_cpu_ptr(&idle_list);
	return co;
}

static bool put_idle(struct costack *co)
{
	struct idle_list *idle = get_cpu_ptr(&idle_list);
	bool keep = idle->nr < CPU_KEEP_IDLE;

	if (keep) {
		co->idle = idle->first;
		idle->first = co;
		idle->nr++;
	}
	put_cpu_ptr(&idle_list);
	return keep;
}

static noinline struct costack *make(unsigned int pages)
{
	unsigned int ended = costack_limbo_ended();
	struct costack *co;

	do
		co = kmem_cache_zalloc(cache, COSTACK_GFP);
	while (unlikely(!co) && costack_limbo_wait(COSTACK_GFP, &ended));
	if (!co)
		return NULL;
	co->slot = costack_stackalloc(costack_class(pages), COSTACK_GFP);
	if (!co->slot) {
		kmem_cache_free(cache, co);
		return NULL;
	}
	co->slot->co = co;
	INIT_LIST_HEAD(&co->all);
	costack_wait_init(co);
	return co;
}

static void unmake(struct costack *co)
{
	costack_stackfree(co->slot);
	kmem_cache_free(cache, co);
}

/**
 * costack_create() - make a coroutine with a stack
 * @attr: how to run it, or %NULL
 * @fn: what it runs
 * @arg: argument of @fn
 * @user: the caller, or the module whose item this is
 *
 * Context: Process context, any stack; may sleep.
 * Return: an idle coroutine, or ERR_PTR() of -EINVAL for sizes that do not fit
 * or unknown flags, -ENOMEM.
 */
struct costack *costack_create(const struct costack_attr *attr, costack_fn_t fn, void *arg,
			       struct costack_owner user)
{
	unsigned int limit = READ_ONCE(costack_knobs.stack_max);
	unsigned int first = READ_ONCE(costack_knobs.stack_min);
	unsigned int flags = 0;
	struct costack *co;

	if (unlikely(attr)) {
		if (attr->stack_limit > COSTACK_MAX_PAGES * PAGE_SIZE ||
		    attr->stack_first > COSTACK_MAX_PAGES * PAGE_SIZE ||
		    attr->flags & ~(COSTACK_ABORTABLE | COSTACK_PINNED))
			return ERR_PTR(-EINVAL);
		limit = to_pages(attr->stack_limit, limit);
		first = to_pages(attr->stack_first, min(first, limit));
		flags = attr->flags;
	}
	if (!fn || first > limit)
		return ERR_PTR(-EINVAL);

	co = get_idle(first);
	if (likely(co)) {
		costack_stack_clean(co->slot, user);
		costack_set_state(co, COSTACK_DEAD, COSTACK_IDLE);
	} else {
		co = make(first);
		if (!co)
			return ERR_PTR(-ENOMEM);
	}
	co->limit = limit;
	co->flags = flags;
	co->pins = !!(flags & COSTACK_PINNED);
	co->fn = fn;
	co->arg = arg;
	co->work = NULL;
	co->runner = NULL;
	co->cut = false;
	co->started = false;
	co->cancelled = false;
	co->told = 0;
	co->opaque = NULL;
	co->deepest = 0;
	co->growths = 0;
	co->refusals = 0;
	co->refusal = 0;
	co->shrink_gen = READ_ONCE(costack_knobs.shrink_gen);
	co->name[0] = 0;
	if (unlikely(attr && attr->name))
		strscpy(co->name, attr->name, sizeof(co->name));
	costack_stat_inc(COSTACK_STAT_LIVE);
	return co;
}

/**
 * costack_destroy() - give up a coroutine, and keep its memory for others
 * @co: dead
 *
 * A stack that has grown goes back to the pool, where the next growth finds it.
 *
 * Context: Process context, any stack but @co's; may sleep.
 */
void costack_destroy(struct costack *co)
{
	if (unlikely(co->roots.tracked || co->roots.defers))
		costack_roots_free(&co->roots);
	if (unlikely(co->waiter)) {
		pr_warn_once("%ps ended in the condition of a wait\n", co->fn);
		costack_waiters_drop(co);
	}
	if (unlikely(co->deepest))
		costack_stat_deepest(co->deepest);
	if (unlikely(co->left))
		costack_left_forget(co);
	costack_stat_add(COSTACK_STAT_LIVE, -1);
	if (likely(co->slot->pages == READ_ONCE(costack_knobs.stack_min))) {
		costack_stack_soil(co->slot, co->work ? costack_owner_module(co->work->owner) :
							costack_owner_thread());
		if (likely(put_idle(co)))
			return;
	}
	unmake(co);
}

/**
 * costack_init() - make the cache of coroutines
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_init(void)
{
	/* See called.c. */
	cache = KMEM_CACHE(costack, SLAB_TYPESAFE_BY_RCU);
	return cache ? 0 : -ENOMEM;
}

/**
 * costack_exit() - undo costack_init()
 *
 * Context: Process context; no coroutine lives.
 */
void costack_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct idle_list *idle = per_cpu_ptr(&idle_list, cpu);

		while (idle->first) {
			struct costack *co = idle->first;

			idle->first = co->idle;
			unmake(co);
		}
		idle->nr = 0;
	}
	kmem_cache_destroy(cache);
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
	int ret = costack_call_attr(call->attr, call->fn, call->arg);

	/* @outer checks its conditions after this: it need not be told. */
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
	struct costack *outer = __costack_current();
	struct costack *co;
	int ret;

	if (unlikely(!(current->flags & PF_KTHREAD) || in_interrupt() || irqs_disabled() ||
		     (IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count())))
		return refuse_call(_RET_IP_);
	might_sleep();
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
	ret = co->ret;
	costack_destroy(co);
	return ret;
}
EXPORT_SYMBOL_GPL(costack_call_attr);

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
	return costack_call_attr(NULL, fn, arg);
}
EXPORT_SYMBOL_GPL(costack_call);
