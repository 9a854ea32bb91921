// SPDX-License-Identifier: GPL-2.0
/*
 * Code in which thread.cocci must find nothing. Never compiled.
 */
#include <linux/costack.h>
#include <linux/percpu.h>
#include <linux/sched.h>

static DEFINE_PER_CPU(int, numbers);

/* The value is read again. */
static long again(void)
{
	struct task_struct *task = current;
	long pid = task->pid;

	costack_sleep(1);
	task = current;
	return task->pid - pid;
}

/* The value is read each time: no variable keeps it. */
static long each_time(void)
{
	long pid = current->pid;

	costack_park();
	return current->pid - pid;
}

/* The old thread is only compared with; nothing is read from it. */
static bool moved(void)
{
	struct task_struct *task = current;

	costack_yield();
	return task != current;
}

/* The value is used before the wait only. */
static void before(void)
{
	int *number = this_cpu_ptr(&numbers);

	*number = 4;
	costack_yield();
}

/* The value is not this thread's. */
static pid_t another(struct task_struct *task)
{
	costack_sleep(1);
	return task->pid;
}

/* schedule_timeout_idle() puts the thread itself to sleep, so the thread stays the same. */
static long waits_itself(void)
{
	struct task_struct *task = current;

	schedule_timeout_idle(1);
	return task->pid;
}
