/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel, and what can be done to it at once.
 */
#ifndef _COSTACK_CHAN_H
#define _COSTACK_CHAN_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>

#include "coroutine.h"
#include "roots.h"
#include "sudog.h"

/* Bits of @odd in struct costack_chan; the bits above count cases, see COSTACK_ODD_CASE. */
enum {
	/* No more values can be sent. */
	COSTACK_CHAN_CLOSED	= BIT(0),
	/* Its values are not one long each. */
	COSTACK_CHAN_SIZED	= BIT(1),
};

/**
 * struct costack_chan - a channel (Go's hchan)
 * @lock: covers the whole channel, and the sudogs on its queues
 * @odd: COSTACK_CHAN_CLOSED, COSTACK_CHAN_SIZED, and how many sudogs on its queues are those
 *	of a select: 0 for the channels that are fast
 * @senders: sudogs that wait to send; but for those of a select that has been served
 *	elsewhere, there are none unless the buffer is full
 * @receivers: sudogs that wait to receive; likewise, none unless the buffer is empty
 * @ending: sudogs that waited when the channel was closed, and are about to be released
 * @elem_size: bytes of a value
 * @nr: values the buffer has room for
 * @count: values in it
 * @first: index of the oldest
 * @rcu: a mover may still look at @lock when the channel is freed
 * @buf: the values
 */
struct costack_chan {
	raw_spinlock_t		lock;
	unsigned int		odd;
	struct list_head	senders;
	struct list_head	receivers;
	struct list_head	ending;
	size_t			elem_size;
	unsigned int		nr;
	unsigned int		count;
	unsigned int		first;
	struct rcu_head		rcu;
	u8			buf[];
};

int costack_chan_attempt_odd(struct costack_chan *chan, void *elem, struct costack *by,
			     bool send);

static __always_inline void *costack_chan_at(struct costack_chan *chan, unsigned int i)
{
	return chan->buf + (chan->first + i) % chan->nr * chan->elem_size;
}

/* A value of a channel that is not odd. */
static __always_inline void costack_chan_copy(void *dst, const void *src)
{
	if (likely(dst))
		memcpy(dst, src, sizeof(long));
}

/* The sudog that has waited longest on @queue, which has one and no case: its wait succeeds. */
static __always_inline struct costack_sudog *costack_chan_dequeue(struct list_head *queue)
{
	struct costack_sudog *sudog = list_first_entry(queue, struct costack_sudog, queue);

	costack_sudog_dequeue(sudog, 0);
	return sudog;
}

static __always_inline int costack_chan_attempt_send(struct costack_chan *chan, const void *elem,
						     struct costack *by)
{
	struct costack_sudog *receiver;

	if (!list_empty(&chan->receivers)) {
		receiver = costack_chan_dequeue(&chan->receivers);
		costack_chan_copy(receiver->elem, elem);
		costack_sudog_release(receiver, by);
		return 0;
	}
	if (chan->count == chan->nr)
		return -EAGAIN;
	costack_chan_copy(costack_chan_at(chan, chan->count++), elem);
	return 0;
}

static __always_inline int costack_chan_attempt_recv(struct costack_chan *chan, void *elem,
						     struct costack *by)
{
	struct costack_sudog *sender;

	if (chan->count) {
		costack_chan_copy(elem, costack_chan_at(chan, 0));
		chan->first = (chan->first + 1) % chan->nr;
		chan->count--;
		/* A place is free now: append the value of the first sender. */
		if (!list_empty(&chan->senders)) {
			sender = costack_chan_dequeue(&chan->senders);
			costack_chan_copy(costack_chan_at(chan, chan->count++), sender->elem);
			costack_sudog_release(sender, by);
		}
		return 0;
	}
	if (list_empty(&chan->senders))
		return -EAGAIN;
	sender = costack_chan_dequeue(&chan->senders);
	costack_chan_copy(elem, sender->elem);
	costack_sudog_release(sender, by);
	return 0;
}

/**
 * costack_chan_attempt() - send or receive without waiting
 * @chan: the channel; its lock is held, and interrupts are off
 * @elem: the value, or where to store it; %NULL: drop what is received
 * @by: the coroutine that does this, or %NULL
 * @send: a constant
 *
 * Context: Coroutine stack or host stack of @by; without @by, any context.
 * Return: 0, -EPIPE if the channel is closed, or -EAGAIN if the caller would have to wait.
 */
static __always_inline int costack_chan_attempt(struct costack_chan *chan, void *elem,
						struct costack *by, bool send)
{
	lockdep_assert_held(&chan->lock);
	if (unlikely(chan->odd))
		return costack_chan_attempt_odd(chan, elem, by, send);
	return send ? costack_chan_attempt_send(chan, elem, by) :
		      costack_chan_attempt_recv(chan, elem, by);
}

#endif /* _COSTACK_CHAN_H */
