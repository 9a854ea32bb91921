// SPDX-License-Identifier: GPL-2.0
/*
 * costack_demo hashes a directory tree on stacks that begin with one page. The files in
 * /sys/kernel/costack/demo/, one value per file:
 *
 *	path		absolute path of the tree
 *	mode		recursive: one coroutine, one C frame for each directory level;
 *			fanout: one coroutine for each directory, which waits for those
 *			of the directories below
 *	jobs		number of jobs that hash the whole tree at the same time: 1 to 16
 *	kernel_calls	host: call the kernel from the host stack, so that the coroutine
 *			stack can be moved; direct: call it from the coroutine stack
 *	start		write 1 to start; status has the outcome
 *	status		idle, running, done, or "error: " and what is wrong
 *	result		SHA-256 of the tree; empty unless done
 *	files, links, dirs, bytes, depth	what one job has found
 *	stack_deepest	maximum of the bytes of a stack that a level of the recursion has
 *			seen in use, or that made a stack of the fan-out grow
 *	msecs		duration in milliseconds
 *	coroutines, threads	of a fan-out: total number of coroutines, and of threads
 *			that ran them
 *	alive_most, waiting_most	maximum at the same time of coroutines that had
 *			not ended, and of those that waited for directories below
 *	stack_most	maximum at the same time of the bytes of all their stacks
 *	crowd, crowd_lost	see crowd.c
 *
 * A write of a bad value returns -EINVAL and changes nothing. A write to start returns
 * -EBUSY while jobs are running; settings that are changed meanwhile apply to the next run.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include <linux/costack.h>

#include "crowd.h"
#include "tree.h"

#define MAX_JOBS	16

enum state {
	IDLE,
	RUNNING,
	DONE,
	FAILED,
};

/**
 * struct job - one of the jobs that hash the tree
 * @work: runs the job, on one of the kernel's workers
 * @tree: its walk; %NULL when nothing is running
 * @err: how the job ended
 */
struct job {
	struct work_struct	work;
	struct tree		*tree;
	int			err;
};

/**
 * struct outcome - what the files show of the last run
 * @totals: what each of its jobs has found
 * @stack_used: the maximum of all jobs
 * @msecs: from the start to the end of the last job
 * @coroutines: total number; @coroutines to @threads are for a fan-out only
 * @alive: maximum of coroutines alive at the same time
 * @waiting: maximum of coroutines waiting at the same time
 * @stack: maximum of bytes of stacks at the same time
 * @threads: number of threads that have run any of the coroutines
 * @error: text for status, if the run failed
 */
struct outcome {
	struct tree_totals	totals;
	size_t			stack_used;
	s64			msecs;
	long			coroutines;
	long			alive;
	long			waiting;
	long			stack;
	long			threads;
	char			error[768];
};

/*
 * Covers the variables that follow. While the state is RUNNING, running[], run and what
 * they refer to belong to the workers, and to finish(), which the last worker calls.
 */
static DEFINE_MUTEX(lock);

static char path[PATH_MAX];
static unsigned int nr_jobs = 1;
static bool on_host = true;
static bool fanout;

static enum state state = IDLE;
static struct outcome outcome;

static struct job running[MAX_JOBS];
static unsigned int nr_running;
static struct tree_run run;
static atomic_t nr_unfinished;
static ktime_t started;

static struct workqueue_struct *workers;
static struct kobject *demo_kobj;

/* === Jobs === */

static const char *describe(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "permission denied";
	case -EBADMSG:
		return "jobs disagree";
	case -ECANCELED:
		return "cancelled";
	case -EINVAL:
		return "cannot be read";
	case -EIO:
		return "input/output error";
	case -ELOOP:
		return "too many symbolic links";
	case -ENODATA:
		return "not set";
	case -ENOENT:
		return "no such file or directory";
	case -ENOMEM:
		return "out of memory";
	case -ENOTDIR:
		return "not a directory";
	case -EOPNOTSUPP:
		return "neither a file nor a directory nor a symbolic link";
	case -EOVERFLOW:
		return "too deep for the stack";
	case -EXDEV:
		return "another file system is mounted there";
	default:
		return "failed";
	}
}

static void set_failed(const char *where, int err)
{
	lockdep_assert_held(&lock);
	memset(&outcome, 0, sizeof(outcome));
	snprintf(outcome.error, sizeof(outcome.error), "%.600s: %s (%d)", where, describe(err),
		 err);
	state = FAILED;
}

static void free_trees(void)
{
	lockdep_assert_held(&lock);
	for (; nr_running; nr_running--)
		tree_free(running[nr_running - 1].tree);
	ida_destroy(&run.pids);
}

static void gather(void)
{
	const struct tree_totals *first = &running[0].tree->totals;
	unsigned int i;

	lockdep_assert_held(&lock);
	for (i = 0; i < nr_running; i++) {
		const struct tree *tree = running[i].tree;

		if (running[i].err) {
			set_failed(tree->where[0] ? tree->where : "job", running[i].err);
			return;
		}
		if (memcmp(&tree->totals, first, sizeof(*first))) {
			set_failed("result", -EBADMSG);
			return;
		}
		outcome.stack_used = max(outcome.stack_used, tree->stack_used);
	}
	outcome.totals = *first;
	outcome.coroutines = atomic_long_read(&run.coroutines);
	outcome.alive = atomic_long_read(&run.alive.most);
	outcome.waiting = atomic_long_read(&run.waiting.most);
	outcome.stack = atomic_long_read(&run.stack.most);
	outcome.threads = atomic_long_read(&run.threads);
	outcome.msecs = ktime_ms_delta(ktime_get(), started);
	state = DONE;
}

static void finish(void)
{
	mutex_lock(&lock);
	gather();
	free_trees();
	mutex_unlock(&lock);
}

static void run_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	job->err = run.fanout ? tree_fan_out(job->tree) : tree_walk(job->tree);
	if (atomic_dec_and_test(&nr_unfinished))
		finish();
}

static int make_trees(const struct path *root)
{
	size_t len = strlen(path);
	struct tree *tree;

	/* Reports append "/" and a name. */
	while (len && path[len - 1] == '/')
		len--;
	memset(&run, 0, sizeof(run));
	run.on_host = on_host;
	run.fanout = fanout;
	ida_init(&run.pids);
	while (nr_running < nr_jobs) {
		tree = tree_new(root, path, len, &run);
		if (IS_ERR(tree)) {
			free_trees();
			return PTR_ERR(tree);
		}
		running[nr_running++].tree = tree;
	}
	return 0;
}

/* Look the path up as the writer of start sees it, not as a kernel thread does. */
static int prepare(void)
{
	struct path root;
	int err;

	if (!path[0])
		return -ENODATA;
	err = kern_path(path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &root);
	if (err)
		return err;
	err = make_trees(&root);
	path_put(&root);
	return err;
}

static void start(void)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&lock);
	err = prepare();
	if (err) {
		set_failed(path[0] ? path : "path", err);
		return;
	}
	memset(&outcome, 0, sizeof(outcome));
	state = RUNNING;
	started = ktime_get();
	atomic_set(&nr_unfinished, nr_running);
	for (i = 0; i < nr_running; i++)
		queue_work(workers, &running[i].work);
}

/* === Settings === */

static ssize_t path_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	ssize_t len;

	mutex_lock(&lock);
	len = sysfs_emit(buf, "%s\n", path);
	mutex_unlock(&lock);
	return len;
}

static ssize_t path_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	size_t len = count;

	if (strlen(buf) != count)
		return -EINVAL;
	if (len && buf[len - 1] == '\n')
		len--;
	/* One byte less than fits: path_show() appends a newline. */
	if (!len || buf[0] != '/' || len > PATH_MAX - 2)
		return -EINVAL;
	mutex_lock(&lock);
	memcpy(path, buf, len);
	path[len] = '\0';
	mutex_unlock(&lock);
	return count;
}

static ssize_t jobs_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(nr_jobs));
}

static ssize_t jobs_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	unsigned int n;

	if (strlen(buf) != count || kstrtouint(buf, 0, &n) || !n || n > MAX_JOBS)
		return -EINVAL;
	mutex_lock(&lock);
	nr_jobs = n;
	mutex_unlock(&lock);
	return count;
}

static const char * const mode_names[] = { "recursive", "fanout" };

static ssize_t mode_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", mode_names[READ_ONCE(fanout)]);
}

static ssize_t mode_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	int which = sysfs_match_string(mode_names, buf);

	if (strlen(buf) != count || which < 0)
		return -EINVAL;
	mutex_lock(&lock);
	fanout = which;
	mutex_unlock(&lock);
	return count;
}

static const char * const call_names[] = { "direct", "host" };

static ssize_t kernel_calls_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", call_names[READ_ONCE(on_host)]);
}

static ssize_t kernel_calls_store(struct kobject *kobj, struct kobj_attribute *attr,
				  const char *buf, size_t count)
{
	int which = sysfs_match_string(call_names, buf);

	if (strlen(buf) != count || which < 0)
		return -EINVAL;
	mutex_lock(&lock);
	on_host = which;
	mutex_unlock(&lock);
	return count;
}

static ssize_t start_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	if (strlen(buf) != count || !sysfs_streq(buf, "1"))
		return -EINVAL;
	mutex_lock(&lock);
	if (state == RUNNING) {
		mutex_unlock(&lock);
		return -EBUSY;
	}
	start();
	mutex_unlock(&lock);
	return count;
}

static struct kobj_attribute path_attr = __ATTR_RW(path);
static struct kobj_attribute mode_attr = __ATTR_RW(mode);
static struct kobj_attribute jobs_attr = __ATTR_RW(jobs);
static struct kobj_attribute kernel_calls_attr = __ATTR_RW(kernel_calls);
static struct kobj_attribute start_attr = __ATTR_WO(start);

/* === Results === */

static ssize_t status_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	static const char * const names[] = {
		[IDLE] = "idle", [RUNNING] = "running", [DONE] = "done", [FAILED] = "error: ",
	};
	ssize_t len;

	mutex_lock(&lock);
	len = sysfs_emit(buf, "%s%s\n", names[state], outcome.error);
	mutex_unlock(&lock);
	return len;
}

static ssize_t result_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	ssize_t len;

	mutex_lock(&lock);
	if (state == DONE)
		len = sysfs_emit(buf, "%*phN\n", SHA256_DIGEST_SIZE, outcome.totals.digest);
	else
		len = sysfs_emit(buf, "\n");
	mutex_unlock(&lock);
	return len;
}

static struct kobj_attribute status_attr = __ATTR_RO(status);
static struct kobj_attribute result_attr = __ATTR_RO(result);

#define FIGURE(_name, _value)							\
static ssize_t _name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			    char *buf)						\
{										\
	ssize_t len;								\
										\
	mutex_lock(&lock);							\
	len = sysfs_emit(buf, "%llu\n", (unsigned long long)(_value));		\
	mutex_unlock(&lock);							\
	return len;								\
}										\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

FIGURE(files, outcome.totals.files);
FIGURE(links, outcome.totals.links);
FIGURE(dirs, outcome.totals.dirs);
FIGURE(bytes, outcome.totals.bytes);
FIGURE(depth, outcome.totals.depth);
FIGURE(stack_deepest, outcome.stack_used);
FIGURE(msecs, outcome.msecs);
FIGURE(coroutines, outcome.coroutines);
FIGURE(alive_most, outcome.alive);
FIGURE(waiting_most, outcome.waiting);
FIGURE(stack_most, outcome.stack);
FIGURE(threads, outcome.threads);

/* === The module === */

static struct attribute *demo_attrs[] = {
	&path_attr.attr,
	&mode_attr.attr,
	&jobs_attr.attr,
	&kernel_calls_attr.attr,
	&start_attr.attr,
	&status_attr.attr,
	&result_attr.attr,
	&files_attr.attr,
	&links_attr.attr,
	&dirs_attr.attr,
	&bytes_attr.attr,
	&depth_attr.attr,
	&stack_deepest_attr.attr,
	&msecs_attr.attr,
	&coroutines_attr.attr,
	&alive_most_attr.attr,
	&waiting_most_attr.attr,
	&stack_most_attr.attr,
	&threads_attr.attr,
	&crowd_attr.attr,
	&crowd_lost_attr.attr,
	NULL,
};

static const struct attribute_group demo_group = {
	.attrs = demo_attrs,
};

static int __init demo_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < MAX_JOBS; i++)
		INIT_WORK(&running[i].work, run_job);
	workers = alloc_workqueue("costack_demo", WQ_UNBOUND, MAX_JOBS);
	if (!workers)
		return -ENOMEM;
	demo_kobj = kobject_create_and_add("demo", costack_kobj);
	if (!demo_kobj) {
		err = -ENOMEM;
		goto err_workers;
	}
	err = sysfs_create_group(demo_kobj, &demo_group);
	if (err)
		goto err_kobj;
	return 0;

err_kobj:
	kobject_put(demo_kobj);
err_workers:
	destroy_workqueue(workers);
	return err;
}

static void __exit demo_exit(void)
{
	/* From here on nothing can start. Jobs that run end at their next entry. */
	kobject_put(demo_kobj);
	WRITE_ONCE(run.cancel, true);
	destroy_workqueue(workers);
}

module_init(demo_init);
module_exit(demo_exit);

MODULE_COSTACK_MOVABLE();
MODULE_SOFTDEP("pre: sha256");
MODULE_DESCRIPTION("Hash a directory tree on stacks that grow");
MODULE_LICENSE("GPL");
