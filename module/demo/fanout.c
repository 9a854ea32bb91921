// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing a directory tree: fan-out and join, one coroutine for each directory.
 *
 * The coroutine of a directory lists it, hashes its files, queues a work item for each
 * directory below, and waits for all these items before it hashes their results. A
 * coroutine that waits is parked: it holds its small stack, but no thread, no open file
 * and no buffer. The run queue is first in first out, so the walk goes breadth first; in
 * a wide tree most coroutines are alive at the same time.
 *
 * Errors: the walk keeps the first one (tree_fail()), and begins no new entry after it.
 * Coroutines that are queued at that time find the error and end at once, and so do those
 * that wait for them. No coroutine is cut off, so nothing is leaked.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "tree.h"

/**
 * struct branch - a directory that a coroutine of its own is hashing
 * @work: runs the coroutine
 * @dir: a level whose entry is the directory. The coroutine leaves the directory in
 *	dir.at, or the parent does if the coroutine never ran.
 * @list: link in @forks of the directory above, whose coroutine frees the branch
 * @forks: the directories below that have been queued and not yet been settled;
 *	only the branch's own coroutine touches the list
 * @first: initial size of a coroutine stack in bytes
 * @stack: bytes that are counted for its stack
 * @alive: the branch is counted as alive; the coroutine clears this, or the parent does
 *	if the coroutine never ran
 *
 * A branch is on the heap: others wait on @work and follow @dir, while the stack of the
 * coroutine may be moved.
 */
struct branch {
	struct costack_work	work;
	struct tree_level	dir;
	struct list_head	list;
	struct list_head	forks;
	size_t			first;
	size_t			stack;
	bool			alive;
};

/* === Counting === */

static void count(struct tree_peak *peak, long n)
{
	long now = atomic_long_add_return(n, &peak->now);
	long most = atomic_long_read(&peak->most);

	while (most < now && !atomic_long_try_cmpxchg(&peak->most, &most, now))
		;
}

static void count_stack(struct branch *branch, size_t bytes)
{
	count(&branch->dir.tree->run->stack, (long)(bytes - branch->stack));
	branch->stack = bytes;
}

static void count_begin(struct branch *branch)
{
	atomic_long_inc(&branch->dir.tree->run->coroutines);
	count(&branch->dir.tree->run->alive, 1);
	count_stack(branch, branch->first);
	branch->alive = true;
}

static void count_end(struct branch *branch)
{
	count_stack(branch, 0);
	count(&branch->dir.tree->run->alive, -1);
	branch->alive = false;
}

/* Count the current thread, once; a coroutine goes from one thread to another. */
static noinline void count_thread(struct tree_run *run)
{
	int pid = current->pid;

	if (ida_alloc_range(&run->pids, pid, pid, GFP_KERNEL) == pid)
		atomic_long_inc(&run->threads);
}

/* === Life of a branch === */

static struct branch *branch_of(struct tree_level *level)
{
	return container_of(level->parent, struct branch, dir);
}

static void free_branch(struct branch *branch)
{
	path_put(&branch->dir.at);
	kfree(branch);
}

static int hash_dir(void *arg);

/* Start to hash the directory @at. Takes over the reference at->at, even on failure. */
static struct branch *new_branch(const struct tree_level *at, size_t first)
{
	const struct costack_attr attr = { .name = "directory", .stack_limit = SZ_64K };
	struct branch *branch = kzalloc(sizeof(*branch), GFP_KERNEL);
	int err;

	if (!branch) {
		path_put(&at->at);
		return ERR_PTR(tree_fail(at, -ENOMEM));
	}
	branch->dir = *at;
	branch->first = first;
	INIT_LIST_HEAD(&branch->forks);
	/* No owner: an unload must not be refused, but cancel the run and wait. */
	__costack_work_init(&branch->work, hash_dir, branch, &attr, NULL);
	count_begin(branch);
	err = costack_queue(&branch->work);
	if (err) {
		count_end(branch);
		free_branch(branch);
		return ERR_PTR(tree_fail(at, err));
	}
	return branch;
}

/* Take the result of a branch that has been waited for, and free the branch. */
static int settle(struct branch *branch)
{
	struct tree *tree = branch->dir.tree;
	int err = branch->work.ret;

	spin_lock(&tree->lock);
	tree->stack_used = max_t(size_t, tree->stack_used, branch->work.deepest);
	spin_unlock(&tree->lock);
	if (err)
		tree_fail(&branch->dir, err);
	/* The coroutine could not start, for lack of memory. */
	if (branch->alive)
		count_end(branch);
	free_branch(branch);
	return err;
}

/* === What a coroutine asks of the kernel; @arg is a level below the branch === */

static int list_dir(void *arg)
{
	struct tree_level *level = arg;

	count_thread(level->tree->run);
	return tree_list_dir(level);
}

static int fork_dir(void *arg)
{
	struct tree_level *level = arg;
	struct branch *branch = branch_of(level), *fork;

	fork = new_branch(level, branch->first);
	if (IS_ERR(fork))
		return PTR_ERR(fork);
	list_add_tail(&fork->list, &branch->forks);
	return 0;
}

static int settle_fork(void *arg)
{
	struct tree_level *level = arg;
	struct branch *fork;

	count_thread(level->tree->run);
	fork = list_first_entry(&branch_of(level)->forks, struct branch, list);
	list_del(&fork->list);
	return settle(fork);
}

/* === On the coroutine stack === */

static noinline int join(struct branch *branch, struct tree_level *level)
{
	struct tree_run *run = level->tree->run;
	struct branch *fork;
	int err = 0, ret;

	if (list_empty(&branch->forks))
		return 0;
	count(&run->waiting, 1);
	while (!list_empty(&branch->forks)) {
		fork = list_first_entry(&branch->forks, struct branch, list);
		costack_wait(&fork->work);
		ret = tree_call(settle_fork, level);
		err = err ?: ret;
	}
	count(&run->waiting, -1);
	return err;
}

static int hash_dir(void *arg)
{
	struct branch *branch = arg;
	struct tree_level level = { .parent = &branch->dir, .tree = branch->dir.tree };
	int err, ret;

	branch->first = branch->first ?: costack_stack_size();
	err = tree_call(list_dir, &level);
	list_for_each_entry(level.entry, &branch->dir.entry->children, list) {
		if (err)
			break;
		err = tree_call(tree_visit, &level);
		if (err == TREE_IS_DIR)
			err = tree_call(fork_dir, &level);
	}
	/* All entries have been looked up. Hold nothing open during the wait. */
	tree_call(tree_leave_dir, &level);
	count_stack(branch, costack_stack_size());
	ret = join(branch, &level);
	err = err ?: ret;
	err = err ?: tree_call(tree_digest_dir, &level);
	tree_call(tree_close_dir, &level);
	count_stack(branch, costack_stack_size());
	count_end(branch);
	return err;
}

/**
 * tree_fan_out() - hash a tree, with a coroutine for each directory
 * @tree: from tree_new(); can be walked once
 *
 * Context: Process context, host stack; may sleep.
 * Return: 0, and @tree has the totals; or a negative errno, and @tree says where.
 */
int tree_fan_out(struct tree *tree)
{
	struct tree_level top = { .tree = tree };
	struct branch *root;
	int err;

	tree_begin(&top);
	root = new_branch(&top, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	costack_wait(&root->work);
	err = settle(root);
	if (!err)
		memcpy(tree->totals.digest, tree->top->digest, sizeof(tree->totals.digest));
	return err ? tree->err : 0;
}
