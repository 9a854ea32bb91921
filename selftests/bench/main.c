// SPDX-License-Identifier: GPL-2.0
/*
 * costack_bench: rows by name; see bench.h.
 *
 * /sys/kernel/costack/bench/
 *	run	write "NAME [ROUNDS [COUNT]]"
 *	result	what came of it
 *	rows	the names there are
 *	hold	1: a coroutine is running, and sleeps, until 0 is written
 *	crowd	how many packed items wait, until another number is written
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "bench.h"

#define MAX_ROUNDS	100

static const struct bench_row *const tables[] = {
	bench_peer_rows, bench_switch_rows, bench_growth_rows, bench_irq_rows,
	bench_memory_rows, bench_crowd_rows,
};

/* The row that was asked for, and its result. */
static struct {
	/* Covers the whole structure. */
	struct mutex		lock;
	const struct bench_row	*row;
	unsigned int		rounds;
	unsigned int		count;
	struct completion	done;
	s64			samples[MAX_ROUNDS];
	int			err;
} job = {
	.lock	= __MUTEX_INITIALIZER(job.lock),
};

/**
 * bench_quiet() - wait until a tick has just passed
 *
 * What takes less than a tick after this meets no other.
 *
 * Context: Thread; busy until then.
 */
void bench_quiet(void)
{
	unsigned long now = jiffies;

	while (READ_ONCE(jiffies) == now)
		cpu_relax();
}

/**
 * bench_empty() - do nothing
 * @arg: ignored
 *
 * Context: Any.
 * Return: 0.
 */
noinline int bench_empty(void *arg)
{
	barrier();
	return 0;
}

/* === Running a row === */

static int run_rounds(void *unused)
{
	unsigned int i;
	s64 sample = 0;

	/* The first fills the caches that costack and the kernel have. */
	if (!job.row->once)
		sample = job.row->round(job.count);
	for (i = 0; i < job.rounds && sample >= 0; i++) {
		sample = job.row->round(job.count);
		job.samples[i] = sample;
	}
	job.err = sample < 0 ? sample : 0;
	kthread_complete_and_exit(&job.done, 0);
}

static const struct bench_row *find_row(const char *name)
{
	const struct bench_row *row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (row = tables[i]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}

static int run_row(const char *text)
{
	struct task_struct *task;
	char name[32];
	int words;

	job.rounds = 7;
	job.count = 0;
	words = sscanf(text, "%31s %u %u", name, &job.rounds, &job.count);
	if (words < 1 || !job.rounds || job.rounds > MAX_ROUNDS)
		return -EINVAL;
	job.row = find_row(name);
	if (!job.row)
		return -ENOENT;
	if (!job.count)
		job.count = job.row->count;
	if (job.row->once)
		job.rounds = 1;
	init_completion(&job.done);
	task = kthread_run(run_rounds, NULL, "costack_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&job.done);
	return job.err;
}

static ssize_t run_store(struct kobject *kobj, struct kobj_attribute *attr,
			 const char *buf, size_t count)
{
	int err;

	mutex_lock(&job.lock);
	err = run_row(buf);
	if (err)
		job.row = NULL;
	mutex_unlock(&job.lock);
	return err ?: count;
}

static ssize_t result_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	unsigned int i;
	int len = 0;

	mutex_lock(&job.lock);
	if (job.row) {
		len = sysfs_emit(buf, "%s %u", job.row->name, job.count);
		for (i = 0; i < job.rounds; i++)
			len += sysfs_emit_at(buf, len, " %lld", job.samples[i]);
		len += sysfs_emit_at(buf, len, "\n");
	}
	mutex_unlock(&job.lock);
	return len;
}

static ssize_t rows_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct bench_row *row;
	unsigned int i;
	int len = 0;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (row = tables[i]; row->name; row++)
			len += sysfs_emit_at(buf, len, "%s\n", row->name);
	return len;
}

/* === Holding a coroutine === */

static DECLARE_COMPLETION(let_go);
static struct costack_work holder;
static bool holds;

static int wait_on_host(void *arg)
{
	wait_for_completion(&let_go);
	return 0;
}

/* The coroutine stays RUNNING: it holds its thread. */
static int hold_body(void *arg)
{
	return costack_on_host(wait_on_host, NULL);
}

/**
 * bench_hold() - have a coroutine that runs
 * @on: start it, or let it end
 *
 * Context: Process context; may sleep. One caller at a time.
 * Return: 0 or a negative errno.
 */
int bench_hold(bool on)
{
	int err = 0;

	if (on == holds)
		return 0;
	if (on) {
		reinit_completion(&let_go);
		costack_work_init(&holder, hold_body, NULL, NULL);
		err = costack_queue(&holder);
	} else {
		complete(&let_go);
		err = costack_wait(&holder);
	}
	holds = on && !err;
	return err;
}

static ssize_t hold_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	bool on;
	int err = kstrtobool(buf, &on);

	mutex_lock(&job.lock);
	if (!err)
		err = bench_hold(on);
	mutex_unlock(&job.lock);
	return err ?: count;
}

static ssize_t crowd_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	unsigned int nr;
	int err = kstrtouint(buf, 0, &nr);

	mutex_lock(&job.lock);
	if (!err)
		err = bench_crowd(nr);
	mutex_unlock(&job.lock);
	return err ?: count;
}

/* === The module === */

static struct kobj_attribute run_attr = __ATTR_WO(run);
static struct kobj_attribute result_attr = __ATTR_RO(result);
static struct kobj_attribute rows_attr = __ATTR_RO(rows);
static struct kobj_attribute hold_attr = __ATTR_WO(hold);
static struct kobj_attribute crowd_attr = __ATTR_WO(crowd);

static struct attribute *attrs[] = {
	&run_attr.attr,
	&result_attr.attr,
	&rows_attr.attr,
	&hold_attr.attr,
	&crowd_attr.attr,
	NULL
};

static const struct attribute_group group = {
	.attrs = attrs,
};

static struct kobject *dir;

static int __init costack_bench_init(void)
{
	int err;

	dir = kobject_create_and_add("bench", costack_kobj);
	if (!dir)
		return -ENOMEM;
	err = sysfs_create_group(dir, &group);
	if (err)
		kobject_put(dir);
	return err;
}

static void __exit costack_bench_exit(void)
{
	kobject_put(dir);
	bench_hold(false);
	bench_crowd(0);
}

module_init(costack_bench_init);
module_exit(costack_bench_exit);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Benchmarks of costack, run through /sys/kernel/costack/bench/");
