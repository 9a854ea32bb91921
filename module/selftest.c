// SPDX-License-Identifier: GPL-2.0
/*
 * The load-time self-test: a real overflow that grows in place, one that grows by copy, and, on
 * each CPU that is not isolated, an interrupt that finds no room.
 *
 * If resuming from #DF, the unwinder or an APIC does not work as this module expects, the
 * self-test fails and the module does not load. A hypervisor may emulate the APIC, or have the
 * processor do so, and then it is another APIC that this module reads. The interrupt is the
 * CPU's own. The self-test covers neither interrupts of devices nor CPUs that come online later.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/costack.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/sched/isolation.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "selftest.h"
#include "stats.h"

#define DEPTH		24
#define FRAME_BYTES	256

/**
 * struct run - what one coroutine has to do, and its result
 * @work: carries the run to a kernel thread
 * @policy: how the stack is to grow
 * @fn: the coroutine's function
 * @ret: what it returned
 * @in_service: the interrupt that was in service afterwards; -1: none, as it should be
 */
struct run {
	struct work_struct	work;
	enum costack_policy	policy;
	costack_fn_t		fn;
	int			ret;
	int			in_service;
};

/*
 * Recurse with a pointer into each caller's frame, and check the frames on the way back.
 * The compiler must not optimize any of this away.
 */
static noinline int descend(int depth, int *above)
{
	char room[FRAME_BYTES];
	int here = depth, sum = 0;

	OPTIMIZER_HIDE_VAR(above);
	memset(room, depth, sizeof(room));
	barrier_data(room);
	if (depth) {
		sum = descend(depth - 1, &here);
		here--;
	}
	barrier_data(room);
	if (here != depth || memchr_inv(room, depth, sizeof(room)))
		return -1;
	(*above)++;
	return sum < 0 ? sum : sum + depth;
}

static int body(void *unused)
{
	int top = DEPTH;

	return descend(DEPTH, &top);
}

static void run_fn(struct work_struct *work)
{
	struct run *run = container_of(work, struct run, work);
	enum costack_policy policy = costack_knobs.policy;
	bool adaptive_start = costack_knobs.adaptive_start;
	/* Make the stack overflow, whatever stack_min and stack_max are. */
	const struct costack_attr attr = {
		.name		= "self-test",
		.stack_first	= PAGE_SIZE,
		.stack_limit	= 4 * PAGE_SIZE,
	};

	costack_knobs.policy = run->policy;
	costack_knobs.adaptive_start = false;
	run->ret = costack_call_attr(&attr, run->fn, NULL);
	costack_knobs.policy = policy;
	costack_knobs.adaptive_start = adaptive_start;

	local_irq_disable();
	run->in_service = costack_arch_end_interrupt();
	/* The kernel still waits for the interrupt, and raises no other. */
	if (run->ret == -EIO)
		irq_work_run();
	local_irq_enable();
}

static void run_on(int cpu, struct run *run)
{
	INIT_WORK_ONSTACK(&run->work, run_fn);
	schedule_work_on(cpu, &run->work);
	flush_work(&run->work);
	destroy_work_on_stack(&run->work);
}

static int check_growth(enum costack_policy policy, enum costack_stat stat, const char *what)
{
	struct run run = { .policy = policy, .fn = body };
	long before = costack_stat_read(stat);

	run_on(WORK_CPU_UNBOUND, &run);
	if (run.ret != DEPTH * (DEPTH + 1) / 2) {
		pr_err("cannot load: self-test: growth %s returned %d\n", what, run.ret);
		return -EOPNOTSUPP;
	}
	if (costack_stat_read(stat) == before) {
		pr_err("cannot load: self-test: no growth %s took place\n", what);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* === Interrupts === */

/* Whether the interrupt has come. */
static bool came;

static void come(struct irq_work *unused)
{
	WRITE_ONCE(came, true);
}

static struct irq_work interrupt = IRQ_WORK_INIT_HARD(come);

/* Raise an interrupt that comes when the stack pointer is at the end of the stack. */
static int lose_interrupt(void *unused)
{
	unsigned long end;

	raw_local_irq_disable();
	irq_work_queue(&interrupt);
	end = current_stack_pointer - costack_stack_left();
	costack_arch_enable_at(ALIGN_DOWN(end, PAGE_SIZE), &came);
	return READ_ONCE(came) ? 0 : -EIO;
}

/*
 * Something else may find no room first: a hypervisor's own interrupt that is in no APIC. It
 * comes again by itself.
 */
#define TRIES	10

static int check_interrupt(int cpu)
{
	struct run run = { .policy = COSTACK_POLICY_INPLACE, .fn = lose_interrupt };
	long before = costack_stat_read(COSTACK_STAT_INTERRUPTS_REPLAYED);
	bool replayed = false;
	const char *why;
	int i;

	for (i = 0; i < TRIES && !run.ret && !replayed; i++) {
		came = false;
		run_on(cpu, &run);
		replayed = costack_stat_read(COSTACK_STAT_INTERRUPTS_REPLAYED) != before;
	}
	if (run.ret && run.ret != -EIO) {
		pr_err("cannot load: self-test: CPU %d: error %d\n", cpu, run.ret);
		return -EOPNOTSUPP;
	}
	if (run.ret)
		why = "did not come";
	else if (!replayed)
		why = "was not found in its APIC";
	else if (run.in_service >= 0)
		why = "stayed in its APIC";
	else
		return 0;
	pr_err("cannot load: self-test: CPU %d: the interrupt that found no room on a stack %s\n",
	       cpu, why);
	return -EOPNOTSUPP;
}

/* Leave out isolated CPUs: they may be busy, and their APICs are like the others. */
static int check_interrupts(void)
{
	int cpu, err = 0;

	cpus_read_lock();
	for_each_cpu_and(cpu, cpu_online_mask, housekeeping_cpumask(HK_TYPE_WQ)) {
		err = check_interrupt(cpu);
		if (err)
			break;
	}
	cpus_read_unlock();
	return err;
}

/**
 * costack_selftest() - have one stack grow in place and one by copy, and interrupts lost
 *
 * Context: Process context; may sleep. Before others can use the module.
 * Return: 0, or -EOPNOTSUPP with a message.
 */
int costack_selftest(void)
{
	int err;

	/* Without a guard, a stack that overflows cannot grow. */
	if (!COSTACK_ARCH_GUARD)
		return 0;
	err = check_growth(COSTACK_POLICY_INPLACE, COSTACK_STAT_GROWN_IN_PLACE, "in place") ?:
	      check_growth(COSTACK_POLICY_COPY, COSTACK_STAT_GROWN_BY_COPY, "by copy") ?:
	      check_interrupts();
	costack_stats_reset();
	return err;
}
