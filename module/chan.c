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
 * A wait for several channels at once is select.c's.
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
#include "chan.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "sudog.h"

/* === Channels that are closed, have other values, or are waited for by a select === */

/* What becomes of the value of a coroutine that waits. */
enum serve {
	GIVE,	/* it gets one */
	TAKE,	/* its own is taken */
	END,	/* none: the channel is closed */
};

/* End the wait that @sudog stands for; its coroutine's own sudog is @own. */
static void serve_sudog(struct costack_chan *chan, struct costack_sudog *sudog,
			struct costack_sudog *own, enum serve how, void *place, struct costack *by)
{
	void *dst = how == GIVE ? sudog->elem : place;
	const void *src = how == GIVE ? place : sudog->elem;

	if (how != END && dst)
		memcpy(dst, src, chan->elem_size);
	costack_sudog_co(own)->sudog_ret = how == END ? -EPIPE : 0;
	costack_sudog_release(own, by);
}
NOKPROBE_SYMBOL(serve_sudog);

/* The same for a case. Returns false if its select does not wait any more. */
static bool serve_case(struct costack_chan *chan, struct costack_case *c, enum serve how,
		       void *place, struct costack *by)
{
	struct costack_select *select = costack_case_select(c);
	struct costack_sudog *own = &select->co->roots.sudog;
	bool waits;

	costack_case_remove(c);
	raw_spin_lock(&select->lock);
	waits = costack_sudog_queued(own);
	if (waits) {
		select->chosen = c->index;
		serve_sudog(chan, &c->sudog, own, how, place, by);
	}
	/* The select is not freed before its owner has held the channel's lock. */
	raw_spin_unlock(&select->lock);
	return waits;
}

/*
 * Serve the one that has waited longest on @queue. Returns false if there is none. A select that
 * another channel has served does not wait any more.
 */
static bool serve(struct costack_chan *chan, struct list_head *queue, enum serve how, void *place,
		  struct costack *by)
{
	struct costack_sudog *sudog;

	while ((sudog = list_first_entry_or_null(queue, struct costack_sudog, queue))) {
		if (sudog->lock == &chan->lock) {
			costack_sudog_remove(sudog);
			serve_sudog(chan, sudog, sudog, how, place, by);
			return true;
		}
		if (serve_case(chan, container_of(sudog, struct costack_case, sudog), how, place,
			       by))
			return true;
	}
	return false;
}
NOKPROBE_SYMBOL(serve);

static int send_odd(struct costack_chan *chan, void *elem, struct costack *by)
{
	if (chan->odd & COSTACK_CHAN_CLOSED)
		return -EPIPE;
	if (serve(chan, &chan->receivers, GIVE, elem, by))
		return 0;
	if (chan->count == chan->nr)
		return -EAGAIN;
	memcpy(costack_chan_at(chan, chan->count++), elem, chan->elem_size);
	return 0;
}

static int recv_odd(struct costack_chan *chan, void *elem, struct costack *by)
{
	if (!chan->count) {
		if (serve(chan, &chan->senders, TAKE, elem, by))
			return 0;
		return chan->odd & COSTACK_CHAN_CLOSED ? -EPIPE : -EAGAIN;
	}
	if (elem)
		memcpy(elem, costack_chan_at(chan, 0), chan->elem_size);
	chan->first = (chan->first + 1) % chan->nr;
	/* A place is free now: append the value of the first sender. */
	if (!serve(chan, &chan->senders, TAKE, costack_chan_at(chan, chan->count - 1), by))
		chan->count--;
	return 0;
}

/**
 * costack_chan_attempt_odd() - the slow half of costack_chan_attempt()
 * @chan: as there
 * @elem: as there
 * @by: as there
 * @send: as there
 *
 * Context: As there.
 * Return: as there.
 */
int costack_chan_attempt_odd(struct costack_chan *chan, void *elem, struct costack *by, bool send)
{
	return send ? send_odd(chan, elem, by) : recv_odd(chan, elem, by);
}
NOKPROBE_SYMBOL(costack_chan_attempt_odd);

/* === On behalf of a coroutine === */

/*
 * Send or receive, or queue the sudog of @co, which is about to park: then the result is
 * -EAGAIN. Interrupts are on, as a coroutine may only wait where they are.
 */
static __always_inline int attempt(struct costack_chan *chan, void *elem, struct costack *co,
				   bool send)
{
	int ret;

	raw_spin_lock_irq(&chan->lock);
	ret = costack_chan_attempt(chan, elem, co, send);
	if (ret == -EAGAIN)
		costack_sudog_enqueue(co, &chan->lock, send ? &chan->senders : &chan->receivers,
				      elem);
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
 * Send or receive, or queue the sudog: then the result is -EAGAIN. The coroutine first makes sure
 * that it may park, whether it has to or not.
 */
static __always_inline int begin(struct costack_chan *chan, void *elem, struct costack *co,
				 bool send)
{
	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	/* data_race: a knob may change at any time, and a cancel may come; the two are one test. */
	if (likely(COSTACK_ARCH_GUARD && !data_race(co->heed | costack_knobs.force_move)))
		return attempt(chan, elem, co, send);
	return heedful_attempt(chan, elem, co, send);
}

/* Send or receive, or wait for it. */
static __always_inline int transfer(struct costack_chan *chan, void *elem, bool send)
{
	struct costack *co = __costack_current();
	int ret = begin(chan, elem, co, send);

	return ret == -EAGAIN ? costack_sudog_wait(co) : ret;
}

/* The same, but wait no longer than @timeout. */
static int transfer_timeout(struct costack_chan *chan, void *elem, bool send, long timeout)
{
	struct costack *co = __costack_current();
	int ret;

	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return transfer(chan, elem, send);
	if (unlikely(!co || !costack_may_park(co)))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	/* If little room is left, make a request first: see heedful_attempt(). */
	if (timeout <= 0 || !costack_may_be_cut_here(co)) {
		ret = send ? costack_chan_try_send(chan, elem) : costack_chan_try_recv(chan, elem);
		if (ret != -EAGAIN)
			return ret;
	}
	if (timeout <= 0)
		return -ETIMEDOUT;
	ret = costack_sudog_begin(co);
	if (ret)
		return ret;
	ret = begin(chan, elem, co, send);
	if (ret == -EAGAIN)
		ret = costack_sudog_wait_timeout(co, timeout);
	costack_sudog_end(co);
	return ret;
}
NOKPROBE_SYMBOL(transfer_timeout);

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
	chan->odd = elem_size == sizeof(long) ? 0 : COSTACK_CHAN_SIZED;
	chan->elem_size = elem_size;
	chan->nr = nr;
	return chan;
}
EXPORT_SYMBOL_GPL(costack_chan_create);

/**
 * costack_chan_destroy() - free a channel
 * @chan: the channel, which nothing uses or waits for; %NULL is allowed
 *
 * A select uses all its channels until it has returned, whichever of them has served it.
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
 * costack_chan_send_timeout() - send a value, but do not wait for long
 * @chan: the channel
 * @elem: the value; may lie on the coroutine stack
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_park().
 * Return: as costack_chan_send(); -ETIMEDOUT: nothing was sent; -ENOMEM: the same, as there is no
 * memory to wait.
 */
int costack_chan_send_timeout(struct costack_chan *chan, const void *elem, long timeout)
{
	return transfer_timeout(chan, (void *)elem, true, timeout);
}
EXPORT_SYMBOL_GPL(costack_chan_send_timeout);
NOKPROBE_SYMBOL(costack_chan_send_timeout);

/**
 * costack_chan_recv_timeout() - receive a value, but do not wait for long
 * @chan: the channel
 * @elem: where to store the value; as for costack_chan_recv()
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_park().
 * Return: as costack_chan_recv(); -ETIMEDOUT: nothing was received; -ENOMEM: the same, as there is
 * no memory to wait.
 */
int costack_chan_recv_timeout(struct costack_chan *chan, void *elem, long timeout)
{
	return transfer_timeout(chan, elem, false, timeout);
}
EXPORT_SYMBOL_GPL(costack_chan_recv_timeout);
NOKPROBE_SYMBOL(costack_chan_recv_timeout);

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
	ret = costack_chan_attempt(chan, (void *)elem, NULL, true);
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
	ret = costack_chan_attempt(chan, elem, NULL, false);
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

	raw_spin_lock_irqsave(&chan->lock, flags);
	for (i = 0; i < ENDING_BATCH && serve(chan, &chan->ending, END, NULL, NULL); i++)
		;
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	return i == ENDING_BATCH;
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
	was_closed = chan->odd & COSTACK_CHAN_CLOSED;
	chan->odd |= COSTACK_CHAN_CLOSED;
	list_splice_tail_init(&chan->receivers, &chan->ending);
	list_splice_tail_init(&chan->senders, &chan->ending);
	raw_spin_unlock_irqrestore(&chan->lock, flags);
	while (!was_closed && release_some(chan))
		;
	rcu_read_unlock();
	return was_closed ? -EPIPE : 0;
}
EXPORT_SYMBOL_GPL(costack_chan_close);
