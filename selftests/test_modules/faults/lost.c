// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts whose delivery finds no room: none may be lost or delivered twice.
 *
 *	lost-SOURCE LEFT ROUNDS		raised by this CPU, with LEFT bytes of stack left
 *	lost-SOURCE-remote LEFT ROUNDS	raised by another CPU
 *	lost-limit LEFT ROUNDS		raised by this CPU, with LEFT bytes left to the end of the
 *					last page that the coroutine may have
 *
 * LEFT below 0: with 0, 8, ... 64 bytes, but not for the timer. The sources:
 *
 *	ipi	function call, remote only: "lost-ipi"
 *	timer	high-resolution timer: "lost-timer"
 *	work	irq_work, of this CPU only
 *	resched	the scheduler's interrupt
 *	msi	PCI device, message
 *	intx	PCI device, level-triggered line of the I/O APIC
 *	serial	UART, edge-triggered line of the I/O APIC
 *	virtio	random numbers, which others read: "lost-virtio", between
 *		"lost-virtio-begin" and "lost-virtio-end"
 *
 * An interrupt pushes 40 bytes, from the stack pointer aligned down to 16. With
 * less room the CPU gives the interrupt up, and it has to be delivered again:
 * every round then has one replay. With a little more room the interrupt comes,
 * and its handler finds none: an ordinary growth.
 *
 * This CPU raises interrupts with interrupts off. It turns them on when the stack pointer
 * is in its place, so that the interrupt comes there.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/hardirq.h>
#include <asm/irq_vectors.h>

#include "costack_test.h"
#include "figures.h"
#include "items.h"
#include "lost.h"

#define FRAME_BYTES	40

/* The stack pointer is put to 0, 8, ... 64 bytes above the guard. */
#define LAST_BYTES	64

/* Runs of a case in which others sent the same interrupt, until it is given up. */
#define MAX_RUNS	200

/* at.S relies on these offsets. */
static_assert(offsetof(struct cst_spin, armed) == 0);
static_assert(offsetof(struct cst_spin, received) == 4);
static_assert(offsetof(struct cst_spin, seen) == 8);
static_assert(offsetof(struct cst_spin, deadline) == 16);
static_assert(offsetof(struct cst_spin, watch) == 24);

/* Shared by the CPU that waits and the one that sends. */
static struct cst_spin spin;
static bool receiver_ended;
static long sent;

/**
 * cst_came() - an interrupt has come
 *
 * Context: Its handler, on the CPU that it was sent to.
 */
void cst_came(void)
{
	WRITE_ONCE(spin.received, spin.received + 1);
}

/**
 * struct plan - a case
 * @source: what raises interrupts; %NULL: a timer, which may expire at any time
 * @left: bytes of stack left
 * @rounds: interrupts to wait for
 * @cpu: where they are to come
 * @remote: the other CPU raises them
 * @came: how many came
 * @foreign: how many were sent, but not by us
 */
struct plan {
	const struct cst_source	*source;
	long			left;
	long			rounds;
	int			cpu;
	bool			remote;
	long			came;
	long			foreign;
};

static int wait_body(void *arg)
{
	const struct plan *plan = arg;
	unsigned long flags;

	CST_EQ(PAGE_SIZE, costack_stack_size());
	if (!plan->source || plan->remote) {
		cst_spin_at(cst_stack_lo() + plan->left, &spin);
		return 0;
	}
	raw_local_irq_save(flags);
	if (plan->source->raise) {
		plan->source->raise(plan->cpu);
		sent++;
	} else {
		spin.seen = READ_ONCE(*spin.watch);
	}
	cst_enable_at(cst_stack_lo() + plan->left, &spin);
	return 0;
}

/* One round, from spin.seen on: returns false if the interrupt did not come. */
static bool wait_once(const struct plan *plan)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	spin.deadline = cst_deadline(60000);
	CST_EQ(0, costack_call_attr(&attr, wait_body, (void *)plan));
	return CST_TRUE(READ_ONCE(*spin.watch) != spin.seen);
}

static long lost_per_round(const struct plan *plan)
{
	return ALIGN_DOWN(plan->left, 16) < FRAME_BYTES;
}

/* That it runs is all that is asked for. */
static void answer(void *unused)
{
}

static int receive(void *arg)
{
	struct plan *plan = arg;
	long (*foreign)(void) = plan->source->foreign;
	u32 before;
	long round;

	/*
	 * What others have sent so far does not count, such as the interrupt that woke this
	 * thread, and must not come later. A CPU that is about to send has interrupts off, so
	 * it answers the call only when it has sent.
	 */
	plan->foreign = foreign ? -foreign() : 0;
	smp_call_function(answer, NULL, 1);
	cst_spin_usecs(1000);
	before = READ_ONCE(*spin.watch);
	for (round = 0; round < plan->rounds; round++) {
		spin.seen = READ_ONCE(*spin.watch);
		if (!wait_once(plan))
			break;
	}
	plan->came = READ_ONCE(*spin.watch) - before;
	plan->foreign += foreign ? foreign() : 0;
	smp_store_release(&receiver_ended, true); /* pairs with send() */
	return 0;
}

static int send(void *arg)
{
	const struct plan *plan = arg;

	while (!smp_load_acquire(&receiver_ended)) { /* pairs with receive() */
		if (!READ_ONCE(spin.armed)) {
			cpu_relax();
			cond_resched();
			continue;
		}
		WRITE_ONCE(spin.armed, 0);
		plan->source->raise(plan->cpu);
		sent++;
	}
	return 0;
}

/* One run. Returns false if others sent interrupts too: then the counts are not exact. */
static bool run(struct plan *plan, int there)
{
	static struct cst_thread receiver;
	long grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");
	long replayed = cst_stat("interrupts_replayed");

	receiver_ended = false;
	sent = 0;
	/* The last run's, which the sender has not seen if a foreign interrupt was faster. */
	spin.armed = 0;
	if (!CST_EQ(0, cst_thread_start(&receiver, plan->cpu, receive, plan)))
		return true;
	if (plan->remote)
		CST_EQ(0, cst_thread_run(there, send, plan));
	wait_for_completion(&receiver.done);
	if (plan->foreign) {
		CST_TRUE(plan->came >= sent && plan->came <= sent + plan->foreign);
		return cst_failures();
	}
	if (plan->source->raise) {
		CST_EQ(plan->rounds, sent);
		cst_compare_interrupts(sent, plan->came);
	}
	grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place") - grown;
	replayed = cst_stat("interrupts_replayed") - replayed;
	CST_EQ(plan->rounds, grown);
	CST_EQ(plan->rounds * lost_per_round(plan), replayed);
	return true;
}

/* Repeat until the counts are exact. */
static void run_exactly(struct plan *plan, int there)
{
	int i;

	for (i = 0; i < MAX_RUNS && !run(plan, there); i++)
		;
	CST_TRUE(i < MAX_RUNS);
}

static void lost(const struct cst_source *source, bool remote, const long *args)
{
	struct plan plan = {
		.source = source, .left = args[0], .rounds = args[1], .remote = remote,
		.cpu = cpumask_first(cpu_online_mask),
	};
	int here = plan.cpu, there = plan.cpu;

	if (remote && !cst_two_cpus(&here, &there))
		return;
	memset(&spin, 0, sizeof(spin));
	spin.watch = source->watch ? source->watch(here) : &spin.received;
	if (source->begin && !CST_EQ(0, source->begin(here)))
		return;
	if (plan.left >= 0)
		run_exactly(&plan, there);
	else
		for (plan.left = 0; plan.left <= LAST_BYTES && !cst_failures(); plan.left += 8)
			run_exactly(&plan, there);
	if (source->end)
		source->end();
}

/* === Function calls === */

static call_single_data_t call;

static void called(void *unused)
{
	cst_came();
}

static int begin_call(int cpu)
{
	INIT_CSD(&call, called, NULL);
	return 0;
}

static void raise_call(int cpu)
{
	CST_EQ(0, smp_call_function_single_async(cpu, &call));
}

static void lost_ipi(const long *args)
{
	static const struct cst_source source = { .begin = begin_call, .raise = raise_call };

	lost(&source, true, args);
}

/* === irq_work === */

static void worked(struct irq_work *unused)
{
	cst_came();
}

static struct irq_work work = IRQ_WORK_INIT_HARD(worked);

static void raise_work(int cpu)
{
	CST_TRUE(irq_work_queue(&work));
}

static void end_work(void)
{
	irq_work_sync(&work);
}

static void lost_work(const long *args)
{
	static const struct cst_source source = { .raise = raise_work, .end = end_work };

	lost(&source, false, args);
}

/* === The scheduler's === */

/* The kernel counts those that come; a probe counts those that it sends. */
static atomic_long_t kernel_sent;
static int resched_cpu;

static int count_sent(struct kprobe *probe, struct pt_regs *regs)
{
	if ((int)regs->di == resched_cpu)
		atomic_long_inc(&kernel_sent);
	return 0;
}
NOKPROBE_SYMBOL(count_sent);

static struct kprobe resched_probe;

static int begin_resched(int cpu)
{
	resched_cpu = cpu;
	atomic_long_set(&kernel_sent, 0);
	resched_probe = (struct kprobe) {
		.addr		= (kprobe_opcode_t *)smp_ops.smp_send_reschedule,
		.pre_handler	= count_sent,
	};
	return register_kprobe(&resched_probe);
}

static void raise_resched(int cpu)
{
	apic->send_IPI(cpu, RESCHEDULE_VECTOR);
}

static void end_resched(void)
{
	unregister_kprobe(&resched_probe);
}

static u32 *watch_resched(int cpu)
{
	return &per_cpu_ptr(&irq_stat, cpu)->CST_RESCHED_COUNT;
}

static long foreign_resched(void)
{
	return atomic_long_read(&kernel_sent);
}

static const struct cst_source resched = {
	.begin		= begin_resched,
	.raise		= raise_resched,
	.end		= end_resched,
	.watch		= watch_resched,
	.foreign	= foreign_resched,
};

static void lost_resched(const long *args)
{
	lost(&resched, false, args);
}

static void lost_resched_remote(const long *args)
{
	lost(&resched, true, args);
}

/* === At the limit === */

static int limit_body(void *arg)
{
	const struct plan *plan = arg;

	CST_EQ(PAGE_SIZE, costack_stack_size());
	raw_local_irq_disable();
	raise_work(plan->cpu);
	cst_enable_at(cst_stack_lo() - PAGE_SIZE + plan->left, &spin);
	return 0;
}

/*
 * The stack may have one page more, and ends LEFT bytes below the stack pointer. The CPU tells
 * only the first address that it could not write, which may be in that page while the end of the
 * frame is not. Then the coroutine is aborted, and the interrupt comes all the same. Where the
 * frame fits, its handler gets room beyond the limit.
 */
static void lost_limit(const long *args)
{
	const struct costack_attr attr = {
		.stack_first = PAGE_SIZE, .stack_limit = 2 * PAGE_SIZE, .flags = COSTACK_ABORTABLE,
	};
	struct plan plan = { .left = args[0], .cpu = raw_smp_processor_id() };
	long round, replayed;

	memset(&spin, 0, sizeof(spin));
	spin.watch = &spin.received;
	for (round = 0; round < args[1]; round++) {
		replayed = cst_stat("interrupts_replayed");
		spin.seen = spin.received;
		spin.deadline = cst_deadline(60000);
		CST_EQ(lost_per_round(&plan) ? -EOVERFLOW : 0,
		       costack_call_attr(&attr, limit_body, &plan));
		CST_EQ(round + 1, READ_ONCE(spin.received));
		CST_EQ(1, cst_stat("interrupts_replayed") - replayed);
	}
	irq_work_sync(&work);
}

/* === Devices === */

static void lost_msi(const long *args)
{
	lost(&cst_msi, false, args);
}

static void lost_msi_remote(const long *args)
{
	lost(&cst_msi, true, args);
}

static void lost_intx(const long *args)
{
	lost(&cst_intx, false, args);
}

static void lost_intx_remote(const long *args)
{
	lost(&cst_intx, true, args);
}

static void lost_serial(const long *args)
{
	lost(&cst_serial, false, args);
}

static void lost_serial_remote(const long *args)
{
	lost(&cst_serial, true, args);
}

static void lost_virtio(const long *args)
{
	lost(&cst_virtio, false, args);
}

static void lost_virtio_begin(const long *args)
{
	cst_virtio_begin();
}

static void lost_virtio_end(const long *args)
{
	cst_virtio_end();
}

/* === The timer === */

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	cst_came();
	return HRTIMER_NORESTART;
}

/* Rounds for each lost tick. A tick that comes before the wait begins is not lost. */
#define TRIES	20

/**
 * struct ticks - what has become of them
 * @plan: what is to be done
 * @sent: how often the timer was started
 * @lost: how many ticks found no room
 */
struct ticks {
	const struct plan	*plan;
	long			sent;
	long			lost;
};

static int receive_ticks(void *arg)
{
	struct ticks *ticks = arg;
	const struct plan *plan = ticks->plan;
	const bool lose = lost_per_round(plan);
	u64 ahead = 200 * NSEC_PER_USEC;
	static struct hrtimer timer;
	bool came = true;

	costack_hrtimer_setup(&timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	while (came && (lose ? ticks->lost : ticks->sent) < plan->rounds &&
	       ticks->sent < TRIES * plan->rounds) {
		long replayed = cst_stat("interrupts_replayed");

		spin.seen = spin.received;
		hrtimer_start(&timer, ns_to_ktime(ahead), HRTIMER_MODE_REL_PINNED_HARD);
		came = wait_once(plan);
		hrtimer_cancel(&timer);
		ticks->sent++;
		replayed = cst_stat("interrupts_replayed") - replayed;
		ticks->lost += replayed;
		/* The machine is too slow or too busy. */
		if (lose && !replayed)
			ahead = min_t(u64, 2 * ahead, 20 * NSEC_PER_MSEC);
	}
	return 0;
}

static void lost_timer(const long *args)
{
	struct plan plan = {
		.left = args[0], .rounds = args[1], .cpu = cpumask_first(cpu_online_mask),
	};
	struct ticks ticks = { .plan = &plan };

	memset(&spin, 0, sizeof(spin));
	spin.watch = &spin.received;
	CST_EQ(0, cst_thread_run(plan.cpu, receive_ticks, &ticks));
	cst_compare_interrupts(ticks.sent, READ_ONCE(spin.received));
	CST_EQ(lost_per_round(&plan) ? plan.rounds : 0, ticks.lost);
}

static const struct cst_case cases[] = {
	{ "lost-ipi", lost_ipi },
	{ "lost-timer", lost_timer },
	{ "lost-work", lost_work },
	{ "lost-resched", lost_resched },
	{ "lost-resched-remote", lost_resched_remote },
	{ "lost-limit", lost_limit },
	{ "lost-msi", lost_msi },
	{ "lost-msi-remote", lost_msi_remote },
	{ "lost-intx", lost_intx },
	{ "lost-intx-remote", lost_intx_remote },
	{ "lost-serial", lost_serial },
	{ "lost-serial-remote", lost_serial_remote },
	{ "lost-virtio-begin", lost_virtio_begin },
	{ "lost-virtio", lost_virtio },
	{ "lost-virtio-end", lost_virtio_end },
	{ }
};

struct cst_suite cst_lost = { .owner = THIS_MODULE, .cases = cases };
