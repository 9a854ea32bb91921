// SPDX-License-Identifier: GPL-2.0
/*
 * A call trace of a thread always finds the stack mapped that it reads, also a stack that
 * the thread has slept on and that costack has retired since.
 *
 *	observe-beyond		a stack that went beyond its limit, and ended
 *	observe-trim		more stacks than are kept, and memory is short
 *	observe-moved		a stack that a move has left, with force_move and unmap
 *	observe-shrunk		the same of one that was parked, and shrunk: with unmap
 *	observe-naps ROUNDS	threads nap on stacks that end and move, while others unwind
 *				them all the time
 */
#include <linux/kasan.h>
#include <linux/kcsan-checks.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/unwind.h>

#include "items.h"

static bool mapped(unsigned long addr)
{
	unsigned long word;

	return !copy_from_kernel_nofault(&word, (void *)addr, sizeof(word));
}

/* === A reader that takes its time === */

/*
 * The reader is on its way to a stack: it may be preempted, but does not sleep. Meanwhile
 * nothing that it could have found is unmapped.
 */
static struct cst_thread reader;
static bool reads;
static bool stop_reading;

static int read_slowly(void *unused)
{
	WRITE_ONCE(reads, true);
	while (!READ_ONCE(stop_reading)) {
		cpu_relax();
		cond_resched();
	}
	return 0;
}

static bool begin_reading(void)
{
	WRITE_ONCE(reads, false);
	WRITE_ONCE(stop_reading, false);
	return CST_EQ(0, cst_thread_start(&reader, CST_ANY_CPU, read_slowly, NULL)) &&
	       CST_SOON(READ_ONCE(reads));
}

static void end_reading(void)
{
	WRITE_ONCE(stop_reading, true);
	wait_for_completion(&reader.done);
}

/* The stack at @addr stays mapped until the reader has ended, and then it is unmapped. */
static void check_limbo(unsigned long addr)
{
	/* Long enough to see an unmapping that is too early; nothing has to happen in this time. */
	msleep(300);
	CST_TRUE(mapped(addr));
	end_reading();
	CST_SOON(!mapped(addr));
}

/* On a slow machine the time may be over before the thread is switched out. */
static void sleep_here(void)
{
	unsigned long before = current->nvcsw;

	do
		usleep_range(50, 100);
	while (current->nvcsw == before);
}

/* === Stacks that end === */

static unsigned long left_behind;

static noinline int deep(size_t left)
{
	char room[48] = { };

	barrier_data(room);
	if (costack_stack_left() > left) {
		int size = deep(left);

		/* No tail call: each level has its room. */
		barrier_data(room);
		return size + room[0];
	}
	/* The kernel's own frames go beyond the limit. */
	sleep_here();
	WRITE_ONCE(left_behind, cst_stack_lo());
	return costack_stack_size();
}

static int beyond_body(void *unused)
{
	return deep(200);
}

static void beyond(const long *args)
{
	struct costack_attr attr = {
		.stack_first = 8192, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};

	if (!begin_reading())
		return;
	CST_TRUE(costack_call_attr(&attr, beyond_body, NULL) > 8192);
	check_limbo(left_behind);
}

/* Of 32 KiB half as many are kept. */
#define MANY	64

static unsigned long ends[MANY];

static int trim_body(void *arg)
{
	struct cst_item *item = arg;

	ends[item->nr] = cst_stack_lo();
	sleep_here();
	return costack_yield() ?: costack_sleep(HZ / 20);
}

static unsigned int nr_mapped(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MANY; i++)
		nr += mapped(ends[i]);
	return nr;
}

static void trim(const long *args)
{
	struct costack_attr attr = { .stack_first = 32768 };
	struct cst_group *group = cst_items_new(MANY, false, trim_body, NULL, &attr);

	if (!group || !begin_reading())
		return;
	cst_items_start(group);
	CST_FINISH(group, 0);
	cst_write_file("/proc/sys/vm/drop_caches", "2");
	msleep(300);
	CST_EQ(MANY, nr_mapped());
	end_reading();
	CST_SOON(nr_mapped() <= MANY / 2);
}

/* === Stacks that are left === */

static bool gone_at_once;

static int moved_body(void *arg)
{
	unsigned long lo = ~cst_stack_lo();

	/* The compiler must not make it a plain address again, which a move would adjust. */
	OPTIMIZER_HIDE_VAR(lo);
	if (arg)
		sleep_here();
	/* It moves. */
	CST_EQ(0, costack_yield());
	WRITE_ONCE(left_behind, ~lo);
	CST_TRUE(left_behind != cst_stack_lo());
	WRITE_ONCE(gone_at_once, !mapped(left_behind));
	return 0;
}

static void moved(const long *args)
{
	int i;

	/* Nobody has slept on it, but the thread may have been preempted there. */
	for (i = 0; i < 100 && !READ_ONCE(gone_at_once); i++)
		CST_EQ(0, costack_call(moved_body, NULL));
	CST_TRUE(gone_at_once);
	if (!begin_reading())
		return;
	CST_EQ(0, costack_call(moved_body, moved_body));
	CST_TRUE(!gone_at_once);
	check_limbo(left_behind);
}

static struct costack_work shrink_work;
static struct costack *shrink_co;

static int shrunk_body(void *unused)
{
	sleep_here();
	WRITE_ONCE(left_behind, cst_stack_lo());
	WRITE_ONCE(shrink_co, costack_current());
	return costack_park();
}

static void shrunk(const long *args)
{
	struct costack_attr attr = { .stack_first = 65536 };

	WRITE_ONCE(shrink_co, NULL);
	costack_work_init(&shrink_work, shrunk_body, NULL, &attr);
	if (!begin_reading() || !CST_EQ(0, costack_queue(&shrink_work)))
		return;
	if (CST_SOON(READ_ONCE(shrink_co) && cst_parked() == 1)) {
		cst_knob("shrink", "1");
		check_limbo(left_behind);
		costack_unpark(shrink_co);
	}
	CST_EQ(0, costack_wait(&shrink_work));
}

/* === Naps === */

#define NAPPERS	3
#define READERS	2

static struct task_struct *nappers[NAPPERS];
static long rounds;
static atomic_t napping, reading;
/* Nobody begins before all are there. */
static struct completion all_there;
/* The thread's own stack is freed when it ends: not before the readers have ended. */
static struct completion all_read;
static atomic_long_t walks;

static int nap_body(void *unused)
{
	int i, ret = 0;

	for (i = 0; i < 10 && !ret; i++) {
		sleep_here();
		ret = costack_yield();
	}
	return ret;
}

static int nap(void *arg)
{
	struct costack_attr large = { .stack_first = 32768 };
	struct costack_attr small = {
		.stack_first = 8192, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};
	long i;

	nappers[(long)arg] = current;
	atomic_inc(&napping);
	wait_for_completion(&all_there);
	for (i = 0; i < rounds; i++) {
		costack_call_attr(&large, nap_body, NULL);
		costack_call_attr(&small, beyond_body, NULL);
	}
	atomic_dec(&napping);
	wait_for_completion(&all_read);
	return 0;
}

/* As stack_trace_save_tsk(), which no module can call. */
static void unwind(struct task_struct *task)
{
	struct unwind_state state;

	/*
	 * What it reads changes meanwhile. Where it looks at the registers of an interrupt, there
	 * may be a red zone by now, and the unwinder does not expect that.
	 */
	kcsan_disable_current();
	kasan_disable_current();
	/* Otherwise the kernel complains about each stack that it does not know. */
	if (IS_ENABLED(CONFIG_DEBUG_PREEMPT))
		preempt_disable();
	for (unwind_start(&state, task, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state))
		;
	if (IS_ENABLED(CONFIG_DEBUG_PREEMPT))
		preempt_enable();
	kasan_enable_current();
	kcsan_enable_current();
}

static int read_naps(void *unused)
{
	unsigned long n = 0;
	unsigned int i;

	atomic_inc(&reading);
	while (atomic_read(&napping)) {
		for (i = 0; i < NAPPERS; i++)
			unwind(nappers[i]);
		/* Without this no grace period would end, and nothing be unmapped. */
		if (!(++n % 64))
			usleep_range(10, 20);
	}
	atomic_long_add(n, &walks);
	return 0;
}

static void naps(const long *args)
{
	static struct cst_thread threads[NAPPERS + READERS];
	long i;

	rounds = args[0];
	atomic_long_set(&walks, 0);
	atomic_set(&reading, 0);
	init_completion(&all_there);
	init_completion(&all_read);
	for (i = 0; i < NAPPERS; i++)
		CST_EQ(0, cst_thread_start(&threads[i], CST_ANY_CPU, nap, (void *)i));
	CST_SOON(atomic_read(&napping) == NAPPERS);
	for (; i < ARRAY_SIZE(threads); i++)
		CST_EQ(0, cst_thread_start(&threads[i], CST_ANY_CPU, read_naps, NULL));
	CST_SOON(atomic_read(&reading) == READERS);
	complete_all(&all_there);
	for (i = NAPPERS; i < ARRAY_SIZE(threads); i++)
		wait_for_completion(&threads[i].done);
	complete_all(&all_read);
	for (i = 0; i < NAPPERS; i++)
		wait_for_completion(&threads[i].done);
	CST_TRUE(atomic_long_read(&walks) > 0);
}

static const struct cst_case cases[] = {
	{ "observe-beyond", beyond },
	{ "observe-trim", trim },
	{ "observe-moved", moved },
	{ "observe-shrunk", shrunk },
	{ "observe-naps", naps },
	{ }
};

struct cst_suite cst_observers = { .owner = THIS_MODULE, .cases = cases };
