// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own means, measured in the same run.
 *
 *	kthread_pingpong	two threads, a completion each way
 *	mutex_peer		mutex_lock() and mutex_unlock() of one that nobody else uses
 *	mutex_handover_peer	two threads hand mutexes to each other, there and back
 *	queue_flush		queue_work() and flush_work() of an empty function
 *	queue_flush_8		eight of them: all queued, then all flushed
 *	kthread_run_stop	kthread_run() of a thread that waits to be stopped
 *	empty_call		a call of an empty function
 *	memcpy_1k		memcpy() of 1 KiB
 *	words_1k		the same 1 KiB copied in a loop of words
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "bench.h"

/* === Two threads === */

static struct completion ping, pong;

static int pong_fn(void *data)
{
	unsigned long count = (unsigned long)data;

	while (count--) {
		wait_for_completion(&ping);
		complete(&pong);
	}
	return 0;
}

static s64 kthread_pingpong(unsigned int count)
{
	struct task_struct *task;
	unsigned int i;
	s64 start;

	init_completion(&ping);
	init_completion(&pong);
	task = kthread_run(pong_fn, (void *)(unsigned long)(count + 1), "costack_pong");
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* After this the other thread waits already. */
	complete(&ping);
	wait_for_completion(&pong);
	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		complete(&ping);
		wait_for_completion(&pong);
	}
	return bench_now() - start;
}

/* === Mutexes === */

static s64 mutex_peer(unsigned int count)
{
	static DEFINE_MUTEX(mutex);
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
	return bench_now() - start;
}

static struct mutex ring[3];

/*
 * Each of two holds one of three mutexes, and locks the next one before it unlocks this one. The
 * next one is the other's until that has locked the third. So each waits at every step, and is
 * handed what it waits for by the other's next step.
 */
static void follow(unsigned int from, unsigned int count)
{
	unsigned int i, next;

	for (i = 0; i < count; i++, from = next) {
		next = from == 2 ? 0 : from + 1;
		mutex_lock(&ring[next]);
		mutex_unlock(&ring[from]);
	}
	mutex_unlock(&ring[from]);
}

static int follow_fn(void *data)
{
	mutex_lock(&ring[1]);
	complete(&pong);
	wait_for_completion(&ping);
	follow(1, (unsigned long)data);
	complete(&pong);
	return 0;
}

static s64 mutex_handover_peer(unsigned int count)
{
	struct task_struct *task;
	unsigned int i;
	s64 start;

	for (i = 0; i < 3; i++)
		mutex_init(&ring[i]);
	init_completion(&ping);
	init_completion(&pong);
	task = kthread_run(follow_fn, (void *)(unsigned long)count, "costack_follow");
	if (IS_ERR(task))
		return PTR_ERR(task);
	mutex_lock(&ring[0]);
	wait_for_completion(&pong);
	bench_quiet();
	start = bench_now();
	complete(&ping);
	follow(0, count);
	start = bench_now() - start;
	wait_for_completion(&pong);
	return start;
}

static int stopped_fn(void *data)
{
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static s64 kthread_run_stop(unsigned int count)
{
	struct task_struct *task;
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		task = kthread_run(stopped_fn, NULL, "costack_stop");
		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_stop(task);
	}
	return bench_now() - start;
}

/* === A workqueue === */

static void nothing(struct work_struct *work)
{
}

static s64 queue_flush(unsigned int count)
{
	static DECLARE_WORK(work, nothing);
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		queue_work(system_unbound_wq, &work);
		flush_work(&work);
	}
	return bench_now() - start;
}

static s64 queue_flush_8(unsigned int count)
{
	static struct work_struct works[8];
	unsigned int i, nr;
	s64 start;

	for (nr = 0; nr < 8; nr++)
		INIT_WORK(&works[nr], nothing);
	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		for (nr = 0; nr < 8; nr++)
			queue_work(system_unbound_wq, &works[nr]);
		for (nr = 0; nr < 8; nr++)
			flush_work(&works[nr]);
	}
	return bench_now() - start;
}

/* === Small things === */

static s64 empty_call(unsigned int count)
{
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++)
		bench_empty(NULL);
	return bench_now() - start;
}

static unsigned long from[128], to[128];

static s64 memcpy_1k(unsigned int count)
{
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++) {
		memcpy(to, from, sizeof(to));
		barrier_data(to);
	}
	return bench_now() - start;
}

static s64 words_1k(unsigned int count)
{
	unsigned int i, word;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count; i++)
		for (word = 0; word < ARRAY_SIZE(to); word++)
			WRITE_ONCE(to[word], READ_ONCE(from[word]));
	return bench_now() - start;
}

const struct bench_row bench_peer_rows[] = {
	{ "kthread_pingpong", kthread_pingpong, 200 },
	{ "mutex_peer", mutex_peer, 10000 },
	{ "mutex_handover_peer", mutex_handover_peer, 200 },
	{ "queue_flush", queue_flush, 200 },
	{ "queue_flush_8", queue_flush_8, 50 },
	{ "kthread_run_stop", kthread_run_stop, 10 },
	{ "empty_call", empty_call, 10000 },
	{ "memcpy_1k", memcpy_1k, 200 },
	{ "words_1k", words_1k, 200 },
	{ }
};
