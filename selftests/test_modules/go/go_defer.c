// SPDX-License-Identifier: GPL-2.0
/*
 * Defers and their arguments, when the stack grows or moves or the coroutine is cut off (see
 * go.h). The argument may be an address of the stack only if the defer runs after the coroutine
 * was cut off. After an ordinary end the frames are gone.
 *
 *	go.DeferPtrs MOVES	a defer's argument follows growth
 *	go.DeferPtrsGoexit	the stack grows while a defer starts, after a cancel
 *	go.DeferPtrsPanic	the same after an overflow
 *	go.DeferPtrsGoexit-shrunk
 *				a defer whose place of registration is gone
 *	go.PanicUseStack	a list on the stack, over three overflows
 *	go.PanicFar		an overflow far below the defer, then the stack shrinks
 *	go.PanicFar-hooked MOVES
 *				a hooked return address in the middle of the stack
 *	go.DeferHeapAndStack ROUNDS
 *				a list that alternates between heap and stack
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "go.h"

/**
 * struct var - a local whose address defers get (y in Go's tests)
 * @self: its own address
 * @value: 0; 42 once a defer has set it
 * @told: where a defer stores @value, outside of the stack
 */
struct var {
	struct var	*self;
	long		value;
	long		*told;
};

static noinline void set(void *arg)
{
	struct var *y = arg;

	if (CST_TRUE(y->self == y))
		y->value = 42;
}

/* Go's setBig: its frame is larger than a page, so the stack may have to grow. */
static noinline void set_big(void *arg)
{
	char big[4096 + 64] __uninitialized;
	struct var *y = arg;

	WRITE_ONCE(big[0], 0);
	OPTIMIZER_HIDE_VAR(y);
	if (CST_TRUE(y->self == y))
		y->value = 42;
	barrier_data(big);
}

static noinline void tell(void *arg)
{
	struct var *y = arg;

	if (CST_TRUE(y->self == y))
		*y->told = y->value;
}

/* === DeferPtrs === */

/**
 * struct holder - data that outlives the coroutine
 * @y: a tracked pointer to its local
 * @told: the value of that local, which a defer has stored
 * @order: a digit for each defer, in the order in which they ran
 * @moves: whether growth is to move the stack
 */
struct holder {
	struct var	*y;
	long		told;
	long		order;
	bool		moves;
};

static int defer_ptrs_body(void *arg)
{
	struct holder *holder = arg;
	struct var y = { &y, 0, &holder->told };
	unsigned long disguised;

	barrier_data(&y);
	CST_EQ(0, costack_defer(tell, &y));
	CST_EQ(0, costack_defer(set, &y));
	CST_EQ(0, costack_track(&holder->y));
	holder->y = &y;
	disguised = cst_disguise(&y);
	/* Use the stack up to the limit. */
	cst_outgrow();
	cst_outgrow();
	CST_EQ(GO_PANIC_LIMIT, costack_stack_size());
	CST_TRUE(!holder->moves || go_has_moved(&y, disguised));
	CST_TRUE(holder->y == &y);
	CST_EQ(0, costack_untrack(&holder->y));
	go_panic();
	barrier_data(&y);
	return 0;
}

static void note_one(void *arg)
{
	struct holder *holder = arg;

	holder->order = holder->order * 10 + 1;
}

static void note_two(void *arg)
{
	struct holder *holder = arg;

	cst_use_stack(6000);
	holder->order = holder->order * 10 + 2;
}

static int defer_end_body(void *arg)
{
	CST_EQ(0, costack_defer(note_one, arg));
	cst_outgrow();
	CST_EQ(0, costack_defer(note_two, arg));
	cst_outgrow();
	return 59;
}

/*
 * Go's TestDeferPtrs: the argument of a defer is an address of the stack, and Go adjusts it
 * when the stack moves before the defer runs. Here the function is cut off; then another one
 * ends in the ordinary way, and the argument of its defers is not on the stack. A tracked
 * pointer must follow the move, too. The first number says whether growth is to move the stack.
 */
static void defer_ptrs(const long *args)
{
	struct costack_attr attr = {
		.stack_limit = GO_PANIC_LIMIT, .flags = COSTACK_ABORTABLE,
	};
	struct holder holder = { .moves = args[0] };
	struct costack_work work;

	CST_EQ(-EOVERFLOW, go_run(&work, &attr, defer_ptrs_body, &holder));
	CST_GROWN(2, work.growths);
	CST_EQ(42, holder.told);
	holder.told = 0;
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, defer_ptrs_body, &holder));
	CST_EQ(42, holder.told);

	CST_EQ(59, go_run(&work, &attr, defer_end_body, &holder));
	CST_EQ(21, holder.order);
	CST_GROWN(2, work.growths);
}

/* === DeferPtrsGoexit, DeferPtrsPanic === */

#define TRIALS		100

/**
 * struct trial - a defer that starts at a given distance from the end of the stack
 * @work: the item
 * @left: bytes of stack left where the defer is registered
 * @told: the value of the variable after the defers
 * @leave: how to leave the function
 */
struct trial {
	struct costack_work	work;
	long			left;
	long			told;
	void			(*leave)(void);
};

static void goexit(void)
{
	/* A cancel cuts the coroutine off here. */
	CST_EQ(-ECANCELED, costack_park());
	CST_TRUE(false);
}

static noinline int leave_with_defers(void *arg)
{
	struct trial *trial = arg;
	struct var y = { &y, 0, &trial->told };

	barrier_data(&y);
	CST_EQ(0, costack_defer(tell, &y));
	CST_EQ(0, costack_defer(set_big, &y));
	trial->leave();
	barrier_data(&y);
	return 0;
}

static int trial_body(void *arg)
{
	struct trial *trial = arg;

	return cst_call_with_left(trial->left, leave_with_defers, trial);
}

/* Each item starts with a stack of one page, although the items before it have grown theirs. */
static struct trial *make_trials(void (*leave)(void))
{
	struct costack_attr attr = {
		.stack_first = PAGE_SIZE, .stack_limit = GO_PANIC_LIMIT,
		.flags = COSTACK_ABORTABLE,
	};
	struct trial *trials = kcalloc(TRIALS, sizeof(*trials), GFP_KERNEL);
	int i;

	if (!CST_TRUE(trials))
		return NULL;
	for (i = 0; i < TRIALS; i++) {
		trials[i].left = i * 8;
		trials[i].leave = leave;
		costack_work_init(&trials[i].work, trial_body, &trials[i], &attr);
	}
	return trials;
}

/*
 * Go's TestDeferPtrsGoexit: Goexit at 100 depths. The deferred function needs more than a page,
 * so the stack grows while the function starts, at a different distance from the end of the
 * stack each time. The function must get the right address all the same. Here all 100 coroutines
 * wait at the same time, and each has 8 bytes of stack more left than the one before.
 */
static void defer_ptrs_goexit(const long *args)
{
	struct trial *trials = make_trials(goexit);
	int i;

	if (!trials)
		return;
	for (i = 0; i < TRIALS; i++)
		CST_EQ(0, costack_queue(&trials[i].work));
	go_wait_parked(TRIALS);
	for (i = 0; i < TRIALS; i++)
		CST_EQ(0, costack_cancel(&trials[i].work));
	for (i = 0; i < TRIALS; i++) {
		CST_EQ(-ECANCELED, costack_wait(&trials[i].work));
		CST_EQ(42, trials[i].told);
		CST_TRUE(trials[i].work.growths >= 1);
	}
	kfree(trials);
}

static void set_heap(void *arg)
{
	struct trial *trial = arg;

	cst_use_stack(6000);
	trial->told = 42;
}

static int defer_set_heap(void *arg)
{
	return costack_defer(set_heap, arg);
}

static int defer_far_down_body(void *arg)
{
	CST_EQ(0, go_use_stack_and_call(40000, defer_set_heap, arg));
	goexit();
	return 0;
}

/*
 * TestDeferPtrsGoexit with a defer that Go cannot have: its place of registration is gone when
 * it starts, because the function that registered it has returned and the stack has shrunk.
 */
static void defer_ptrs_goexit_shrunk(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	struct trial *trial = kzalloc(sizeof(*trial), GFP_KERNEL);
	int i;

	if (!CST_TRUE(trial))
		return;
	costack_work_init(&trial->work, defer_far_down_body, trial, &attr);
	CST_EQ(0, costack_queue(&trial->work));
	go_wait_parked(1);
	for (i = 0; i < 3; i++)
		go_gc();
	CST_EQ(0, costack_cancel(&trial->work));
	CST_EQ(-ECANCELED, costack_wait(&trial->work));
	CST_EQ(42, trial->told);
	kfree(trial);
}

/*
 * What Go's TestDeferPtrsPanic is meant to do: the same, but a panic starts the defers. (Go's
 * test calls Goexit by mistake.) Here the panic is an overflow. A frame that is larger than the
 * limit causes it, so the stack is still small when the defer starts.
 */
static void defer_ptrs_panic(const long *args)
{
	struct trial *trials = make_trials(go_panic);
	int i;

	if (!trials)
		return;
	for (i = 0; i < TRIALS && !cst_failures(); i++) {
		CST_EQ(0, costack_queue(&trials[i].work));
		CST_EQ(-EOVERFLOW, costack_wait(&trials[i].work));
		CST_EQ(42, trials[i].told);
		CST_TRUE(trials[i].work.growths >= 1);
	}
	kfree(trials);
}

/* === PanicUseStack === */

/**
 * struct panicking - a record of a panic, on the stack (Go's _panic)
 * @self: its own address
 * @up: the record of the panic before this one
 * @level: 0 for the first panic
 * @deepest: the highest level so far, outside of the stack
 */
struct panicking {
	struct panicking	*self;
	struct panicking	*up;
	long			level;
	long			*deepest;
};

#define PANICS	3

static bool panics_are_whole(const struct panicking *panicking)
{
	long level = panicking->level;

	for (; level > 0; level--, panicking = panicking->up)
		if (panicking->self != panicking || panicking->level != level)
			return false;
	return panicking->self == panicking && !panicking->level;
}

static int walk_host(void *arg)
{
	CST_TRUE(panics_are_whole(arg));
	return 0;
}

static noinline void on_panic(void *arg)
{
	struct panicking *up = arg;
	struct panicking panicking = { &panicking, up, up->level + 1, up->deepest };

	barrier_data(&panicking);
	*panicking.deepest = panicking.level;
	CST_EQ(0, costack_on_host(walk_host, &panicking));
	/* The first panic finds room for this; the next two do not. */
	cst_use_stack(panicking.level * 3600);
	CST_TRUE(panics_are_whole(&panicking));
	CST_EQ(0, costack_on_host(walk_host, &panicking));
	if (panicking.level == PANICS)
		return;
	CST_EQ(0, costack_defer(on_panic, &panicking));
	go_panic();
	barrier_data(&panicking);
}

static int panic_use_stack_body(void *arg)
{
	struct panicking panicking = { &panicking, NULL, 0, arg };

	barrier_data(&panicking);
	CST_EQ(0, costack_defer(on_panic, &panicking));
	go_panic();
	barrier_data(&panicking);
	return 0;
}

/*
 * Go's TestPanicUseStack: a panic runs a deferred function, which uses much stack, walks the
 * stack and panics again; there are three panics. The records of the panics are on the stack and
 * linked to each other, and Go adjusts them when the stack grows.
 */
static void panic_use_stack(const long *args)
{
	struct costack_attr attr = {
		.stack_limit = GO_PANIC_LIMIT, .flags = COSTACK_ABORTABLE,
	};
	struct costack_work work;
	long deepest = 0;

	CST_EQ(-EOVERFLOW, go_run(&work, &attr, panic_use_stack_body, &deepest));
	CST_EQ(PANICS, deepest);
	CST_GROWN(2, work.growths);
	deepest = 0;
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, panic_use_stack_body, &deepest));
	CST_EQ(PANICS, deepest);
}

/* === PanicFar === */

static noinline int far_down(void *arg)
{
	CST_TRUE(costack_stack_used() > 45000);
	go_gc();
	CST_EQ(0, costack_sleep(1));
	go_panic();
	return 0;
}

/* This runs far up the stack, which is now much larger than it needs. */
static noinline void after_panic(void *arg)
{
	struct var *y = arg;
	size_t size = costack_stack_size();
	unsigned long disguised = cst_disguise(arg);

	CST_EQ(65536, size);
	go_gc();
	CST_EQ(0, costack_yield());
	CST_EQ(size / 2, costack_stack_size());
	CST_TRUE(go_has_moved(y, disguised));
	CST_TRUE(y->self == y);
	cst_use_stack(40000);
	CST_TRUE(y->self == y);
	CST_EQ(65536, costack_stack_size());
	y->value = 42;
}

static noinline int panic_far_body(void *arg)
{
	struct var y = { &y, 0, arg };
	int ret;

	barrier_data(&y);
	CST_EQ(0, costack_defer(tell, &y));
	CST_EQ(0, costack_defer(after_panic, &y));
	ret = go_use_stack_and_call(45000, far_down, arg);
	barrier_data(&y);
	return ret;
}

/*
 * Go's TestPanicFar: code far down the stack panics while the garbage collector works. A function
 * far above recovers, and must find a consistent stack. Here the stack then shrinks and grows
 * again while the defer runs.
 */
static void panic_far(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	struct costack_work work;
	long told = 0;

	CST_EQ(-EOVERFLOW, go_run(&work, &attr, panic_far_body, &told));
	CST_EQ(42, told);
	CST_GROWN(5, work.growths);
}

/* The return address of this function is hooked, and the stack grows below it. */
static noinline int hooked(void *arg)
{
	struct var y = { &y, 0, arg };
	unsigned long disguised = cst_disguise(&y);

	barrier_data(&y);
	cst_use_stack(30000);
	CST_TRUE(!go_has_moved(&y, disguised));
	CST_TRUE(y.self == &y);
	return 60;
}

static int hooked_body(void *arg)
{
	int ret = hooked(arg);
	long local;
	unsigned long disguised = cst_disguise(&local);

	/* The hook is gone, because the function has returned. */
	cst_use_stack(50000);
	CST_TRUE(!*(long *)arg || go_has_moved(&local, disguised));
	return ret;
}

static int returns;

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	returns++;
	return 0;
}

static struct kretprobe return_hook;

/*
 * Go has TestPanicFar because of stack barriers: its runtime replaced return addresses on the
 * stack, and kept a list of their places. Here a kretprobe replaces one. costack does not move
 * the stack while such an address is on it, and moves it again afterwards. The first number
 * says whether growth is to move the stack.
 */
static void panic_far_hooked(const long *args)
{
	struct costack_work work;
	long moves = args[0];

	/* The kernel does not register the same kretprobe a second time. */
	return_hook = (struct kretprobe) {
		.kp.addr	= (kprobe_opcode_t *)hooked,
		.handler	= on_return,
		.maxactive	= 4,
	};
	returns = 0;
	if (!CST_EQ(0, register_kretprobe(&return_hook)))
		return;
	CST_EQ(60, go_run(&work, NULL, hooked_body, &moves));
	CST_GROWN(4, work.growths);
	CST_EQ(0, return_hook.nmissed);
	CST_EQ(0, return_hook.kp.nmissed);
	CST_EQ(1, returns);
	unregister_kretprobe(&return_hook);
}

/* === DeferHeapAndStack === */

#define WEAVE_ITEMS	4
#define WEAVE_DEPTH	80

/**
 * struct weaving - a node, on the heap or on the stack
 * @self: its own address
 * @before: the node that was made before this one, on the heap or on the stack
 * @level: the level of the call that made it
 * @sum: where a defer counts this node, outside of the stack
 * @on_heap: the node must be freed, and @before is tracked
 */
struct weaving {
	struct weaving	*self;
	struct weaving	*before;
	long		level;
	long		*sum;
	bool		on_heap;
};

static noinline void unweave(void *arg)
{
	struct weaving *node = arg, *before = node->before;

	if (CST_TRUE(node->self == node))
		++*node->sum;
	if (before)
		CST_TRUE(before->self == before && before->level >= node->level);
	if (node->on_heap) {
		CST_EQ(0, costack_untrack(&node->before));
		kfree(node);
	}
}

/*
 * Make a node on the heap that points to the node before it, and register its defer. The pointer
 * is tracked.
 */
static __always_inline struct weaving *weave_on_heap(struct weaving *before, long level, long *sum)
{
	struct weaving *node = kmalloc(sizeof(*node), GFP_KERNEL);

	if (!CST_TRUE(node))
		return before;
	*node = (struct weaving) { node, NULL, level, sum, true };
	/* costack_track() may move the stack, so the pointer is set after it. */
	CST_EQ(0, costack_track(&node->before));
	node->before = before;
	CST_EQ(0, costack_defer(unweave, node));
	return node;
}

static noinline int weave(struct weaving *before, long level, void (*leave)(void), long *sum)
{
	struct weaving first, second;
	int ret = 0;

	if (!level) {
		leave();
		return 0;
	}
	/* Make the stack grow here, and not in the allocator. */
	cst_use_stack(IS_ENABLED(CONFIG_KASAN) ? 3000 : 1200);
	if (level % 2) {
		first = (struct weaving) { &first, before, level, sum, false };
		CST_EQ(0, costack_defer(unweave, &first));
		second = (struct weaving) { &second, &first, level, sum, false };
		CST_EQ(0, costack_defer(unweave, &second));
		before = &second;
	} else {
		before = weave_on_heap(before, level, sum);
		before = weave_on_heap(before, level, sum);
	}
	ret = weave(before, level - 1, leave, sum);
	barrier_data(&first);
	barrier_data(&second);
	return ret;
}

struct loom {
	struct costack_work	work;
	void			(*leave)(void);
	long			sum;
};

static int weave_body(void *arg)
{
	struct loom *loom = arg;

	return weave(NULL, WEAVE_DEPTH, loom->leave, &loom->sum);
}

static void weave_all(struct loom *looms, void (*leave)(void), int ret)
{
	struct costack_attr attr = {
		.stack_limit = 2 * GO_PANIC_LIMIT, .flags = COSTACK_ABORTABLE,
	};
	int i;

	for (i = 0; i < WEAVE_ITEMS; i++) {
		looms[i].leave = leave;
		looms[i].sum = 0;
		costack_work_init(&looms[i].work, weave_body, &looms[i], &attr);
		CST_EQ(0, costack_queue(&looms[i].work));
	}
	if (ret == -ECANCELED) {
		go_wait_parked(WEAVE_ITEMS);
		for (i = 0; i < WEAVE_ITEMS; i++)
			CST_EQ(0, costack_cancel(&looms[i].work));
	}
	for (i = 0; i < WEAVE_ITEMS; i++) {
		CST_EQ(ret, costack_wait(&looms[i].work));
		CST_EQ(2 * WEAVE_DEPTH, looms[i].sum);
		CST_GROWN(2, looms[i].work.growths);
	}
}

/*
 * Go's TestDeferHeapAndStack: each level of a recursion has two defers. Their records are on
 * the heap at one level and on the stack at the next, so that the list alternates between the
 * two. Four goroutines do this many times, and all defers must run. Here the nodes are the
 * arguments of the defers, and pointers from the heap to the stack are tracked.
 */
static void defer_heap_and_stack(const long *args)
{
	struct loom *looms = kcalloc(WEAVE_ITEMS, sizeof(*looms), GFP_KERNEL);
	long round;

	if (!CST_TRUE(looms))
		return;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		weave_all(looms, go_panic, -EOVERFLOW);
		weave_all(looms, goexit, -ECANCELED);
	}
	kfree(looms);
}

static const struct cst_case cases[] = {
	{ "go.DeferPtrs", defer_ptrs },
	{ "go.DeferPtrsGoexit", defer_ptrs_goexit },
	{ "go.DeferPtrsGoexit-shrunk", defer_ptrs_goexit_shrunk },
	{ "go.DeferPtrsPanic", defer_ptrs_panic },
	{ "go.PanicUseStack", panic_use_stack },
	{ "go.PanicFar", panic_far },
	{ "go.PanicFar-hooked", panic_far_hooked },
	{ "go.DeferHeapAndStack", defer_heap_and_stack },
	{ }
};

struct cst_suite cst_go_defer = { .owner = THIS_MODULE, .cases = cases };
