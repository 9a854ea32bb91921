/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm of timers and of interrupts between CPUs, counted at both ends.
 */
#ifndef _COSTACK_TEST_STORM_IPI_H
#define _COSTACK_TEST_STORM_IPI_H

void cst_ipi_storm_begin(unsigned int usecs);
void cst_ipi_storm_end(void);

#endif /* _COSTACK_TEST_STORM_IPI_H */
