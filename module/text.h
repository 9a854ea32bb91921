/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Movable text: whose frames copystack may move.
 */
#ifndef _COSTACK_TEXT_H
#define _COSTACK_TEXT_H

#include <linux/types.h>

struct costack_points;

bool costack_text_movable(unsigned long ip);
const struct costack_points *costack_text_points(unsigned long ip);
bool costack_text_data(unsigned long addr);
bool costack_text_approved(const struct costack_points *table, unsigned long ip);
unsigned long costack_text_unloads(void);
int costack_text_init(void);
void costack_text_exit(void);

#endif /* _COSTACK_TEXT_H */
