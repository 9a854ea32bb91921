/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scripts/bench.sh native puts this header in front of the kernel's own. User-mode Linux is
 * built for one CPU, so its atomic operations have no lock prefix. This header adds the prefix,
 * because kernels for several CPUs have it.
 */
#ifndef _COSTACK_SMP_ASM_ALTERNATIVE_H
#define _COSTACK_SMP_ASM_ALTERNATIVE_H

#include_next <asm/alternative.h>

#ifndef __ASSEMBLY__
#undef LOCK_PREFIX
#define LOCK_PREFIX	"lock; "
#endif

#endif /* _COSTACK_SMP_ASM_ALTERNATIVE_H */
