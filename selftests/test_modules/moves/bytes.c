// SPDX-License-Identifier: GPL-2.0
/*
 * The contents of stack memory that a coroutine has not written yet.
 *
 *	clean LAST FIRST	one thread fills a stack of LAST bytes, the next, on
 *				the same CPU, looks at one that begins with FIRST
 *	clean-items ROUNDS	work items: one fills its stack, the next one looks, on behalf
 *				of the same module or of none
 *	poison			the bytes below a stack that was moved
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "costack_test.h"

#define PATTERN		0xa5a55a5adeadc0deUL
/* Below the stack pointer, interrupts and the next call may write. */
#define OWN_BYTES	256

/*
 * Words in the mapped part below the caller's frame that are ~@inverse. An interrupt
 * writes the registers there, so what is looked for must not be in one.
 */
static noinline long count_below(unsigned long inverse)
{
	const unsigned long *p = (unsigned long *)cst_stack_lo();
	size_t nr = costack_stack_left() / sizeof(*p);
	long found = 0;

	for (; nr; nr--, p++) {
		unsigned long word = ~READ_ONCE_NOCHECK(*p);

		OPTIMIZER_HIDE_VAR(word);
		found += word == inverse;
	}
	return found;
}

/* Fill all that is mapped below, except what an interrupt writes meanwhile. */
static noinline void fill_below(void)
{
	unsigned long *p = (unsigned long *)cst_stack_lo();
	size_t nr = (costack_stack_left() - OWN_BYTES) / sizeof(*p);

	for (; nr; nr--, p++)
		WRITE_ONCE(*p, PATTERN);
}

struct job {
	long	bytes;
	long	found;
};

static int fill_body(void *arg)
{
	const struct job *job = arg;

	/* Go through all sizes, so that the stacks that a move leaves behind are filled, too. */
	fill_below();
	while (costack_stack_size() < job->bytes && !cst_failures()) {
		cst_outgrow();
		fill_below();
	}
	/* The control: the words that were filled in are found. */
	CST_TRUE(count_below(~PATTERN) > (job->bytes - 2048) / 8);
	return 0;
}

static int do_nothing(void *arg)
{
	return 0;
}

/*
 * The second call refills the reserve with stacks that this thread may read as they are, and
 * leaves it unused for the next call.
 */
static int fill_thread(void *arg)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	CST_EQ(0, costack_call_attr(&attr, fill_body, arg));
	CST_EQ(0, costack_call_attr(&attr, do_nothing, NULL));
	return 0;
}

static int look_body(void *arg)
{
	struct job *job = arg;

	job->found += count_below(~PATTERN);
	while (costack_stack_size() < 65536 && !cst_failures()) {
		cst_outgrow();
		job->found += count_below(~PATTERN);
	}
	return 0;
}

static int look_thread(void *arg)
{
	struct job *job = arg;
	struct costack_attr attr = { .stack_first = job->bytes };

	CST_EQ(0, costack_call_attr(&attr, look_body, arg));
	return 0;
}

static void clean(const long *args)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct job fill = { .bytes = args[0] }, look = { .bytes = args[1] };

	CST_EQ(0, cst_thread_run(cpu, fill_thread, &fill));
	CST_EQ(0, cst_thread_run(cpu, look_thread, &look));
	CST_EQ(0, look.found);
}

/* The stack of the last item that filled its stack, and the CPU that it ended on. */
struct filled {
	unsigned long	lo;
	int		cpu;
};

/* An item that looks at its stack. */
struct look {
	const struct filled	*filled;
	/* Words of the pattern that it has found so far. */
	long			found;
	/* How often its stack was the very stack that was filled before. */
	long			same;
};

static int fill_item(void *arg)
{
	struct filled *filled = arg;

	fill_below();
	filled->lo = cst_stack_lo();
	filled->cpu = raw_smp_processor_id();
	return 0;
}

static int look_item(void *arg)
{
	struct look *look = arg;

	look->found += count_below(~PATTERN);
	look->same += cst_stack_lo() == look->filled->lo;
	return 0;
}

static void run_item(costack_fn_t fn, void *arg, struct module *owner)
{
	static struct costack_work work;	/* not on the stack: escape.cocci looks */

	__costack_work_init(&work, fn, arg, NULL, owner);
	CST_EQ(0, costack_queue(&work));
	CST_EQ(0, costack_wait(&work));
}

/*
 * An item gets the stack that was kept last on the CPU where it is queued, and its own stack is
 * kept on the CPU where it ends. That is the CPU of any runner. So the item that looks is
 * queued where the one that filled has ended.
 */
static void fill_and_look(struct look *look, struct module *owner)
{
	static struct filled filled;

	look->filled = &filled;
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	run_item(fill_item, &filled, THIS_MODULE);
	CST_EQ(0, set_cpus_allowed_ptr(current, cpumask_of(filled.cpu)));
	run_item(look_item, look, owner);
}

static void clean_items(const long *args)
{
	static struct look own, strange;
	long i;

	own = (struct look) { };
	strange = (struct look) { };
	for (i = 0; i < args[0]; i++) {
		fill_and_look(&strange, NULL);
		fill_and_look(&own, THIS_MODULE);
	}
	CST_EQ(0, strange.found);
	/* The control: some of them get the very stack, and one of the same module sees it. */
	CST_TRUE(strange.same);
	CST_TRUE(own.found);
}

/* Both stacks of a move, and stacks that were prepared and not moved to. */
static int poison_body(void *arg)
{
	cst_outgrow();
	CST_EQ(8192, costack_stack_size());
	CST_TRUE(count_below(~0xfbfbfbfbfbfbfbfbUL) > 1024 / 8);
	CST_EQ(0, count_below(~0xfcfcfcfcfcfcfcfcUL));
	return 0;
}

static void poison(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	CST_EQ(0, costack_call_attr(&attr, poison_body, NULL));
}

static const struct cst_case cases[] = {
	{ "clean", clean },
	{ "clean-items", clean_items },
	{ "poison", poison },
	{ }
};

struct cst_suite cst_bytes = { .owner = THIS_MODULE, .cases = cases };
