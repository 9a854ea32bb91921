// SPDX-License-Identifier: GPL-2.0
/*
 * What escape.cocci must find: each line marked "escapes", and no other, stores the
 * address of a local variable where copystack does not adjust it. Never compiled.
 */
#include <crypto/hash.h>
#include <linux/costack.h>
#include <linux/hrtimer.h>
#include <linux/idr.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct node {
	struct list_head	list;
	struct hlist_node	hash;
	struct llist_node	lockless;
	struct rb_node		tree;
	struct node		*next;
	struct node		*slots[4];
	unsigned long		word;
	struct shash_desc	*desc;
	char			bytes[16];
	struct timer_list	timer;
	struct hrtimer		hrtimer;
	struct work_struct	work;
	struct costack_work	item;
	struct rcu_head		rcu;
};

static struct node *newest, all, *table[16];
static unsigned long secret;
static atomic_long_t owner;
static LIST_HEAD(nodes);
static HLIST_HEAD(hashed);
static LLIST_HEAD(free_nodes);
static DEFINE_XARRAY(index);
static DEFINE_IDR(ids);
static DECLARE_WAIT_QUEUE_HEAD(queue);

/* === In a variable that is not on the stack === */

static void globals(int i)
{
	static struct node *last, own;
	struct node node, nodes_here[3];
	char buf[32];
	int plain;

	newest = &node;			/* escapes */
	newest = &nodes_here[i];	/* escapes */
	newest = nodes_here;		/* escapes */
	newest = nodes_here + i;	/* escapes */
	all.next = &node;		/* escapes */
	all.slots[i] = &node;		/* escapes */
	table[i] = node.slots[1] ? &node : NULL;	/* escapes */
	last = &node;			/* escapes */
	own.next = &node;		/* escapes */
	secret = (unsigned long)&plain;	/* escapes */
	secret = (unsigned long)buf;	/* escapes */
	all = (struct node){ .next = &node };	/* escapes */
	newest = &(struct node){ .word = 1 };	/* escapes */
	newest = container_of(&node.list, struct node, list);	/* escapes */
	WRITE_ONCE(newest, &node);	/* escapes */
	rcu_assign_pointer(newest, &node);	/* escapes */
	smp_store_release(&newest, &node);	/* escapes */
	atomic_long_set(&owner, (long)&node);	/* escapes */
	if (!cmpxchg(&newest, NULL, &node))	/* escapes */
		return;
	newest = newest ?: &node;	/* escapes */
	for (newest = &node; newest; newest = newest->next)	/* escapes */
		i++;
}

static int argument_too(struct node node, int count)
{
	all.next = &node;		/* escapes */
	secret = (unsigned long)&count;	/* escapes */
	return 0;
}

/* === Behind a pointer === */

static int behind(struct node *node, struct node **where, void *opaque)
{
	struct node here, *heap = kmalloc(sizeof(*heap), GFP_KERNEL);
	struct {
		struct node *to;
		struct node in;
	} outer = { heap };
	char path[64];
	SHASH_DESC_ON_STACK(desc, heap->tfm);

	node->next = &here;		/* escapes */
	node->slots[2] = &here;		/* escapes */
	node->next->next = &here;	/* escapes */
	(*node).next = &here;		/* escapes */
	node[3].next = &here;		/* escapes */
	heap->word = (unsigned long)path;	/* escapes */
	heap->word = (unsigned long)&path[8];	/* escapes */
	heap->desc = desc;		/* escapes */
	*heap = (struct node){ .next = &outer.in };	/* escapes */
	*where = &here;			/* escapes */
	where[1] = &outer.in;		/* escapes */
	outer.to->next = &here;		/* escapes */
	((struct node *)opaque)->next = &here;	/* escapes */
	this_cpu_ptr(&all)->next = &here;	/* escapes */
	WRITE_ONCE(node->next, &here);	/* escapes */
	xchg(&node->next, &here);	/* escapes */
	return 0;
}

static void by_another_name(struct node *node, bool which)
{
	struct node here, there, *it = &here, *same;
	unsigned long number = (unsigned long)&here;
	char buf[16], *end = buf + sizeof(buf);

	newest = it;			/* escapes */
	node->next = it;		/* escapes */
	node->next = (void *)it;	/* escapes */
	node->word = number;		/* escapes */
	node->word = (unsigned long)end - 1;	/* escapes */
	newest = &it->slots[1];		/* escapes */
	it->next = &there;
	it = node;
	newest = it;
	it->next = &there;		/* escapes */
	if (which)
		same = &there;
	else
		same = node->next;
	newest = same;			/* escapes */
}

/* === In a list, a tree, a queue === */

static void lists(struct node *node, struct list_head *head)
{
	struct node here;
	LIST_HEAD(mine);
	struct list_head taken;

	INIT_LIST_HEAD(&taken);
	list_add(&here.list, &nodes);	/* escapes */
	list_add_tail(&here.list, head);	/* escapes */
	list_move(&here.list, &node->list);	/* escapes */
	list_add_rcu(&here.list, &nodes);	/* escapes */
	hlist_add_head(&here.hash, &hashed);	/* escapes */
	hlist_add_head(&here.hash, &table[3]->hash);	/* escapes */
	llist_add(&here.lockless, &free_nodes);	/* escapes */
	/* A node on the heap also has the address of its head. */
	list_add(&node->list, &mine);	/* escapes */
	list_move_tail(&node->list, &taken);	/* escapes */
	list_splice_init(&nodes, &mine);	/* escapes */
	list_splice_tail_init(head, &taken);	/* escapes */
	list_replace(&node->list, &here.list);	/* escapes */
}

static void trees(struct rb_root *root, struct rb_node *parent, struct rb_node **link)
{
	struct node here;

	rb_link_node(&here.tree, parent, link);	/* escapes */
	rb_add(&here.tree, root, less);	/* escapes */
	xa_store(&index, 1, &here, GFP_KERNEL);	/* escapes */
	idr_alloc(&ids, &here, 0, 0, GFP_KERNEL);	/* escapes */
}

static void waits(struct wait_queue_head *wq)
{
	DECLARE_WAITQUEUE(entry, current);
	DEFINE_WAIT(wait);
	struct wait_queue_entry own;

	init_waitqueue_entry(&own, current);
	add_wait_queue(&queue, &own);	/* escapes */
	add_wait_queue_exclusive(wq, &entry);	/* escapes */
	prepare_to_wait(wq, &wait, TASK_IDLE);	/* escapes */
	prepare_to_wait(&queue, &wait, TASK_IDLE);	/* escapes */
	wait_event(*wq, newest);	/* escapes */
	wait_event_cmd(*wq, newest, lock(), unlock());	/* escapes */
	wait_event_interruptible_locked_irq(*wq, newest);	/* escapes */
	wait_var_event(&newest, newest);	/* escapes */
	if (wait_event_interruptible_timeout(queue, newest, HZ))	/* escapes */
		return;
}

/* === For something that runs later === */

static int later(struct workqueue_struct *wq, struct device *dev)
{
	struct node here;
	struct costack_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	enum hrtimer_mode mode = HRTIMER_MODE_REL;

	timer_setup_on_stack(&here.timer, tick, 0);	/* escapes */
	mod_timer(&here.timer, jiffies + HZ);	/* escapes */
	hrtimer_init_on_stack(&here.hrtimer, CLOCK_BOOTTIME, mode);	/* escapes */
	hrtimer_start(&here.hrtimer, 0, mode);	/* escapes */
	INIT_WORK_ONSTACK(&here.work, run);	/* escapes */
	queue_work(wq, &here.work);	/* escapes */
	queue_work_on(0, wq, &here.work);	/* escapes */
	schedule_work(&here.work);	/* escapes */
	call_rcu(&here.rcu, reclaim);	/* escapes */
	costack_work_init(&here.item, run, NULL, NULL);	/* escapes */
	costack_work_init(work, run, &here, NULL);	/* escapes */
	dev_set_drvdata(dev, &here);	/* escapes */
	register_reboot_notifier(&here.notifier);	/* escapes */
	return PTR_ERR_OR_ZERO(kthread_run(run, &here, "run"));	/* escapes */
}

/* === In disguise, wherever it is stored === */

static unsigned long disguises(struct node *node, unsigned long key)
{
	struct node here, *it = &here;
	struct {
		unsigned long	tagged;
	} local = { .tagged = (unsigned long)&here | 1 };	/* escapes */
	unsigned long tagged = (unsigned long)&here | 1;	/* escapes */
	unsigned long other, number = (unsigned long)&here;
	long offset;

	other = ~(unsigned long)&here;	/* escapes */
	other = (unsigned long)&here.list ^ key;	/* escapes */
	other = key ^ (unsigned long)it;	/* escapes */
	other = (unsigned long)&here >> PAGE_SHIFT;	/* escapes */
	other = (unsigned long)here.slots ^ (unsigned long)&here;	/* escapes */
	local.tagged = number << 16;	/* escapes */
	offset = (long)&here - (long)node;	/* escapes */
	offset = (long)node - (long)it;	/* escapes */
	node->word = (unsigned long)&here | 1;	/* escapes */
	node->word |= (unsigned long)&here;	/* escapes */
	key ^= (unsigned long)&here;	/* escapes */
	key -= (unsigned long)&here;	/* escapes */
	number |= 1;			/* escapes */
	return tagged + other + offset;
}

/* === Not pinned or not tracked at the decisive place === */

static void too_late(struct node *node, bool often)
{
	struct node here;

	list_add(&here.list, &nodes);	/* escapes */
	costack_pin();
	list_add_tail(&here.list, &nodes);
	costack_unpin();
	list_move(&here.list, &nodes);	/* escapes */
	if (often)
		costack_pin();
	node->next = &here;		/* escapes */
}

static void other_pointer(struct node *node)
{
	struct node here;

	costack_track(&node->next);
	node->next = &here;
	node->slots[0] = &here;		/* escapes */
	costack_untrack(&node->next);
	node->next = &here;		/* escapes */
	/* The call may already move the stack. */
	newest = &here;			/* escapes */
	costack_track(&newest);
}

/* === In functions that keep it when they return === */

static void keepers(struct ww_mutex *lock, struct rhashtable *ht, struct dma_fence *fence,
		    struct ahash_request *req, struct urb *urb, struct list_head *list)
{
	struct ww_acquire_ctx ctx;
	struct rhashtable_iter iter;
	struct css_task_iter tasks;
	struct dma_fence_cb cb;
	struct notifier_block nb;
	struct pm_qos_request qos;
	struct bio bio;
	DECLARE_CRYPTO_WAIT(wait);
	LIST_HEAD(own);

	ww_mutex_lock(lock, &ctx);	/* escapes */
	rhashtable_walk_enter(ht, &iter);	/* escapes */
	css_task_iter_start(css, 0, &tasks);	/* escapes */
	dma_fence_add_callback(fence, &cb, fn);	/* escapes */
	blocking_notifier_chain_register(&chain, &nb);	/* escapes */
	cpu_latency_qos_add_request(&qos, 1);	/* escapes */
	ahash_request_set_callback(req, 0, crypto_req_done, &wait);	/* escapes */
	usb_fill_bulk_urb(urb, dev, pipe, buf, 4, fn, &wait);	/* escapes */
	submit_bio(&bio);	/* escapes */
	list_cut_position(&own, list, list->next);	/* escapes */
	list_swap(&own, list);	/* escapes */
}
