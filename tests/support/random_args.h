/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments at random for any operation, such as its check accepts, from the
 * table of fields: for tests of the codec, of carriers and of backends. The same
 * seed makes the same arguments, so that a second set can tell what was changed in
 * the first. Numbers with a fraction are small multiples of 1/16, so that sums
 * of products of them are exact.
 */
#ifndef TESTS_SUPPORT_RANDOM_ARGS_H
#define TESTS_SUPPORT_RANDOM_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/op.h>
#include <vaccel/resource.h>

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);

/* 0 to @bound - 1; 0 for a bound of 0. */
size_t random_below(struct random *random, size_t bound);
void random_bytes(struct random *random, void *bytes, size_t size);

struct random_args {
	const struct vaccel_op *op;
	/* The operation's struct. GROWS outputs that come to be there are freed with the rest. */
	void *args;

	struct random random;
	struct vaccel_resource *const *resources;
	struct random_memory *memory;
};

/*
 * Arguments for a call of @op. @resources: one of each type, by the type's number, for
 * operations that take one. To be deleted. Never NULL: aborts where there is no memory.
 */
struct random_args *random_args_new(const struct vaccel_op *op, uint64_t seed,
				    struct vaccel_resource *const *resources);
void random_args_delete(struct random_args *made);

/* Whether nothing was written beyond the room that outputs have. */
bool random_args_intact(const struct random_args *made);

/* Does what a backend would: writes INOUT and OUT arguments, of any sizes that are permitted. */
void random_args_answer(const struct vaccel_op *op, void *args, struct random *random);

/*
 * The name of an argument in which two sets differ, NULL if there is none. What is
 * compared is what a request carries (IN and INOUT, the room for OUT) or a reply (INOUT
 * and OUT).
 */
const char *random_args_differ_in_request(const struct vaccel_op *op, const void *a, const void *b);
const char *random_args_differ_in_reply(const struct vaccel_op *op, const void *a, const void *b);

#endif
