// SPDX-License-Identifier: GPL-2.0
/*
 * costack: coroutine stacks that grow. Load and unload.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/costack.h>

#include "age.h"
#include "arena.h"
#include "call.h"
#include "costack.h"
#include "debugfs.h"
#include "functions.h"
#include "items.h"
#include "livepatch.h"
#include "lost.h"
#include "pack.h"
#include "pool.h"
#include "report.h"
#include "runner.h"
#include "selftest.h"
#include "stats.h"
#include "stuck.h"
#include "swaits.h"
#include "sysfs.h"
#include "text.h"
#include "waiter.h"
#include "work.h"
#include "worker.h"

static int knob_param_set(const char *val, const struct kernel_param *kp)
{
	int err = costack_knob_set(kp->arg, val);

	if (err)
		pr_err("cannot load: bad value \"%s\" for %s; modinfo costack lists the good ones\n",
		       val, (const char *)kp->arg);
	return err;
}

static const struct kernel_param_ops knob_param_ops = {
	.set = knob_param_set,
};

/* Initial values; /sys/kernel/costack/ has the current ones. */
module_param_cb(policy, &knob_param_ops, "policy", 0);
MODULE_PARM_DESC(policy, "how a movable stack grows: copy (default) or inplace");
module_param_cb(verify, &knob_param_ops, "verify", 0);
MODULE_PARM_DESC(verify, "who decides whether a stack may be moved: orc (default), both or scan");
module_param_cb(stack_max, &knob_param_ops, "stack_max", 0);
MODULE_PARM_DESC(stack_max, "bytes that no stack grows beyond: 4096, 8192, 16384, 32768 or 65536 (default)");
module_param_cb(stack_min, &knob_param_ops, "stack_min", 0);
MODULE_PARM_DESC(stack_min, "bytes that a stack starts with: 4096 (default), 8192, 16384, 32768 or 65536");
module_param_cb(adaptive_start, &knob_param_ops, "adaptive_start", 0);
MODULE_PARM_DESC(adaptive_start, "start with the size that the function has needed before: 1 (default) or 0");
module_param_cb(poison, &knob_param_ops, "poison", 0);
MODULE_PARM_DESC(poison, "fill stacks with 0xfd, 0xfb, 0xfc around a move: 1 or 0 (default)");
module_param_cb(force_move, &knob_param_ops, "force_move", 0);
MODULE_PARM_DESC(force_move, "move at each call that goes to the host stack: 1 or 0 (default)");
module_param_cb(force_pack, &knob_param_ops, "force_pack", 0);
MODULE_PARM_DESC(force_pack, "pack each work item at each park: 1 or 0 (default)");
module_param_cb(pack_after, &knob_param_ops, "pack_after", 0);
MODULE_PARM_DESC(pack_after, "seconds after which a parked stack is packed: 0 (default, never) to 86400");
module_param_cb(stuck_after, &knob_param_ops, "stuck_after", 0);
MODULE_PARM_DESC(stuck_after, "seconds after which a parked coroutine is reported: 0 (default, never) to 86400");
module_param_cb(trace_held, &knob_param_ops, "trace_held", 0);
MODULE_PARM_DESC(trace_held, "print the call in which a function is first seen to hold its worker: 1 or 0 (default)");
module_param_cb(unmap, &knob_param_ops, "unmap", 0);
MODULE_PARM_DESC(unmap, "unmap what a move at a call has left: 1 or 0 (default)");
module_param_cb(max_items, &knob_param_ops, "max_items", 0);
MODULE_PARM_DESC(max_items, "how many work items each module may have: 0 (default, any number) or more");
module_param_cb(workers, &knob_param_ops, "workers", 0);
MODULE_PARM_DESC(workers, "kworkers that run coroutines, not counting those that are held up: 1 to 64 (default: two a CPU, at least 4)");

static int __init costack_module_init(void)
{
	int err;

	err = costack_arena_init();
	if (err)
		return err;
	err = costack_pack_init();
	if (err)
		goto err_arena;
	err = costack_pool_init();
	if (err)
		goto err_pack;
	err = costack_init();
	if (err)
		goto err_pool;
	err = costack_functions_init();
	if (err)
		goto err_cache;
	costack_items_init();
	err = costack_workers_init();
	if (err)
		goto err_functions;
	err = costack_pressure_init();
	if (err)
		goto err_runners;
	err = costack_text_init();
	if (err)
		goto err_pressure;
	err = costack_arch_init();
	if (err)
		goto err_text;
	err = costack_report_init();
	if (err)
		goto err_arch;
	err = costack_lost_init();
	if (err)
		goto err_report;
	err = costack_selftest();
	if (err)
		goto err_lost;
	err = costack_livepatch_init();
	if (err)
		goto err_lost;
	costack_age_init();
	costack_stuck_init();
	/* Last: from here on users may come. */
	err = costack_sysfs_init();
	if (err)
		goto err_age;
	costack_debugfs_init();
	pr_info("loaded, stacks of %lu to %lu bytes\n",
		costack_knobs.stack_min * PAGE_SIZE, costack_knobs.stack_max * PAGE_SIZE);
	return 0;

err_age:
	costack_stuck_exit();
	costack_age_exit();
	costack_livepatch_exit();
err_lost:
	costack_lost_exit();
err_report:
	costack_report_exit();
err_arch:
	costack_arch_exit();
err_text:
	costack_text_exit();
err_pressure:
	costack_pressure_exit();
err_runners:
	costack_runners_exit();
err_functions:
	costack_functions_exit();
err_cache:
	costack_call_exit();
	costack_exit();
	costack_waiters_exit();
err_pool:
	costack_pool_exit();
err_pack:
	costack_pack_exit();
err_arena:
	costack_arena_exit();
	return err;
}

/*
 * No coroutine lives: modules that can make one depend on this module, and each of them
 * waits for its own coroutines before it is unloaded.
 */
static void __exit costack_module_exit(void)
{
	costack_debugfs_exit();
	costack_sysfs_exit();
	costack_stuck_exit();
	costack_age_exit();
	costack_livepatch_exit();
	costack_lost_exit();
	costack_report_exit();
	costack_arch_exit();
	costack_text_exit();
	costack_pressure_exit();
	costack_runners_exit();
	costack_functions_exit();
	costack_swaits_exit();
	/* Before the pool, as the end of a coroutine uses the pool. */
	costack_call_exit();
	costack_exit();
	costack_waiters_exit();
	costack_pool_exit();
	costack_pack_exit();
	costack_arena_exit();
}

module_init(costack_module_init);
module_exit(costack_module_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Coroutine stacks that grow at a fault, in place or by copystack");
MODULE_VERSION("0.1");
