// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test: cases by name.
 *
 * /sys/kernel/costack/test/
 *	run	write "NAME [NUMBER...]": runs that case; -ENOENT if there is none,
 *		-EBUSY if another is running
 *	result	"ok", "skip: ..." with what the machine lacks for it, or "fail: ..." with
 *		the first check that failed
 *	release	write anything: lets a case go on that waits for it
 *	figures	what the cases have done so far, as NAME=VALUE words
 *	storm	microseconds between the ticks of a timer on every CPU; 0: no timer
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "costack_test.h"
#include "figures.h"

/* === Checks === */

/* The first check of the running case that failed, and how many did. */
static struct {
	atomic_t	count;
	const char	*func;
	const char	*what;
	int		line;
	long		expected;
	long		got;
} failure;

/**
 * cst_fail() - record that a check failed
 * @func: where
 * @line: where
 * @what: what was checked
 * @expected: what it should be
 * @got: what it is
 *
 * Context: Any context, any stack.
 */
void cst_fail(const char *func, int line, const char *what, long expected, long got)
{
	if (atomic_inc_return(&failure.count) > 1)
		return;
	failure.func = func;
	failure.line = line;
	failure.what = what;
	failure.expected = expected;
	failure.got = got;
}
EXPORT_SYMBOL_GPL(cst_fail);

/**
 * cst_failures() - how many checks of the running case have failed
 *
 * A loop calls this to stop instead of failing again and again, or hanging.
 *
 * Context: Any context, any stack.
 * Return: the number.
 */
long cst_failures(void)
{
	return atomic_read(&failure.count);
}

/* What the machine lacks for the running case, or NULL. */
static const char *lacking;

/**
 * cst_skip() - this case cannot be run here
 * @what: what the machine lacks
 *
 * Call this before the case has done anything. A failed check still fails the case.
 *
 * Context: Any context, any stack.
 */
void cst_skip(const char *what)
{
	WRITE_ONCE(lacking, what);
}

/**
 * cst_two_cpus() - the first two CPUs that are online, for a case that needs two
 * @here: the first
 * @there: the second
 *
 * Context: Any context, any stack.
 * Return: whether there are two; if not the case is skipped.
 */
bool cst_two_cpus(int *here, int *there)
{
	*here = cpumask_first(cpu_online_mask);
	*there = cpumask_next(*here, cpu_online_mask);
	if (*there < nr_cpu_ids)
		return true;
	cst_skip("a second CPU");
	return false;
}

/* === Threads === */

static int thread_fn(void *data)
{
	struct cst_thread *thread = data;

	thread->ret = thread->fn(thread->arg);
	/* This exits in the kernel's text: after @done the thread runs none of our code. */
	kthread_complete_and_exit(&thread->done, 0);
}

/**
 * cst_thread_start() - start a kernel thread
 * @thread: is filled in; must live until its @done is completed
 * @cpu: where it runs, or CST_ANY_CPU
 * @fn: what it runs
 * @arg: argument of @fn
 *
 * Context: Process context; may sleep.
 * Return: 0, or a negative errno of kthread_create().
 */
int cst_thread_start(struct cst_thread *thread, int cpu, costack_fn_t fn, void *arg)
{
	struct task_struct *task;

	*thread = (struct cst_thread) { .fn = fn, .arg = arg };
	init_completion(&thread->done);
	task = kthread_create(thread_fn, thread, "costack_test");
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (cpu != CST_ANY_CPU)
		kthread_bind(task, cpu);
	wake_up_process(task);
	return 0;
}

/**
 * cst_thread_run() - run a function in a kernel thread of its own, and wait
 * @cpu: where, or CST_ANY_CPU
 * @fn: what to run
 * @arg: argument of @fn
 *
 * Context: Process context; may sleep.
 * Return: what @fn returned, or a negative errno.
 */
int cst_thread_run(int cpu, costack_fn_t fn, void *arg)
{
	struct cst_thread thread;
	int err = cst_thread_start(&thread, cpu, fn, arg);

	if (err)
		return err;
	wait_for_completion(&thread.done);
	return thread.ret;
}
EXPORT_SYMBOL_GPL(cst_thread_run);

/* === What costack says === */

/**
 * cst_read_stat() - read a counter right here, whatever the stack
 * @name: its file in /sys/kernel/costack/stats/
 *
 * Context: Any stack; may sleep.
 * Return: its value, or a negative errno.
 */
long cst_read_stat(const char *name)
{
	char path[64], text[24] = "";
	struct file *file;
	loff_t pos = 0;
	long value;
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/costack/stats/%s", name);
	file = cst_open(path, O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = kernel_read(file, text, sizeof(text) - 1, &pos);
	filp_close(file, NULL);
	if (err >= 0)
		err = kstrtol(strim(text), 10, &value);
	return err ?: value;
}

struct stat_query {
	const char	*name;
	long		value;
};

static int read_stat(void *arg)
{
	struct stat_query *query = arg;

	query->value = cst_read_stat(query->name);
	return 0;
}

/*
 * The process that writes to a file of sysfs cannot read another one: lockdep takes the
 * locks of both files for the same lock. So a thread reads it.
 */
static int read_stat_in_thread(void *query)
{
	return current->flags & PF_KTHREAD ? read_stat(query) :
					     cst_thread_run(CST_ANY_CPU, read_stat, query);
}

/**
 * cst_stat() - read a counter on the host stack
 * @name: its file in /sys/kernel/costack/stats/
 *
 * Context: Any stack; may sleep.
 * Return: its value; a file that cannot be read fails the case.
 */
long cst_stat(const char *name)
{
	struct stat_query query = { .name = name };

	costack_on_host(read_stat_in_thread, &query);
	CST_TRUE(query.value >= 0);
	return query.value;
}

/**
 * cst_stack_lo() - lowest mapped byte of the stack
 *
 * costack_stack_left() counts from its own frame, which is right below ours.
 *
 * Context: Coroutine stack.
 * Return: the address.
 */
unsigned long cst_stack_lo(void)
{
	return ALIGN_DOWN(current_stack_pointer - costack_stack_left(), PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(cst_stack_lo);

/**
 * cst_deadline() - the time stamp counter, some time from now
 * @msecs: how long
 *
 * Context: Any context, any stack.
 * Return: its value then.
 */
u64 cst_deadline(unsigned int msecs)
{
	return rdtsc_ordered() + (u64)tsc_khz * msecs;
}

/**
 * cst_disguise() - an address in a form that rebasing does not recognise
 * @address: of a local
 *
 * This breaks the promise of MODULE_COSTACK_MOVABLE() on purpose: a move does not change
 * the result, so that it shows whether the stack has moved. The function is not __pure,
 * because the compiler must not reuse an earlier result.
 *
 * Context: Any stack.
 * Return: all its bits inverted.
 */
noinline unsigned long cst_disguise(const void *address)
{
	barrier_data(address);
	return ~(unsigned long)address;
}
EXPORT_SYMBOL_GPL(cst_disguise);

/**
 * cst_call_with_left() - call a function with so much stack left
 * @left: mapped bytes below the stack pointer when @fn is called
 * @fn: what to call
 * @arg: its argument
 *
 * Context: Coroutine stack.
 * Return: what @fn returned, or -EINVAL if there is not that much left.
 */
int cst_call_with_left(size_t left, costack_fn_t fn, void *arg)
{
	if (!CST_TRUE(left + 128 < costack_stack_left()))
		return -EINVAL;
	return cst_call_at(cst_stack_lo() + left, fn, arg);
}

/**
 * cst_call_on() - call a function on any stack
 * @sp: stack pointer at the call
 * @fn: what to call
 * @arg: its argument
 *
 * Context: Any stack.
 * Return: what @fn returned.
 */
int cst_call_on(unsigned long sp, costack_fn_t fn, void *arg)
{
	return cst_call_at(sp, fn, arg);
}
EXPORT_SYMBOL_GPL(cst_call_on);

/* === Storm === */

static DEFINE_PER_CPU(struct hrtimer, storm_timer);
/* Written with CPU hotplug locked out. */
static unsigned int storm_usecs;
static int storm_state;

static enum hrtimer_restart storm_tick(struct hrtimer *timer)
{
	hrtimer_forward_now(timer, ns_to_ktime(storm_usecs * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static void storm_start(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&storm_timer);

	costack_hrtimer_setup(timer, storm_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(timer, ns_to_ktime(storm_usecs * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* A CPU that comes online joins the storm. Both run on that CPU, and not during cst_storm(). */
static int storm_cpu_comes(unsigned int cpu)
{
	if (storm_usecs)
		storm_start(NULL);
	return 0;
}

static int storm_cpu_goes(unsigned int cpu)
{
	if (storm_usecs)
		hrtimer_cancel(this_cpu_ptr(&storm_timer));
	return 0;
}

/**
 * cst_storm() - begin or end a storm of timer interrupts
 * @usecs: between two of them, on each CPU; 0: end
 *
 * Context: Process context; may sleep. One caller at a time.
 * Return: 0.
 */
int cst_storm(unsigned int usecs)
{
	int cpu;

	cpus_read_lock();
	if (storm_usecs)
		for_each_online_cpu(cpu)
			hrtimer_cancel(&per_cpu(storm_timer, cpu));
	storm_usecs = usecs;
	if (usecs)
		on_each_cpu(storm_start, NULL, 1);
	cpus_read_unlock();
	return 0;
}

/* === Cases === */

static LIST_HEAD(suites);
static DEFINE_MUTEX(suites_lock);

/*
 * The running case; there is one at a time. It stays busy for good if its writer was
 * killed, because then nobody waits for its end.
 */
static struct {
	unsigned long		busy;
	const struct cst_case	*test;
	long			args[CST_MAX_ARGS];
	struct cst_thread	thread;
	char			result[256];
} job;

DECLARE_COMPLETION(cst_release);

/**
 * cst_register() - offer the cases of a suite
 * @suite: what to offer
 *
 * Context: Process context; may sleep.
 * Return: 0; a module's init returns it.
 */
int cst_register(struct cst_suite *suite)
{
	mutex_lock(&suites_lock);
	list_add_tail(&suite->link, &suites);
	mutex_unlock(&suites_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(cst_register);

/**
 * cst_unregister() - take the cases of a suite back
 * @suite: none of its cases is running, as that would hold its module
 *
 * Context: Process context; may sleep.
 */
void cst_unregister(struct cst_suite *suite)
{
	mutex_lock(&suites_lock);
	list_del(&suite->link);
	mutex_unlock(&suites_lock);
}
EXPORT_SYMBOL_GPL(cst_unregister);

/* Find a case by name, and hold its module. */
static struct module *find_case(const char *name)
{
	const struct cst_case *test;
	struct module *owner = NULL;
	struct cst_suite *suite;

	mutex_lock(&suites_lock);
	list_for_each_entry(suite, &suites, link)
		for (test = suite->cases; test->name; test++)
			if (!owner && !strcmp(test->name, name) && try_module_get(suite->owner)) {
				job.test = test;
				owner = suite->owner;
			}
	mutex_unlock(&suites_lock);
	return owner;
}

static int parse_numbers(char *words)
{
	unsigned int i;
	char *word;

	memset(job.args, 0, sizeof(job.args));
	for (i = 0; (word = strsep(&words, " ")); i++)
		if (i == CST_MAX_ARGS || kstrtol(word, 0, &job.args[i]))
			return -EINVAL;
	return 0;
}

static int run_job(void *unused)
{
	job.test->fn(job.args);
	return 0;
}

static void tell_result(void)
{
	int count = atomic_read(&failure.count);

	if (!count && lacking)
		snprintf(job.result, sizeof(job.result), "skip: needs %s", lacking);
	else if (!count)
		strscpy(job.result, "ok", sizeof(job.result));
	else
		snprintf(job.result, sizeof(job.result),
			 "fail: %s:%d: %s: expected %ld, got %ld; checks failed: %d",
			 failure.func, failure.line, failure.what, failure.expected,
			 failure.got, count);
}

static int run_case(char *words)
{
	struct module *owner = find_case(strsep(&words, " "));
	int err;

	if (!owner)
		return -ENOENT;
	err = parse_numbers(words);
	if (err)
		goto out;
	atomic_set(&failure.count, 0);
	lacking = NULL;
	reinit_completion(&cst_release);
	if (job.test->in_writer)
		err = run_job(NULL);
	else
		err = cst_thread_start(&job.thread, CST_ANY_CPU, run_job, NULL);
	/* Killed: the case may still run, so its module stays. */
	if (!err && !job.test->in_writer && wait_for_completion_killable(&job.thread.done))
		return -EINTR;
	if (!err)
		tell_result();
out:
	module_put(owner);
	return err;
}

static ssize_t run_store(struct kobject *kobj, struct kobj_attribute *attr,
			 const char *buf, size_t count)
{
	char *text;
	int err;

	if (test_and_set_bit_lock(0, &job.busy))
		return -EBUSY;
	strscpy(job.result, "fail: did not run to its end", sizeof(job.result));
	text = kstrndup(buf, count, GFP_KERNEL);
	err = text ? run_case(strim(text)) : -ENOMEM;
	kfree(text);
	if (err != -EINTR)
		clear_bit_unlock(0, &job.busy);
	return err ?: count;
}

static ssize_t result_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", job.result);
}

static ssize_t release_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	complete_all(&cst_release);
	return count;
}

static ssize_t storm_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	unsigned int usecs;
	int err = kstrtouint(buf, 0, &usecs);

	if (!err && usecs && usecs < 20)
		err = -EINVAL;
	mutex_lock(&suites_lock);
	if (!err)
		err = cst_storm(usecs);
	mutex_unlock(&suites_lock);
	return err ?: count;
}

static ssize_t figures_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return cst_figures_show(buf);
}

static struct kobj_attribute run_attr = __ATTR_WO(run);
static struct kobj_attribute result_attr = __ATTR_RO(result);
static struct kobj_attribute release_attr = __ATTR_WO(release);
static struct kobj_attribute storm_attr = __ATTR_WO(storm);
static struct kobj_attribute figures_attr = __ATTR_RO(figures);

static struct attribute *attrs[] = {
	&run_attr.attr,
	&result_attr.attr,
	&release_attr.attr,
	&storm_attr.attr,
	&figures_attr.attr,
	NULL
};

static const struct attribute_group group = {
	.attrs = attrs,
};

static struct cst_suite *const own_suites[] = {
	&cst_deep, &cst_first, &cst_frames, &cst_abort, &cst_roots, &cst_api, &cst_lost,
	&cst_bytes, &cst_kernel, &cst_park, &cst_waitq, &cst_resume, &cst_storms,
	&cst_chan, &cst_select, &cst_cancel, &cst_shrink, &cst_pack, &cst_waiting, &cst_sweep,
	&cst_scarce, &cst_fuzz, &cst_million, &cst_pack_storm, &cst_account,
	&cst_exceptions, &cst_nmi, &cst_hooks, &cst_handover, &cst_race, &cst_nest,
	&cst_observers, &cst_waits, &cst_held, &cst_movable, &cst_patched, &cst_threads,
	&cst_plugs, &cst_go_stack, &cst_go_move, &cst_go_defer, &cst_go_chan,
	&cst_go_select, &cst_watched,
	&cst_numa, &cst_locks, &cst_groups, &cst_completions, &cst_stuck,
};

static struct kobject *dir;

static int __init costack_test_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(own_suites); i++)
		cst_register(own_suites[i]);
	storm_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "costack_test:storm",
						storm_cpu_comes, storm_cpu_goes);
	if (storm_state < 0)
		return storm_state;
	err = -ENOMEM;
	dir = kobject_create_and_add("test", costack_kobj);
	if (!dir)
		goto err_state;
	err = sysfs_create_group(dir, &group);
	if (err)
		goto err_dir;
	return 0;

err_dir:
	kobject_put(dir);
err_state:
	cpuhp_remove_state_nocalls(storm_state);
	return err;
}

static void __exit costack_test_exit(void)
{
	kobject_put(dir);
	cst_storm(0);
	cpuhp_remove_state_nocalls(storm_state);
}

module_init(costack_test_init);
module_exit(costack_test_exit);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack, run through /sys/kernel/costack/test/");
