// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts whose delivery finds no room: none may be lost.
 *
 *	lost-ipi LEFT ROUNDS	from another CPU, with LEFT bytes of stack left
 *	lost-timer LEFT ROUNDS	from this CPU's timer
 *
 * An interrupt pushes 40 bytes, from the stack pointer aligned down to 16. With
 * less room the CPU gives the interrupt up, and it has to be delivered again:
 * every round then has one replay. With a little more room the interrupt comes,
 * and its handler finds none: an ordinary growth.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/msr.h>

#include "costack_test.h"

#define FRAME_BYTES	40

/* What at.S counts on. */
static_assert(offsetof(struct cst_spin, armed) == 0);
static_assert(offsetof(struct cst_spin, received) == 4);
static_assert(offsetof(struct cst_spin, seen) == 8);
static_assert(offsetof(struct cst_spin, deadline) == 16);

/* Shared by the CPU that waits and the one that sends. */
static struct cst_spin spin;
static bool receiver_ended;
static long sent;

static void in_interrupt_here(void)
{
	WRITE_ONCE(spin.received, spin.received + 1);
}

static int wait_body(void *arg)
{
	const long left = *(const long *)arg;

	CST_EQ(PAGE_SIZE, costack_stack_size());
	cst_spin_at(cst_stack_lo() + left, &spin);
	return 0;
}

/* One round: returns false if the interrupt did not come. */
static bool wait_once(const long *left)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	spin.deadline = cst_deadline(3000);
	CST_EQ(0, costack_call_attr(&attr, wait_body, (void *)left));
	return CST_EQ(spin.seen + 1, READ_ONCE(spin.received));
}

struct plan {
	long	left;
	long	rounds;
};

static long lost_per_round(const struct plan *plan)
{
	return ALIGN_DOWN(plan->left, 16) < FRAME_BYTES;
}

/* === From another CPU === */

static void ipi(void *unused)
{
	in_interrupt_here();
}

static int receive_ipis(void *arg)
{
	const struct plan *plan = arg;
	long round;

	for (round = 0; round < plan->rounds; round++) {
		spin.seen = spin.received;
		if (!wait_once(&plan->left))
			break;
	}
	smp_store_release(&receiver_ended, true); /* pairs with send_ipis() */
	return 0;
}

static int send_ipis(void *arg)
{
	static call_single_data_t csd;
	const int cpu = *(int *)arg;

	INIT_CSD(&csd, ipi, NULL);
	while (!smp_load_acquire(&receiver_ended)) { /* pairs with receive_ipis() */
		if (!READ_ONCE(spin.armed)) {
			cpu_relax();
			cond_resched();
			continue;
		}
		WRITE_ONCE(spin.armed, 0);
		if (!CST_EQ(0, smp_call_function_single_async(cpu, &csd)))
			return 0;
		sent++;
	}
	return 0;
}

static void check_counts(const struct plan *plan, long grown, long replayed)
{
	grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place") - grown;
	replayed = cst_stat("interrupts_replayed") - replayed;
	CST_EQ(plan->rounds, grown);
	CST_EQ(plan->rounds * lost_per_round(plan), replayed);
}

static void lost_ipi(const long *args)
{
	static struct cst_thread receiver;
	const struct plan plan = { args[0], args[1] };
	int here = cpumask_first(cpu_online_mask), there = cpumask_next(here, cpu_online_mask);
	long grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");
	long replayed = cst_stat("interrupts_replayed");

	if (!CST_TRUE(there < nr_cpu_ids))
		return;
	memset(&spin, 0, sizeof(spin));
	receiver_ended = false;
	sent = 0;
	if (!CST_EQ(0, cst_thread_start(&receiver, here, receive_ipis, (void *)&plan)))
		return;
	CST_EQ(0, cst_thread_run(there, send_ipis, &here));
	wait_for_completion(&receiver.done);
	CST_EQ(plan.rounds, sent);
	CST_EQ(sent, READ_ONCE(spin.received));
	check_counts(&plan, grown, replayed);
}

/* === From the timer === */

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	in_interrupt_here();
	return HRTIMER_NORESTART;
}

static int receive_ticks(void *arg)
{
	const struct plan *plan = arg;
	static struct hrtimer timer;
	/* Long enough for a kernel with KASAN to get there first. */
	const u64 ahead = IS_ENABLED(CONFIG_KASAN) ? 5 * NSEC_PER_MSEC : 200 * NSEC_PER_USEC;
	bool came = true;
	long round;

	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer.function = tick;
	for (round = 0; round < plan->rounds && came; round++) {
		spin.seen = spin.received;
		hrtimer_start(&timer, ns_to_ktime(ahead),
			      HRTIMER_MODE_REL_PINNED_HARD);
		came = wait_once(&plan->left);
		hrtimer_cancel(&timer);
	}
	return 0;
}

/* The tick may come too early to be lost, so not every round has a growth. */
static void lost_timer(const long *args)
{
	const struct plan plan = { args[0], args[1] };
	long replayed = cst_stat("interrupts_replayed");

	memset(&spin, 0, sizeof(spin));
	CST_EQ(0, cst_thread_run(cpumask_first(cpu_online_mask), receive_ticks, (void *)&plan));
	CST_EQ(plan.rounds, READ_ONCE(spin.received));
	replayed = cst_stat("interrupts_replayed") - replayed;
	if (lost_per_round(&plan))
		CST_TRUE(replayed > plan.rounds / 2 && replayed <= plan.rounds);
	else
		CST_EQ(0, replayed);
}

static const struct cst_case cases[] = {
	{ "lost-ipi", lost_ipi },
	{ "lost-timer", lost_timer },
	{ }
};

struct cst_suite cst_lost = { .owner = THIS_MODULE, .cases = cases };
