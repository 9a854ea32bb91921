// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that a running coroutine makes about itself and its stack.
 *
 * Each is two functions: costack_x() runs on the coroutine stack and asks, do_x()
 * runs on the host stack and does it, with the coroutine switched out. Only what
 * looks and changes nothing, or one word, is done on the coroutine stack itself.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/types.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "grow.h"
#include "roots.h"

/*
 * Functions that are notrace and NOKPROBE: between their entry and their return the
 * thread changes stacks, and they may not return at all. Who hooks returns (kretprobe,
 * the function-graph tracer) has one list for each thread, and counts on returns to
 * come in the order of the list.
 */

/**
 * costack_current() - the coroutine that is running
 *
 * Context: Any context, any stack.
 * Return: the coroutine on whose stack the caller stands; %NULL on any other
 * stack, that is also inside costack_on_host() and in interrupts.
 */
struct costack *costack_current(void)
{
	return __costack_current();
}
EXPORT_SYMBOL_GPL(costack_current);

/**
 * costack_request() - have something done on the host stack (Go's mcall)
 * @co: the coroutine that asks
 * @handler: does it, while @co is switched out
 * @fn: for @handler
 * @arg: for @handler; may be an address of the coroutine's stack: it is a root
 *	from here on
 *
 * Not inlined: its frame is the one that a walk from a safe point begins with.
 *
 * Context: Coroutine stack of @co.
 * Return: what @handler left in @co->req.ret.
 */
noinline notrace long costack_request(struct costack *co,
				      enum costack_next (*handler)(struct costack *co),
				      void *fn, void *arg)
{
	co->req.fn = fn;
	WRITE_ONCE(co->req.arg, arg);
	co->req.handler = handler;
	costack_arch_switch(&co->ctx, &co->host);
	return co->req.ret;
}
NOKPROBE_SYMBOL(costack_request);

static enum costack_next do_on_host(struct costack *co)
{
	costack_fn_t fn = co->req.fn;

	/* Should the thread die in it, nobody can tell whose it was: see lost.c. */
	__module_get(THIS_MODULE);
	co->req.ret = fn(co->req.arg);
	module_put(THIS_MODULE);
	return COSTACK_CONTINUE;
}

/**
 * costack_on_host() - run a function on the host stack (Go's systemstack)
 * @fn: what to run; deep code that is not movable, for example
 * @arg: its argument; may point into the coroutine stack, which stays where it
 *	is until @fn returns
 *
 * Context: Any stack; on a host stack it is a plain call. Process context.
 * Return: what @fn returned; -EOVERFLOW if less than an eighth of the thread's own
 * stack is left, and @fn was not called. That cannot be on a coroutine stack.
 */
int costack_on_host(costack_fn_t fn, void *arg)
{
	struct costack *co = __costack_current();

	if (co)
		return costack_request(co, do_on_host, fn, arg);
	/* A coroutine's host stack had COSTACK_HOST_ROOM when that was called. */
	return likely(costack_host_left() >= COSTACK_HOST_ROOM / 2) ? fn(arg) : -EOVERFLOW;
}
EXPORT_SYMBOL_GPL(costack_on_host);
NOKPROBE_SYMBOL(costack_on_host);

static enum costack_next do_ensure(struct costack *co)
{
	co->req.ret = costack_grow_ensure(co, (size_t)co->req.fn);
	return COSTACK_CONTINUE;
}

/**
 * costack_ensure() - make room on the stack now, at a safe point
 * @bytes: to have below the caller's frame
 *
 * Growth without a fault: may sleep, may fail, takes nothing from the reserve.
 *
 * Context: Coroutine stack, process context; may sleep.
 * Return:
 * * 0			- there are @bytes of mapped stack
 * * -EINVAL		- not on a coroutine stack
 * * -EOVERFLOW		- @bytes are beyond the limit; nothing has changed
 * * -ENOMEM		- no memory; nothing has changed
 */
int costack_ensure(size_t bytes)
{
	struct costack *co = __costack_current();

	if (!co)
		return -EINVAL;
	if (bytes <= costack_stack_left())
		return 0;
	return costack_request(co, do_ensure, (void *)bytes, NULL);
}
EXPORT_SYMBOL_GPL(costack_ensure);
NOKPROBE_SYMBOL(costack_ensure);

typedef unsigned long (*measure_fn)(const struct costack_slot *slot, unsigned long sp);

/*
 * The stack may move between any two instructions here: the stack pointer and
 * the slot belong together only if the slot is the same before and after.
 */
static __always_inline unsigned long measure(measure_fn size)
{
	struct costack *co = __costack_current();
	struct costack_slot *slot;
	unsigned long bytes;

	if (!co)
		return 0;
	do {
		slot = READ_ONCE(co->slot);
		bytes = size(slot, current_stack_pointer);
	} while (slot != READ_ONCE(co->slot));
	return bytes;
}

static unsigned long size_left(const struct costack_slot *slot, unsigned long sp)
{
	return sp - costack_slot_lo(slot);
}

static unsigned long size_used(const struct costack_slot *slot, unsigned long sp)
{
	return slot->hi - sp;
}

static unsigned long size_all(const struct costack_slot *slot, unsigned long sp)
{
	return slot->hi - costack_slot_lo(slot);
}

/**
 * costack_stack_left() - bytes that can be used before the stack has to grow
 *
 * Context: Any stack.
 * Return: bytes below the caller; 0 if not on a coroutine stack.
 */
size_t costack_stack_left(void)
{
	return measure(size_left);
}
EXPORT_SYMBOL_GPL(costack_stack_left);

/**
 * costack_stack_used() - bytes in use
 *
 * Context: Any stack.
 * Return: bytes from the top to the caller; 0 if not on a coroutine stack.
 */
size_t costack_stack_used(void)
{
	return measure(size_used);
}
EXPORT_SYMBOL_GPL(costack_stack_used);

/**
 * costack_stack_size() - size of the stack as it is now
 *
 * Context: Any stack.
 * Return: mapped bytes; 0 if not on a coroutine stack.
 */
size_t costack_stack_size(void)
{
	return measure(size_all);
}
EXPORT_SYMBOL_GPL(costack_stack_size);

static enum costack_next do_defer(struct costack *co)
{
	co->req.ret = costack_roots_defer(&co->roots, co->req.fn, co->req.arg, co->ctx.sp);
	return COSTACK_CONTINUE;
}

/**
 * costack_defer() - register a call for the coroutine's end or its abort
 * @fn: what to call; it runs on the coroutine stack, last in first out
 * @arg: its argument. It may point into the caller's frame, or one further up:
 *	after an abort those are still there. After an ordinary end they are not.
 *
 * Context: Coroutine stack, process context; may sleep.
 * Return: 0, -EINVAL if not on a coroutine stack or @fn is %NULL, -ENOMEM.
 */
int costack_defer(costack_defer_fn_t fn, void *arg)
{
	struct costack *co = __costack_current();

	if (!co)
		return -EINVAL;
	return costack_request(co, do_defer, fn, arg);
}
EXPORT_SYMBOL_GPL(costack_defer);
NOKPROBE_SYMBOL(costack_defer);

/**
 * costack_pin() - forbid moving the stack; it still grows, in place
 *
 * Context: Coroutine stack. Nests.
 * Return: 0, -EINVAL if not on a coroutine stack.
 */
int costack_pin(void)
{
	struct costack *co = __costack_current();

	if (!co)
		return -EINVAL;
	WRITE_ONCE(co->pins, co->pins + 1);
	return 0;
}
EXPORT_SYMBOL_GPL(costack_pin);

/**
 * costack_unpin() - take one costack_pin() back
 *
 * Context: Coroutine stack.
 * Return: 0, -EINVAL if not on a coroutine stack or not pinned. The pin of
 * %COSTACK_PINNED cannot be taken back.
 */
int costack_unpin(void)
{
	struct costack *co = __costack_current();

	if (!co || co->pins <= !!(co->flags & COSTACK_PINNED))
		return -EINVAL;
	WRITE_ONCE(co->pins, co->pins - 1);
	return 0;
}
EXPORT_SYMBOL_GPL(costack_unpin);

/* costack_opaque() of costack.h; its kernel-doc is there. */
struct costack_opaque_range *__costack_opaque(struct costack_opaque_range *range)
{
	struct costack *co = __costack_current();

	range->co = co;
	if (co) {
		range->next = co->opaque;
		/* A growth may read the list between any two instructions: it is whole then. */
		smp_store_release(&co->opaque, range);
	}
	return range;
}
EXPORT_SYMBOL_GPL(__costack_opaque);

static void opaque_end(struct costack_opaque_range *range)
{
	struct costack *co = range->co;
	struct costack_opaque_range **link = &co->opaque;

	while (*link && *link != range)
		link = &(*link)->next;
	if (*link)
		WRITE_ONCE(*link, range->next);
	range->co = NULL;
}

/* The block that a range was declared in is left. */
void __costack_opaque_end(struct costack_opaque_range **range)
{
	if ((*range)->co)
		opaque_end(*range);
}
EXPORT_SYMBOL_GPL(__costack_opaque_end);

/**
 * costack_unopaque() - end what costack_opaque() has declared, before its block ends
 * @buf: the same first byte
 *
 * From here on words of it that hold addresses of the stack are adjusted.
 *
 * Context: Coroutine stack.
 * Return: 0, -EINVAL if not on a coroutine stack or @buf was not declared.
 */
int costack_unopaque(const void *buf)
{
	struct costack *co = __costack_current();
	struct costack_opaque_range *range;

	for (range = co ? co->opaque : NULL; range; range = range->next) {
		if (range->buf == buf) {
			opaque_end(range);
			return 0;
		}
	}
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(costack_unopaque);

/* The arguments of both; on the coroutine stack, so a move adjusts them. */
struct tracking {
	void		**loc;
	unsigned long	sp;	/* of the caller */
	unsigned long	who;
};

/* Bytes of the stack that the caller has in use. Frames that are deeper are gone. */
static size_t caller_depth(struct costack *co, const struct tracking *tracking)
{
	return co->slot->hi - tracking->sp;
}

static enum costack_next do_track(struct costack *co)
{
	const struct tracking *tracking = co->req.arg;

	co->req.ret = costack_roots_track(&co->roots, tracking->loc, caller_depth(co, tracking),
					  tracking->who);
	return COSTACK_CONTINUE;
}

static enum costack_next do_untrack(struct costack *co)
{
	const struct tracking *tracking = co->req.arg;

	costack_roots_drop(&co->roots, caller_depth(co, tracking), true);
	co->req.ret = costack_roots_untrack(&co->roots, tracking->loc);
	return COSTACK_CONTINUE;
}

/* costack_track() of costack.h; its kernel-doc is there. */
int __costack_track(void **loc, unsigned long sp)
{
	struct costack *co = __costack_current();
	struct tracking tracking = { loc, sp, _RET_IP_ };

	return co ? costack_request(co, do_track, NULL, &tracking) : -EINVAL;
}
EXPORT_SYMBOL_GPL(__costack_track);
NOKPROBE_SYMBOL(__costack_track);

/* costack_untrack() of costack.h; its kernel-doc is there. */
int __costack_untrack(void **loc, unsigned long sp)
{
	struct costack *co = __costack_current();
	struct tracking tracking = { loc, sp, _RET_IP_ };

	return co ? costack_request(co, do_untrack, NULL, &tracking) : -EINVAL;
}
EXPORT_SYMBOL_GPL(__costack_untrack);
NOKPROBE_SYMBOL(__costack_untrack);
