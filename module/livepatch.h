/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Livepatch modules that coroutines may be in.
 */
#ifndef _COSTACK_LIVEPATCH_H
#define _COSTACK_LIVEPATCH_H

#ifdef CONFIG_LIVEPATCH

int costack_livepatch_init(void);
void costack_livepatch_exit(void);

#else

static inline int costack_livepatch_init(void)
{
	return 0;
}

static inline void costack_livepatch_exit(void)
{
}

#endif /* CONFIG_LIVEPATCH */

#endif /* _COSTACK_LIVEPATCH_H */
