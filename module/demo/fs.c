// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing a directory tree: the functions that need the kernel. The VFS reads, and the
 * crypto API hashes:
 *
 *	file		SHA-256 of its content
 *	symlink		SHA-256 of its target
 *	directory	SHA-256 of its entries, sorted bytewise by name, each as: a byte
 *			for its type (f, d or l), its name, a zero byte, its digest
 */
#include <crypto/hash.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/delayed_call.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list_sort.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "../compat.h"
#include "tree.h"

#define BUF_SIZE	SZ_16K

/* === Errors === */

static char *prepend(char *start, char *limit, const char *text, size_t len)
{
	len = min_t(size_t, len, start - limit);
	return memcpy(start - len, text, len);
}

/*
 * Build the path of level->entry in tree->where, from its end, up the chain of levels. A
 * path that is too long loses its beginning.
 */
static void note_where(const struct tree_level *level)
{
	char *limit = level->tree->where;
	char *start = limit + sizeof(level->tree->where) - 1;

	*start = '\0';
	for (; level->parent; level = level->parent) {
		start = prepend(start, limit, level->entry->name, strlen(level->entry->name));
		start = prepend(start, limit, "/", 1);
	}
	start = prepend(start, limit, level->entry->name, strlen(level->entry->name));
	if (start == limit)
		memcpy(limit, "...", 3);
	memmove(limit, start, strlen(start) + 1);
}

/**
 * tree_fail() - note an error, if it is the first one of the walk
 * @level: a level whose entry the error is about
 * @err: a negative errno
 *
 * Context: Process context, any stack.
 * Return: @err.
 */
int tree_fail(const struct tree_level *level, int err)
{
	struct tree *tree = level->tree;

	spin_lock(&tree->lock);
	if (!tree->err) {
		note_where(level);
		WRITE_ONCE(tree->err, err);
	}
	spin_unlock(&tree->lock);
	return err;
}

/* Needs no lock: a check that comes too early is repeated at the next entry. */
static int check_cancel(const struct tree *tree)
{
	cond_resched();
	return READ_ONCE(tree->run->cancel) || READ_ONCE(tree->err) ? -ECANCELED : 0;
}

/* === Hashers === */

/**
 * struct hasher - what it takes to hash one thing
 * @list: link in the list of unused hashers
 * @buf: for file contents
 * @desc: the hash, with room for its state behind it
 *
 * A caller takes a hasher for one file, symlink or directory, and never holds it while it
 * waits for another directory. So there are no more hashers than threads at work.
 */
struct hasher {
	struct list_head	list;
	void			*buf;
	struct shash_desc	desc;
};

static struct hasher *new_hasher(struct crypto_shash *sha)
{
	struct hasher *hasher;

	hasher = kmalloc(sizeof(*hasher) + crypto_shash_descsize(sha), GFP_KERNEL);
	if (!hasher)
		return NULL;
	hasher->buf = kmalloc(BUF_SIZE, GFP_KERNEL);
	if (!hasher->buf) {
		kfree(hasher);
		return NULL;
	}
	hasher->desc.tfm = sha;
	return hasher;
}

static struct hasher *take_hasher(struct tree *tree)
{
	struct hasher *hasher;

	spin_lock(&tree->lock);
	hasher = list_first_entry_or_null(&tree->hashers, struct hasher, list);
	if (hasher)
		list_del(&hasher->list);
	spin_unlock(&tree->lock);
	return hasher ?: new_hasher(tree->sha);
}

static void put_hasher(struct tree *tree, struct hasher *hasher)
{
	spin_lock(&tree->lock);
	list_add(&hasher->list, &tree->hashers);
	spin_unlock(&tree->lock);
}

/* === Directories === */

static struct tree_node *new_node(const char *name, size_t len)
{
	struct tree_node *node = kzalloc(struct_size(node, name, len + 1), GFP_KERNEL);

	if (!node)
		return NULL;
	INIT_LIST_HEAD(&node->list);
	INIT_LIST_HEAD(&node->children);
	memcpy(node->name, name, len);
	return node;
}

struct listing {
	struct dir_context	ctx;
	struct list_head	*nodes;
	int			err;
};

static bool add_entry(struct dir_context *ctx, const char *name, int len, loff_t offset,
		      u64 ino, unsigned int type)
{
	struct listing *listing = container_of(ctx, struct listing, ctx);
	struct tree_node *node;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	node = new_node(name, len);
	if (!node) {
		listing->err = -ENOMEM;
		return false;
	}
	list_add_tail(&node->list, listing->nodes);
	return true;
}

static int compare(void *priv, const struct list_head *a, const struct list_head *b)
{
	return strcmp(list_entry(a, struct tree_node, list)->name,
		      list_entry(b, struct tree_node, list)->name);
}

static int list_entries(const struct path *at, struct list_head *nodes)
{
	struct listing listing = { .ctx.actor = add_entry, .nodes = nodes };
	struct file *file;
	int err;

	file = dentry_open(at, O_RDONLY | O_DIRECTORY, current_cred());
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = iterate_dir(file, &listing.ctx);
	__fput_sync(file);
	list_sort(NULL, nodes, compare);
	return err ?: listing.err;
}

/**
 * tree_begin() - set the outermost level to the root of the tree
 * @arg: outermost level
 *
 * Context: Process context, any stack; may sleep.
 * Return: 0.
 */
int tree_begin(void *arg)
{
	struct tree_level *level = arg;

	level->entry = level->tree->top;
	level->at = level->tree->root;
	path_get(&level->at);
	return 0;
}

/**
 * tree_list_dir() - list a directory
 * @arg: a level that has just been entered; the directory is its parent's entry
 *
 * Context: Process context of a kernel thread, any stack; may sleep.
 * Return: 0, or a negative errno that has been noted.
 */
int tree_list_dir(void *arg)
{
	struct tree_level *level = arg, *above = level->parent;
	struct tree *tree = level->tree;
	unsigned long depth = 0;
	int err;

	err = check_cancel(tree) ?: list_entries(&above->at, &above->entry->children);
	if (err)
		return tree_fail(above, err);
	for (; above; above = above->parent)
		depth++;
	spin_lock(&tree->lock);
	tree->totals.depth = max(tree->totals.depth, depth);
	tree->totals.dirs++;
	spin_unlock(&tree->lock);
	return 0;
}

/**
 * tree_leave_dir() - stop holding a directory open
 * @arg: a level whose entries have all been looked up; the directory is its parent's
 *	entry
 *
 * Context: Process context, any stack; may sleep.
 * Return: 0.
 */
int tree_leave_dir(void *arg)
{
	struct tree_level *above = ((struct tree_level *)arg)->parent;

	path_put(&above->at);
	above->at = (struct path) { };
	return 0;
}

/**
 * tree_digest_dir() - hash a directory whose entries have all been hashed
 * @arg: level; the directory is its parent's entry
 *
 * Context: Process context, any stack; may sleep.
 * Return: 0, or a negative errno that has been noted.
 */
int tree_digest_dir(void *arg)
{
	struct tree_level *level = arg;
	struct tree_node *dir = level->parent->entry, *node;
	struct hasher *hasher = take_hasher(level->tree);
	struct shash_desc *desc;
	int err;

	if (!hasher)
		return tree_fail(level->parent, -ENOMEM);
	desc = &hasher->desc;
	err = crypto_shash_init(desc);
	list_for_each_entry(node, &dir->children, list) {
		err = err ?: crypto_shash_update(desc, &node->type, 1);
		err = err ?: crypto_shash_update(desc, node->name, strlen(node->name) + 1);
		err = err ?: crypto_shash_update(desc, node->digest, sizeof(node->digest));
	}
	err = err ?: crypto_shash_final(desc, dir->digest);
	put_hasher(level->tree, hasher);
	return err ? tree_fail(level->parent, err) : 0;
}

/**
 * tree_close_dir() - free the entries of a directory, hashed or not, and leave it
 * @arg: level; the directory is its parent's entry
 *
 * Context: Process context, any stack; may sleep.
 * Return: 0.
 */
int tree_close_dir(void *arg)
{
	struct tree_level *above = ((struct tree_level *)arg)->parent;
	struct tree_node *node, *next;

	list_for_each_entry_safe(node, next, &above->entry->children, list)
		kfree(node);
	INIT_LIST_HEAD(&above->entry->children);
	return tree_leave_dir(arg);
}

/**
 * tree_too_deep() - note that no stack is left for a directory
 * @arg: level; the directory is its parent's entry
 *
 * Context: Process context, any stack.
 * Return: -EOVERFLOW.
 */
int tree_too_deep(void *arg)
{
	return tree_fail(((struct tree_level *)arg)->parent, -EOVERFLOW);
}

/* === Files and symlinks === */

static int hash_file(struct tree *tree, struct hasher *hasher, const struct path *at,
		     u8 *digest)
{
	struct shash_desc *desc = &hasher->desc;
	struct file *file;
	loff_t pos = 0;
	ssize_t n;
	int err;

	file = dentry_open(at, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = crypto_shash_init(desc);
	while (!err) {
		n = kernel_read(file, hasher->buf, BUF_SIZE, &pos);
		if (n <= 0) {
			err = n;
			break;
		}
		err = crypto_shash_update(desc, hasher->buf, n) ?: check_cancel(tree);
	}
	err = err ?: crypto_shash_final(desc, digest);
	/* fput() would defer the close, and the tree would be busy when the walk is done. */
	__fput_sync(file);
	spin_lock(&tree->lock);
	tree->totals.bytes += pos;
	tree->totals.files++;
	spin_unlock(&tree->lock);
	return err;
}

static int hash_link(struct tree *tree, struct hasher *hasher, const struct path *at,
		     u8 *digest)
{
	DEFINE_DELAYED_CALL(done);
	const char *target;
	int err;

	target = vfs_get_link(at->dentry, &done);
	if (IS_ERR(target))
		return PTR_ERR(target);
	err = crypto_shash_digest(&hasher->desc, target, strlen(target), digest);
	do_delayed_call(&done);
	spin_lock(&tree->lock);
	tree->totals.links++;
	spin_unlock(&tree->lock);
	return err;
}

static int hash_entry(struct tree *tree, const struct path *at, struct tree_node *entry)
{
	struct hasher *hasher;
	int err;

	if (!d_is_reg(at->dentry) && !d_is_symlink(at->dentry))
		return -EOPNOTSUPP;
	hasher = take_hasher(tree);
	if (!hasher)
		return -ENOMEM;
	if (d_is_reg(at->dentry)) {
		entry->type = 'f';
		err = hash_file(tree, hasher, at, entry->digest);
	} else {
		entry->type = 'l';
		err = hash_link(tree, hasher, at, entry->digest);
	}
	put_hasher(tree, hasher);
	return err;
}

/*
 * Find an entry of the directory @dir. A walk stays within one file system: a file system
 * mounted below may have files that never end, and the directory that the mount hides is
 * not what others see at that path.
 */
static int look_up(const struct path *dir, const char *name, struct path *at)
{
	struct dentry *dentry;

	dentry = costack_lookup_positive(dir->mnt, name, strlen(name), dir->dentry);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	if (d_mountpoint(dentry)) {
		dput(dentry);
		return -EXDEV;
	}
	at->mnt = mntget(dir->mnt);
	at->dentry = dentry;
	return 0;
}

/**
 * tree_visit() - find an entry, and hash it unless it is a directory
 * @arg: a level with its entry set
 *
 * Context: Process context of a kernel thread, any stack; may sleep.
 * Return: 0; %TREE_IS_DIR for a directory, which the level below must leave by
 * tree_leave_dir(); or a negative errno that has been noted.
 */
int tree_visit(void *arg)
{
	struct tree_level *level = arg;
	struct tree_node *entry = level->entry;
	int err;

	err = check_cancel(level->tree);
	if (err)
		goto err_note;
	err = look_up(&level->parent->at, entry->name, &level->at);
	if (err)
		goto err_note;
	if (d_is_dir(level->at.dentry)) {
		entry->type = 'd';
		return TREE_IS_DIR;
	}
	err = hash_entry(level->tree, &level->at, entry);
	path_put(&level->at);
	if (err)
		goto err_note;
	return 0;

err_note:
	return tree_fail(level, err);
}

/* === A walk === */

/**
 * tree_new() - prepare a walk
 * @root: the directory where the walk begins
 * @name: path of @root, for reports
 * @len: length of @name
 * @run: the run that the walk is part of
 *
 * Context: Process context; may sleep.
 * Return: the walk, or ERR_PTR() of -ENOMEM or of the error of crypto_alloc_shash().
 */
struct tree *tree_new(const struct path *root, const char *name, size_t len,
		      struct tree_run *run)
{
	struct tree *tree = kzalloc(sizeof(*tree), GFP_KERNEL);
	int err = -ENOMEM;

	if (!tree)
		return ERR_PTR(-ENOMEM);
	tree->top = new_node(name, len);
	if (!tree->top)
		goto err_free;
	tree->sha = crypto_alloc_shash("sha256", 0, 0);
	if (IS_ERR(tree->sha)) {
		err = PTR_ERR(tree->sha);
		goto err_free_top;
	}
	tree->run = run;
	spin_lock_init(&tree->lock);
	INIT_LIST_HEAD(&tree->hashers);
	tree->root = *root;
	path_get(&tree->root);
	return tree;

err_free_top:
	kfree(tree->top);
err_free:
	kfree(tree);
	return ERR_PTR(err);
}

/**
 * tree_free() - free a walk
 * @tree: from tree_new(); nobody walks it
 *
 * Context: Process context; may sleep.
 */
void tree_free(struct tree *tree)
{
	struct hasher *hasher, *next;

	list_for_each_entry_safe(hasher, next, &tree->hashers, list) {
		kfree(hasher->buf);
		kfree(hasher);
	}
	path_put(&tree->root);
	crypto_free_shash(tree->sha);
	kfree(tree->top);
	kfree(tree);
}
