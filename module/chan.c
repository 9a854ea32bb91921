// SPDX-License-Identifier: GPL-2.0
/*
 * Channels (Go's chan.go) pass values from one coroutine to another.
 *
 * A channel with room for nr values buffers them; with room for 0 it is a rendezvous. A
 * coroutine that has to wait puts its sudog, which is in struct costack, on the channel's
 * queue. The value that it sends, or the place that it receives to, may lie on its stack:
 * the other side copies straight from or to that place, under the channel's lock, and a
 * mover of the stack takes that lock too (costack_roots_copy()).
 *
 * The whole operation runs on the coroutine's own stack, with the lock held and interrupts
 * off. The stack may overflow there, as anywhere. Growth takes no lock, so it cannot wait
 * for this one. Nor does growth disturb the others that use the channel: before the sudog
 * is queued, they know nothing of this stack; and once it is, the stack grows in place,
 * because another coroutine may be about to read or write the value (costack_fault()).
 *
 * The lock is not held across the switch: if the other side comes before the coroutine is
 * WAITING, it leaves a wake-up.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "arena.h"
#include "calls.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "waiter.h"

/**
 * struct costack_chan - a channel (Go's hchan)
 * @lock: covers the whole channel, and the sudogs on its queues
 * @senders: sudogs that wait to send; empty unless the buffer is full
 * @receivers: sudogs that wait to receive; empty unless the buffer is empty
 * @ending: sudogs that waited when the channel was closed, and are about to be released
 * @elem_size: bytes of a value
 * @nr: values the buffer has room for
 * @count: values in it
 * @first: index of the oldest
 * @closed: no more values can be sent
 * @rcu: a mover may still look at @lock when the channel is freed
 * @buf: the values
 */
struct costack_chan {
	raw_spinlock_t		lock;
	struct list_head	senders;
	struct list_head	receivers;
	struct list_head	ending;
	size_t			elem_size;
	unsigned int		nr;
	unsigned int		count;
	unsigned int		first;
	bool			closed;
	struct rcu_head		rcu;
	u8			buf[];
};

static void *buf_at(struct costack_chan *chan, unsigned int i)
{
	return chan->buf + (chan->first + i) % chan->nr * chan->elem_size;
}

static __always_inline void copy_elem(struct costack_chan *chan, void *dst, const void *src)
{
	if (unlikely(!dst))
		return;
	if (chan->elem_size == sizeof(long))
		memcpy(dst, src, sizeof(long));
	else
		memcpy(dst, src, chan->elem_size);
}

static __always_inline struct costack *waiter_of(struct costack_sudog *sudog)
{
	return container_of(sudog, struct costack, roots.sudog);
}

/* Take the sudog that has waited longest off @queue, which has one; its wait returns @ret. */
static __always_inline struct costack_sudog *dequeue(struct list_head *queue, int ret)
{
	struct costack_sudog *sudog = list_first_entry(queue, struct costack_sudog, queue);

	costack_sudog_remove(sudog);
	waiter_of(sudog)->chan_ret = ret;
	return sudog;
}

/*
 * Release a sudog that was dequeued. The wake-up comes first: once the coroutine sees
 * that the sudog's lock is clear, it may continue and end. @by is the coroutine that does
 * this, or %NULL.
 */
static __always_inline void release(struct costack_sudog *sudog, struct costack *by)
{
	if (by)
		costack_unpark_from(waiter_of(sudog), by);
	else
		costack_unpark(waiter_of(sudog));
	/* Pairs with the acquire in is_queued(), which then sees the value and ret. */
	smp_store_release(&sudog->lock, NULL);
}

/*
 * Try without waiting. Returns 0, -EPIPE if the channel is closed, or -EAGAIN if the
 * caller would have to wait.
 */
static __always_inline int try_send(struct costack_chan *chan, const void *elem, struct costack *by)
{
	struct costack_sudog *receiver;

	lockdep_assert_held(&chan->lock);
	if (chan->closed)
		return -EPIPE;
	if (!list_empty(&chan->receivers)) {
		receiver = dequeue(&chan->receivers, 0);
		copy_elem(chan, receiver->elem, elem);
		release(receiver, by);
		return 0;
	}
	if (chan->count == chan->nr)
		return -EAGAIN;
	copy_elem(chan, buf_at(chan, chan->count++), elem);
	return 0;
}

static __always_inline int try_recv(struct costack_chan *chan, void *elem, struct costack *by)
{
	struct costack_sudog *sender;

	lockdep_assert_held(&chan->lock);
	if (chan->count) {
		copy_elem(chan, elem, buf_at(chan, 0));
		chan->first = (chan->first + 1) % chan->nr;
		chan->count--;
		/* A place is free now: append the value of the first sender. */
		if (!list_empty(&chan->senders)) {
			sender = dequeue(&chan->senders, 0);
			copy_elem(chan, buf_at(chan, chan->count++), sender->elem);
			release(sender, by);
		}
		return 0;
	}
	if (!list_empty(&chan->senders)) {
		sender = dequeue(&chan->senders, 0);
		copy_elem(chan, elem, sender->elem);
		release(sender, by);
		return 0;
	}
	return chan->closed ? -EPIPE : -EAGAIN;
}

static bool is_queued(struct costack_sudog *sudog)
{
	/* Pairs with the release in release(). */
	return smp_load_acquire(&sudog->lock);
}

/*
 * The coroutine was resumed before its sudog was released: by the other side, which is about
 * to release the sudog, by a cancel, or by a stray unpark. After a pass through the channel's
 * lock the cases can be told apart.
 *
 * A cancel sets its flag before its unpark. If the thread has consumed that unpark already,
 * without having seen the flag, nobody else will wake the coroutine: so look at the flag.
 */
static enum costack_next do_wait_on(struct costack *co)
{
	costack_waiter_settle(co, costack_is_cancelled(co));
	return is_queued(&co->roots.sudog) ? costack_park_commit(co) : COSTACK_CONTINUE;
}

/*
 * Send or receive, or queue the sudog of @co, which is about to park: then the result is
 * -EAGAIN. Interrupts are on, as a coroutine may only wait where they are.
 */
static __always_inline int attempt(struct costack_chan *chan, void *elem, struct costack *co,
				   bool send)
{
	struct costack_sudog *sudog = &co->roots.sudog;
	int ret;

	raw_spin_lock_irq(&chan->lock);
	ret = send ? try_send(chan, elem, co) : try_recv(chan, elem, co);
	if (ret == -EAGAIN) {
		sudog->elem = elem;
		/* From here on no fault moves the stack. */
		WRITE_ONCE(sudog->lock, &chan->lock);
		costack_sudog_append(sudog, send ? &chan->senders : &chan->receivers);
	}
	raw_spin_unlock_irq(&chan->lock);
	return ret;
}

static enum costack_next do_send(struct costack *co)
{
	co->req.ret = attempt(co->req.fn, co->req.arg, co, true);
	return COSTACK_CONTINUE;
}

static enum costack_next do_recv(struct costack *co)
{
	co->req.ret = attempt(co->req.fn, co->req.arg, co, false);
	return COSTACK_CONTINUE;
}

/*
 * Attempt it as a coroutine that may have to end, or to move.
 *
 * While it holds the lock it is not cut off, because interrupts are off. So a recursion that sends
 * at each level could use up the pages beyond its limit under the lock, and never meet the end
 * elsewhere. So if little room is left, this makes a request: after a request the host loop
 * compares the stack with the limit. It also makes one with the knob force_move, which moves
 * stacks at requests, and on an architecture where a stack does not grow by a fault.
 */
static noinline int heedful_attempt(struct costack_chan *chan, void *elem, struct costack *co,
				    bool send)
{
	if (costack_cancel_came(co))
		return -ECANCELED;
	if (COSTACK_ARCH_GUARD && !READ_ONCE(costack_knobs.force_move) &&
	    !costack_may_be_cut_here(co))
		return attempt(chan, elem, co, send);
	return costack_request(co, send ? do_send : do_recv, chan, elem);
}
NOKPROBE_SYMBOL(heedful_attempt);

/*
 * Send or receive, or wait for it. The coroutine first makes sure that it may park, whether it
 * has to or not.
 */
static __always_inline int transfer(struct costack_chan *chan, void *elem, bool send)
{
	struct costack *co = __costack_current();
	int ret;

	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	/* data_race: a knob may change at any time, and a cancel may come; the two are one test. */
	if (likely(COSTACK_ARCH_GUARD && !data_race(co->heed | costack_knobs.force_move)))
		ret = attempt(chan, elem, co, send);
	else
		ret = heedful_attempt(chan, elem, co, send);
	if (ret != -EAGAIN)
		return ret;
	costack_park_now(co);
	while (unlikely(is_queued(&co->roots.sudog)))
		costack_request(co, do_wait_on, NULL, NULL);
	return co->chan_ret;
}

/**
 * costack_chan_create() - make a channel (Go's makechan)
 * @elem_size: bytes of a value; more than 0
 * @nr: number of values to buffer; 0: a sender waits for its receiver
 *
 * Context: Process context, any stack; may sleep.
 * Return: the channel, or %NULL if there is no memory or the size does not fit.
 */
struct costack_chan *costack_chan_create(size_t elem_size, unsigned int nr)
{
	struct costack_chan *chan;
	size_t bytes;

	if (!elem_size || check_mul_overflow(elem_size, (size_t)nr, &bytes))
		return NULL;
	/* Do not warn of a size that is too large. */
	chan = kvzalloc(struct_size(chan, buf, bytes), GFP_KERNEL | __GFP_NOWARN);
	if (!chan)
		return NULL;
	raw_spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->senders);
	INIT_LIST_HEAD(&chan->receivers);
	INIT_LIST_HEAD(&chan->ending);
	chan->elem_size = elem_size;
	chan->nr = nr;
	return chan;
}
EXPORT_SYMBOL_GPL(costack_chan_create);

/**
 * costack_chan_destroy() - free a channel
 * @chan: the channel, which nothing uses or waits for; %NULL is allowed
 *
 * Context: Any context that may free memory.
 */
void costack_chan_destroy(struct costack_chan *chan)
{
	if (!chan)
		return;
	if (WARN(!list_empty(&chan->senders) || !list_empty(&chan->receivers) ||
		 !list_empty(&chan->ending),
		 "costack: channel %p is destroyed with coroutines waiting for it\n", chan))
		return;
	kvfree_rcu(chan, rcu);
}
EXPORT_SYMBOL_GPL(costack_chan_destroy);

/**
 * costack_chan_send() - send a value
 * @chan: the channel
 * @elem: the value; may lie on the coroutine stack
 *
 * Context: As costack_park().
 * Return:
 * * 0			- the value was received, or is in the buffer
 * * -EPIPE		- the channel is closed, or was closed during the wait
 * * -EINVAL		- not on a coroutine stack, or not a place to park
 * * -ECANCELED		- the work item was cancelled; nothing was sent
 */
int costack_chan_send(struct costack_chan *chan, const void *elem)
{
	return transfer(chan, (void *)elem, true);
}
EXPORT_SYMBOL_GPL(costack_chan_send);
NOKPROBE_SYMBOL(costack_chan_send);

/**
 * costack_chan_recv() - receive a value
 * @chan: the channel
 * @elem: where to store the value; may lie on the coroutine stack; %NULL: drop the value
 *
 * Context: As costack_park().
 * Return:
 * * 0			- received
 * * -EPIPE		- the channel is closed, and no value is left in it
 * * -EINVAL		- not on a coroutine stack, or not a place to park
 * * -ECANCELED		- the work item was cancelled; nothing was received
 */
int costack_chan_recv(struct costack_chan *chan, void *elem)
{
	return transfer(chan, elem, false);
}
EXPORT_SYMBOL_GPL(costack_chan_recv);
NOKPROBE_SYMBOL(costack_chan_recv);

/**
 * costack_chan_try_send() - send a value without waiting
 * @chan: the channel
 * @elem: the value
 *
 * Context: Any context, hard interrupts included. @elem must not lie on a coroutine
 * stack that could move meanwhile: it may lie on the stack that the caller runs on, or
 * outside of coroutine stacks.
 * Return: 0, -EAGAIN if the caller would have to wait, -EPIPE if the channel is closed.
 */
int costack_chan_try_send(struct costack_chan *chan, const void *elem)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&chan->lock, flags);
	ret = try_send(chan, elem, NULL);
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(costack_chan_try_send);

/**
 * costack_chan_try_recv() - receive a value without waiting
 * @chan: the channel
 * @elem: where to store the value; as in costack_chan_try_send()
 *
 * Context: Any context, hard interrupts included.
 * Return: 0, -EAGAIN if the caller would have to wait, -EPIPE if the channel is closed
 * and empty.
 */
int costack_chan_try_recv(struct costack_chan *chan, void *elem)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&chan->lock, flags);
	ret = try_recv(chan, elem, NULL);
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(costack_chan_try_recv);

/* So many at a time, as interrupts are off meanwhile. */
#define ENDING_BATCH	64

/* Release some of those that wait for a closed channel. Returns false after the last one. */
static bool release_some(struct costack_chan *chan)
{
	unsigned long flags;
	unsigned int i;
	bool more;

	raw_spin_lock_irqsave(&chan->lock, flags);
	for (i = 0; i < ENDING_BATCH && !list_empty(&chan->ending); i++)
		release(dequeue(&chan->ending, -EPIPE), NULL);
	more = !list_empty(&chan->ending);
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	return more;
}

/**
 * costack_chan_close() - close a channel: no more values can be sent
 * @chan: the channel
 *
 * Coroutines that wait are woken and get -EPIPE. Values in the buffer can still be
 * received.
 *
 * Context: Any context. Takes time for each coroutine that waits, and does not reschedule.
 * Return: 0, or -EPIPE if the channel is closed already.
 */
int costack_chan_close(struct costack_chan *chan)
{
	unsigned long flags;
	bool was_closed;

	/* The last one that is released may destroy the channel: RCU keeps it until the end. */
	rcu_read_lock();
	raw_spin_lock_irqsave(&chan->lock, flags);
	was_closed = chan->closed;
	chan->closed = true;
	list_splice_tail_init(&chan->receivers, &chan->ending);
	list_splice_tail_init(&chan->senders, &chan->ending);
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	while (!was_closed && release_some(chan))
		;
	rcu_read_unlock();
	return was_closed ? -EPIPE : 0;
}
EXPORT_SYMBOL_GPL(costack_chan_close);
