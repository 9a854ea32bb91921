// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that a running coroutine makes about itself and its stack.
 *
 * Each call is two functions: costack_x() runs on the coroutine stack and makes a
 * request; do_x() handles the request on the host stack, with the coroutine switched out.
 * A call that only reads, or changes one word, does its work on the coroutine stack.
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
 * Some functions here are notrace or NOKPROBE: between their entry and their return the
 * thread changes stacks, and they may not return at all. Tools that hook returns
 * (kretprobe, the function-graph tracer) keep one list for each thread and rely on returns
 * to come in the order of the list.
 */

/**
 * costack_current() - the coroutine that is running
 *
 * Context: Any context, any stack.
 * Return: the coroutine on whose stack the caller runs; %NULL on any other stack,
 * which includes interrupts and the inside of costack_on_host().
 */
struct costack *costack_current(void)
{
	return __costack_current();
}
EXPORT_SYMBOL_GPL(costack_current);

/**
 * costack_request() - have something done on the host stack (Go's mcall)
 * @co: the coroutine that makes the request
 * @handler: handles the request, while @co is switched out
 * @fn: for @handler
 * @arg: for @handler; may be an address of the coroutine's stack, as it is a root
 *	from here on
 *
 * Not inlined: a walk from a safe point begins with the frame of this function.
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
	costack_arch_switch(&co->ctx, &co->host->ctx);
	return co->req.ret;
}
NOKPROBE_SYMBOL(costack_request);

static enum costack_next do_on_host(struct costack *co)
{
	costack_fn_t fn = co->req.fn;
	struct costack_host *host = co->host;

	/* If the thread dies in @fn, the module stays: see lost.c. */
	__module_get(THIS_MODULE);
	WRITE_ONCE(host->on_host, co);
	co->req.ret = fn(co->req.arg);
	WRITE_ONCE(host->on_host, NULL);
	module_put(THIS_MODULE);
	return COSTACK_CONTINUE;
}

/**
 * costack_on_host() - run a function on the host stack (Go's systemstack)
 * @fn: what to run; for example deep code that is not movable
 * @arg: argument of @fn; may point into the coroutine stack, which does not move
 *	until @fn returns
 *
 * Context: Any stack; on a host stack this is a plain call. Process context.
 * Return: what @fn returned; or -EOVERFLOW if less than an eighth of the thread's own
 * stack was left, and @fn was not called. A caller on a coroutine stack never gets this.
 */
int costack_on_host(costack_fn_t fn, void *arg)
{
	struct costack *co = __costack_current();

	if (co)
		return costack_request(co, do_on_host, fn, arg);
	/* A host stack had COSTACK_HOST_ROOM left when its coroutine was called. */
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
 * @bytes: room to have below the caller's frame
 *
 * The stack grows without a fault: this may sleep, may fail, and takes nothing from the
 * reserve.
 *
 * Context: Coroutine stack, process context; may sleep.
 * Return:
 * * 0			- @bytes of mapped stack are left
 * * -EINVAL		- not on a coroutine stack
 * * -EOVERFLOW		- @bytes exceed the limit; nothing has changed
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
 * The stack may move between any two instructions here. The stack pointer belongs to
 * the slot only if the slot is the same before and after.
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
 * costack_stack_left() - bytes that the stack has left before it must grow
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
 * costack_stack_size() - current size of the stack
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
 * @arg: argument of @fn. It may point into the frame of the caller or of a function
 *	further up: after an abort these frames still exist. After an ordinary end
 *	they do not.
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

/* Waits count as pins, too, and there are few of them. */
#define MAX_PINS	(U16_MAX / 2)

/**
 * costack_pin() - forbid moving the stack, which then grows in place only
 *
 * Context: Coroutine stack. Nests.
 * Return: 0, -EINVAL if not on a coroutine stack, -EOVERFLOW if it has been pinned 32,767 times.
 */
int costack_pin(void)
{
	struct costack *co = __costack_current();

	if (!co)
		return -EINVAL;
	if (unlikely(co->pins >= MAX_PINS))
		return -EOVERFLOW;
	WRITE_ONCE(co->pins, co->pins + 1);
	return 0;
}
EXPORT_SYMBOL_GPL(costack_pin);

/**
 * costack_unpin() - undo one costack_pin()
 *
 * Context: Coroutine stack.
 * Return: 0, -EINVAL if not on a coroutine stack or not pinned. The pin of
 * %COSTACK_PINNED cannot be undone.
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

/* Behind costack_opaque(); costack.h has the kernel-doc. */
struct costack_opaque_range *__costack_opaque(struct costack_opaque_range *range)
{
	struct costack *co = __costack_current();

	range->co = co;
	if (co) {
		range->next = co->opaque;
		/* A growth may read the list between any two instructions: keep it whole. */
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

/* Called when the block that declared a range is left. */
void __costack_opaque_end(struct costack_opaque_range **range)
{
	if ((*range)->co)
		opaque_end(*range);
}
EXPORT_SYMBOL_GPL(__costack_opaque_end);

/**
 * costack_unopaque() - end a range of costack_opaque() before its block ends
 * @buf: first byte of the range, as in costack_opaque()
 *
 * From here on a move adjusts the words of the range that hold addresses of the stack.
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

/* Arguments of track and untrack; on the coroutine stack, so a move adjusts them. */
struct tracking {
	void		**loc;
	unsigned long	sp;	/* of the caller */
	unsigned long	who;
};

/* Bytes of the stack that the caller uses. Deeper frames are gone. */
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

/* Behind costack_track(); costack.h has the kernel-doc. */
int __costack_track(void **loc, unsigned long sp)
{
	struct costack *co = __costack_current();
	struct tracking tracking = { loc, sp, _RET_IP_ };

	return co ? costack_request(co, do_track, NULL, &tracking) : -EINVAL;
}
EXPORT_SYMBOL_GPL(__costack_track);
NOKPROBE_SYMBOL(__costack_track);

/* Behind costack_untrack(); costack.h has the kernel-doc. */
int __costack_untrack(void **loc, unsigned long sp)
{
	struct costack *co = __costack_current();
	struct tracking tracking = { loc, sp, _RET_IP_ };

	return co ? costack_request(co, do_untrack, NULL, &tracking) : -EINVAL;
}
EXPORT_SYMBOL_GPL(__costack_untrack);
NOKPROBE_SYMBOL(__costack_untrack);
