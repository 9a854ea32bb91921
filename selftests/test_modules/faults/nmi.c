// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs from another CPU, one at a time: each is delivered once.
 *
 *	nmi-at LEFT ROUNDS	with LEFT bytes of stack left; an NMI has a stack of its
 *				own and needs none of it
 *	nmi-growth WANTED	while stacks grow, until so many have come in the midst of
 *				a growth, and a twentieth of that on the #DF stack
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/cpu_entry_area.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/processor-flags.h>

#include "figures.h"
#include "items.h"

#define HANDLER_NAME	"costack_test"

/* A chain of so many frames of 3 KiB outgrows a page, two and four. */
#define CHAIN_FRAMES	6

/* Where the NMIs of a batch have come. */
#define BATCH		128

/* A quarter of all come in a growth. After so many batches without a single one none will come. */
#define VAIN_BATCHES	100

/**
 * struct came - what an NMI has interrupted
 * @ip: instruction
 * @irqs_off: with interrupts disabled
 * @exception_stack: on a stack of the CPU's own
 */
struct came {
	unsigned long	ip;
	bool		irqs_off;
	bool		exception_stack;
};

/*
 * Shared by the CPU that receives and the one that sends. @pending is set by the
 * sender and cleared in the handler; the rest of an NMI belongs to who has cleared
 * it, until the next is sent.
 */
static struct {
	int		cpu;
	int		pending;
	long		sent;
	long		handled;
	struct came	came[BATCH];
	unsigned int	nr_came;
	bool		climbing;
	bool		ended;
	struct cst_spin	spin;
} nmis;

static int handle(unsigned int type, struct pt_regs *regs)
{
	unsigned long sp = regs->sp;

	if (raw_smp_processor_id() != nmis.cpu || !READ_ONCE(nmis.pending))
		return NMI_DONE;
	if (nmis.nr_came < BATCH)
		nmis.came[nmis.nr_came++] = (struct came) {
			.ip = regs->ip,
			.irqs_off = !(regs->flags & X86_EFLAGS_IF),
			.exception_stack = sp >= CPU_ENTRY_AREA_PER_CPU &&
					   sp < CPU_ENTRY_AREA_PER_CPU + CPU_ENTRY_AREA_MAP_SIZE,
		};
	nmis.handled++;
	WRITE_ONCE(nmis.spin.received, nmis.spin.received + 1);
	smp_store_release(&nmis.pending, 0); /* pairs with send() */
	return NMI_HANDLED;
}
NOKPROBE_SYMBOL(handle);

/* Send one and wait until it has come. */
static bool send(void)
{
	const u64 deadline = cst_deadline(60000);

	WRITE_ONCE(nmis.pending, 1);
	nmis.sent++;
	apic->send_IPI(nmis.cpu, NMI_VECTOR);
	while (smp_load_acquire(&nmis.pending)) { /* pairs with handle() */
		if (!CST_TRUE(rdtsc_ordered() < deadline))
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * Run @receive on one CPU and @send_nmis on another; returns whether that was possible.
 * @receive is started last, because it may occupy the CPU that this runs on.
 */
static bool exchange(costack_fn_t receive, costack_fn_t send_nmis, void *arg)
{
	static struct cst_thread receiver, sender;
	int there;

	memset(&nmis, 0, sizeof(nmis));
	nmis.spin.watch = &nmis.spin.received;
	if (!cst_two_cpus(&nmis.cpu, &there) ||
	    !CST_EQ(0, register_nmi_handler(NMI_LOCAL, handle, 0, HANDLER_NAME)))
		return false;
	if (CST_EQ(0, cst_thread_start(&sender, there, send_nmis, arg))) {
		bool receives = CST_EQ(0, cst_thread_start(&receiver, nmis.cpu, receive, arg));

		wait_for_completion(&sender.done);
		WRITE_ONCE(nmis.ended, true);
		if (receives)
			wait_for_completion(&receiver.done);
	}
	unregister_nmi_handler(NMI_LOCAL, HANDLER_NAME);
	CST_EQ(nmis.sent, nmis.handled);
	CST_TRUE(nmis.sent);
	cst_figure(CST_NMIS_SENT, nmis.sent);
	cst_figure(CST_NMIS_HANDLED, nmis.handled);
	return true;
}

/* === With little room === */

static int wait_body(void *arg)
{
	const long *args = arg;
	unsigned long flags;

	/* No other interrupt may come, and no stack may grow. */
	raw_local_irq_save(flags);
	cst_spin_at(cst_stack_lo() + args[0], &nmis.spin);
	raw_local_irq_restore(flags);
	CST_EQ(PAGE_SIZE, costack_stack_size());
	return 0;
}

static int wait_for_nmis(void *arg)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	const long *args = arg;
	long round;

	for (round = 0; round < args[1] && !cst_failures(); round++) {
		nmis.spin.seen = nmis.spin.received;
		nmis.spin.deadline = cst_deadline(60000);
		CST_EQ(0, costack_call_attr(&attr, wait_body, arg));
		CST_EQ(nmis.spin.seen + 1, READ_ONCE(nmis.spin.received));
	}
	return 0;
}

static int send_when_armed(void *arg)
{
	const long *args = arg;

	while (nmis.sent < args[1]) {
		if (!CST_SPIN(READ_ONCE(nmis.spin.armed)))
			break;
		WRITE_ONCE(nmis.spin.armed, 0);
		if (!send())
			break;
	}
	return 0;
}

static void nmi_at(const long *args)
{
	if (exchange(wait_for_nmis, send_when_armed, (void *)args))
		CST_EQ(args[1], nmis.sent);
}

/* === During growth === */

static int climb(void *unused)
{
	int ret;

	WRITE_ONCE(nmis.climbing, true);
	ret = cst_chain((void *)(long)CHAIN_FRAMES);
	WRITE_ONCE(nmis.climbing, false);
	return ret;
}

static int grow_on_and_on(void *arg)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	while (!READ_ONCE(nmis.ended)) {
		CST_EQ(0, costack_call_attr(&attr, climb, NULL));
		cond_resched();
	}
	return 0;
}

/* During a growth interrupts are off, and costack's own code runs. */
static bool in_growth(const struct came *came)
{
	char symbol[KSYM_SYMBOL_LEN];

	if (!came->irqs_off)
		return false;
	sprint_symbol(symbol, came->ip);
	return strstr(symbol, "[costack]");
}

/*
 * Sleep until some moment of a climb. An emulator whose CPUs take turns then runs the other
 * CPU and stops it anywhere. And stacks that have grown wait for a grace period, which a CPU
 * that computes would hold up.
 */
static bool await_climb(void)
{
	usleep_range(20, 60);
	return CST_UNTIL(READ_ONCE(nmis.climbing), "climbs", usleep_range(20, 60));
}

static int send_until_seen(void *arg)
{
	const long wanted = *(const long *)arg;
	long seen = 0, on_df = 0;
	unsigned int i, vain = 0;

	while ((seen < wanted || on_df < wanted / 20) && CST_TRUE(vain < VAIN_BATCHES)) {
		nmis.nr_came = 0;
		vain++;
		while (nmis.nr_came < BATCH) {
			if (!await_climb() || !send())
				return 0;
		}
		for (i = 0; i < BATCH; i++) {
			if (!in_growth(&nmis.came[i]))
				continue;
			seen++;
			on_df += nmis.came[i].exception_stack;
			if (seen <= wanted || nmis.came[i].exception_stack)
				vain = 0;
		}
	}
	cst_figure(CST_NMIS_IN_GROWTH, seen);
	return 0;
}

static void nmi_growth(const long *args)
{
	exchange(grow_on_and_on, send_until_seen, (void *)args);
}

static const struct cst_case cases[] = {
	{ "nmi-at", nmi_at },
	{ "nmi-growth", nmi_growth },
	{ }
};

struct cst_suite cst_nmi = { .owner = THIS_MODULE, .cases = cases };
