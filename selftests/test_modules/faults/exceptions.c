// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions that find no room: the result is the same as if there had been room.
 *
 *	exc-probe-lea, exc-probe-push, exc-probe-call
 *				int3 of a kprobe on that instruction
 *	exc-branch ROUNDS	int3 of a static key that another CPU changes
 *	exc-ud			#UD with an entry in the exception table
 *	exc-warn		#UD of a WARN()
 *	exc-de, exc-gp-address, exc-gp-selector
 *				exceptions that the exception table answers
 *	exc-user		#PF of user accesses: a page that is not there yet, and one
 *				that will never be
 *	exc-copy STEP		copies from and to a user who has less than asked for,
 *				begun at every so many places
 *
 * Each instruction is executed with the stack pointer at each of the last 64 bytes
 * above the guard. The CPU cannot push the frame of the exception, nor that of the
 * #PF which this raises, and delivers #DF. The stack grows, the instruction is
 * executed again and raises its exception again. With a little more room the frame
 * of a user's #PF fits, and its handler finds none before it has read CR2.
 */
#include <linux/kernel.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>

#include "costack_test.h"
#include "exceptions.h"
#include "figures.h"

/* The stack pointer is put to 0, 8, ... 64 bytes above the guard. */
#define LAST_BYTES	64
#define NR_PLACES	(LAST_BYTES / 8 + 1)

/* This is enough for a #PF and for what its handler does first. */
#define HANDLER_BYTES	400

/* Here there is room for any exception. */
#define MUCH_LEFT	2048

/* #PF of a user page sleeps; all others are taken with interrupts off. */
#define MAY_SLEEP	true
#define IRQS_OFF	false

/**
 * struct attempt - one instruction at one place
 * @fn: executes it
 * @arg: argument of @fn
 * @left: bytes between the stack pointer and the guard
 * @may_sleep: leave interrupts on; then an interrupt may come first and grow the stack
 * @outcome: its result
 * @size: of the stack, after it
 */
struct attempt {
	cst_exc_fn_t		fn;
	unsigned long		arg;
	long			left;
	bool			may_sleep;
	struct cst_outcome	outcome;
	size_t			size;
};

static int attempt_body(void *arg)
{
	struct attempt *attempt = arg;
	unsigned long flags = 0;

	if (!attempt->may_sleep) {
		pagefault_disable();
		raw_local_irq_save(flags);
	}
	CST_TRUE(attempt->may_sleep || costack_stack_size() == PAGE_SIZE);
	attempt->outcome = attempt->fn(cst_stack_lo() + attempt->left, attempt->arg);
	attempt->size = costack_stack_size();
	if (!attempt->may_sleep) {
		raw_local_irq_restore(flags);
		pagefault_enable();
	}
	return 0;
}

static void run_attempt(struct attempt *attempt)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	CST_EQ(0, costack_call_attr(&attr, attempt_body, attempt));
}

static struct cst_outcome try_at(long left, cst_exc_fn_t fn, unsigned long arg, bool may_sleep)
{
	struct attempt attempt = {
		.fn = fn, .arg = arg, .left = left, .may_sleep = may_sleep,
	};

	run_attempt(&attempt);
	if (left < MUCH_LEFT)
		cst_figure(CST_EXCEPTIONS, 1);
	if (left <= LAST_BYTES)
		CST_TRUE(attempt.size > PAGE_SIZE);
	return attempt.outcome;
}

/* With much room, and then at each place, the result must be @value. */
static void at_each_place(cst_exc_fn_t fn, unsigned long arg, long value)
{
	long left;

	CST_EQ(value, try_at(MUCH_LEFT, fn, arg, IRQS_OFF).value);
	for (left = 0; left <= LAST_BYTES; left += 8)
		CST_EQ(value, try_at(left, fn, arg, IRQS_OFF).value);
}

/* === int3 of a kprobe === */

static int probe_hits;
static long probe_arg;

static int before_probed(struct kprobe *probe, struct pt_regs *regs)
{
	probe_hits++;
	probe_arg = regs->si;
	return 0;
}
NOKPROBE_SYMBOL(before_probed);

/* With this the kernel does not replace the int3 by a jump. */
static void after_probed(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(after_probed);

static void probed(const char *insn, cst_exc_fn_t fn, unsigned long arg, long value)
{
	struct kprobe probe = {
		.addr		= (kprobe_opcode_t *)insn,
		.pre_handler	= before_probed,
		.post_handler	= after_probed,
	};

	probe_hits = 0;
	probe_arg = 0;
	if (!CST_EQ(0, register_kprobe(&probe)))
		return;
	at_each_place(fn, arg, value);
	unregister_kprobe(&probe);
	CST_EQ(NR_PLACES + 1, probe_hits);
	CST_EQ(arg, probe_arg);
	CST_EQ(0, probe.nmissed);
}

static void probe_lea(const long *args)
{
	probed(cst_probed_lea, cst_exc_lea, 4711, 4712);
}

static void probe_push(const long *args)
{
	probed(cst_probed_push, cst_exc_push, 4711, 4711);
}

static void probe_call(const long *args)
{
	probed(cst_probed_call, cst_exc_call, 4711, 4712);
}

/* === int3 of a static key === */

DEFINE_STATIC_KEY_FALSE(cst_branch_key);

/* exc_at.S relies on this layout. */
struct branches {
	u64	deadline;
	long	not_taken;
	long	taken;
};

static_assert(offsetof(struct branches, not_taken) == 8);
static_assert(offsetof(struct branches, taken) == 16);

static bool stop_changing;

static int change_key(void *unused)
{
	while (!READ_ONCE(stop_changing)) {
		static_branch_enable(&cst_branch_key);
		static_branch_disable(&cst_branch_key);
		cond_resched();
	}
	return 0;
}

/*
 * Execute the branch for a millisecond with interrupts off. The other CPU writes
 * the int3 and then waits for this one, so it stays there until the end. Nothing else
 * is pushed: if the stack has grown, the int3 was the cause.
 */
static bool branch_hits_int3(long left)
{
	struct branches branches = { cst_deadline(1) };
	struct attempt attempt = {
		.fn = cst_exc_branch, .arg = (unsigned long)&branches, .left = left,
	};

	run_attempt(&attempt);
	CST_TRUE(branches.taken + branches.not_taken > 0);
	return attempt.size > PAGE_SIZE;
}

static int meet_changes(void *arg)
{
	const u64 deadline = cst_deadline(60000);
	long hits = 0, left = 0;

	while (hits < (long)arg && rdtsc_ordered() < deadline) {
		if (branch_hits_int3(left)) {
			hits++;
			left = (left + 8) % (LAST_BYTES + 8);
		}
		cond_resched();
	}
	CST_EQ(arg, hits);
	cst_figure(CST_EXCEPTIONS, hits);
	return 0;
}

static void branch_goes(bool taken)
{
	struct branches branches = { cst_deadline(1) };

	try_at(MUCH_LEFT, cst_exc_branch, (unsigned long)&branches, IRQS_OFF);
	CST_EQ(taken, branches.taken > 0);
	CST_EQ(!taken, branches.not_taken > 0);
}

static void branch(const long *args)
{
	static struct cst_thread changer;
	int here, there;

	if (!cst_two_cpus(&here, &there))
		return;
	WRITE_ONCE(stop_changing, false);
	if (!CST_EQ(0, cst_thread_start(&changer, there, change_key, NULL)))
		return;
	CST_EQ(0, cst_thread_run(here, meet_changes, (void *)args[0]));
	WRITE_ONCE(stop_changing, true);
	wait_for_completion(&changer.done);
	branch_goes(false);
	static_branch_enable(&cst_branch_key);
	branch_goes(true);
	static_branch_disable(&cst_branch_key);
}

/* === #UD, and what the exception table answers === */

static void ud(const long *args)
{
	at_each_place(cst_exc_ud, 4711, 4712);
}

static void warn(const long *args)
{
	at_each_place(cst_exc_warn, 4711, 4712);
}

static void de(const long *args)
{
	at_each_place(cst_exc_de, 0, -EFAULT);
	CST_EQ(14, try_at(MUCH_LEFT, cst_exc_de, 7, IRQS_OFF).value);
}

static void gp_address(const long *args)
{
	at_each_place(cst_exc_gp_address, 1UL << 63, -EFAULT);
}

static void gp_selector(const long *args)
{
	at_each_place(cst_exc_gp_selector, 0xfff8, -EFAULT);
}

/* === #PF of user accesses === */

/* A page of the user that nobody has touched, and nothing after it. */
static unsigned long fresh_page(void)
{
	unsigned long page = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (!CST_TRUE(!IS_ERR_VALUE(page)))
		return 0;
	CST_EQ(0, vm_munmap(page + PAGE_SIZE, PAGE_SIZE));
	return page;
}

/* User access is open as before, and the direction is. */
static void check_flags(cst_exc_fn_t fn, unsigned long flags)
{
	if (fn == cst_exc_user_regs) {
		CST_EQ(0, flags);
		return;
	}
	CST_EQ(boot_cpu_has(X86_FEATURE_SMAP), !!(flags & X86_EFLAGS_AC));
	CST_EQ(fn == cst_exc_user_string, !!(flags & X86_EFLAGS_DF));
}

/* Anonymous memory: reads as zeros. */
static void user_access(long left, cst_exc_fn_t fn)
{
	unsigned long page = fresh_page(), stored = 0;
	struct cst_outcome outcome;

	if (!page)
		return;
	outcome = try_at(left, fn, page, MAY_SLEEP);
	CST_EQ(0, outcome.value);
	check_flags(fn, outcome.flags);
	if (fn == cst_exc_user_store) {
		CST_EQ(0, get_user(stored, (unsigned long __user *)page));
		CST_EQ(page, stored);
	}
	outcome = try_at(left, fn, page + PAGE_SIZE, MAY_SLEEP);
	CST_EQ(-EFAULT, outcome.value);
	check_flags(fn, outcome.flags);
	outcome = try_at(left, fn, page + PAGE_SIZE, IRQS_OFF);
	CST_EQ(-EFAULT, outcome.value);
	check_flags(fn, outcome.flags);
	CST_EQ(0, vm_munmap(page, PAGE_SIZE));
}

static void user_at(long left)
{
	user_access(left, cst_exc_user_load);
	user_access(left, cst_exc_user_store);
	user_access(left, cst_exc_user_string);
	user_access(left, cst_exc_user_regs);
}

static void user_at_all(const long *args)
{
	long left;

	user_at(MUCH_LEFT);
	for (left = 0; left < HANDLER_BYTES && !cst_failures(); left += 8)
		user_at(left);
}

/* === Copies from and to a user === */

#define COPY_BYTES	64
#define COPY_THERE	24
/* With more left there is room for all of it. */
#define COPY_MOST_LEFT	1600

struct copy {
	long		left;
	char __user	*user;
};

static int copy_out(void *arg)
{
	char bytes[COPY_BYTES];

	memset(bytes, 0x5a, COPY_BYTES);
	return raw_copy_to_user((char __user *)arg, bytes, COPY_BYTES);
}

static int copy_in(void *arg)
{
	char bytes[COPY_BYTES];
	int missing, bad;

	memset(bytes, 0xff, COPY_BYTES);
	missing = raw_copy_from_user(bytes, (const char __user *)arg, COPY_BYTES);
	bad = memchr_inv(bytes, bytes[0], COPY_THERE) ||
	      memchr_inv(bytes + COPY_THERE, 0xff, COPY_BYTES - COPY_THERE);
	return missing | bad << 8 | (u8)bytes[0] << 16;
}

/* The page is not there at the first, and is at the second and the third. */
static int copy_body(void *arg)
{
	const struct copy *copy = arg;
	void *user = (void __force *)copy->user;
	const int missing = COPY_BYTES - COPY_THERE;

	CST_EQ(missing, cst_call_with_left(copy->left, copy_in, user));
	CST_EQ(missing, cst_call_with_left(copy->left, copy_out, user));
	CST_EQ(missing | 0x5a << 16, cst_call_with_left(copy->left, copy_in, user));
	return 0;
}

static void copies_at_all(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	unsigned long page;
	struct copy copy;

	for (copy.left = 0; copy.left < COPY_MOST_LEFT && !cst_failures();
	     copy.left += args[0] ?: 16) {
		page = fresh_page();
		if (!page)
			return;
		copy.user = (char __user *)(page + PAGE_SIZE - COPY_THERE);
		CST_EQ(0, costack_call_attr(&attr, copy_body, &copy));
		CST_EQ(0, vm_munmap(page, PAGE_SIZE));
	}
}

/* === A kernel thread with a user's memory === */

struct borrower {
	struct mm_struct	*mm;
	void			(*fn)(const long *args);
	const long		*args;
};

static int borrow_mm(void *arg)
{
	const struct borrower *borrower = arg;

	kthread_use_mm(borrower->mm);
	borrower->fn(borrower->args);
	kthread_unuse_mm(borrower->mm);
	return 0;
}

/* The memory belongs to the process that waits here. */
static void with_mm(void (*fn)(const long *args), const long *args)
{
	struct borrower borrower = { current->mm, fn, args };

	CST_EQ(0, cst_thread_run(CST_ANY_CPU, borrow_mm, &borrower));
}

static void user(const long *args)
{
	with_mm(user_at_all, args);
}

static void copies(const long *args)
{
	with_mm(copies_at_all, args);
}

static const struct cst_case cases[] = {
	{ "exc-probe-lea", probe_lea },
	{ "exc-probe-push", probe_push },
	{ "exc-probe-call", probe_call },
	{ "exc-ud", ud },
	{ "exc-warn", warn },
	{ "exc-de", de },
	{ "exc-gp-address", gp_address },
	{ "exc-gp-selector", gp_selector },
	{ "exc-branch", branch },
	{ "exc-user", user, .in_writer = true },
	{ "exc-copy", copies, .in_writer = true },
	{ }
};

struct cst_suite cst_exceptions = { .owner = THIS_MODULE, .cases = cases };
