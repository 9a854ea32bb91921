// SPDX-License-Identifier: GPL-2.0
/*
 * Select (Go's select.go): wait for the first of several channels.
 *
 * A pass locks all channels at once, in the order of their addresses. So it sees one moment:
 * it finds that no case can be served only if that was so for all of them at the same time.
 * It tries the cases in random order, and is fair to those that are ready. If none is, and
 * the caller waits, it leaves a sudog on each channel before it drops the locks.
 *
 * Whoever serves one of these sudogs ends the wait by the lock of the select: see
 * struct costack_select. The sudogs that are left on the other channels mean nothing then.
 * The coroutine takes them off when it continues; until then the others skip them.
 *
 * The first pass runs on the coroutine stack. What may wait is a request, and makes a second
 * pass on the host stack.
 */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "arena.h"
#include "calls.h"
#include "chan.h"
#include "compat.h"
#include "coroutine.h"
#include "sched.h"
#include "stats.h"
#include "sudog.h"
#include "waiter.h"

/* Each channel that is locked disables preemption once more, and 255 times is the most. */
static_assert(COSTACK_SELECT_MAX < 200 && COSTACK_SELECT_MAX <= U8_MAX);

/* While it is held, the order in which a channel is locked is known to be right. */
static struct {
	struct lockdep_map dep_map;
} selecting __maybe_unused = {
#ifdef CONFIG_LOCKDEP
	.dep_map = STATIC_LOCKDEP_MAP_INIT("costack_select", &selecting),
#endif
};

/* === One pass === */

/*
 * A number below @nr that is as good as random. An interrupt, or another CPU that has the thread
 * now, may change the seed meanwhile: it is no worse then.
 */
static unsigned int random_below(unsigned int nr)
{
	static DEFINE_PER_CPU(u32, seed);
	u32 *state = raw_cpu_ptr(&seed);
	/* data_race: see above. */
	u32 x = data_race(*state) ?: 2463534242U;

	/* Marsaglia, Xorshift RNGs, 2003 */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	/* data_race: see above. */
	data_race(*state = x);
	return reciprocal_scale(x, nr);
}

/*
 * Order the cases: @poll of the i-th entry is the case to try as the i-th, at random, and @lock is
 * the case whose channel to lock as the i-th.
 */
static void order(struct costack_select_case *cases, unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		j = i ? random_below(i + 1) : 0;
		cases[i].poll = cases[j].poll;
		cases[j].poll = i;
		for (j = i; j && cases[cases[j - 1].lock].chan > cases[i].chan; j--)
			cases[j].lock = cases[j - 1].lock;
		cases[j].lock = i;
	}
}

/*
 * Each channel once: those that are the same, and those that are none, follow each other. sparse
 * cannot count locks that are taken in a loop: for it none is.
 */
static void lock_all(const struct costack_select_case *cases, unsigned int nr)
{
	struct costack_chan *chan, *last = NULL;
	unsigned int i;

	lock_map_acquire(&selecting.dep_map);
	for (i = 0; i < nr; i++) {
		chan = cases[cases[i].lock].chan;
		if (chan != last) {
			raw_spin_lock_nest_lock(&chan->lock, &selecting);
			__release(&chan->lock);
		}
		last = chan;
	}
}

static void unlock_all(const struct costack_select_case *cases, unsigned int nr)
{
	struct costack_chan *chan, *last = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		chan = cases[cases[i].lock].chan;
		if (chan != last) {
			__acquire(&chan->lock);
			raw_spin_unlock(&chan->lock);
		}
		last = chan;
	}
	lock_map_release(&selecting.dep_map);
}

/* Returns the case that was served, or -EAGAIN. */
static int serve_one(struct costack_select_case *cases, unsigned int nr, struct costack *by)
{
	struct costack_select_case *c;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		c = &cases[cases[i].poll];
		if (!c->chan)
			continue;
		ret = c->send ? costack_chan_attempt(c->chan, c->elem, by, true) :
				costack_chan_attempt(c->chan, c->elem, by, false);
		if (ret == -EAGAIN)
			continue;
		c->ret = ret;
		return c - cases;
	}
	return -EAGAIN;
}

/* In random order as well: of several cases with one channel, the first on its queue is served. */
static void enqueue(struct costack_select *select, const struct costack_select_case *cases)
{
	struct costack_sudog *own = &select->co->roots.sudog;
	struct costack_case *c;
	unsigned int i, nr;

	for (i = 0; i < select->nr; i++) {
		struct costack_chan *chan;
		struct list_head *queue;

		nr = cases[i].poll;
		chan = cases[nr].chan;
		if (!chan)
			continue;
		queue = &chan->receivers;
		if (cases[nr].send)
			queue = &chan->senders;
		c = &select->cases[nr];
		c->sudog.elem = cases[nr].elem;
		c->sudog.lock = &select->lock;
		c->chan_lock = &chan->lock;
		c->odd = &chan->odd;
		c->queued = true;
		chan->odd += COSTACK_ODD_CASE;
		costack_sudog_append(&c->sudog, queue);
	}
	/* No address of the stack; but not %NULL, as costack_roots_none() looks at nothing else. */
	own->elem = select;
	/* On no list but its own: costack_sudog_select() tells by this that it is a select. */
	INIT_LIST_HEAD(&own->queue);
	/* From here on no fault moves the stack. */
	WRITE_ONCE(own->lock, &select->lock);
}

/* Serve a case, or leave the sudogs of @select, unless that is NULL. */
static int pass(struct costack_select_case *cases, unsigned int nr, struct costack *by,
		struct costack_select *select)
{
	unsigned long flags;
	int chosen;

	order(cases, nr);
	local_irq_save(flags);
	lock_all(cases, nr);
	chosen = serve_one(cases, nr, by);
	if (chosen == -EAGAIN && select)
		enqueue(select, cases);
	unlock_all(cases, nr);
	local_irq_restore(flags);
	return chosen;
}
NOKPROBE_SYMBOL(pass);

/* === On the host stack === */

/**
 * struct selecting - what a coroutine asks for; lies on its stack, as the cases do
 * @cases: the cases
 * @nr: their number
 * @timeout: jiffies
 * @ret: the case that was served, or a negative errno
 * @waits: its sudogs are on the channels
 */
struct selecting {
	struct costack_select_case	*cases;
	unsigned int			nr;
	long				timeout;
	int				ret;
	bool				waits;
};

/* Returns false if the coroutine is not to wait: @arg has the result then. */
static bool begin(struct costack *co, struct selecting *arg)
{
	struct costack_waiter *waiter = NULL;
	struct costack_select *select = NULL;

	if (arg->timeout > 0)
		waiter = costack_waiter_push_select(co, arg->nr);
	if (waiter) {
		timer_setup(costack_waiter_timer(waiter), costack_sudog_expire, 0);
		select = costack_waiter_select(waiter);
	}
	arg->ret = pass(arg->cases, arg->nr, co, select);
	if (waiter && arg->ret == -EAGAIN)
		return true;
	if (waiter)
		costack_waiter_pop(co);
	else if (arg->timeout > 0 && arg->ret == -EAGAIN)
		arg->ret = -ENOMEM;
	return false;
}

static enum costack_next do_begin(struct costack *co)
{
	struct selecting *arg = co->req.arg;
	struct timer_list *timer;

	if (!begin(co, arg))
		return COSTACK_CONTINUE;
	arg->waits = true;
	if (arg->timeout < MAX_SCHEDULE_TIMEOUT) {
		timer = costack_waiter_timer(co->waiter);
		timer->expires = jiffies + arg->timeout;
		add_timer(timer);
	}
	costack_stat_inc(COSTACK_STAT_PARKS);
	return costack_park_commit(co);
}

/* It has been resumed. Unless its wait has ended, it parks once more. */
static enum costack_next do_end(struct costack *co)
{
	struct selecting *arg = co->req.arg;
	struct costack_select *select = costack_waiter_select(co->waiter);

	costack_waiter_settle(co, costack_sudog_why_to_end(co));
	if (costack_sudog_queued(&co->roots.sudog))
		return costack_park_commit(co);
	arg->waits = false;
	arg->ret = co->sudog_ret;
	if (arg->ret == 0 || arg->ret == -EPIPE) {
		arg->cases[select->chosen].ret = arg->ret;
		arg->ret = select->chosen;
	}
	costack_waiter_pop(co);
	return COSTACK_CONTINUE;
}

/* === Public interface === */

/**
 * costack_try_select() - send or receive what is possible at once
 * @cases: the cases
 * @nr: their number, up to %COSTACK_SELECT_MAX
 *
 * It sees all channels at the same moment.
 *
 * Context: Any context, hard interrupts included. As for costack_chan_try_send(), the values must
 * not lie on a coroutine stack that could move meanwhile; nor must @cases.
 * Return: as costack_select(), or -EAGAIN if it would have to wait.
 */
int costack_try_select(struct costack_select_case *cases, unsigned int nr)
{
	if (nr > COSTACK_SELECT_MAX)
		return -EINVAL;
	return pass(cases, nr, NULL, NULL);
}
EXPORT_SYMBOL_GPL(costack_try_select);

/**
 * costack_select_timeout() - costack_select() with a limit of time
 * @cases: the cases
 * @nr: their number, up to %COSTACK_SELECT_MAX
 * @timeout: jiffies; 0 or less: do not wait; %MAX_SCHEDULE_TIMEOUT: no limit
 *
 * Context: As costack_park().
 * Return: as costack_select(), or -ETIMEDOUT: no case was served.
 */
int costack_select_timeout(struct costack_select_case *cases, unsigned int nr, long timeout)
{
	struct selecting arg = { .cases = cases, .nr = nr, .timeout = timeout };
	struct costack *co = __costack_current();

	if (unlikely(!co || !costack_may_park(co) || nr > COSTACK_SELECT_MAX))
		return -EINVAL;
	if (unlikely(costack_cancel_came(co)))
		return -ECANCELED;
	/* As for a channel: see heedful_attempt() in chan.c. */
	if (likely(COSTACK_ARCH_GUARD && !data_race(co->heed | costack_knobs.force_move)))
		arg.ret = pass(cases, nr, co, NULL);
	else
		arg.ret = -EAGAIN;
	if (arg.ret == -EAGAIN)
		costack_request(co, do_begin, NULL, &arg);
	while (READ_ONCE(arg.waits))
		costack_request(co, do_end, NULL, &arg);
	return arg.ret == -EAGAIN ? -ETIMEDOUT : arg.ret;
}
EXPORT_SYMBOL_GPL(costack_select_timeout);
NOKPROBE_SYMBOL(costack_select_timeout);

/**
 * costack_select() - wait for the first of several channels (Go's select)
 * @cases: what to send and where to receive; see COSTACK_SEND() and COSTACK_RECV(). A case
 *	without a channel is never served. A channel may be in several cases.
 * @nr: their number, up to %COSTACK_SELECT_MAX
 *
 * One of the cases is served. If several can be served at once, it is a random one of them.
 *
 * A case whose channel is closed can be served: its member ret is -EPIPE then. Otherwise that
 * is 0. Both the cases and the values may lie on the coroutine stack.
 *
 * Context: As costack_park().
 * Return: the index of the case that was served; or
 * * -EINVAL		- not on a coroutine stack, not a place to park, or too many cases
 * * -ECANCELED		- the work item was cancelled; no case was served
 * * -ENOMEM		- no case can be served at once, and there is no memory to wait
 */
int costack_select(struct costack_select_case *cases, unsigned int nr)
{
	return costack_select_timeout(cases, nr, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_GPL(costack_select);
NOKPROBE_SYMBOL(costack_select);
