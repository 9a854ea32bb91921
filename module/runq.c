// SPDX-License-Identifier: GPL-2.0
/*
 * Run queues (Go's runqput, runqget, runqgrab). runner.c has one for each CPU.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "coroutine.h"
#include "runq.h"

/* Append @nr coroutines, from @first on to the one whose link is *@last. */
static void append(struct costack_runq *runq, struct costack *first, struct costack **last,
		   unsigned int nr)
{
	lockdep_assert_held(&runq->lock);
	*last = NULL;
	*runq->tail = first;
	runq->tail = last;
	WRITE_ONCE(runq->nr, runq->nr + nr);
}

/* Take the first @nr coroutines, which are there; *@last is the link of the last one. */
static struct costack *take(struct costack_runq *runq, unsigned int nr, struct costack ***last)
{
	struct costack *first = runq->head;
	struct costack **link = &runq->head;
	unsigned int i;

	lockdep_assert_held(&runq->lock);
	for (i = 0; i < nr; i++)
		link = &(*link)->run_next;
	*last = link;
	runq->head = *link;
	if (!runq->head)
		runq->tail = &runq->head;
	WRITE_ONCE(runq->nr, runq->nr - nr);
	WRITE_ONCE(runq->taken, runq->taken + nr);
	return first;
}

/**
 * costack_runq_push() - append a runnable coroutine
 * @runq: the queue
 * @co: RUNNABLE, and on no queue
 *
 * Context: Any context; any stack.
 */
void costack_runq_push(struct costack_runq *runq, struct costack *co)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&runq->lock, flags);
	append(runq, co, &co->run_next, 1);
	raw_spin_unlock_irqrestore(&runq->lock, flags);
}

/**
 * costack_runq_pop() - take the first coroutine
 * @runq: the queue
 *
 * Context: Process context.
 * Return: the coroutine, or %NULL if the queue is empty. It may be found empty while
 * another CPU pushes.
 */
struct costack *costack_runq_pop(struct costack_runq *runq)
{
	struct costack *co = NULL, **last;

	if (!READ_ONCE(runq->nr))
		return NULL;
	raw_spin_lock_irq(&runq->lock);
	if (runq->nr)
		co = take(runq, 1, &last);
	raw_spin_unlock_irq(&runq->lock);
	return co;
}

/**
 * costack_runq_steal() - take half of what waits in another queue
 * @from: the queue to take from
 * @to: gets all of it but the first coroutine
 *
 * Context: Process context.
 * Return: the first coroutine, or %NULL if @from is empty.
 */
struct costack *costack_runq_steal(struct costack_runq *from, struct costack_runq *to)
{
	struct costack *first = NULL, **last;
	unsigned int nr;

	if (!READ_ONCE(from->nr))
		return NULL;
	raw_spin_lock_irq(&from->lock);
	nr = min(DIV_ROUND_UP(from->nr, 2), COSTACK_STEAL_MAX);
	if (nr)
		first = take(from, nr, &last);
	raw_spin_unlock_irq(&from->lock);
	if (nr < 2)
		return first;
	raw_spin_lock_irq(&to->lock);
	append(to, first->run_next, last, nr - 1);
	raw_spin_unlock_irq(&to->lock);
	return first;
}

/**
 * costack_runq_init() - make an empty queue
 * @runq: the queue
 *
 * Context: Any.
 */
void costack_runq_init(struct costack_runq *runq)
{
	raw_spin_lock_init(&runq->lock);
	runq->head = NULL;
	runq->tail = &runq->head;
	runq->nr = 0;
	runq->taken = 0;
}
