/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashing a directory tree: what its parts share.
 *
 * walk.c runs on a coroutine stack and does nothing but recurse; fanout.c has a
 * coroutine for each directory. fs.c has all that the two ask of the kernel. Each of these
 * functions is a costack_fn_t that takes a level of the tree, so that it can run on either
 * stack.
 */
#ifndef _COSTACK_DEMO_TREE_H
#define _COSTACK_DEMO_TREE_H

#include <crypto/sha2.h>
#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/path.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <linux/costack.h>

struct crypto_shash;

/**
 * struct tree_totals - what a walk has found
 * @digest: digest of the whole tree
 * @files: number of regular files
 * @links: number of symbolic links
 * @dirs: number of directories, including the root
 * @bytes: bytes of content of all files
 * @depth: levels of directories, including the root
 *
 * All walks of a tree that does not change find the same.
 */
struct tree_totals {
	u8			digest[SHA256_DIGEST_SIZE];
	unsigned long		files;
	unsigned long		links;
	unsigned long		dirs;
	unsigned long long	bytes;
	unsigned long		depth;
};

/**
 * struct tree_node - an entry of a directory
 * @list: link in the list of entries of its directory, sorted once all are there
 * @children: entries of a directory, while it is being hashed
 * @digest: valid when the entry has been hashed
 * @type: 'f', 'd' or 'l'
 * @name: its name; the root has the path that was asked for
 */
struct tree_node {
	struct list_head	list;
	struct list_head	children;
	u8			digest[SHA256_DIGEST_SIZE];
	char			type;
	char			name[];
};

/**
 * struct tree_peak - a number that goes up and down
 * @now: the current value
 * @most: the maximum so far
 */
struct tree_peak {
	atomic_long_t	now;
	atomic_long_t	most;
};

/**
 * struct tree_run - what the walks of one run share
 * @on_host: call the kernel from the host stack, not from the coroutine stack
 * @fanout: use a coroutine for each directory, not one for the tree
 * @cancel: set from outside: end soon, with -ECANCELED
 * @coroutines: number of coroutines so far
 * @alive: number of coroutines that have been queued and have not ended
 * @waiting: number of these that wait for the directories below
 * @stack: bytes of the stacks of the coroutines that are alive
 * @pids: threads that have run any coroutine; not the one that waits for the whole tree
 * @threads: number of these threads
 *
 * The numbers are counted for a fan-out only.
 */
struct tree_run {
	bool			on_host;
	bool			fanout;
	bool			cancel;
	atomic_long_t		coroutines;
	struct tree_peak	alive;
	struct tree_peak	waiting;
	struct tree_peak	stack;
	struct ida		pids;
	atomic_long_t		threads;
};

/**
 * struct tree - one walk
 * @run: the run that the walk is part of
 * @root: the directory where the walk begins
 * @top: node of @root
 * @sha: the algorithm
 * @lock: covers the fields that follow during the walk; a recursion changes @stack_used
 *	without it, as there is only one coroutine
 * @hashers: unused hashers of fs.c
 * @totals: what was found
 * @stack_used: maximum of the bytes of a coroutine stack that a level of the recursion
 *	has seen in use, or that made a stack of the fan-out grow
 * @err: the first error; no new entry is begun after it
 * @where: path that @err is about; empty if it is about nothing in the tree
 */
struct tree {
	struct tree_run		*run;
	struct path		root;
	struct tree_node	*top;
	struct crypto_shash	*sha;
	/* Covers the fields that follow. Held for a few stores only. */
	spinlock_t		lock;
	struct list_head	hashers;
	struct tree_totals	totals;
	size_t			stack_used;
	int			err;
	char			where[512];
};

/**
 * struct tree_level - a level of directories
 * @parent: the level above; %NULL in the outermost
 * @tree: the walk
 * @entry: the entry that is being hashed; the level below hashes a directory
 * @at: path of @entry; valid while @entry is being hashed
 *
 * In the recursion a level lives on the coroutine stack and @parent in the frame above, so
 * only the argument of a call in progress points to the level from outside that stack.
 * That is also why the list of entries is in the node of their directory and not here. In
 * the fan-out the level of a coroutine's directory is on the heap, as the levels of the
 * directories below point to it.
 */
struct tree_level {
	struct tree_level	*parent;
	struct tree		*tree;
	struct tree_node	*entry;
	struct path		at;
};

/* tree_visit(): the entry is a directory, which is yet to be hashed */
#define TREE_IS_DIR	1

struct tree *tree_new(const struct path *root, const char *name, size_t len,
		      struct tree_run *run);
void tree_free(struct tree *tree);
int tree_fail(const struct tree_level *level, int err);

int tree_begin(void *arg);
int tree_list_dir(void *arg);
int tree_visit(void *arg);
int tree_leave_dir(void *arg);
int tree_digest_dir(void *arg);
int tree_close_dir(void *arg);
int tree_too_deep(void *arg);

int tree_call(costack_fn_t fn, struct tree_level *level);
int tree_walk(struct tree *tree);
int tree_fan_out(struct tree *tree);

#endif /* _COSTACK_DEMO_TREE_H */
