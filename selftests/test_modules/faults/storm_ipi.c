// SPDX-License-Identifier: GPL-2.0
/*
 * A storm that counts: each CPU has a timer, and each of its ticks sends a
 * function-call interrupt to the next CPU. At the end the numbers sent and received are
 * compared. With one CPU there are only the timers.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "costack_test.h"
#include "figures.h"
#include "items.h"
#include "storm_ipi.h"

/**
 * struct source - one CPU's part of the storm
 * @timer: ticks on that CPU
 * @csd: sent by @timer
 * @to: where to, or nr_cpu_ids
 * @sent: how often; written by @timer
 * @came: how often it came; written on @to
 */
struct source {
	struct hrtimer		timer;
	call_single_data_t	csd;
	unsigned int		to;
	long			sent;
	long			came;
};

static DEFINE_PER_CPU(struct source, sources);
static ktime_t interval;

static void came(void *arg)
{
	struct source *source = arg;

	WRITE_ONCE(source->came, source->came + 1);
}

/* Only one is under way at a time: the previous one must have arrived. */
static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct source *source = container_of(timer, struct source, timer);

	hrtimer_forward_now(timer, interval);
	if (source->to < nr_cpu_ids && !smp_call_function_single_async(source->to, &source->csd))
		source->sent++;
	return HRTIMER_RESTART;
}

static void start(void *unused)
{
	struct source *source = this_cpu_ptr(&sources);

	hrtimer_start(&source->timer, interval, HRTIMER_MODE_REL_PINNED_HARD);
}

/**
 * cst_ipi_storm_begin() - begin the storm
 * @usecs: between two ticks on each CPU
 *
 * Context: Process context; may sleep. No CPU comes or goes until it ends.
 */
void cst_ipi_storm_begin(unsigned int usecs)
{
	unsigned int cpu;

	interval = ns_to_ktime(usecs * NSEC_PER_USEC);
	for_each_online_cpu(cpu) {
		struct source *source = per_cpu_ptr(&sources, cpu);

		source->sent = 0;
		source->came = 0;
		source->to = cpumask_next(cpu, cpu_online_mask);
		if (source->to >= nr_cpu_ids)
			source->to = cpumask_first(cpu_online_mask);
		if (source->to == cpu)
			source->to = nr_cpu_ids;
		INIT_CSD(&source->csd, came, source);
		costack_hrtimer_setup(&source->timer, tick, CLOCK_MONOTONIC,
				      HRTIMER_MODE_REL_PINNED_HARD);
	}
	on_each_cpu(start, NULL, 1);
}

/**
 * cst_ipi_storm_end() - end it, and compare what was sent with what came
 *
 * Context: Process context; may sleep.
 */
void cst_ipi_storm_end(void)
{
	long sent = 0, delivered = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		hrtimer_cancel(&per_cpu_ptr(&sources, cpu)->timer);
	for_each_online_cpu(cpu) {
		struct source *source = per_cpu_ptr(&sources, cpu);

		/*
		 * The last one may still be under way, and no call can be made that comes
		 * after it: the kernel runs those first that somebody waits for.
		 */
		CST_SOON(READ_ONCE(source->came) == source->sent);
		sent += source->sent;
		delivered += READ_ONCE(source->came);
	}
	cst_compare_interrupts(sent, delivered);
	CST_TRUE(num_online_cpus() == 1 || sent);
}
