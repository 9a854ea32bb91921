/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In front of the kernel's headers for scripts/bench.sh native. User-mode Linux is built for
 * one CPU: a spinlock is nothing there. Here it costs what a queued spinlock costs that
 * nobody else wants: a locked exchange, and a store. All spinlocks of an object file share
 * a word, as those of one CPU have none.
 */
#ifndef _COSTACK_SMP_LINUX_SPINLOCK_API_UP_H
#define _COSTACK_SMP_LINUX_SPINLOCK_API_UP_H

#include_next <linux/spinlock_api_up.h>

static atomic_t __maybe_unused costack_smp_lock;

/* It may be taken already: another spinlock is held. */
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
