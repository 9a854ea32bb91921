/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files in debugfs.
 */
#ifndef _COSTACK_DEBUGFS_H
#define _COSTACK_DEBUGFS_H

void costack_debugfs_init(void);
void costack_debugfs_exit(void);

#endif /* _COSTACK_DEBUGFS_H */
