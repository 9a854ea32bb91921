// SPDX-License-Identifier: GPL-2.0
/*
 * User page faults: touch pages that are not there, give them back, and again.
 * Prints one line as the benchmark module does.
 *
 * usage: pagefault NAME
 */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define PAGES	256
#define PAGE	4096
#define ROUNDS	31

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	char *area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int round, page;

	if (argc != 2 || area == MAP_FAILED)
		return 1;
	/* No huge pages: each touch must be a fault. */
	madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE);
	printf("%s %d", argv[1], PAGES);
	for (round = -1; round < ROUNDS; round++) {
		long long start = now();

		for (page = 0; page < PAGES; page++)
			__atomic_store_n(&area[page * PAGE], 1, __ATOMIC_RELAXED);
		if (round >= 0)
			printf(" %lld", now() - start);
		madvise(area, PAGES * PAGE, MADV_DONTNEED);
	}
	printf("\n");
	return 0;
}
