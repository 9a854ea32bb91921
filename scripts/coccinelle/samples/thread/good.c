// SPDX-License-Identifier: GPL-2.0
/*
 * Where thread.cocci has to find nothing. Never compiled.
 */
#include <linux/costack.h>
#include <linux/percpu.h>
#include <linux/sched.h>

static DEFINE_PER_CPU(int, numbers);

/* Taken again. */
static long again(void)
{
	struct task_struct *task = current;
	long pid = task->pid;

	costack_sleep(1);
	task = current;
	return task->pid - pid;
}

/* Read each time: no variable keeps it. */
static long each_time(void)
{
	long pid = current->pid;

	costack_park();
	return current->pid - pid;
}

/* Who it was is a fair question, and who it was is not looked into. */
static bool moved(void)
{
	struct task_struct *task = current;

	costack_yield();
	return task != current;
}

/* Before the wait, and no more after. */
static void before(void)
{
	int *number = this_cpu_ptr(&numbers);

	*number = 4;
	costack_yield();
}

/* Not of this thread. */
static pid_t another(struct task_struct *task)
{
	costack_sleep(1);
	return task->pid;
}

/* The thread's own function waits, and its thread with it. */
static long waits_itself(void)
{
	struct task_struct *task = current;

	schedule_timeout_idle(1);
	return task->pid;
}
