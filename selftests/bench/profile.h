/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What profile.c uses of the interface that QEMU has for plugins, version 1: Debian
 * ships QEMU with it, and not its header.
 */
#ifndef _COSTACK_BENCH_PROFILE_H
#define _COSTACK_BENCH_PROFILE_H

#include <stddef.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(unsigned long long id,
					   void (*fn)(unsigned long long id,
						      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_atexit_cb(unsigned long long id,
				    void (*fn)(unsigned long long id, void *data),
				    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
unsigned long long qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#endif /* _COSTACK_BENCH_PROFILE_H */
