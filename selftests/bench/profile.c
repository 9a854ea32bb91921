// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the kernel's instructions by address, from each
 * reading of the benchmark's clock to the next (see bench_now() in bench.h). One
 * guest CPU. Writes "INTERVAL ADDRESS COUNT" for each address and interval.
 *
 * usage: qemu-system-x86_64 -plugin profile.so,out=FILE
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"

#define BUCKETS		65536

struct place {
	unsigned long long	addr;
	unsigned long long	count;
	struct place	*next;
};

int qemu_plugin_version = 1;

static struct place *table[BUCKETS];
static unsigned int interval;
static FILE *out;

/* nopl 0x74736f63(%rax) */
static const unsigned char mark[] = { 0x0f, 0x1f, 0x80, 'c', 'o', 's', 't' };

static struct place *find_place(unsigned long long addr)
{
	struct place **head = &table[(addr ^ addr >> 16) % BUCKETS], *place;

	for (place = *head; place; place = place->next)
		if (place->addr == addr)
			return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		abort();
	place->addr = addr;
	place->next = *head;
	*head = place;
	return place;
}

static void count(unsigned int cpu, void *data)
{
	struct place *place = data;

	place->count++;
}

static void write_interval(void)
{
	struct place *place;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		for (place = table[i]; place; place = place->next) {
			if (place->count && interval)
				fprintf(out, "%u %llx %llu\n", interval, place->addr,
					place->count);
			place->count = 0;
		}
}

static void at_mark(unsigned int cpu, void *data)
{
	write_interval();
	interval++;
}

static void translate(unsigned long long id, struct qemu_plugin_tb *tb)
{
	size_t i, nr = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned long long addr = qemu_plugin_insn_vaddr(insn);

		/* User space. */
		if (!(addr >> 63))
			continue;
		if (qemu_plugin_insn_size(insn) == sizeof(mark) &&
		    !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, 0, NULL);
		else
			qemu_plugin_register_vcpu_insn_exec_cb(insn, count, 0,
							       find_place(addr));
	}
}

static void finish(unsigned long long id, void *data)
{
	fclose(out);
}

int qemu_plugin_install(unsigned long long id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return 1;
	out = fopen(argv[0] + 4, "w");
	if (!out)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
