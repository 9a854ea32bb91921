/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much memory is free, for tests and benchmarks that measure what is used.
 */
#ifndef _COSTACK_TEST_FREE_PAGES_H
#define _COSTACK_TEST_FREE_PAGES_H

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>

/**
 * cst_free_pages() - the number of free pages
 *
 * Includes the pages that each CPU keeps for its next allocations, which can be thousands.
 *
 * Context: Process context.
 * Return: the number, at this moment.
 */
static inline long cst_free_pages(void)
{
	struct sysinfo info;
	struct zone *zone;
	long pages;
	int nid, cpu;

	si_meminfo(&info);
	pages = info.freeram;
	for_each_online_node(nid)
		for (zone = NODE_DATA(nid)->node_zones;
		     zone < NODE_DATA(nid)->node_zones + MAX_NR_ZONES; zone++)
			if (populated_zone(zone))
				for_each_online_cpu(cpu)
					pages += per_cpu_ptr(zone->per_cpu_pageset, cpu)->count;
	return pages;
}

#endif /* _COSTACK_TEST_FREE_PAGES_H */
