// SPDX-License-Identifier: GPL-2.0
/*
 * Random input for the knobs, most of it bad.
 *
 *	fuzz SEED ROUNDS	so many inputs for each knob; most are values with a
 *				few changes
 *
 * Each is refused and changes nothing, or it is a value and the knob shows it. The rules
 * for values are written here independently of the module's.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "costack_test.h"
#include "figures.h"

#define SHOWN_BYTES	32
#define INPUT_BYTES	5000

/**
 * struct knob - what is tried
 * @path: its file
 * @words: values, each followed by what is shown for it; ends with %NULL
 * @least: smallest number that is a value; 0: no number is a value
 * @most: largest
 * @power: powers of two only
 */
struct knob {
	const char	*path;
	const char	*words[13];
	u64		least;
	u64		most;
	bool		power;
};

#define KNOB(name)	"/sys/kernel/costack/" name
#define FLAG_WORDS	{ "0", "0", "1", "1", "n", "0", "y", "1", "N", "0", "Y", "1" }

static const struct knob knobs[] = {
	{ .path = KNOB("policy"), .words = { "copy", "copy", "inplace", "inplace" } },
	{ .path = KNOB("stack_min"), .least = 4096, .most = 65536, .power = true },
	{ .path = KNOB("stack_max"), .least = 4096, .most = 65536, .power = true },
	{ .path = KNOB("adaptive_start"), .words = FLAG_WORDS },
	{ .path = KNOB("poison"), .words = FLAG_WORDS },
	{ .path = KNOB("force_move"), .words = FLAG_WORDS },
	{ .path = KNOB("unmap"), .words = FLAG_WORDS },
	{ .path = KNOB("workers"), .least = 1, .most = 64 },
	{ .path = KNOB("shrink"), .words = { "1", "" } },
};

/* === What is a value === */

static int digit(char c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : INT_MAX;
}

/* A number as in C: a sign, 0x or 0 in front, no more than 64 bits; at most one newline. */
static bool to_number(const char *text, u64 *number)
{
	unsigned int base = 10;

	text += *text == '+';
	if (text[0] == '0')
		base = tolower(text[1]) == 'x' && isxdigit(text[2]) ? 16 : 8;
	text += base == 16 ? 2 : 0;
	if (!isxdigit(*text))
		return false;
	for (*number = 0; digit(*text) < base; text++) {
		if (*number > (U64_MAX - digit(*text)) / base)
			return false;
		*number = *number * base + digit(*text);
	}
	return !strcmp(text, "") || !strcmp(text, "\n");
}

static bool is_value(const struct knob *knob, const char *input, size_t bytes,
		     const char *shown)
{
	const char *const *word;
	char number_shown[24];
	u64 number;

	if (strlen(input) != bytes)
		return false;
	for (word = knob->words; *word; word += 2)
		if (sysfs_streq(input, word[0]))
			return !strcmp(shown, word[1]);
	if (!knob->least || !to_number(input, &number) || number < knob->least ||
	    number > knob->most || (knob->power && !is_power_of_2(number)))
		return false;
	snprintf(number_shown, sizeof(number_shown), "%llu", number);
	return !strcmp(shown, number_shown);
}

/* === What is tried === */

static u32 below(struct rnd_state *random, u32 n)
{
	return prandom_u32_state(random) % n;
}

/* A number of any size, or one near a value. */
static size_t some_number(struct rnd_state *random, char *input)
{
	static const char * const formats[] = { "%lld", "%llu", "%#llx", "%#llo", "+%llu" };
	s64 number = (u64)prandom_u32_state(random) << 32 | prandom_u32_state(random);

	number >>= below(random, 64);
	if (below(random, 2))
		number = (1LL << below(random, 64)) + (s64)below(random, 3) - 1;
	return sprintf(input, formats[below(random, ARRAY_SIZE(formats))], number);
}

static size_t some_input(struct rnd_state *random, const struct knob *knob, char *input)
{
	unsigned int nr_words = 0;

	switch (below(random, 8)) {
	case 0:
		prandom_bytes_state(random, input, 16);
		return below(random, 16);
	case 1:
	case 2:
		return some_number(random, input);
	default:
		while (knob->words[nr_words])
			nr_words += 2;
		if (!nr_words)
			return some_number(random, input);
		return strscpy(input, knob->words[below(random, nr_words / 2) * 2], 16);
	}
}

/* Returns the new length. */
static size_t change(struct rnd_state *random, char *input, size_t bytes)
{
	static const char often[] = "\0\n \t01xn+-";
	size_t at = below(random, min_t(size_t, bytes, INPUT_BYTES - 1) + 1);
	char c = below(random, 2) ? often[below(random, sizeof(often) - 1)] : below(random, 256);

	switch (below(random, 8)) {
	case 0:		/* one other byte */
		input[at] = c;
		return max(bytes, at + 1);
	case 1:		/* one less */
		memmove(input + at, input + at + 1, bytes - at);
		return bytes - (at < bytes);
	case 2:		/* cut off */
		return at;
	case 3:		/* twice */
		if (2 * bytes > INPUT_BYTES)
			return bytes;
		memcpy(input + bytes, input, bytes);
		return 2 * bytes;
	case 4:		/* very long */
		if (below(random, 16))
			return bytes;
		memset(input + bytes, c, INPUT_BYTES - bytes);
		return INPUT_BYTES - below(random, 1000);
	case 5:		/* something in front */
		if (bytes == INPUT_BYTES)
			return bytes;
		memmove(input + 1, input, bytes);
		input[0] = c;
		return bytes + 1;
	default:	/* something behind */
		if (bytes == INPUT_BYTES)
			return bytes;
		input[bytes] = c;
		return bytes + 1;
	}
}

static void show(struct file *file, char *shown)
{
	ssize_t bytes = 0;
	loff_t pos = 0;

	if (file->f_mode & FMODE_READ)
		bytes = kernel_read(file, shown, SHOWN_BYTES - 1, &pos);
	shown[max_t(ssize_t, bytes, 0)] = 0;
	strim(shown);
}

static char report[128];

static void try(const struct knob *knob, struct file *file, char *input, size_t bytes)
{
	char before[SHOWN_BYTES], after[SHOWN_BYTES];
	loff_t pos = 0;
	ssize_t ret;
	bool good;

	input[bytes] = 0;
	show(file, before);
	ret = kernel_write(file, input, bytes, &pos);
	show(file, after);
	if (ret > 0) {
		/* A store is given no more than a page at once. */
		input[ret] = 0;
		good = is_value(knob, input, ret, after);
		if (before[0])
			CST_TRUE(kernel_write(file, before, strlen(before), &pos) > 0);
	} else {
		/* An empty write does not reach the store function. */
		good = (!ret || ret == -EINVAL) && !ret == !bytes && !strcmp(before, after);
		cst_figure(CST_BAD_INPUTS, 1);
	}
	if (good)
		return;
	snprintf(report, sizeof(report), "%s: %s -> %s, wrote %zu: %*pE", knob->path, before,
		 after, bytes, (int)min_t(size_t, bytes, 16), input);
	cst_fail(__func__, __LINE__, report, 0, ret);
}

static void fuzz_knob(const struct knob *knob, struct rnd_state *random, long rounds)
{
	char *input = kmalloc(INPUT_BYTES + 1, GFP_KERNEL);
	struct file *file;
	size_t bytes;
	u32 changes;

	file = cst_open(knob->path, knob->words[1] && !*knob->words[1] ? O_WRONLY : O_RDWR);
	if (!CST_EQ(0, PTR_ERR_OR_ZERO(file)) || !CST_TRUE(input))
		goto out;
	while (rounds-- && !cst_failures()) {
		bytes = some_input(random, knob, input);
		for (changes = below(random, 4); changes; changes--)
			bytes = change(random, input, bytes);
		try(knob, file, input, bytes);
	}
out:
	if (!IS_ERR(file))
		filp_close(file, NULL);
	kfree(input);
}

static void fuzz(const long *args)
{
	struct rnd_state random;
	unsigned int i;

	prandom_seed_state(&random, args[0]);
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		fuzz_knob(&knobs[i], &random, args[1]);
}

static const struct cst_case cases[] = {
	{ "fuzz", fuzz },
	{ }
};

struct cst_suite cst_fuzz = { .owner = THIS_MODULE, .cases = cases };
