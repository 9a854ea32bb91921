// SPDX-License-Identifier: GPL-2.0
/*
 * What thread.cocci must find: each line marked "stale", and no other, uses a value that
 * was read from the thread or the CPU before a wait. Never compiled.
 */
#include <linux/costack.h>
#include <linux/percpu.h>
#include <linux/sched.h>

struct counter {
	long n;
};

static DEFINE_PER_CPU(struct counter, counters);
static DEFINE_PER_CPU(int, numbers);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool ready;

static long declared(void)
{
	struct task_struct *task = current;

	costack_sleep(1);
	return task->pid;	/* stale */
}

static long assigned(bool waits)
{
	struct mm_struct *mm;

	mm = current->mm;
	if (waits)
		costack_park();
	return mm->total_vm;	/* stale */
}

static long in_a_loop(void)
{
	struct counter *counter = this_cpu_ptr(&counters);
	long sum = 0;
	int i;

	for (i = 0; i < 8; i++) {
		sum += counter->n;	/* stale */
		costack_yield();
	}
	return sum;
}

static int by_macros(void)
{
	struct task_struct *task = get_current();
	int *number = raw_cpu_ptr(&numbers);

	costack_wait_event(queue, ready);
	*number = 3;	/* stale */
	return task->pid;	/* stale */
}

static int after_a_timeout(struct costack_chan *chan, void *elem)
{
	const struct cred *cred = current_cred();

	if (costack_wait_event_timeout(queue, ready, HZ) <= 0)
		return -ETIMEDOUT;
	return cred->uid.val ? -EPERM : 0;	/* stale */
}

static int in_channels(struct costack_chan *chan, void *elem, struct costack_work *work)
{
	struct thread_info *info = current_thread_info();
	struct fs_struct *fs = current->fs;
	struct files_struct *files = current->files;

	costack_chan_send(chan, elem);
	if (info->flags)	/* stale */
		return 1;
	costack_chan_recv(chan, elem);
	if (fs->users)	/* stale */
		return 2;
	costack_wait(work);
	return files->next_fd;	/* stale */
}

static int in_selects(struct costack_chan *chan, struct costack_select_case *cases)
{
	struct thread_info *info = current_thread_info();
	struct fs_struct *fs = current->fs;
	struct files_struct *files = current->files;

	costack_select(cases, 2);
	if (info->flags)	/* stale */
		return 1;
	costack_select_timeout(cases, 2, HZ);
	if (fs->users)	/* stale */
		return 2;
	costack_chan_recv_timeout(chan, NULL, HZ);
	return files->next_fd;	/* stale */
}
