// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep: real work of the kernel, begun at every place of the first page, so
 * that the overflow comes at every kind of instruction of it. On all CPUs at the
 * same time, under a storm of timers and interrupts between them.
 *
 *	sweep-hash STEP		read a file, SHA-256
 *	sweep-compress STEP	deflate, lzo, zstd, there and back
 *	sweep-sort STEP		sort
 *	sweep-format STEP	vsnprintf
 *	sweep-mutex STEP	a mutex that all CPUs and one more thread want
 *	sweep-memory STEP	kmalloc and vmalloc while memory is short
 *	sweep-timer STEP	timers, and sleeping
 *	sweep-rcu STEP		grace periods
 *	sweep-tree STEP		an RB tree, a radix tree
 *	sweep-schedule STEP	schedule(), and nothing before it
 *
 * STEP: bytes from one place to the next, whole words.
 */
#include <crypto/acompress.h>
#include <crypto/hash.h>
#include <crypto/sha2.h>
#include <linux/crypto.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/radix-tree.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#include "costack_test.h"
#include "figures.h"
#include "loading/hog.h"
#include "storm_ipi.h"

/* The highest place: what is above it holds the frames that lead to the work. */
#define MOST_LEFT	(PAGE_SIZE - 512)

#define NR_NODES	40
#define TEXT_BYTES	4096
#define NR_PACKERS	3

/* Made by who runs this. */
#define HASHED_FILE	"/tmp/costack-sweep"

static const char * const packer_names[NR_PACKERS] = { "deflate", "lzo", "zstd" };

struct node {
	struct rb_node	link;
	unsigned int	key;
};

/**
 * struct sweeper - what the work of one thread has, beside its stack
 * @work: what is done; returns 0 if all was as it should be
 * @step: bytes from one place to the next
 * @left: where it is
 * @sha256: of the file, as computed with room enough
 * @hash: the algorithm
 * @packer: compressors; each has room for one user
 * @from: what a compressor reads
 * @to: where it writes to
 * @text: what is compressed, or read
 * @packed: compressed
 * @timer: a timer
 * @ticks: how often it went off
 * @node: of the trees
 */
struct sweeper {
	costack_fn_t		work;
	long			step;
	long			left;
	u8			sha256[SHA256_DIGEST_SIZE];
	struct crypto_shash	*hash;
	struct acomp_req	*packer[NR_PACKERS];
	struct scatterlist	from;
	struct scatterlist	to;
	u8			text[TEXT_BYTES];
	u8			packed[2 * TEXT_BYTES];
	struct timer_list	timer;
	int			ticks;
	struct node		node[NR_NODES];
};

/* === The work === */

static int digest(struct sweeper *sweeper, u8 *result)
{
	SHASH_DESC_ON_STACK(desc, sweeper->hash);
	struct file *file = cst_open(HASHED_FILE, O_RDONLY);
	ssize_t bytes = 0;
	loff_t pos = 0;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	desc->tfm = sweeper->hash;
	err = crypto_shash_init(desc);
	while (!err && (bytes = kernel_read(file, sweeper->text, 1000, &pos)) > 0)
		err = crypto_shash_update(desc, sweeper->text, bytes);
	filp_close(file, NULL);
	return err ?: bytes ?: crypto_shash_final(desc, result);
}

static int hash(void *arg)
{
	struct sweeper *sweeper = arg;
	u8 result[SHA256_DIGEST_SIZE];

	return digest(sweeper, result) ?: memcmp(result, sweeper->sha256, sizeof(result));
}

/* The request keeps addresses inside @sweeper, not of the stack. */
static void from_to(struct sweeper *sweeper, struct acomp_req *req, void *from, unsigned int bytes,
		    void *to, unsigned int most)
{
	sg_init_one(&sweeper->from, from, bytes);
	sg_init_one(&sweeper->to, to, most);
	acomp_request_set_params(req, &sweeper->from, &sweeper->to, bytes, most);
}

static int compress(void *arg)
{
	struct sweeper *sweeper = arg;
	unsigned int i, used, packed = 0;
	struct acomp_req *req;
	int err = 0;

	for (i = 0; i < NR_PACKERS && !err; i++) {
		for (used = 0; used < TEXT_BYTES; used++)
			sweeper->text[used] = used % 61 ^ used / 509;
		req = sweeper->packer[i];
		from_to(sweeper, req, sweeper->text, TEXT_BYTES, sweeper->packed,
			sizeof(sweeper->packed));
		err = crypto_acomp_compress(req);
		packed = req->dlen;
		memset(sweeper->text, 0, TEXT_BYTES);
		if (!err) {
			from_to(sweeper, req, sweeper->packed, packed, sweeper->text, TEXT_BYTES);
			err = crypto_acomp_decompress(req);
			used = req->dlen;
		}
		if (used != TEXT_BYTES || packed >= TEXT_BYTES)
			err = -EINVAL;
		for (used = 0; used < TEXT_BYTES; used++)
			if (sweeper->text[used] != (u8)(used % 61 ^ used / 509))
				err = -EINVAL;
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

static int sorting(void *arg)
{
	struct sweeper *sweeper = arg;
	u8 (*record)[12] = (void *)sweeper->text;
	int i, ret = 0;

	for (i = 0; i < NR_NODES; i++)
		snprintf(record[i], sizeof(record[i]), "%11d", i * 7 % NR_NODES);
	sort(record, NR_NODES, sizeof(record[0]), compare, NULL);
	for (i = 1; i < NR_NODES; i++)
		ret |= compare(record[i - 1], record[i]) >= 0;
	return ret;
}

static __printf(2, 3) int print(char *text, const char *fmt, ...)
{
	va_list args;
	int bytes;

	va_start(args, fmt);
	bytes = vsnprintf(text, 100, fmt, args);
	va_end(args);
	return bytes;
}

static int format(void *arg)
{
	static const u8 bytes[16] = { 0x12, 0x34, 0x56, 0x78 };
	char text[100];

	print(text, "%ps %*ph %pUb %-5d|%#llx %.3s", kfree, 3, bytes, bytes, -42, 1ULL << 40,
	      "costack");
	return strcmp(text,
		      "kfree 12 34 56 12345678-0000-0000-0000-000000000000 -42  |0x10000000000 cos");
}

static DEFINE_MUTEX(contended);
static long in_mutex;

static int lock(void *arg)
{
	int ret;

	mutex_lock(&contended);
	ret = in_mutex++;
	udelay(5);
	in_mutex--;
	mutex_unlock(&contended);
	return ret;
}

static int memory(void *arg)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	char *small = kmalloc(1000, gfp), *large = kvmalloc(9 * PAGE_SIZE, gfp);
	char *mapped = vmalloc(3 * PAGE_SIZE);
	int ret = 0;

	/* -ENOMEM is a good answer, too, where so little is left. */
	if (small && large && mapped) {
		memset(small, 1, 1000);
		memset(large, 2, 9 * PAGE_SIZE);
		memset(mapped, 3, 3 * PAGE_SIZE);
		ret = small[999] != 1 || large[9 * PAGE_SIZE - 1] != 2 || mapped[PAGE_SIZE] != 3;
	}
	kfree(small);
	kvfree(large);
	vfree(mapped);
	return ret;
}

static void tick(struct timer_list *timer)
{
	struct sweeper *sweeper = timer_container_of(sweeper, timer, timer);

	sweeper->ticks++;
}

static int timers(void *arg)
{
	struct sweeper *sweeper = arg;
	int ticks = sweeper->ticks;
	unsigned long begin = jiffies;

	mod_timer(&sweeper->timer, begin + 1);
	usleep_range(20, 50);
	schedule_timeout_uninterruptible(1);
	while (timer_pending(&sweeper->timer))
		schedule_timeout_uninterruptible(1);
	timer_delete_sync(&sweeper->timer);
	return sweeper->ticks != ticks + 1 || !time_after(jiffies, begin);
}

static int grace_period(void *arg)
{
	struct sweeper *sweeper = arg;

	synchronize_rcu_expedited();
	if (!(sweeper->left % 128))
		synchronize_rcu();
	return 0;
}

static void insert(struct rb_root *root, struct node *node)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = node->key < rb_entry(parent, struct node, link)->key ? &parent->rb_left :
									     &parent->rb_right;
	}
	rb_link_node(&node->link, parent, link);
	rb_insert_color(&node->link, root);
}

static int rb_tree(struct sweeper *sweeper)
{
	struct rb_root root = RB_ROOT;
	struct rb_node *link;
	unsigned int i, next = 0;
	int ret = 0;

	for (i = 0; i < NR_NODES; i++) {
		sweeper->node[i].key = i * 17 % NR_NODES;
		insert(&root, &sweeper->node[i]);
	}
	for (link = rb_first(&root); link; link = rb_next(link))
		ret |= rb_entry(link, struct node, link)->key != next++;
	for (i = 0; i < NR_NODES; i++)
		rb_erase(&sweeper->node[i].link, &root);
	return ret || next != NR_NODES || !RB_EMPTY_ROOT(&root);
}

static int trees(void *arg)
{
	struct radix_tree_root tree = RADIX_TREE_INIT(tree, GFP_KERNEL);
	struct sweeper *sweeper = arg;
	int ret = rb_tree(sweeper);
	unsigned long i;

	for (i = 0; i < NR_NODES; i++)
		ret |= radix_tree_insert(&tree, i * i * i, &sweeper->node[i]);
	for (i = 0; i < NR_NODES; i++)
		ret |= radix_tree_delete(&tree, i * i * i) != &sweeper->node[i];
	return ret || !radix_tree_empty(&tree);
}

/*
 * Any work that sleeps first calls something that may need more stack than schedule() does, and
 * on a debug kernel always does: the locks of a timer, or what schedule() itself asks lockdep
 * for a thread that is about to sleep. Then schedule() never finds too little. A thread that
 * gives way comes to it at once.
 */
static int give_way(void *unused)
{
	schedule();
	return 0;
}

/* === The sweep === */

static int at_place(void *arg)
{
	struct sweeper *sweeper = arg;

	return cst_call_with_left(sweeper->left, sweeper->work, sweeper);
}

static int sweep_all(void *arg)
{
	struct costack_attr attr = { .name = "sweep", .stack_first = PAGE_SIZE };
	struct sweeper *sweeper = arg;
	long left;

	for (left = 0; left <= MOST_LEFT && !cst_failures(); left += sweeper->step) {
		sweeper->left = left;
		CST_EQ(0, costack_call_attr(&attr, at_place, sweeper));
		cst_figure(CST_SWEPT, 1);
	}
	return 0;
}

static struct acomp_req *new_packer(const char *name)
{
	struct crypto_acomp *acomp = crypto_alloc_acomp(name, 0, CRYPTO_ALG_ASYNC);
	struct acomp_req *req;

	if (IS_ERR(acomp))
		return ERR_CAST(acomp);
	req = acomp_request_alloc(acomp);
	if (!req) {
		crypto_free_acomp(acomp);
		return ERR_PTR(-ENOMEM);
	}
	acomp_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	return req;
}

static void free_packer(struct acomp_req *req)
{
	struct crypto_acomp *acomp;

	if (IS_ERR_OR_NULL(req))
		return;
	acomp = crypto_acomp_reqtfm(req);
	acomp_request_free(req);
	crypto_free_acomp(acomp);
}

static void free_sweeper(struct sweeper *sweeper)
{
	int i;

	if (!IS_ERR_OR_NULL(sweeper->hash))
		crypto_free_shash(sweeper->hash);
	for (i = 0; i < NR_PACKERS; i++)
		free_packer(sweeper->packer[i]);
	kfree(sweeper);
}

static struct sweeper *make_sweeper(costack_fn_t work, long step)
{
	struct sweeper *sweeper = kzalloc(sizeof(*sweeper), GFP_KERNEL);
	bool good;
	int i;

	if (!CST_TRUE(sweeper))
		return NULL;
	sweeper->work = work;
	/* The kernel's code counts on a stack that is aligned to a word. */
	sweeper->step = round_up(max(step, 1L), sizeof(long));
	timer_setup(&sweeper->timer, tick, 0);
	sweeper->hash = crypto_alloc_shash("sha256", 0, 0);
	good = CST_EQ(0, PTR_ERR_OR_ZERO(sweeper->hash)) &&
	       CST_EQ(0, digest(sweeper, sweeper->sha256));
	for (i = 0; i < NR_PACKERS; i++) {
		sweeper->packer[i] = new_packer(packer_names[i]);
		good = CST_EQ(0, PTR_ERR_OR_ZERO(sweeper->packer[i])) && good;
	}
	if (good)
		return sweeper;
	free_sweeper(sweeper);
	return NULL;
}

/* The work on each CPU at the same time, with a timer tick every so often. */
static void sweep(costack_fn_t work, long step)
{
	struct cst_thread *thread = kcalloc(nr_cpu_ids, sizeof(*thread), GFP_KERNEL);
	struct sweeper *sweeper;
	int cpu;

	if (!CST_TRUE(thread))
		return;
	cst_ipi_storm_begin(150);
	for_each_online_cpu(cpu) {
		sweeper = make_sweeper(work, step);
		if (!sweeper)
			break;
		if (CST_EQ(0, cst_thread_start(&thread[cpu], cpu, sweep_all, sweeper)))
			continue;
		thread[cpu].fn = NULL;
		free_sweeper(sweeper);
	}
	for_each_online_cpu(cpu) {
		if (!thread[cpu].fn)
			continue;
		wait_for_completion(&thread[cpu].done);
		free_sweeper(thread[cpu].arg);
	}
	cst_ipi_storm_end();
	kfree(thread);
}

static void sweep_hash(const long *args)
{
	sweep(hash, args[0]);
}

static void sweep_compress(const long *args)
{
	sweep(compress, args[0]);
}

static void sweep_sort(const long *args)
{
	sweep(sorting, args[0]);
}

static void sweep_format(const long *args)
{
	sweep(format, args[0]);
}

/* This thread sleeps with the mutex held, so that the others have to sleep. */
static int hold_now_and_then(void *arg)
{
	while (!READ_ONCE(*(bool *)arg)) {
		mutex_lock(&contended);
		usleep_range(50, 100);
		mutex_unlock(&contended);
		usleep_range(10, 50);
	}
	return 0;
}

static void sweep_mutex(const long *args)
{
	static struct cst_thread holder;
	static bool stop;

	stop = false;
	if (!CST_EQ(0, cst_thread_start(&holder, CST_ANY_CPU, hold_now_and_then, &stop)))
		return;
	sweep(lock, args[0]);
	WRITE_ONCE(stop, true);
	wait_for_completion(&holder.done);
}

static void sweep_memory(const long *args)
{
	if (!CST_EQ(0, cst_hog_begin()))
		return;
	sweep(memory, args[0]);
	CST_TRUE(cst_hog_end());
}

static void sweep_timer(const long *args)
{
	sweep(timers, args[0]);
}

static void sweep_rcu(const long *args)
{
	sweep(grace_period, args[0]);
}

static void sweep_tree(const long *args)
{
	sweep(trees, args[0]);
}

static int give_way_all_the_time(void *stop)
{
	while (!READ_ONCE(*(bool *)stop))
		give_way(NULL);
	return 0;
}

/* On each CPU there is another thread to give way to. */
static void sweep_schedule(const long *args)
{
	struct cst_thread *other = kcalloc(nr_cpu_ids, sizeof(*other), GFP_KERNEL);
	static bool stop;
	int cpu;

	if (!CST_TRUE(other))
		return;
	stop = false;
	for_each_online_cpu(cpu)
		if (!CST_EQ(0, cst_thread_start(&other[cpu], cpu, give_way_all_the_time, &stop)))
			other[cpu].fn = NULL;
	sweep(give_way, args[0]);
	WRITE_ONCE(stop, true);
	for_each_online_cpu(cpu)
		if (other[cpu].fn)
			wait_for_completion(&other[cpu].done);
	kfree(other);
}

static const struct cst_case cases[] = {
	{ "sweep-hash", sweep_hash },
	{ "sweep-compress", sweep_compress },
	{ "sweep-sort", sweep_sort },
	{ "sweep-format", sweep_format },
	{ "sweep-mutex", sweep_mutex },
	{ "sweep-memory", sweep_memory },
	{ "sweep-timer", sweep_timer },
	{ "sweep-rcu", sweep_rcu },
	{ "sweep-tree", sweep_tree },
	{ "sweep-schedule", sweep_schedule },
	{ }
};

struct cst_suite cst_sweep = { .owner = THIS_MODULE, .cases = cases };
