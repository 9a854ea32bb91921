// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing a directory tree: the recursion, one C frame for each directory level.
 *
 * The stack begins with one page and grows as the tree gets deeper. If the host stack
 * makes the calls to the kernel, every frame on the coroutine stack belongs to this file
 * or to costack itself, and the stack may be moved; a move then rebases a chain of
 * pointers from each frame to the one above. With direct calls there are also frames of
 * the kernel, and the stack grows in place while one is on it.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <linux/costack.h>

#include "tree.h"

#define STACK_LIMIT	SZ_64K

/*
 * Room left free below the deepest level. If the host stack makes the calls, only an
 * interrupt needs room here. Below a direct call come the VFS, a file system and the
 * crypto API, and then the interrupt.
 */
#define MARGIN_HOST	SZ_4K
#define MARGIN_DIRECT	(3 * SZ_4K)

/**
 * tree_call() - call the kernel, from the stack that kernel_calls selects
 * @fn: what to call
 * @level: argument of @fn; may be on the coroutine stack
 *
 * Not inlined, so @fn is not inlined either and the frames of the recursion stay small.
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
 * Nothing here asks for room: the fault makes the stack grow. But the stack does not grow
 * beyond the limit, and an overflow inside the kernel's code is fatal.
 */
static bool too_deep(struct tree *tree)
{
	size_t used = costack_stack_used();

	tree->stack_used = max(tree->stack_used, used);
	return used + (tree->run->on_host ? MARGIN_HOST : MARGIN_DIRECT) > STACK_LIMIT;
}

/* Hash the directory above->entry. */
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
 * Return: 0, and @tree has the totals; or a negative errno, and @tree says where.
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
