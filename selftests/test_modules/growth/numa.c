// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with two NUMA nodes, of one CPU each: stacks are of the node that they are used on.
 *
 *	numa CALLS	so many at a time, first on one node, then on the other; some end on the
 *			other one
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/wait.h>

#include "items.h"

/**
 * struct caller - a thread that calls
 * @thread: the thread
 * @end_on: the CPU that it goes to while its coroutine waits
 * @here: node of the CPU that it called on
 * @node: node of its stack
 */
struct caller {
	struct cst_thread	thread;
	int			end_on;
	int			here;
	int			node;
};

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;
static atomic_t nr_waiting;

static int move_to_cpu(void *arg)
{
	struct caller *caller = arg;

	return set_cpus_allowed_ptr(current, cpumask_of(caller->end_on));
}

static int wait_on_stack(void *arg)
{
	struct caller *caller = arg;
	int err;

	caller->here = numa_mem_id();
	caller->node = page_to_nid(vmalloc_to_page((void *)cst_stack_lo()));
	atomic_inc(&nr_waiting);
	err = costack_wait_event(gate, READ_ONCE(gate_is_open));
	return err ?: costack_on_host(move_to_cpu, caller);
}

static int call(void *arg)
{
	return costack_call(wait_on_stack, arg);
}

/* All have a stack at the same time: more than a CPU keeps. */
static void call_together(struct caller *caller, long nr, int begin_on, int end_on)
{
	long i;

	atomic_set(&nr_waiting, 0);
	WRITE_ONCE(gate_is_open, false);
	for (i = 0; i < nr; i++) {
		caller[i].end_on = end_on;
		if (!CST_EQ(0, cst_thread_start(&caller[i].thread, begin_on, call, &caller[i])))
			break;
	}
	nr = i;
	CST_SOON(atomic_read(&nr_waiting) == nr);
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
	for (i = 0; i < nr; i++) {
		wait_for_completion(&caller[i].thread.done);
		CST_EQ(0, caller[i].thread.ret);
		CST_EQ(caller[i].here, caller[i].node);
	}
}

static void numa(const long *args)
{
	struct caller *caller = kcalloc(args[0], sizeof(*caller), GFP_KERNEL);
	int one = -1, two = -1;

	if (!CST_TRUE(caller))
		return;
	if (!cst_two_cpus(&one, &two))
		goto out;
	if (!CST_TRUE(cpu_to_mem(one) != cpu_to_mem(two)))
		goto out;
	call_together(caller, args[0], one, one);
	call_together(caller, args[0], two, two);
	call_together(caller, args[0], one, two);
	call_together(caller, args[0], two, one);
	call_together(caller, args[0], one, one);
	call_together(caller, args[0], two, two);
out:
	kfree(caller);
}

static const struct cst_case cases[] = {
	{ "numa", numa },
	{ }
};

struct cst_suite cst_numa = { .owner = THIS_MODULE, .cases = cases };
