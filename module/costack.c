// SPDX-License-Identifier: GPL-2.0
/*
 * A coroutine: its life, and the thread that runs it.
 *
 * A thread that runs a coroutine is in the host loop, costack_resume(), on its ordinary
 * stack: the host stack. The coroutine switches back to that loop with a request; the
 * loop handles the request and switches in again (Go's mcall and systemstack). So an API
 * call does its work on the host stack, while the coroutine is switched out: the call may
 * sleep, it may move the coroutine, and growth never finds it half done.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "arena.h"
#include "coroutine.h"
#include "costack.h"
#include "grow.h"
#include "left.h"
#include "limbo.h"
#include "move.h"
#include "once.h"
#include "pool.h"
#include "stats.h"
#include "thread.h"
#include "wait.h"
#include "waiter.h"

static struct kmem_cache *cache;

/* === The coroutine's side === */

/**
 * costack_enter() - the first frame of every coroutine
 * @arg: the coroutine
 *
 * Context: Coroutine stack.
 * Return: the host loop's context. The stack is left then.
 */
notrace struct costack_ctx *costack_enter(void *arg)
{
	struct costack *co = arg;

	co->ret = co->fn(co->req.arg);
	co->req.handler = NULL;
	return &co->host->ctx;
}
NOKPROBE_SYMBOL(costack_enter);

/* First frame of a deferred call. */
static notrace struct costack_ctx *enter_defer(void *arg)
{
	struct costack *co = arg;
	costack_defer_fn_t fn = co->req.fn;

	fn(co->req.arg);
	co->req.handler = NULL;
	return &co->host->ctx;
}
NOKPROBE_SYMBOL(enter_defer);

/* === The host's side === */

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
 * costack_start_at() would write beyond the end. And the place may not be on the stack at all, if
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
 * then, and so are the roots that they registered; such roots are not reported.
 */
static noinline bool set_up_defer(struct costack *co)
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
	costack_start_at(co, sp, enter_defer);
	return true;
}

static __always_inline bool next_defer(struct costack *co)
{
	if (likely(!co->aborted && !co->roots.tracked && !co->roots.defers))
		return false;
	return set_up_defer(co);
}

/* With the knob force_move: move @co, then handle its request. */
static enum costack_next do_forced(struct costack *co)
{
	enum costack_next next;

	costack_left_arrive(co);
	costack_move_force(co);
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
	if (co->noted)
		costack_grow_settle(co);
	return co;
}

/* Returns the coroutine that comes back: @co may have handed its thread over. */
static __always_inline struct costack *switch_in(struct costack *co)
{
	return container_of(costack_arch_switch(&co->host->ctx, &co->ctx), struct costack, ctx);
}

/* The host loop: @co has just been switched out. Returns what costack_resume() does. */
static __always_inline struct costack *serve(struct costack *co)
{
	enum costack_next next;

	for (;;) {
		if (unlikely(co->noted))
			costack_grow_settle(co);
		if (!co->req.handler) {
			if (!next_defer(co))
				return co;
			co = switch_in(co);
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
		co = switch_in(co);
	}
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
	co->task = current;
	co->host = &reserve->host;
	costack_thread_enter(co);
	costack_locks_note(co);
	costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	if (unlikely(!co->started)) {
		co->started = true;
		if (unlikely(READ_ONCE(costack_knobs.force_move)))
			costack_left_start(co);
		costack_start_at(co, co->slot->hi, costack_enter);
	}
	/* It was cut off while it was switched out. Its defers may park. */
	if (unlikely(co->cut && !co->req.handler) && !next_defer(co))
		return ended(co);
	return serve(switch_in(co));
}
NOKPROBE_SYMBOL(costack_resume);

/**
 * costack_serve() - handle the request of a coroutine, and those that follow
 * @co: RUNNING, and has just been switched out to this thread
 *
 * Context: Process context, host stack of @co; may sleep.
 * Return: as costack_resume().
 */
notrace struct costack *costack_serve(struct costack *co)
{
	return serve(co);
}
NOKPROBE_SYMBOL(costack_serve);

static unsigned int to_pages(size_t bytes, unsigned int fallback)
{
	if (!bytes)
		return fallback;
	return roundup_pow_of_two(DIV_ROUND_UP(bytes, PAGE_SIZE));
}

/* === Life === */

/*
 * How many coroutines are freed together when a CPU has more than it keeps. Coroutines that end
 * together are mostly neighbours in memory, which the allocator frees quickly.
 */
#define BATCH	16U

/**
 * struct idle_list - coroutines that have ended, kept with their stacks for reuse (Go's
 *	gfput, gfget)
 * @last: the one that ended last, or %NULL; taken and put by one exchange, which no interrupt
 *	and no migration can divide
 * @first: list of the others; only the CPU itself touches it, with preemption off
 * @nr: how many are on the list
 * @nr_bare: how many are in @bare
 * @bare: others that have no stack any more, to be freed together; like @first
 */
struct idle_list {
	struct costack	*last;
	struct costack	*first;
	unsigned int	nr;
	unsigned int	nr_bare;
	void		*bare[BATCH];
};

/* How many coroutines a CPU keeps on its list. */
#define CPU_KEEP_IDLE	15U

static DEFINE_PER_CPU(struct idle_list, idle_list);

static noinline struct costack *pop_idle(unsigned int pages)
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

static noinline struct costack *make(unsigned int pages, unsigned int flags)
{
	gfp_t gfp = COSTACK_GFP | (flags & COSTACK_ACCOUNT ? __GFP_ACCOUNT : 0);
	unsigned int ended = costack_limbo_ended();
	struct costack *co;

	do
		co = kmem_cache_zalloc(cache, gfp);
	while (unlikely(!co) && costack_limbo_wait(gfp, &ended));
	if (!co)
		return NULL;
	co->class = costack_class(pages);
	return co;
}

static void free_stack(struct costack *co)
{
	struct costack_slot *slot = co->slot;
	struct costack_owner owner;

	if (slot) {
		owner = (struct costack_owner) { slot->owner, slot->owner_start };
		costack_stackfree_of(slot, owner);
	}
}

static noinline void unmake(struct costack *co)
{
	free_stack(co);
	kmem_cache_free(cache, co);
}

static noinline void free_bare(struct idle_list *idle)
{
	void *bare[BATCH];

	memcpy(bare, idle->bare, sizeof(bare));
	idle->nr_bare = 0;
	put_cpu_ptr(&idle_list);
	kmem_cache_free_bulk(cache, BATCH, bare);
}

/*
 * If the list is full, give up the stack of @co, which the next coroutine that needs one on this
 * CPU finds in the pool: when many packed ones are woken and end, each gets that of the one before.
 */
static noinline void push_idle(struct costack *co)
{
	struct idle_list *idle = get_cpu_ptr(&idle_list);
	struct costack_slot *slot = co->slot;

	if (idle->nr < CPU_KEEP_IDLE) {
		co->idle = idle->first;
		idle->first = co;
		idle->nr++;
		put_cpu_ptr(&idle_list);
		return;
	}
	/* Before it can be freed: those who look at stacks find coroutines by this, under RCU. */
	WRITE_ONCE(slot->co, NULL);
	idle->bare[idle->nr_bare++] = co;
	if (unlikely(idle->nr_bare == BATCH))
		free_bare(idle);
	else
		put_cpu_ptr(&idle_list);
	costack_stackfree_of(slot, (struct costack_owner) { slot->owner, slot->owner_start });
}

static __always_inline struct costack *get_idle(unsigned int pages)
{
	struct costack *co = this_cpu_xchg(idle_list.last, NULL);

	if (likely(co && co->slot->pages == pages))
		return co;
	if (co)
		push_idle(co);
	return pop_idle(pages);
}

/* Free what is charged to a memory cgroup: the next user may belong to another cgroup. */
static __always_inline void put_idle(struct costack *co)
{
	if (unlikely(!co->slot || co->slot->pages != READ_ONCE(costack_knobs.stack_min) ||
		     co->flags & COSTACK_ACCOUNT || costack_stack_is_remote(co->slot))) {
		unmake(co);
		return;
	}
	co = this_cpu_xchg(idle_list.last, co);
	if (unlikely(co))
		push_idle(co);
}

/**
 * costack_create() - make a coroutine
 * @attr: how to run it, or %NULL
 * @fn: what it runs
 * @arg: argument of @fn
 * @user: the caller, or the module whose item this is
 *
 * It has a stack if one of this CPU's is at hand; otherwise costack_unpack() gives it one.
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
		    attr->flags & ~(COSTACK_ABORTABLE | COSTACK_PINNED | COSTACK_PACK |
				    COSTACK_ACCOUNT))
			return ERR_PTR(-EINVAL);
		limit = to_pages(attr->stack_limit, limit);
		first = to_pages(attr->stack_first, min(first, limit));
		flags = attr->flags;
	}
	if (!fn || first > limit)
		return ERR_PTR(-EINVAL);

	co = unlikely(flags & COSTACK_ACCOUNT) ? NULL : get_idle(first);
	if (likely(co)) {
		costack_stack_clean(co->slot, user);
		costack_set_own_state(co, COSTACK_DEAD, COSTACK_IDLE);
	} else {
		co = make(first, flags);
		if (!co)
			return ERR_PTR(-ENOMEM);
	}
	co->limit = limit;
	co->pins = !!(flags & COSTACK_PINNED);
	co->req.arg = arg;
	co->started = false;
	co->probe = 0;
	co->opaque = NULL;
	co->refusals = 0;
	co->shrink_gen = READ_ONCE(costack_knobs.shrink_gen);
	/* costack_called_each() may still look at it as the call that it was before. */
	WRITE_ONCE(co->flags, flags);
	WRITE_ONCE(co->fn, fn);
	WRITE_ONCE(co->work, NULL);
	WRITE_ONCE(co->marks, 0);
	WRITE_ONCE(co->heed, flags & COSTACK_HEED_LIMIT);
	WRITE_ONCE(co->deepest, 0);
	WRITE_ONCE(co->growths, 0);
	WRITE_ONCE(co->name, unlikely(attr && attr->name) ? attr->name : "");
	costack_stat_inc(COSTACK_STAT_LIVE);
	return co;
}

/* Coroutines that have ended with mutexes locked, linked by @idle. */
static struct costack *holders;

static noinline void report_holder(const struct costack *co)
{
	static struct costack_once once;

	if (costack_once(&once, (unsigned long)co->fn))
		pr_warn("%ps has ended with %u mutexes locked: they stay locked\n", co->fn,
			co->held);
}

/*
 * Never reuse the memory of a coroutine that holds mutexes: they refer to it for good, and others
 * that wait for them look at its state.
 */
static noinline void keep_holder(struct costack *co)
{
	struct costack *next = READ_ONCE(holders);

	free_stack(co);
	co->slot = NULL;
	co->name = "";
	do
		co->idle = next;
	while (!try_cmpxchg(&holders, &next, co));
}

/* A stack that has grown goes back to the pool, where the next growth finds it. */
static __always_inline void finish(struct costack *co)
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
	if (likely(co->slot))
		costack_stack_soil(co->slot, costack_owner_of(co));
	if (unlikely(co->held))
		report_holder(co);
}

/**
 * costack_finish() - give up what is left of the last run of a coroutine
 * @co: has ended
 *
 * Context: Process context, any stack but @co's; may sleep. costack_discard() must follow.
 */
void costack_finish(struct costack *co)
{
	finish(co);
}

/**
 * costack_discard() - keep the memory of a coroutine for others
 * @co: dead, and nothing is left of its last run
 *
 * Context: Process context, any stack but @co's; may sleep.
 */
void costack_discard(struct costack *co)
{
	if (unlikely(co->held))
		keep_holder(co);
	else
		put_idle(co);
}

/**
 * costack_destroy() - give up a coroutine, and keep its memory for others
 * @co: dead
 *
 * Context: Process context, any stack but @co's; may sleep.
 */
void costack_destroy(struct costack *co)
{
	finish(co);
	costack_discard(co);
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

		if (idle->last)
			unmake(idle->last);
		idle->last = NULL;
		while (idle->first) {
			struct costack *co = idle->first;

			idle->first = co->idle;
			unmake(co);
		}
		idle->nr = 0;
		if (idle->nr_bare)
			kmem_cache_free_bulk(cache, idle->nr_bare, idle->bare);
		idle->nr_bare = 0;
	}
	while (holders) {
		struct costack *co = holders;

		holders = co->idle;
		unmake(co);
	}
	kmem_cache_destroy(cache);
}
