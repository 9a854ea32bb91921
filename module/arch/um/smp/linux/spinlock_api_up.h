/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scripts/bench.sh native puts this header in front of the kernel's own. User-mode Linux is
 * built for one CPU, so its spinlocks do nothing. Here each costs as much as an uncontended
 * queued spinlock: a locked exchange and a store. All spinlocks of an object file share one
 * word, because the spinlock type for one CPU is empty.
 */
#ifndef _COSTACK_SMP_LINUX_SPINLOCK_API_UP_H
#define _COSTACK_SMP_LINUX_SPINLOCK_API_UP_H

#include_next <linux/spinlock_api_up.h>

static atomic_t __maybe_unused costack_smp_lock;

/* The exchange fails if another spinlock is held; its cost is all that counts. */
static __always_inline void costack_smp_take(void)
{
	int old = 0;

	(void)!atomic_try_cmpxchg_acquire(&costack_smp_lock, &old, 1);
}

#undef ___LOCK
#define ___LOCK(lock) \
	do { (void)(lock); costack_smp_take(); } while (0)

#undef ___UNLOCK
#define ___UNLOCK(lock) \
	do { (void)(lock); atomic_set_release(&costack_smp_lock, 0); } while (0)

#endif /* _COSTACK_SMP_LINUX_SPINLOCK_API_UP_H */
