/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In front of the kernel's headers for scripts/bench.sh native. User-mode Linux is built for
 * one CPU: its atomic operations are not locked, which most kernels' are. Here they are.
 */
#ifndef _COSTACK_SMP_ASM_ALTERNATIVE_H
#define _COSTACK_SMP_ASM_ALTERNATIVE_H

#include_next <asm/alternative.h>

#ifndef __ASSEMBLY__
#undef LOCK_PREFIX
#define LOCK_PREFIX	"lock; "
#endif

#endif /* _COSTACK_SMP_ASM_ALTERNATIVE_H */
