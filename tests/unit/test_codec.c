// SPDX-License-Identifier: Apache-2.0
/*
 * The codec over every operation and arguments at random: what arrives is what
 * was sent, and bytes that are cut short or changed do no harm. Which operation and
 * seed it was is said when a test fails.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "codec_support.h"
#include "nomem.h"

#define ROUNDS 200
/* More than arguments at random need. */
#define MEMORY (1u << 20)
#define COUNT  1000

static uint64_t seed;

static struct decoder decoder_of(void)
{
	return (struct decoder){.hooks = &codec_hooks, .limits = {MEMORY, COUNT}};
}

/* One call, from the program to the backend and its answer. */
struct trip {
	const struct vaccel_op *op;
	struct random_args *program; /* the program's arguments */
	struct random_args *twin;    /* the same ones, untouched */
	struct message request;
	struct message arrived; /* the request at the agent, where INOUT is written */
	struct decoder agent;
	void *backend; /* the arguments as the backend has them */
	struct message reply;
};

static struct trip trip_start(const struct vaccel_op *op)
{
	struct trip trip = {.op = op, .agent = decoder_of()};

	seed++;
	trip.program = random_args_new(op, seed, codec_resources);
	trip.twin = random_args_new(op, seed, codec_resources);
	trip.request = message_request(op, trip.program->args);
	trip.arrived = message_copy(&trip.request);
	assert_int_equal(message_decode_request(&trip.arrived, &trip.agent, op, &trip.backend), 0);
	return trip;
}

static void trip_answer(struct trip *trip)
{
	struct random random = {seed};

	random_args_answer(trip->op, trip->backend, &random);
	trip->reply = message_reply(trip->op, trip->backend);
}

static void trip_end(struct trip *trip)
{
	assert_true(random_args_intact(trip->program));
	args_drop_outputs(trip->op, trip->backend);
	decoder_release(&trip->agent);
	message_release(&trip->request);
	message_release(&trip->arrived);
	message_release(&trip->reply);
	random_args_delete(trip->program);
	random_args_delete(trip->twin);
}

static void assert_same_message(const struct message *one, const struct message *other)
{
	assert_int_equal(one->head_size, other->head_size);
	assert_int_equal(one->payload_size, other->payload_size);
	assert_memory_equal(one->head, other->head, one->head_size);
	assert_memory_equal(one->payload, other->payload, one->payload_size);
}

static void request_arrives(const struct trip *trip)
{
	const struct vaccel_op *op = trip->op;
	struct message again = message_request(op, trip->backend);

	assert_null(random_args_differ_in_request(op, trip->program->args, trip->backend));
	assert_true(!op->check || !op->check(trip->backend));
	/* The form is unique: what was decoded encodes to the same bytes. */
	assert_same_message(&again, &trip->request);
	message_release(&again);
}

static void reply_arrives(const struct trip *trip)
{
	const struct vaccel_op *op = trip->op;
	struct decoder decoder = decoder_of();
	struct message again;

	assert_int_equal(message_decode_reply(&trip->reply, &decoder, op, trip->program->args), 0);
	assert_null(random_args_differ_in_reply(op, trip->program->args, trip->backend));
	again = message_reply(op, trip->program->args);
	assert_same_message(&again, &trip->reply);
	message_release(&again);
	decoder_release(&decoder);
}

static void test_round_trip(void **state)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = codec_op_at(i)); i++) {
		for (int round = 0; round < ROUNDS; round++) {
			struct trip trip = trip_start(op);

			request_arrives(&trip);
			trip_answer(&trip);
			assert_null(random_args_differ_in_request(op, trip.program->args,
								  trip.twin->args));
			reply_arrives(&trip);
			trip_end(&trip);
		}
	}
}

/* Decodes what should be no request; its arguments, if it is one after all, are fit to encode. */
static int try_request(const struct message *message, const struct vaccel_op *op)
{
	struct decoder decoder = decoder_of();
	void *args = NULL;
	int ret = message_decode_request(message, &decoder, op, &args);

	assert_int_equal(ret != 0, args == NULL);
	assert_true(decoder.arena.left <= MEMORY);
	if (!ret) {
		struct message again = message_request(op, args);

		assert_int_equal(again.head_size, message->head_size);
		message_release(&again);
	}
	decoder_release(&decoder);
	return ret;
}

/* Likewise a reply, for arguments of its own. */
static int try_reply(const struct message *message, const struct vaccel_op *op)
{
	struct random_args *program = random_args_new(op, seed, codec_resources);
	struct decoder decoder = decoder_of();
	int ret = message_decode_reply(message, &decoder, op, program->args);

	assert_true(decoder.arena.left <= MEMORY);
	assert_true(random_args_intact(program));
	decoder_release(&decoder);
	random_args_delete(program);
	return ret;
}

typedef int try_fn(const struct message *message, const struct vaccel_op *op);

static void cut(const struct message *whole, const struct vaccel_op *op, try_fn *try)
{
	for (size_t size = 0; size < whole->head_size; size++) {
		struct message part = *whole, exact;

		part.head_size = size;
		exact = message_copy(&part);
		assert_int_not_equal(try(&exact, op), 0);
		message_release(&exact);
	}
	for (size_t size = 0; size < whole->payload_size; size++) {
		struct message part = *whole, exact;

		part.payload_size = size;
		exact = message_copy(&part);
		assert_int_not_equal(try(&exact, op), 0);
		message_release(&exact);
	}
}

static void lengthen(const struct message *whole, const struct vaccel_op *op, try_fn *try)
{
	struct message more = {
		.head = calloc(1, whole->head_size + 8),
		.head_size = whole->head_size + 8,
		.payload = calloc(1, whole->payload_size + 8),
		.payload_size = whole->payload_size,
	};

	assert_non_null(more.head);
	assert_non_null(more.payload);
	memcpy(more.head, whole->head, whole->head_size);
	memcpy(more.payload, whole->payload, whole->payload_size);
	assert_int_not_equal(try(&more, op), 0);
	more.head_size -= 8;
	more.payload_size += 8;
	assert_int_not_equal(try(&more, op), 0);
	message_release(&more);
}

static void flip(const struct message *whole, const struct vaccel_op *op, try_fn *try)
{
	static const unsigned char masks[] = {0x01, 0x80, 0xff};
	struct message changed = message_copy(whole);

	for (size_t i = 0; i < changed.head_size * ARRAY_SIZE(masks); i++) {
		unsigned char *byte = &changed.head[i / ARRAY_SIZE(masks)];
		unsigned char mask = masks[i % ARRAY_SIZE(masks)];

		*byte ^= mask;
		try(&changed, op);
		*byte ^= mask;
	}
	message_release(&changed);
	for (size_t i = 0; i < whole->payload_size; i++) {
		changed = message_copy(whole);
		changed.payload[i] ^= 0xff;
		try(&changed, op);
		message_release(&changed);
	}
}

static void torture(void (*how)(const struct message *, const struct vaccel_op *, try_fn *),
		    int rounds)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = codec_op_at(i)); i++) {
		for (int round = 0; round < rounds; round++) {
			struct trip trip = trip_start(op);

			trip_answer(&trip);
			how(&trip.request, op, try_request);
			how(&trip.reply, op, try_reply);
			trip_end(&trip);
		}
	}
}

static void test_truncation(void **state)
{
	torture(cut, 3);
}

static void test_excess(void **state)
{
	torture(lengthen, 10);
}

static void test_flipped_bytes(void **state)
{
	torture(flip, 1);
}

/* Memory runs out at every place in turn. */
static void test_no_memory(void **state)
{
	const struct vaccel_op *op = codec_op_at(0);
	struct trip trip = trip_start(op);
	struct encoder encoder = {.hooks = &codec_hooks};
	struct decoder decoder = decoder_of();
	void *args;

	trip_answer(&trip);
	NOMEM_SWEEP((encoder_release(&encoder), encode_request(&encoder, op, trip.twin->args)));
	NOMEM_SWEEP((encoder_release(&encoder), encode_reply(&encoder, op, trip.backend)));
	encoder_release(&encoder);
	NOMEM_SWEEP((decoder_release(&decoder),
		     message_decode_request(&trip.request, &decoder, op, &args)));
	NOMEM_SWEEP((decoder_release(&decoder),
		     message_decode_reply(&trip.reply, &decoder, op, trip.program->args)));
	assert_null(random_args_differ_in_reply(op, trip.program->args, trip.backend));
	decoder_release(&decoder);
	trip_end(&trip);
}

/* Whatever limit is set, decoding stays within it, and enough is enough. */
static void test_limits(void **state)
{
	const struct vaccel_op *op = codec_op_at(0);
	struct trip trip = trip_start(op);
	size_t needed = MEMORY - trip.agent.arena.left;
	struct decoder decoder = decoder_of();
	void *args;

	for (size_t memory = 0; memory <= needed; memory += 16) {
		decoder.limits.memory = memory;
		assert_int_equal(message_decode_request(&trip.request, &decoder, op, &args),
				 memory < needed ? VACCEL_EDQUOT : VACCEL_OK);
		decoder_release(&decoder);
	}
	trip_answer(&trip);
	decoder.limits.memory = 8;
	assert_int_equal(message_decode_reply(&trip.reply, &decoder, op, trip.program->args),
			 VACCEL_EDQUOT);
	decoder_release(&decoder);
	trip_end(&trip);
}

/* An encoder is used again and again, and a decoder after its release. */
static void test_reuse(void **state)
{
	const struct vaccel_op *op = codec_op_at(0);
	struct encoder encoder = {.hooks = &codec_hooks};

	for (int i = 0; i < 5; i++) {
		struct trip trip = trip_start(op);
		struct message message;

		assert_int_equal(encode_reply(&encoder, op, trip.backend), 0);
		assert_int_equal(encode_request(&encoder, op, trip.program->args), 0);
		message = message_of(&encoder);
		assert_same_message(&message, &trip.request);
		message_release(&message);
		trip_end(&trip);
	}
	encoder_release(&encoder);
	encoder_release(&encoder);
}

/* What the codec relies on in every description. */
static void test_table(void **state)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = codec_op_at(i)); i++) {
		for (size_t f = 0; f < op->nr_fields; f++) {
			const struct vaccel_field *field = &op->fields[f];

			if (field->dir == VACCEL_DIR_OUT &&
			    (field->kind == VACCEL_KIND_LIST || field->kind == VACCEL_KIND_TENSORS))
				assert_true(field->marks & VACCEL_MARK_GROWS);
			if (field->kind == VACCEL_KIND_ONE)
				assert_in_range(field->size, 1, 8);
			if (field->marks & VACCEL_MARK_GROWS)
				assert_int_equal(field->dir, VACCEL_DIR_OUT);
			if (field->kind == VACCEL_KIND_RESOURCE)
				assert_int_equal(field->dir, VACCEL_DIR_IN);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	      cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncation),    cmocka_unit_test(test_excess),
		cmocka_unit_test(test_flipped_bytes), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_limits),	      cmocka_unit_test(test_reuse),
	};
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) << 20;
	int failed;

	seed = first;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed)
		fprintf(stderr, "again with: %s %#" PRIx64 "; the last seed was %#" PRIx64 "\n",
			argv[0], first, seed);
	return failed;
}
