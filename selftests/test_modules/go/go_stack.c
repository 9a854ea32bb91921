// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks that grow and are kept, as tests of Go's runtime see them (see go.h).
 *
 *	go.StackGrowth STEP	recursion to every STEPth depth below 1024, in several kinds of
 *				thread
 *	go.StackGrowthCallback STEP
 *				at each of these depths, calls that park, lock and allocate
 *	go.StackMem		many batches take little more memory than one
 *	go.StackCache		many coroutines grow through all size classes in lockstep
 *	go.StackSplit STEP	frames of every size
 *	go.StackOverflow	the limit, and changes of it
 */
#include <linux/cpumask.h>
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "go.h"

/* === StackGrowth === */

/*
 * Go's growStackIter: each level writes to a local of its caller. At the bottom Go collects
 * garbage; here the coroutine yields, so that its stack can shrink.
 */
static noinline int grow_iter(int *above, int level)
{
	int here = 0, bad = 0;

	OPTIMIZER_HIDE_VAR(above);
	*above = level + 1;
	if (level) {
		bad = grow_iter(&here, level - 1);
		bad += here != level;
	} else {
		CST_EQ(0, costack_yield());
	}
	return bad;
}

/* Go's growStack: go to all depths, one after the other, on one stack. */
static int grow_stack(void *arg)
{
	const long step = (long)arg;
	int depth, x = 0, rounds = 0;

	for (depth = 0; depth < 1024 && !cst_failures(); depth += step) {
		CST_EQ(0, grow_iter(&x, depth));
		CST_EQ(depth + 1, x);
		if (++rounds % 16 == 0) {
			go_gc();
			CST_EQ(0, costack_yield());
		}
	}
	return 51;
}

struct go_worker {
	struct work_struct	work;
	long			step;
	int			ret;
};

static void grow_in_worker(struct work_struct *work)
{
	struct go_worker *worker = container_of(work, struct go_worker, work);

	worker->ret = costack_call(grow_stack, (void *)worker->step);
}

static void grow_on_workqueue(struct workqueue_struct *wq, long step)
{
	struct go_worker worker = { .step = step };

	INIT_WORK_ONSTACK(&worker.work, grow_in_worker);
	queue_work(wq, &worker.work);
	flush_work(&worker.work);
	destroy_work_on_stack(&worker.work);
	CST_EQ(51, worker.ret);
}

static int grow_in_thread(void *arg)
{
	return costack_call(grow_stack, arg);
}

/*
 * Go's TestStackGrowth: recursion to every depth, with the address of a local as argument, leaves
 * all locals right in a goroutine, in one that is locked to its thread, and in a finalizer. Here
 * the recursion runs in a work item, whose stack shrinks from time to time; in a thread that is
 * bound to a CPU; and in workers of the kernel's bound, unbound and high-priority workqueues.
 */
static void stack_growth(const long *args)
{
	const long step = args[0] ?: 1;
	struct costack_work work;

	CST_EQ(51, go_run(&work, NULL, grow_stack, (void *)step));
	/* The stack doubles four times, and again each time that it has shrunk. */
	CST_TRUE(work.growths >= 4);
	CST_EQ(51, cst_thread_run(cpumask_first(cpu_online_mask), grow_in_thread,
				  (void *)(step * 8)));
	grow_on_workqueue(system_wq, step * 16);
	grow_on_workqueue(system_highpri_wq, step * 16);
	grow_on_workqueue(system_unbound_wq, step * 16);
}

/* === StackGrowthCallback === */

/**
 * struct callback - what to call at every depth
 * @work: the item that goes to all depths
 * @fn: the function that it calls there
 * @step: difference between two depths
 * @calls: how often @fn has run
 * @chan: a channel for @fn to use
 * @child: an item for @fn to start
 * @map: a map for @fn to use
 */
struct callback {
	struct costack_work	work;
	costack_fn_t		fn;
	long			step;
	long			calls;
	struct costack_chan	*chan;
	struct costack_work	child;
	struct xarray		map;
};

static noinline int call_at_depth(struct callback *callback, int level)
{
	int here = level, ret;

	barrier_data(&here);
	if (level)
		ret = call_at_depth(callback, level - 1);
	else
		ret = callback->fn(callback);
	return here == level ? ret : -EINVAL;
}

/* Go's growStackWithCallback. */
static int callback_body(void *arg)
{
	struct callback *callback = arg;
	int depth;

	for (depth = 0; depth < 1024 && !cst_failures(); depth += callback->step)
		CST_EQ(0, call_at_depth(callback, depth));
	return depth;
}

static int at_chan(void *arg)
{
	struct callback *callback = arg;
	long sent = ++callback->calls, got = 0;

	CST_EQ(0, costack_chan_send(callback->chan, &sent));
	CST_EQ(0, costack_chan_recv(callback->chan, &got));
	return got == sent ? 0 : -EIO;
}

static int at_map(void *arg)
{
	struct callback *callback = arg;
	unsigned long key = ++callback->calls * 77;
	int err;

	err = xa_err(xa_store(&callback->map, key, callback, GFP_KERNEL));
	if (!err && xa_load(&callback->map, key) != callback)
		err = -EIO;
	xa_erase(&callback->map, key);
	return err;
}

static int child_body(void *arg)
{
	struct callback *callback = arg;
	long value = callback->calls;

	return costack_chan_send(callback->chan, &value);
}

static int at_spawn(void *arg)
{
	struct callback *callback = arg;
	long got = 0;

	callback->calls++;
	costack_work_init(&callback->child, child_body, callback, NULL);
	CST_EQ(0, costack_queue(&callback->child));
	CST_EQ(0, costack_chan_recv(callback->chan, &got));
	CST_EQ(0, costack_wait(&callback->child));
	return got == callback->calls ? 0 : -EIO;
}

static DEFINE_MUTEX(callback_lock);
static DECLARE_COMPLETION(callback_done);

static void complete_callback(struct work_struct *work)
{
	complete(&callback_done);
}

static DECLARE_WORK(callback_work, complete_callback);

static int at_kernel(void *arg)
{
	struct callback *callback = arg;
	void *memory;

	callback->calls++;
	mutex_lock(&callback_lock);
	memory = kmalloc(100, GFP_KERNEL);
	mutex_unlock(&callback_lock);
	kfree(memory);
	queue_work(system_wq, &callback_work);
	CST_EQ(0, costack_wait_for_completion(&callback_done));
	return memory ? 0 : -ENOMEM;
}

/*
 * Go's TestStackGrowthCallback: a channel operation, a map operation, and the start of a
 * goroutine with a rendezvous each have the right result at every depth, so also at the depths
 * where the stack grows inside them. Here this also includes a mutex operation, an allocation,
 * and a wait for work on a workqueue.
 */
static void stack_growth_callback(const long *args)
{
	static const struct {
		costack_fn_t	fn;
		unsigned int	room;	/* in the channel */
	} kinds[] = { { at_chan, 1 }, { at_map, 1 }, { at_spawn, 0 }, { at_kernel, 1 } };
	const long step = args[0] ?: 1;
	struct callback *callbacks = kcalloc(ARRAY_SIZE(kinds), sizeof(*callbacks), GFP_KERNEL);
	unsigned int i;

	if (!CST_TRUE(callbacks))
		return;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct callback *callback = &callbacks[i];

		callback->fn = kinds[i].fn;
		callback->step = step;
		callback->chan = costack_chan_create(sizeof(long), kinds[i].room);
		CST_TRUE(callback->chan);
		xa_init(&callback->map);
		costack_work_init(&callback->work, callback_body, callback, NULL);
	}
	for (i = 0; i < ARRAY_SIZE(kinds) && !cst_failures(); i++)
		CST_EQ(0, costack_queue(&callbacks[i].work));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CST_EQ(roundup(1024, step), costack_wait(&callbacks[i].work));
		CST_EQ(DIV_ROUND_UP(1024, step), callbacks[i].calls);
		CST_GROWN(4, callbacks[i].work.growths);
		costack_chan_destroy(callbacks[i].chan);
		xa_destroy(&callbacks[i].map);
	}
	kfree(callbacks);
}

/* === StackMem === */

#define MEM_BATCHES	16
#define MEM_ITEMS	16
#define MEM_DEPTH	48

struct kib {
	char bytes[1024];
};

/* The array is passed by value, so each level has a copy. */
static noinline int mem_level(int level, struct kib kib)
{
	int ret;

	if (!level) {
		costack_sleep(1);
		return kib.bytes[77];
	}
	kib.bytes[77]++;
	ret = mem_level(level - 1, kib);
	barrier_data(&kib);
	return ret;
}

static int mem_body(void *arg)
{
	struct kib kib = { };

	return mem_level(MEM_DEPTH, kib);
}

static long stack_bytes(void)
{
	return cst_stat("stacks_4k") * 4096 + cst_stat("stacks_8k") * 8192 +
	       cst_stat("stacks_16k") * 16384 + cst_stat("stacks_32k") * 32768 +
	       cst_stat("stacks_64k") * 65536;
}

/*
 * Go's TestStackMem: batches of goroutines run one after the other. Each goroutine uses 128 KiB
 * of stack in frames of 1 KiB; here it is 48 KiB. All together must not have taken more than 8
 * times the memory of one batch, because stacks are reused, and little may stay in use.
 */
static void stack_mem(const long *args)
{
	struct costack_work *works = kcalloc(MEM_ITEMS, sizeof(*works), GFP_KERNEL);
	long before = stack_bytes(), live = cst_stat("live");
	int batch, i;

	if (!CST_TRUE(works))
		return;
	for (batch = 0; batch < MEM_BATCHES && !cst_failures(); batch++) {
		for (i = 0; i < MEM_ITEMS; i++) {
			costack_work_init(&works[i], mem_body, NULL, NULL);
			CST_EQ(0, costack_queue(&works[i]));
		}
		for (i = 0; i < MEM_ITEMS; i++) {
			CST_EQ(MEM_DEPTH, costack_wait(&works[i]));
			CST_GROWN(4, works[i].growths);
		}
	}
	CST_TRUE(stack_bytes() - before <= 8L * MEM_ITEMS * MEM_DEPTH * 1024);
	CST_EQ(live, cst_stat("live"));
	kfree(works);
}

/* === StackCache === */

#define CACHE_ITEMS	100

struct growing {
	struct costack_work	work;
	struct costack_chan	*requests;
	struct costack_chan	*done;
};

struct cache {
	struct costack_work	work;
	struct costack_chan	*done;
	struct growing		growing[CACHE_ITEMS];
};

/* Go's growing: use as much stack as the caller asks for, again and again. */
static int growing_body(void *arg)
{
	struct growing *growing = arg;
	long bytes = 0;

	while (!costack_chan_recv(growing->requests, &bytes)) {
		cst_use_stack(bytes);
		CST_EQ(0, costack_chan_send(growing->done, &bytes));
	}
	return costack_chan_send(growing->done, &bytes);
}

/* Make all of them use as much stack, wait for all, and go on to the next size. */
static int cache_body(void *arg)
{
	static const long sizes[] = { 1000, 6000, 12000, 24000, 48000 };
	struct cache *cache = arg;
	long got = 0, bytes;
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		bytes = sizes[k];
		for (i = 0; i < CACHE_ITEMS; i++)
			CST_EQ(0, costack_chan_send(cache->growing[i].requests, &bytes));
		for (i = 0; i < CACHE_ITEMS; i++) {
			CST_EQ(0, costack_chan_recv(cache->done, &got));
			CST_EQ(bytes, got);
		}
	}
	for (i = 0; i < CACHE_ITEMS; i++)
		CST_EQ(0, costack_chan_close(cache->growing[i].requests));
	for (i = 0; i < CACHE_ITEMS; i++)
		CST_EQ(0, costack_chan_recv(cache->done, &got));
	return 52;
}

static void cache_round(struct cache *cache)
{
	int i;

	for (i = 0; i < CACHE_ITEMS; i++) {
		struct growing *growing = &cache->growing[i];

		growing->done = cache->done;
		growing->requests = costack_chan_create(sizeof(long), 0);
		CST_TRUE(growing->requests);
		costack_work_init(&growing->work, growing_body, growing, NULL);
	}
	if (cst_failures())
		return;
	for (i = 0; i < CACHE_ITEMS; i++)
		CST_EQ(0, costack_queue(&cache->growing[i].work));
	CST_EQ(52, go_run(&cache->work, NULL, cache_body, cache));
	for (i = 0; i < CACHE_ITEMS; i++) {
		CST_EQ(0, costack_wait(&cache->growing[i].work));
		/* The stack grows once for each size after the first, and at no other time. */
		CST_GROWN(4, cache->growing[i].work.growths);
		costack_chan_destroy(cache->growing[i].requests);
	}
}

/*
 * Go's TestStackCache: many goroutines grow in lockstep through all size classes and end,
 * several times. This fills, empties and refills the caches of stacks of every class. No two of
 * them may get the same stack.
 */
static void stack_cache(const long *args)
{
	struct cache *cache = kvzalloc(sizeof(*cache), GFP_KERNEL);
	int round;

	if (!CST_TRUE(cache))
		return;
	cache->done = costack_chan_create(sizeof(long), 0);
	if (CST_TRUE(cache->done))
		for (round = 0; round < 2 && !cst_failures(); round++)
			cache_round(cache);
	costack_chan_destroy(cache->done);
	kvfree(cache);
}

/* === StackSplit === */

/* Bytes that split_frame() uses above the frame that it makes. */
#define SPLIT_ENTRY	128

struct split {
	size_t	bytes;
	size_t	left;
};

static noinline int check_words(unsigned long *words, size_t nr)
{
	int bad = 0;
	size_t i;

	OPTIMIZER_HIDE_VAR(words);
	for (i = 0; i < nr; i++) {
		bad += READ_ONCE(words[i]) != (nr ^ i);
		WRITE_ONCE(words[i], ~i);
	}
	return bad;
}

static int use_words(unsigned long *words, size_t bytes)
{
	const size_t nr = bytes / sizeof(long);
	size_t i;
	int bad;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(words[i], nr ^ i);
	bad = (unsigned long)words < cst_stack_lo();
	bad += check_words(words, nr);
	for (i = 0; i < nr; i++)
		bad += READ_ONCE(words[i]) != ~i;
	return bad;
}

static noinline int split_frame(void *arg)
{
	const struct split *split = arg;

	return cst_with_frame(split->bytes, use_words);
}

static int split_body(void *arg)
{
	const struct split *split = arg;

	return cst_call_with_left(split->left, split_frame, arg);
}

/* How many interrupts have found no room: on their way, or in their handlers. */
static long interrupts_without_room(void)
{
	return cst_stat("interrupts_replayed") + cst_stat("grown_irqs_off");
}

static void split_at(size_t bytes, size_t left)
{
	long interrupts = interrupts_without_room(), most = 1;
	struct split split = { bytes, left };
	struct costack_work work;

	CST_EQ(0, go_run(&work, NULL, split_body, &split));
	/*
	 * One growth is enough if the first fault is an access to the frame. With hardly any stack
	 * left, the call of the function faults first. It does not tell the size of the frame, so
	 * there may be a second growth. And an interrupt that comes just there grows the stack too.
	 */
	most += (left < SPLIT_ENTRY) + interrupts_without_room() - interrupts;
	CST_TRUE(work.growths || left >= bytes);
	CST_GROWN(min_t(long, work.growths, most), work.growths);
}

/*
 * Go's TestStackSplit (for segmented stacks, issue 3310): functions have frames of every size,
 * from almost none to more than a page, and start at various distances from the end of the
 * stack. The stack pointer must never be below the stack. Here each runs in a work item, and one
 * growth must be enough.
 */
static void stack_split(const long *args)
{
	static const size_t lefts[] = { 8, SPLIT_ENTRY, 520, 1304, 2832 };
	const long step = args[0] ?: 1;
	size_t bytes;
	unsigned int i;

	for (bytes = 16; bytes <= 4608 && !cst_failures(); bytes += 16 * step)
		for (i = 0; i < ARRAY_SIZE(lefts); i++)
			split_at(bytes, lefts[i]);
	for (; bytes <= 56 * 1024 && !cst_failures(); bytes += 1008 * step)
		split_at(bytes, lefts[(bytes / 16) % ARRAY_SIZE(lefts)]);
}

/* === StackOverflow === */

static const struct costack_attr overflow_attr = {
	.name = "go.StackOverflow", .stack_limit = GO_PANIC_LIMIT, .flags = COSTACK_ABORTABLE,
};

static int forever_down(void *arg)
{
	return go_use_stack_and_call(LONG_MAX, forever_down, arg);
}

static int one_large_frame(void *arg)
{
	go_panic();
	return 0;
}

/* A running coroutine keeps the limit that was set when it started. */
static int max_stack_body(void *arg)
{
	go_set_knob("stack_max", "16384");
	cst_use_stack(40000);
	return costack_stack_size() == 65536 ? 53 : 0;
}

/*
 * Go's TestStackOverflow: a stack grows as far as SetMaxStack allows, and then Go prints a
 * message. SetMaxStack affects only later growth. Here the coroutines are abortable, so there is
 * a tracepoint instead of the message; the script looks for it. A frame that is larger than the
 * limit does not make the stack grow first, and a running coroutine keeps its limit.
 */
static void stack_overflow(const long *args)
{
	struct costack_attr attr = { .name = "go.StackOverflow", .flags = COSTACK_ABORTABLE };
	struct costack_work work;

	CST_EQ(-EOVERFLOW, go_run(&work, &overflow_attr, forever_down, NULL));
	CST_GROWN(2, work.growths);
	CST_TRUE(work.deepest > 8192 && work.deepest <= GO_PANIC_LIMIT);
	CST_EQ(-EOVERFLOW, go_run(&work, &overflow_attr, one_large_frame, NULL));
	CST_EQ(0, work.growths);

	CST_EQ(53, go_run(&work, NULL, max_stack_body, NULL));
	CST_EQ(-EOVERFLOW, go_run(&work, &attr, forever_down, NULL));
	CST_GROWN(2, work.growths);
	go_set_knob("stack_max", "65536");
	CST_EQ(-EOVERFLOW, go_run(&work, &attr, forever_down, NULL));
	CST_GROWN(4, work.growths);
}

static const struct cst_case cases[] = {
	{ "go.StackGrowth", stack_growth },
	{ "go.StackGrowthCallback", stack_growth_callback },
	{ "go.StackMem", stack_mem },
	{ "go.StackCache", stack_cache },
	{ "go.StackSplit", stack_split },
	{ "go.StackOverflow", stack_overflow },
	{ }
};

struct cst_suite cst_go_stack = { .owner = THIS_MODULE, .cases = cases };
