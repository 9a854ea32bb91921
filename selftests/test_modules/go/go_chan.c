// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks that move while a coroutine waits and others have addresses of its stack (see go.h).
 *
 *	go.SelectStackAdjust-waits
 *				four waits: the place for the value is on the stack and holds
 *				an address of it
 *	go.ShrinkStackDuringBlockedSend
 *				a sender's stack shrinks before each value is taken
 *	go.NoShrinkStackWhileParking ROUNDS
 *				a thread shrinks stacks all the time while coroutines park
 *	go.NoShrinkStackWhileParking-cancel ROUNDS
 *				a cancel comes while a coroutine parks
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "go.h"
#include "items.h"

/*
 * Bytes of stack to use for a moment, so that the stack is too large afterwards (as Go's
 * stackGrowthRecursive does).
 */
#define BRIEFLY		10240

/* === SelectStackAdjust-waits === */

/**
 * struct selector - a coroutine that waits, and what it waits for
 * @work: the item
 * @chan: channel to receive from; %NULL to wait for @event
 * @ret: what the wait has returned
 * @event: the condition of the wait
 * @wait: wait queue for @event
 */
struct selector {
	struct costack_work	work;
	struct costack_chan	*chan;
	int			ret;
	bool			event;
	struct wait_queue_head	wait;
};

#define SELECTORS	4

/* Its address is the value that one of them receives. */
static long received;

/* The place for the value is on the stack, and holds an address of the stack before the wait. */
static int select_body(void *arg)
{
	struct selector *selector = arg;
	long val = 42, *cx = &val;
	unsigned long disguised;

	cst_use_stack(BRIEFLY);
	CST_EQ(16384, costack_stack_size());
	disguised = cst_disguise(&val);
	barrier_data(&cx);
	if (selector->chan)
		selector->ret = costack_chan_recv(selector->chan, &cx);
	else
		selector->ret = costack_wait_event(selector->wait, READ_ONCE(selector->event));
	CST_TRUE(go_has_moved(&val, disguised));
	CST_EQ(42, READ_ONCE(val));
	if (selector->chan && !selector->ret)
		return CST_TRUE(READ_ONCE(cx) == &received) ? 61 : 0;
	if (!CST_TRUE(READ_ONCE(cx) == &val))
		return 0;
	WRITE_ONCE(*cx, 43);
	CST_EQ(43, READ_ONCE(val));
	return 61;
}

/* Let all of them wait, shrink their stacks, which moves each, and wake all of them. */
static void select_and_shrink(struct selector *selectors, struct costack_chan *c,
			      struct costack_chan *d)
{
	long *value = &received, shrunk = cst_stat("shrunk");
	int i;

	for (i = 0; i < SELECTORS; i++) {
		init_waitqueue_head(&selectors[i].wait);
		costack_work_init(&selectors[i].work, select_body, &selectors[i], NULL);
		CST_EQ(0, costack_queue(&selectors[i].work));
	}
	go_wait_parked(SELECTORS);
	go_gc();
	CST_EQ(SELECTORS, cst_stat("shrunk") - shrunk);
	CST_EQ(SELECTORS, cst_stat("parked"));

	CST_EQ(0, costack_chan_try_send(c, &value));
	CST_EQ(0, costack_chan_close(c));
	CST_EQ(0, costack_chan_close(d));
	WRITE_ONCE(selectors[SELECTORS - 1].event, true);
	wake_up(&selectors[SELECTORS - 1].wait);
	for (i = 0; i < SELECTORS; i++) {
		CST_EQ(61, costack_wait(&selectors[i].work));
		CST_GROWN(2, selectors[i].work.growths);
	}
	/* The first of the two has received the value. */
	CST_EQ(-EPIPE, selectors[0].ret + selectors[1].ret);
	CST_EQ(-EPIPE, selectors[2].ret);
	CST_EQ(0, selectors[3].ret);
}

/*
 * Go's TestSelectStackAdjust: when a stack shrinks during a select, Go adjusts the receive
 * slots, which are on the stack and hold addresses of it. The same for waits that are no select:
 * two coroutines wait for one channel: the first receives a value, and the second finds the
 * channel closed. A third waits for another channel, and a fourth on a wait queue.
 */
static void select_stack_adjust(const long *args)
{
	struct costack_chan *c = costack_chan_create(sizeof(long *), 0);
	struct costack_chan *d = costack_chan_create(sizeof(long *), 0);
	struct selector *selectors = kcalloc(SELECTORS, sizeof(*selectors), GFP_KERNEL);

	if (CST_TRUE(c && d && selectors)) {
		selectors[0].chan = c;
		selectors[1].chan = c;
		selectors[2].chan = d;
		select_and_shrink(selectors, c, d);
	}
	kfree(selectors);
	costack_chan_destroy(d);
	costack_chan_destroy(c);
}

/* === Messages === */

#define MESSAGE_WORDS	16

/* Each word depends on its place and on the message, so that a wrong copy is noticed. */
struct message {
	unsigned long words[MESSAGE_WORDS];
};

static __always_inline void fill_message(struct message *message, long nr)
{
	unsigned int i;

	for (i = 0; i < MESSAGE_WORDS; i++)
		WRITE_ONCE(message->words[i], nr * MESSAGE_WORDS + i);
}

static __always_inline bool message_is(const struct message *message, long nr)
{
	unsigned int i;

	for (i = 0; i < MESSAGE_WORDS; i++)
		if (READ_ONCE(message->words[i]) != nr * MESSAGE_WORDS + i)
			return false;
	return true;
}

/**
 * struct talk - a sender and a receiver
 * @sender: the item that sends
 * @receiver: the item that receives
 * @chan: the channel between them
 * @first: number of the first message
 * @nr: number of messages
 * @all_sent: all messages have been sent
 */
struct talk {
	struct costack_work	sender;
	struct costack_work	receiver;
	struct costack_chan	*chan;
	long			first;
	long			nr;
	bool			all_sent;
};

static bool make_talk(struct talk *talk, costack_fn_t sender, costack_fn_t receiver)
{
	talk->chan = costack_chan_create(sizeof(struct message), 0);
	if (!CST_TRUE(talk->chan))
		return false;
	costack_work_init(&talk->sender, sender, talk, NULL);
	costack_work_init(&talk->receiver, receiver, talk, NULL);
	CST_EQ(0, costack_queue(&talk->receiver));
	CST_EQ(0, costack_queue(&talk->sender));
	return true;
}

static void end_talk(struct talk *talk)
{
	CST_EQ(62, costack_wait(&talk->sender));
	CST_EQ(63, costack_wait(&talk->receiver));
	costack_chan_destroy(talk->chan);
}

static int send_body(void *arg)
{
	struct talk *talk = arg;
	struct message message;
	long i;

	for (i = 0; i < talk->nr; i++) {
		fill_message(&message, talk->first + i);
		CST_EQ(0, costack_chan_send(talk->chan, &message));
		CST_TRUE(message_is(&message, talk->first + i));
		cst_use_stack(BRIEFLY);
	}
	WRITE_ONCE(talk->all_sent, true);
	return 62;
}

/* === ShrinkStackDuringBlockedSend === */

/* Wait until the sender is parked in its next send. */
static void let_sender_block(const struct talk *talk)
{
	CST_UNTIL(cst_stat("parked") || READ_ONCE(talk->all_sent), "the sender blocks",
		  CST_EQ(0, costack_sleep(1)));
}

static int receive_and_shrink_body(void *arg)
{
	struct talk *talk = arg;
	struct message message;
	long i;

	for (i = 0; i < talk->nr; i++) {
		CST_EQ(0, costack_chan_recv(talk->chan, &message));
		CST_TRUE(message_is(&message, talk->first + i));
		let_sender_block(talk);
		go_gc();
	}
	return 63;
}

/*
 * Go's TestShrinkStackDuringBlockedSend: values arrive unchanged if the stack that they are
 * sent from shrinks while its owner is blocked in the send. From the second send on, the sender
 * first makes its stack grow, so that it can shrink again. The script counts how often it does.
 */
static void shrink_stack_during_blocked_send(const long *args)
{
	struct talk talk = { .first = 1000, .nr = 10 };

	if (!make_talk(&talk, send_body, receive_and_shrink_body))
		return;
	end_talk(&talk);
	CST_TRUE(talk.sender.growths >= 2 + talk.nr - 1);
}

/* === NoShrinkStackWhileParking === */

static int receive_body(void *arg)
{
	struct talk *talk = arg;
	struct message message;
	long i;

	for (i = 0; i < talk->nr; i++) {
		/* Give the sender time to be in the middle of parking, or to have parked. */
		if (i % 5)
			udelay(i * 10);
		else
			CST_EQ(0, costack_sleep(1));
		CST_EQ(0, costack_chan_recv(talk->chan, &message));
		CST_TRUE(message_is(&message, talk->first + i));
		if (i % 3 == 0)
			cst_use_stack(BRIEFLY);
	}
	return 63;
}

static bool shrinking;

static int shrink_all_the_time(void *arg)
{
	while (READ_ONCE(shrinking)) {
		go_gc();
		cond_resched();
	}
	return 0;
}

#define TALKS	4

/*
 * Go's TestNoShrinkStackWhileParking (issue 40641): stacks shrink all the time while goroutines
 * park on a channel. In Go there was a window in which one thread could shrink a stack while
 * another one used the channel to copy a value from or to it. All values must arrive. Here a few
 * pairs talk at the same time, and a thread does nothing but shrink stacks.
 */
static void no_shrink_stack_while_parking(const long *args)
{
	struct talk *talks = kcalloc(TALKS, sizeof(*talks), GFP_KERNEL);
	struct cst_thread shrinker;
	long round;
	int i, made;

	if (!CST_TRUE(talks))
		return;
	shrinking = true;
	if (!CST_EQ(0, cst_thread_start(&shrinker, CST_ANY_CPU, shrink_all_the_time, NULL)))
		goto out;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		for (made = 0; made < TALKS; made++) {
			talks[made] = (struct talk) { .first = round * 100, .nr = 10 };
			if (!make_talk(&talks[made], send_body, receive_body))
				break;
		}
		for (i = 0; i < made; i++)
			end_talk(&talks[i]);
	}
	WRITE_ONCE(shrinking, false);
	wait_for_completion(&shrinker.done);
out:
	kfree(talks);
}

/* === NoShrinkStackWhileParking-cancel === */

/**
 * struct canceled - a coroutine that is cancelled while it parks
 * @work: the item
 * @chan: a channel that nobody sends to
 * @begun: the coroutine is about to receive
 * @ended: its receive has returned
 */
struct canceled {
	struct costack_work	work;
	struct costack_chan	*chan;
	bool			begun;
	struct completion	ended;
};

static int canceled_body(void *arg)
{
	struct canceled *canceled = arg;
	struct message message;
	int ret;

	WRITE_ONCE(canceled->begun, true);
	ret = costack_chan_recv(canceled->chan, &message);
	complete(&canceled->ended);
	return ret;
}

static void cancel_at(struct canceled *canceled, long usecs)
{
	canceled->begun = false;
	reinit_completion(&canceled->ended);
	costack_work_init(&canceled->work, canceled_body, canceled, NULL);
	CST_EQ(0, costack_queue(&canceled->work));
	CST_SPIN(READ_ONCE(canceled->begun));
	udelay(usecs);
	CST_EQ(0, costack_cancel(&canceled->work));
	/* If the coroutine missed the cancel, it waits until the channel is closed. */
	if (!CST_TRUE(wait_for_completion_timeout(&canceled->ended, CST_PATIENCE)))
		costack_chan_close(canceled->chan);
	CST_EQ(-ECANCELED, costack_wait(&canceled->work));
}

/*
 * The window of Go's issue 40641 again. Here a coroutine is cancelled while it parks, and must
 * not miss the cancel.
 */
static void no_lost_cancel_while_parking(const long *args)
{
	struct canceled *canceled = kzalloc(sizeof(*canceled), GFP_KERNEL);
	long round;

	if (!CST_TRUE(canceled))
		return;
	init_completion(&canceled->ended);
	canceled->chan = costack_chan_create(sizeof(struct message), 0);
	if (CST_TRUE(canceled->chan))
		for (round = 0; round < args[0] && !cst_failures(); round++)
			cancel_at(canceled, round % 20);
	costack_chan_destroy(canceled->chan);
	kfree(canceled);
}

static const struct cst_case cases[] = {
	{ "go.SelectStackAdjust-waits", select_stack_adjust },
	{ "go.ShrinkStackDuringBlockedSend", shrink_stack_during_blocked_send },
	{ "go.NoShrinkStackWhileParking", no_shrink_stack_while_parking },
	{ "go.NoShrinkStackWhileParking-cancel", no_lost_cancel_while_parking },
	{ }
};

struct cst_suite cst_go_chan = { .owner = THIS_MODULE, .cases = cases };
