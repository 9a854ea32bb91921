// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of a coroutine whose entry or return is hooked. A tracer replaces return
 * addresses and remembers where each of them is: such a stack is not moved. The hooks
 * must see every call, and the functions must not see the hooks.
 *
 *	hook-chain DEPTH	recursion; the script starts a tracer for it
 *	hook-return DEPTH	the same with a kretprobe on each level
 *	hook-places STEP	a function with a kretprobe, called at every so many places of
 *				a page: the stack overflows in what hooks it
 *	hook-entry STEP		the same with a kprobe on its entry
 *	hook-jump STEP		the same with a kprobe that has become a jump
 *	hook-host		a call on the host stack from below a kretprobe
 *	hook-refused ADDRESS BYTES	no byte of this text may be probed
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "items.h"
#include "exceptions.h"

/* The graph tracer hooks no more than 50 returns at a time. */
#define MAX_DEPTH	49

/* With more left there is room for a hook and all that it calls. */
#define MOST_LEFT	3000

#define JUMP_OPCODE	0xe9

static int returned;

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	returned++;
	return 0;
}
NOKPROBE_SYMBOL(on_return);

static int entered;

static int on_entry(struct kprobe *probe, struct pt_regs *regs)
{
	entered++;
	return 0;
}
NOKPROBE_SYMBOL(on_entry);

/* === The functions that are hooked === */

/**
 * cst_hooked_level() - a level of a recursion
 * @above: local of the caller; goes up by 1
 * @level: how deep to go on
 *
 * Context: Coroutine stack.
 * Return: how many levels did not find their locals as they left them.
 */
noinline int cst_hooked_level(long *above, long level)
{
	unsigned long room[112];
	long here = level, bad = 0;
	unsigned int i;

	OPTIMIZER_HIDE_VAR(above);
	for (i = 0; i < ARRAY_SIZE(room); i++)
		WRITE_ONCE(room[i], level + i);
	if (level > 0)
		bad = cst_hooked_level(&here, level - 1) + (here != level + 1);
	for (i = 0; i < ARRAY_SIZE(room); i++)
		bad += READ_ONCE(room[i]) != level + i;
	++*above;
	return bad;
}

static int chain_body(void *arg)
{
	long top = 0;
	int bad = cst_hooked_level(&top, (long)arg);

	CST_EQ(1, top);
	return bad;
}

/**
 * cst_hooked() - a function with no frame
 * @arg: any number
 *
 * Context: Any stack.
 * Return: @arg + 1.
 */
noinline int cst_hooked(void *arg)
{
	return (long)arg + 1;
}

/* === Cases === */

static void hook_chain(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	CST_EQ(0, costack_call_attr(&attr, chain_body, (void *)args[0]));
}

static struct kretprobe return_hook;

/* A kretprobe cannot be registered a second time. */
static bool hook_returns(void *fn)
{
	returned = 0;
	return_hook = (struct kretprobe) {
		.kp.addr	= fn,
		.handler	= on_return,
		.maxactive	= MAX_DEPTH + 1,
	};
	return CST_EQ(0, register_kretprobe(&return_hook));
}

static void unhook_returns(int expected)
{
	unregister_kretprobe(&return_hook);
	CST_EQ(expected, returned);
	CST_EQ(0, return_hook.nmissed);
	CST_EQ(0, return_hook.kp.nmissed);
}

static void hook_return(const long *args)
{
	if (!CST_TRUE(args[0] <= MAX_DEPTH) || !hook_returns(cst_hooked_level))
		return;
	hook_chain(args);
	unhook_returns(args[0] + 1);
}

static int place_body(void *arg)
{
	return cst_call_with_left((long)arg, cst_hooked, (void *)4711);
}

/* Returns at how many places it was called. */
static int call_at_places(long step)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	int places = 0;
	long left;

	for (left = 0; left < MOST_LEFT && !cst_failures(); left += step ?: 16, places++)
		CST_EQ(4712, costack_call_attr(&attr, place_body, (void *)left));
	return places;
}

static void hook_places(const long *args)
{
	int places;

	if (!hook_returns(cst_hooked))
		return;
	places = call_at_places(args[0]);
	unhook_returns(places);
}

static void hook_entry(const long *args)
{
	struct kprobe probe = {
		.addr = (kprobe_opcode_t *)cst_hooked, .pre_handler = on_entry,
	};
	int places;

	entered = 0;
	if (!CST_EQ(0, register_kprobe(&probe)))
		return;
	places = call_at_places(args[0]);
	CST_EQ(places, entered);
	unregister_kprobe(&probe);
	CST_EQ(0, probe.nmissed);
}

static int jump_body(void *arg)
{
	struct cst_outcome outcome = cst_exc_lea(cst_stack_lo() + (long)arg, 4711);

	return outcome.value;
}

static bool is_jump(const char *insn)
{
	return READ_ONCE(*(const u8 *)insn) == JUMP_OPCODE;
}

/* The kernel replaces the int3 by a jump some time later; the jump's target pushes. */
static void hook_jump(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct kprobe probe = {
		.addr = (kprobe_opcode_t *)cst_probed_lea, .pre_handler = on_entry,
	};
	int places = 0;
	long left;

	entered = 0;
	if (!CST_EQ(0, register_kprobe(&probe)))
		return;
	CST_SOON(is_jump(cst_probed_lea));
	for (left = 0; left < MOST_LEFT && !cst_failures(); left += args[0] ?: 16, places++)
		CST_EQ(4712, costack_call_attr(&attr, jump_body, (void *)left));
	unregister_kprobe(&probe);
	CST_EQ(places, entered);
	CST_EQ(0, probe.nmissed);
}

static int on_host(void *arg)
{
	return (long)arg;
}

static noinline int host_from_below(void *arg)
{
	long local = 1;
	unsigned long address = cst_disguise(&local);

	barrier_data(&local);
	CST_EQ(53, costack_on_host(on_host, (void *)53L));
	CST_EQ(0, costack_ensure(20000));
	CST_EQ(address, cst_disguise(&local));
	return (long)arg + local;
}

static int host_body(void *arg)
{
	int ret = host_from_below(arg);

	barrier();
	return ret;
}

/* The script sets force_move: without the hook each call would move the stack. */
static void hook_host(const long *args)
{
	if (!hook_returns(host_from_below))
		return;
	CST_EQ(55, costack_call(host_body, (void *)54L));
	unhook_returns(1);
}

/* Which is also said of what is no instruction: whether it may be is asked first. */
static void hook_refused(const long *args)
{
	static struct kprobe probe;
	long i;
	int err;

	for (i = 0; i < args[1] && !cst_failures(); i++) {
		probe = (struct kprobe) {
			.addr = (kprobe_opcode_t *)args[0] + i, .pre_handler = on_entry,
		};
		err = register_kprobe(&probe);
		CST_EQ(-EINVAL, err);
		if (!err)
			unregister_kprobe(&probe);
	}
}

static const struct cst_case cases[] = {
	{ "hook-chain", hook_chain },
	{ "hook-return", hook_return },
	{ "hook-places", hook_places },
	{ "hook-entry", hook_entry },
	{ "hook-jump", hook_jump },
	{ "hook-host", hook_host },
	{ "hook-refused", hook_refused },
	{ }
};

struct cst_suite cst_hooks = { .owner = THIS_MODULE, .cases = cases };
