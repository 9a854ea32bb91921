/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashing a directory tree: what its parts share.
 *
 * walk.c runs on a coroutine stack and does nothing but recurse; fanout.c has a
 * coroutine for each directory. fs.c is all that they ask of the kernel. Each of
 * its functions is a costack_fn_t that takes a level of the tree, so that it can
 * be run on either stack.
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
 * @digest: of the whole tree
 * @files: regular files
 * @links: symbolic links
 * @dirs: directories, the first one included
 * @bytes: content of all files
 * @depth: levels of directories, the first one included
 *
 * Walks of a tree that nobody changes find the same.
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
 * @list: the entries of the same directory, sorted once all are there
 * @children: if it is a directory: its own entries, while it is being hashed
 * @digest: valid when it has been hashed
 * @type: 'f', 'd' or 'l'
 * @name: of the first one: the path that was asked for
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
 * @now: what it is
 * @most: the most that it has been
 */
struct tree_peak {
	atomic_long_t	now;
	atomic_long_t	most;
};

/**
 * struct tree_run - what the walks of one run share
 * @on_host: call the kernel from the host stack, not from the coroutine's
 * @fanout: a coroutine for each directory, not one for the tree
 * @cancel: set from outside: end soon, with -ECANCELED
 * @coroutines: of all directories so far
 * @alive: those that have been queued and have not ended
 * @waiting: those of them that wait for the directories below
 * @stack: bytes of the stacks of those that are alive
 * @pids: threads that have run any of them; who waits for the whole is not one
 * @threads: how many
 *
 * The counts are of a fan-out only.
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
 * @run: what it is part of
 * @root: where it begins
 * @top: node of @root
 * @sha: the algorithm
 * @lock: taken while the walk is under way; @stack_used of a recursion needs it
 *	not, as it is the one coroutine's
 * @hashers: those of fs.c that nobody is using
 * @totals: what was found
 * @stack_used: most bytes of a coroutine stack in use: that a level of the
 *	recursion has seen, or that made a stack of the fan-out grow
 * @err: the first error; no new entry is begun after it
 * @where: what @err is about; empty if about nothing in the tree
 */
struct tree {
	struct tree_run		*run;
	struct path		root;
	struct tree_node	*top;
	struct crypto_shash	*sha;
	/* Covers what follows. Held for a few stores. */
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
 * @entry: what is being hashed; when it is a directory, by the level below
 * @at: where @entry is; valid while it is being hashed
 *
 * In the recursion it lives on the coroutine stack, @parent in the frame above, so
 * nothing outside that stack points at it but the argument of the call that is
 * under way. That is also why the entries are listed in the node of their
 * directory and not here. In the fan-out the level that stands for a coroutine's
 * directory is on the heap, as those of the directories below point to it.
 */
struct tree_level {
	struct tree_level	*parent;
	struct tree		*tree;
	struct tree_node	*entry;
	struct path		at;
};

/* tree_visit(): the entry is a directory, and is yet to be hashed */
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
