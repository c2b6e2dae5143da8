/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: their numbers, and the description from which everything that
 * handles an operation follows. The descriptions themselves are in
 * <vaccel/ops/NAME.h>, one header per operation or family.
 */
#ifndef VACCEL_OP_H
#define VACCEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/op_list.h>
#include <vaccel/utils/enum.h>

#ifdef __cplusplus
extern "C" {
#endif

/* VACCEL_OP_TYPE_LIST has a row X(NAME, number) for each operation described under ops/. */
typedef enum {
	VACCEL_OP_TYPE_LIST(VACCEL_ENUM_MEMBER)
	/* Above every number in use; programs built against an older header keep reading it so. */
	VACCEL_OP_MAX = 128
} vaccel_op_type_t;

VACCEL_ENUM_NAMES_DECLARE(vaccel_op_type)

/** Which way an argument travels. */
enum vaccel_dir {
	VACCEL_DIR_IN = 1,
	VACCEL_DIR_OUT = 2,
	VACCEL_DIR_INOUT = VACCEL_DIR_IN | VACCEL_DIR_OUT
};

/** What an argument is made of. ops/describe.h says how each looks in C. */
enum vaccel_kind {
	VACCEL_KIND_ONE,     /* a scalar */
	VACCEL_KIND_SPAN,    /* a pointer and a count of scalars */
	VACCEL_KIND_TEXT,    /* characters ending in NUL */
	VACCEL_KIND_LIST,    /* a pointer and a count of structs of ONE, SPAN and TEXT fields */
	VACCEL_KIND_TENSORS, /* a pointer and a count of struct vaccel_tensor */
	VACCEL_KIND_ARGS,    /* the caller's own struct vaccel_arg list */
	VACCEL_KIND_RESOURCE /* a resource registered with the session */
};

enum vaccel_mark {
	/** The caller may pass NULL. */
	VACCEL_MARK_OPTIONAL = 1,
	/** An OUT whose size the backend decides, see vaccel_call_out(). */
	VACCEL_MARK_GROWS = 2,
	/** Bulk bytes that a parser must not see change under it: they are copied first. */
	VACCEL_MARK_STABLE = 4
};

/** What may happen to a call whose fate is unknown after a lost connection. */
enum vaccel_repeat {
	/** It may have an effect, so it is never repeated. */
	VACCEL_REPEAT_EFFECT,
	/** It may run twice. */
	VACCEL_REPEAT_PURE,
	/** It brings a resource into a backend: done again after a reconnect. */
	VACCEL_REPEAT_LOAD,
	/** It takes a resource out of a backend: nothing to do again after a reconnect. */
	VACCEL_REPEAT_UNLOAD
};

struct vaccel_item;

/** struct vaccel_field - one argument of an operation, or one field of a list's items */
struct vaccel_field {
	const char *name;
	/** "f64", "u8", "char" and so on; a LIST's item; a RESOURCE's type ("MODEL"). */
	const char *type;
	const char *sentence;
	enum vaccel_dir dir;
	enum vaccel_kind kind;
	unsigned int marks;
	/** Where it lies in the struct, in bytes. */
	size_t offset;
	/** Bytes of one element. */
	size_t size;
	/** A LIST's description, else NULL. */
	const struct vaccel_item *item;
	/** A RESOURCE's vaccel_resource_type_t. */
	int resource_type;
};

/** struct vaccel_item - the structs of which a LIST is made */
struct vaccel_item {
	const char *name;
	size_t size;
	const struct vaccel_field *fields;
	size_t nr_fields;
};

/** struct vaccel_op - an operation, as described in ops/ */
struct vaccel_op {
	vaccel_op_type_t number;
	/** Position in the table: dense, and private to this build of the library. */
	unsigned int index;
	/** "minmax" */
	const char *name;
	/** The C function: "vaccel_minmax" */
	const char *symbol;
	const char *sentence;
	/** Everything that two sides must agree on, as text: number, name, arguments. */
	const char *signature;
	enum vaccel_repeat repeat;
	size_t args_size;
	const struct vaccel_field *fields;
	size_t nr_fields;
	/** The rules between arguments; NULL if there are none. */
	int (*check)(const void *args);
};

/**
 * vaccel_op_by_number() - look an operation up
 * @number: a vaccel_op_type_t, or any number a peer sent
 *
 * Return: the operation, or NULL if there is none of that number.
 */
const struct vaccel_op *vaccel_op_by_number(uint32_t number);

/**
 * vaccel_op_at() - walk the operations in the order of their numbers
 * @index: 0 and up
 *
 * Return: the operation, or NULL past the last one.
 */
const struct vaccel_op *vaccel_op_at(size_t index);

/**
 * vaccel_op_hash() - a short form of an operation's signature
 * @signature: op->signature, or the one a plugin was built with
 *
 * Two ends that compute the same hash mean the same by the operation.
 *
 * Return: 64-bit FNV-1a of the signature.
 */
uint64_t vaccel_op_hash(const char *signature);

#ifdef __cplusplus
}
#endif

#endif
