// SPDX-License-Identifier: GPL-2.0
/*
 * What escape.cocci must not report: nothing here stores the address of a local variable
 * where copystack does not adjust it. Never compiled.
 */
#include <linux/costack.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct node {
	struct list_head	list;
	struct rb_node		tree;
	struct node		*next;
	struct node		*slots[4];
	unsigned long		word;
	char			bytes[16];
	struct timer_list	timer;
	struct work_struct	work;
	struct costack_work	item;
};

static struct node *newest, all;
static int counter, *latest;
static LIST_HEAD(nodes);
static DECLARE_WAIT_QUEUE_HEAD(queue);

/* === Addresses that costack adjusts === */

static int tracked(struct node *node, struct node **where)
{
	struct node here;
	int err;

	costack_track(&newest);
	newest = &here;
	WRITE_ONCE(newest, &here);
	costack_untrack(&newest);

	err = costack_track(&node->next);
	if (err)
		return err;
	node->next = &here;
	costack_untrack(&node->next);

	if (CST_EQ(0, costack_track(&node->slots[1])))
		node->slots[1] = &here;

	costack_track(where);
	*where = &here;
	return 0;
}

static int pinned(struct workqueue_struct *wq)
{
	struct node here;
	DEFINE_WAIT(wait);

	if (costack_pin())
		return -EINVAL;
	newest = &here;
	list_add(&here.list, &nodes);
	prepare_to_wait(&queue, &wait, TASK_IDLE);
	finish_wait(&queue, &wait);
	list_del(&here.list);
	INIT_WORK_ONSTACK(&here.work, run);
	queue_work(wq, &here.work);
	flush_work(&here.work);
	destroy_work_on_stack(&here.work);
	wait_event(queue, newest);
	here.word = (unsigned long)&here | 1;
	newest = NULL;
	costack_unpin();
	return 0;
}

static int pinned_in_loop(void)
{
	struct node here;
	int i;

	for (i = 0; i < 3; i++) {
		CST_EQ(0, costack_pin());
		list_add(&here.list, &nodes);
		list_del(&here.list);
		CST_EQ(0, costack_unpin());
	}
	return 0;
}

static int api(struct costack_chan *chan, struct node *arg)
{
	struct costack_attr attr = { .name = "api" };
	struct node here = { .next = &here }, *mine = &here;
	struct costack_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	char value[8];
	struct costack_select_case cases[] = {
		COSTACK_SEND(chan, value), COSTACK_RECV(chan, &here.word),
	};

	costack_defer(undo, &here);
	costack_on_host(look, &here);
	costack_call(look, &here);
	costack_call_attr(&attr, look, &here);
	costack_chan_send(chan, value);
	costack_chan_recv(chan, &here.word);
	costack_chan_try_recv(chan, &value[0]);
	costack_chan_send_timeout(chan, value, HZ);
	costack_chan_recv_timeout(chan, &here.word, HZ);
	costack_select(cases, 2);
	costack_select_timeout(cases, 2, HZ);
	costack_try_select(cases, 2);
	costack_track(&mine);
	costack_wait_event(queue, here.word);
	if (costack_wait_event_timeout(queue, look(&here), HZ) <= 0)
		return -ETIMEDOUT;
	costack_work_init(work, look, arg, &attr);
	costack_queue(work);
	return costack_wait(work);
}

/* === Addresses that stay on the stack === */

struct path {
	struct path	*up;
	struct path	*all[4];
	struct {
		struct path *in;
	} deep[2];
};

static int recursion(struct node *node, struct path *up)
{
	struct path here = { .up = up }, *end = &here, paths[3];
	struct node own, *it;

	here.up = &paths[0];
	here.all[node->word & 3] = &here;
	here.deep[1].in = &here;
	paths[2].up = &here;
	paths[node->word].deep[0].in = paths;
	end->up = &paths[1];
	end->all[2] = &here;
	(*end).up = &paths[1];
	end = up ?: &here;
	for (it = &own; it; it = it->next)
		counter++;
	own = (struct node){ .next = &own };
	WRITE_ONCE(here.up, &paths[1]);
	xchg(&here.up, &paths[1]);
	return recursion(node->next, &here);
}

static void lists_of_locals(void)
{
	struct node a, b;
	struct rb_root root = RB_ROOT, *tree = &root;
	struct rb_node **link = &root.rb_node;
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(own_queue);
	DECLARE_WAITQUEUE(entry, current);
	struct list_head other;
	LIST_HEAD(mine);

	INIT_LIST_HEAD(&other);
	list_add(&a.list, &mine);
	list_add_tail(&b.list, &a.list);
	list_splice(&mine, &other);
	list_move(&b.list, &mine);
	list_del(&a.list);
	rb_link_node(&a.tree, NULL, link);
	rb_add(&b.tree, tree, less);
	add_wait_queue(&own_queue, &entry);
}

static bool same(struct list_head *list, struct node **link, struct node *node)
{
	static LIST_HEAD(fixed);
	struct node here;

	list_add(&node->list, list);
	list_move(&node->list, &fixed);
	list_add_tail(&node->list, &nodes);
	llist_add(&node->lockless, &newest->head);
	*link = node;
	newest = node->next;
	return here.word;
}

/* === Not the address of a local variable === */

static int values(struct node *node, char text[], int *counts, char *names[4])
{
	static struct node fixed, fixed_array[3];
	struct node here, *heap = node, array[3];
	struct node *begin = array, *end = &array[3];
	char buf[32], *s = strchr(buf, ' '), *stop = &buf[32];

	newest = &fixed;
	newest = fixed_array;
	newest = &fixed_array[2];
	node->next = &node->slots[1];
	node->next = &heap->slots[here.word];
	node->next = here.next;
	node->next = &here.next->slots[1];
	latest = &counter;
	latest = counts;
	latest = &counts[2];
	node->text = text;
	node->text = &text[3];
	node->text = names[1];
	node->names = names;
	node->word = buf[0] | buf[1] << 8;
	node->word = *buf * 3;
	node->word = sizeof(buf) << 2;
	node->word = ARRAY_SIZE(buf) | 1;
	node->word = (&here)->word;
	node->word = array[1].word;
	node->word = begin->word ^ end->word;
	node->word = heap == &here;
	node->word = &here != node && heap;
	node->word = begin ? 1 : 2;
	node->word = !begin;
	node->word = strlen(buf);
	node->word = measure(&here, buf);
	node->word = end - begin;
	node->word = s - buf;
	node->word = stop - s;
	node->word = (char *)heap - buf;
	node->word = &buf[8] - buf;
	node->word = (char *)&here.word - (char *)&here;
	node->word += strlen(buf);
	counter += here.word;
	node->next = find(&here);
	node->next = node->ops->find(&here, buf);
	*node = here;
	return memcmp(buf, node->bytes, sizeof(buf)) ^ 1;
}

static void passed_on(struct node *node)
{
	struct node here, *it = &here;
	long number = 0x10, z;

	fill(node, &here);
	fill(node, it);
	it = node->next;
	node->next = it;
	it->next = node;
	it = kmalloc(sizeof(*it), GFP_KERNEL);
	newest = it;
	list_add(&it->list, &nodes);
	z = number | 1;
	z = ~number;
	z = (unsigned long)&here & 15;
	if (((unsigned long)&here ^ (unsigned long)&z) & PAGE_MASK)
		z++;
	hrtimer_start(&node->hrtimer, 0, HRTIMER_MODE_REL);
	destroy_timer_on_stack(&here.timer);
	kthread_run(run, node, "run/%d", z);
	complete(&all.done);
}
