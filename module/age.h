/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packing by age.
 */
#ifndef _COSTACK_AGE_H
#define _COSTACK_AGE_H

struct costack;

/* Maximum of the knob pack_after, in seconds. */
#define COSTACK_MAX_PACK_AFTER	86400U

void costack_age(struct costack *co);
void costack_age_pack_all(void);
void costack_age_set(void);
void costack_age_init(void);
void costack_age_exit(void);

#endif /* _COSTACK_AGE_H */
