/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: a SavedModel gives names of its own to the nodes that programs use. What
 * TensorFlow returns of it is a serialized MetaGraphDef, of which this reads that part.
 */
#ifndef TF_SIGNATURE_H
#define TF_SIGNATURE_H

#include <stddef.h>

/**
 * struct signature - all zero: none
 * @text: the names, one after the other
 * @alias: which name stands for which "operation:output"
 * @nr: how many
 */
struct signature {
	char *text;
	struct alias {
		const char *name;
		const char *node;
	} * alias;
	size_t nr;
};

/**
 * signature_read() - read a signature
 * @data: a serialized MetaGraphDef
 * @size: its bytes
 * @name: of the signature
 * @ret_signature: its inputs and outputs; none if there is no such signature
 *
 * Return: 0; EINVAL if that is no MetaGraphDef; ENOMEM.
 */
int signature_read(const void *data, size_t size, const char *name,
		   struct signature *ret_signature);

/** signature_find() - the "operation:output" of a name; NULL if it has none */
const char *signature_find(const struct signature *signature, const char *name);

void signature_release(struct signature *signature);

#endif
