/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coroutines that wait, and do nothing else.
 */
#ifndef _COSTACK_DEMO_CROWD_H
#define _COSTACK_DEMO_CROWD_H

#include <linux/kobject.h>

extern struct kobj_attribute crowd_attr, crowd_lost_attr;

#endif /* _COSTACK_DEMO_CROWD_H */
