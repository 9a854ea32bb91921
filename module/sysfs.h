/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /sys/kernel/costack/
 */
#ifndef _COSTACK_SYSFS_H
#define _COSTACK_SYSFS_H

int costack_knob_set(const char *name, const char *value);
int costack_sysfs_init(void);
void costack_sysfs_exit(void);

#endif /* _COSTACK_SYSFS_H */
