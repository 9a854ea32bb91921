// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing a directory tree: the recursion, one C frame a directory level.
 *
 * The stack begins with one page and grows as the tree gets deeper. With calls
 * to the kernel made on the host stack, every frame on the coroutine stack is of
 * this file or of costack itself, and the stack may be moved; a chain of pointers
 * from each frame to the one above is then rebased. With direct calls the
 * kernel's frames are among them, and the stack grows in place wherever one is.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "tree.h"

#define STACK_LIMIT	SZ_64K

/*
 * Left free below the deepest level: on the host stack's side of a call only an
 * interrupt needs room, while a direct call has the VFS, a file system and the
 * crypto API below it, and then the interrupt.
 */
#define MARGIN_HOST	SZ_4K
#define MARGIN_DIRECT	(3 * SZ_4K)

/**
 * tree_call() - call the kernel, from the stack that was asked for
 * @fn: what to call
 * @level: its argument; may be on the coroutine stack
 *
 * Not inlined, and so neither is what it calls: the frames below stay small.
 *
 * Context: Coroutine stack; may sleep.
 * Return: what @fn returned.
 */
noinline int tree_call(costack_fn_t fn, struct tree_level *level)
{
	if (level->tree->run->on_host)
		return costack_on_host(fn, level);
	return fn(level);
}

/*
 * Growth is left to the fault, as nothing here asks for room. But no growth goes
 * beyond the limit, and an overflow inside the kernel's code is fatal.
 */
static bool too_deep(struct tree *tree)
{
	size_t used = costack_stack_used();

	tree->stack_used = max(tree->stack_used, used);
	return used + (tree->run->on_host ? MARGIN_HOST : MARGIN_DIRECT) > STACK_LIMIT;
}

/* Hash the directory that is the entry @above is at. */
static noinline int hash_dir(struct tree_level *above)
{
	struct tree_level level = { .parent = above, .tree = above->tree };
	int err;

	err = tree_call(too_deep(level.tree) ? tree_too_deep : tree_list_dir, &level);
	if (err)
		goto out_close;
	list_for_each_entry(level.entry, &above->entry->children, list) {
		err = tree_call(tree_visit, &level);
		if (err == TREE_IS_DIR)
			err = hash_dir(&level);
		if (err)
			goto out_close;
	}
	err = tree_call(tree_digest_dir, &level);

out_close:
	tree_call(tree_close_dir, &level);
	return err;
}

static int walk(void *arg)
{
	struct tree_level level = { .tree = arg };

	tree_call(tree_begin, &level);
	return hash_dir(&level);
}

/**
 * tree_walk() - hash a tree, on a coroutine
 * @tree: from tree_new(); can be walked once
 *
 * Context: Kernel thread, process context, host stack; may sleep.
 * Return: 0, @tree has the totals; or a negative errno, @tree says where.
 */
int tree_walk(struct tree *tree)
{
	const struct costack_attr attr = { .name = "tree", .stack_limit = STACK_LIMIT };
	int err;

	err = costack_call_attr(&attr, walk, tree);
	if (!err)
		memcpy(tree->totals.digest, tree->top->digest, sizeof(tree->totals.digest));
	return err;
}
