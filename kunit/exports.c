// SPDX-License-Identifier: GPL-2.0
/*
 * Exports what the suites call, for suites that are built as modules.
 *
 * This is part of costack.ko only in the build for the debug kernel
 * (scripts/debug-kernel.sh): no other module may call these functions. If a suite calls
 * something that is not exported here, modpost fails.
 */
#include <linux/export.h>
#include <asm/costack.h>

#include "../module/age.h"
#include "../module/arena.h"
#include "../module/call.h"
#include "../module/calls.h"
#include "../module/copy.h"
#include "../module/costack.h"
#include "../module/fault.h"
#include "../module/first.h"
#include "../module/grow.h"
#include "../module/holder.h"
#include "../module/items.h"
#include "../module/limbo.h"
#include "../module/move.h"
#include "../module/pack.h"
#include "../module/pool.h"
#include "../module/roots.h"
#include "../module/runq.h"
#include "../module/sched.h"
#include "../module/shadow.h"
#include "../module/stats.h"
#include "../module/sudog.h"
#include "../module/tags.h"
#include "../module/sysfs.h"
#include "../module/thread.h"
#include "../module/wait.h"
#include "../module/waiter.h"

EXPORT_SYMBOL_GPL(costack_age);
EXPORT_SYMBOL_GPL(costack_arch_flush);
EXPORT_SYMBOL_GPL(costack_arch_pte);
EXPORT_SYMBOL_GPL(costack_arch_switch);
EXPORT_SYMBOL_GPL(costack_arena_free_slots);
EXPORT_SYMBOL_GPL(costack_arena_get);
EXPORT_PER_CPU_SYMBOL_GPL(costack_arena_guess);
EXPORT_SYMBOL_GPL(costack_arena_table);
EXPORT_SYMBOL_GPL(costack_arena_map);
EXPORT_SYMBOL_GPL(costack_arena_put);
EXPORT_SYMBOL_GPL(costack_arena_slots);
EXPORT_SYMBOL_GPL(costack_arena_unmap);
EXPORT_SYMBOL_GPL(costack_base);
EXPORT_SYMBOL_GPL(costack_create);
EXPORT_SYMBOL_GPL(costack_destroy);
EXPORT_SYMBOL_GPL(costack_fault);
EXPORT_SYMBOL_GPL(costack_first_class);
EXPORT_SYMBOL_GPL(costack_first_end);
EXPORT_SYMBOL_GPL(costack_first_forget);
EXPORT_SYMBOL_GPL(costack_first_forget_all);
EXPORT_SYMBOL_GPL(costack_first_sets);
EXPORT_SYMBOL_GPL(costack_grow_ensure);
EXPORT_SYMBOL_GPL(costack_move_force);
EXPORT_SYMBOL_GPL(costack_grow_pages);
EXPORT_SYMBOL_GPL(costack_move_shrink);
EXPORT_SYMBOL_GPL(costack_move_shrinkable);
EXPORT_SYMBOL_GPL(costack_items_add);
EXPORT_SYMBOL_GPL(costack_items_del);
EXPORT_SYMBOL_GPL(costack_items_each_parked);
EXPORT_SYMBOL_GPL(costack_items_take_lost);
EXPORT_SYMBOL_GPL(costack_knob_set);
EXPORT_SYMBOL_GPL(costack_knobs);
EXPORT_SYMBOL_GPL(costack_limbo_flush);
EXPORT_SYMBOL_GPL(costack_mutex_report_cycle);
EXPORT_SYMBOL_GPL(costack_note_replay);
EXPORT_SYMBOL_GPL(costack_pack);
EXPORT_SYMBOL_GPL(costack_pack_wanted);
EXPORT_SYMBOL_GPL(costack_park_commit);
EXPORT_SYMBOL_GPL(costack_pool_exit);
EXPORT_SYMBOL_GPL(costack_pool_init);
EXPORT_SYMBOL_GPL(costack_pool_stacks);
EXPORT_SYMBOL_GPL(costack_rebase_words);
EXPORT_SYMBOL_GPL(costack_rebase_copy);
EXPORT_SYMBOL_GPL(costack_rebase_note);
EXPORT_SYMBOL_GPL(costack_reserve_fill);
EXPORT_SYMBOL_GPL(costack_reserve_get);
EXPORT_SYMBOL_GPL(costack_reserve_put);
EXPORT_SYMBOL_GPL(costack_resume);
EXPORT_SYMBOL_GPL(costack_roots_adjust);
EXPORT_SYMBOL_GPL(costack_roots_copy_waiting);
EXPORT_SYMBOL_GPL(costack_roots_defer);
EXPORT_SYMBOL_GPL(costack_roots_drop);
EXPORT_SYMBOL_GPL(costack_roots_free);
EXPORT_SYMBOL_GPL(costack_roots_pop);
EXPORT_SYMBOL_GPL(costack_roots_track);
EXPORT_SYMBOL_GPL(costack_roots_untrack);
EXPORT_SYMBOL_GPL(costack_run);
EXPORT_SYMBOL_GPL(costack_runq_init);
EXPORT_SYMBOL_GPL(costack_runq_pop);
EXPORT_SYMBOL_GPL(costack_runq_push);
EXPORT_SYMBOL_GPL(costack_runq_steal);
#ifdef CONFIG_KASAN_STACK
EXPORT_SYMBOL_GPL(costack_shadow_clear);
EXPORT_SYMBOL_GPL(costack_shadow_rebase);
#endif
EXPORT_SYMBOL_GPL(costack_stack_clear);
EXPORT_SYMBOL_GPL(costack_stackalloc_for);
EXPORT_SYMBOL_GPL(costack_stackfree_of);
EXPORT_SYMBOL_GPL(costack_stat_deepest);
EXPORT_SYMBOL_GPL(costack_stat_names);
EXPORT_SYMBOL_GPL(costack_stat_read);
EXPORT_PER_CPU_SYMBOL_GPL(costack_stats);
EXPORT_SYMBOL_GPL(costack_sudog_expire);
EXPORT_SYMBOL_GPL(costack_tag);
EXPORT_SYMBOL_GPL(costack_tags);
EXPORT_SYMBOL_GPL(costack_thread_may_leave);
EXPORT_SYMBOL_GPL(costack_unpack_slow);
EXPORT_SYMBOL_GPL(costack_wait_done);
EXPORT_SYMBOL_GPL(costack_waiter_pop);
EXPORT_SYMBOL_GPL(costack_waiter_push);
EXPORT_SYMBOL_GPL(costack_waiters_drop);
EXPORT_SYMBOL_GPL(costack_waiters_forget);
EXPORT_SYMBOL_GPL(costack_waits);
