// SPDX-License-Identifier: GPL-2.0
/*
 * Which words of a stack a move changes, and which it does not.
 *
 *	counted FIRST		a loop that GCC could make unmovable is right, and moves
 *	words			the control: words that look like addresses are changed
 *	words-opaque		they are not changed in a range that was declared opaque
 *	words-ended		they are changed again when the declaration has ended
 *	bytes			they are not changed in an array of char: a sender who guesses the
 *				addresses of a stack learns nothing from its answer
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "counted.h"

/* Of a packet; a quarter of the stack that holds it. */
#define PACKET_BYTES	(16 << 10)
#define PACKET_WORDS	(PACKET_BYTES / sizeof(unsigned long))

/*
 * struct packet - bytes from outside
 * @word: what was sent: guesses of addresses, in ascending order
 * @changed: how many came back changed
 */
struct packet {
	unsigned long	word[PACKET_WORDS];
	unsigned long	changed;
};

/* The best guess of all: every address from here up that is a multiple of 8. */
static noinline void guess(struct packet *packet, const void *lowest)
{
	unsigned int i;

	for (i = 0; i < PACKET_WORDS; i++)
		packet->word[i] = (unsigned long)lowest + i * sizeof(long);
}

static void receive(struct packet *packet, void *buf)
{
	memcpy(buf, packet->word, PACKET_BYTES);
}

/* As something that reads from outside, by its type, surely stores no address. */
static noinline void receive_bytes(struct packet *packet, char *buf)
{
	receive(packet, buf);
}

static void answer(struct packet *packet, const void *buf)
{
	const unsigned long *word = buf;
	unsigned int i;

	packet->changed = 0;
	for (i = 0; i < PACKET_WORDS; i++)
		packet->changed += READ_ONCE(word[i]) != packet->word[i];
}

/* With the knob force_move the stack moves in it. */
static noinline void move(void)
{
	CST_EQ(0, costack_yield());
}

static int words_body(void *arg)
{
	unsigned long buf[PACKET_WORDS];

	guess(arg, (void *)current_stack_pointer);
	receive(arg, buf);
	move();
	answer(arg, buf);
	return 0;
}

static int opaque_body(void *arg)
{
	unsigned long buf[PACKET_WORDS];

	costack_opaque(buf, sizeof(buf));
	guess(arg, (void *)current_stack_pointer);
	receive(arg, buf);
	move();
	answer(arg, buf);
	return 0;
}

static int ended_body(void *arg)
{
	unsigned long buf[PACKET_WORDS];

	costack_opaque(buf, sizeof(buf));
	guess(arg, (void *)current_stack_pointer);
	receive(arg, buf);
	CST_EQ(0, costack_unopaque(buf));
	CST_EQ(-EINVAL, costack_unopaque(buf));
	move();
	answer(arg, buf);
	return 0;
}

static int bytes_body(void *arg)
{
	char buf[PACKET_BYTES];

	guess(arg, (void *)current_stack_pointer);
	receive_bytes(arg, buf);
	move();
	answer(arg, buf);
	return 0;
}

static unsigned long changed(costack_fn_t body)
{
	const struct costack_attr attr = { .stack_first = 4 * PACKET_BYTES };
	struct packet *packet = kzalloc(sizeof(*packet), GFP_KERNEL);
	unsigned long changed = 0;

	if (!CST_TRUE(packet))
		return 0;
	CST_EQ(0, costack_call_attr(&attr, body, packet));
	changed = packet->changed;
	kfree(packet);
	return changed;
}

static void words(const long *args)
{
	CST_TRUE(changed(words_body) > PACKET_WORDS / 2);
}

static void words_opaque(const long *args)
{
	CST_EQ(0, changed(opaque_body));
}

static void words_ended(const long *args)
{
	CST_TRUE(changed(ended_body) > PACKET_WORDS / 2);
}

static void bytes(const long *args)
{
	if (IS_ENABLED(CONFIG_KASAN_STACK)) {
		cst_skip("the places of variables, which GCC does not tell with KASAN");
		return;
	}
	CST_EQ(0, changed(bytes_body));
}

static const struct cst_case cases[] = {
	{ "counted", counted },
	{ "words", words },
	{ "words-opaque", words_opaque },
	{ "words-ended", words_ended },
	{ "bytes", bytes },
	{ }
};

struct cst_suite cst_movable = { .owner = THIS_MODULE, .cases = cases };
