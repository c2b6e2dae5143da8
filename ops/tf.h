/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow: its tensors, buffers, nodes and status. */
#ifndef VACCEL_OPS_TF_H
#define VACCEL_OPS_TF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers of TF_DataType in TensorFlow's C API. */
enum vaccel_tf_data_type {
	VACCEL_TF_FLOAT = 1,
	VACCEL_TF_DOUBLE = 2,
	VACCEL_TF_INT32 = 3,
	VACCEL_TF_UINT8 = 4,
	VACCEL_TF_INT16 = 5,
	VACCEL_TF_INT8 = 6,
	VACCEL_TF_STRING = 7,
	VACCEL_TF_COMPLEX64 = 8,
	VACCEL_TF_COMPLEX = 8, /* an older name of COMPLEX64 */
	VACCEL_TF_INT64 = 9,
	VACCEL_TF_BOOL = 10,
	VACCEL_TF_QINT8 = 11,
	VACCEL_TF_QUINT8 = 12,
	VACCEL_TF_QINT32 = 13,
	VACCEL_TF_BFLOAT16 = 14,
	VACCEL_TF_QINT16 = 15,
	VACCEL_TF_QUINT16 = 16,
	VACCEL_TF_UINT16 = 17,
	VACCEL_TF_COMPLEX128 = 18,
	VACCEL_TF_HALF = 19,
	VACCEL_TF_RESOURCE = 20,
	VACCEL_TF_VARIANT = 21,
	VACCEL_TF_UINT32 = 22,
	VACCEL_TF_UINT64 = 23
};

/** struct vaccel_tf_tensor - a tensor of TensorFlow */
struct vaccel_tf_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_tf_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int nr_dims;
	int64_t *dims;
	enum vaccel_tf_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_tf_tensor, int, int64_t, enum vaccel_tf_data_type)

/** struct vaccel_tf_buffer - bytes, such as serialized run options */
struct vaccel_tf_buffer {
	/** malloc'd, and the buffer's own. */
	void *data;
	size_t size;
};

VACCEL_BUFFER_FUNCTIONS(vaccel_tf_buffer, void)

/** struct vaccel_tf_node - an operation of a graph, and one of its outputs */
struct vaccel_tf_node {
	char *name;
	int id;
};

/**
 * vaccel_tf_node_init() - make a node
 * @node: memory to initialise
 * @name: copied
 * @id: number of the operation's output
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOMEM.
 */
int vaccel_tf_node_init(struct vaccel_tf_node *node, const char *name, int id);

/** vaccel_tf_node_new() - vaccel_tf_node_init() of a node it allocates */
int vaccel_tf_node_new(struct vaccel_tf_node **node, const char *name, int id);

/** vaccel_tf_node_release() - free the name; leaves NULL and -1. VACCEL_EINVAL for NULL */
int vaccel_tf_node_release(struct vaccel_tf_node *node);

/** vaccel_tf_node_delete() - release, and free what new made. VACCEL_EINVAL for NULL */
int vaccel_tf_node_delete(struct vaccel_tf_node *node);

/** struct vaccel_tf_status - what TensorFlow said of a call */
struct vaccel_tf_status {
	/** A TF_Code, 0 if all went well. */
	uint8_t code;
	char *message;
};

/**
 * vaccel_tf_status_init() - make a status
 * @status: memory to initialise
 * @code: a TF_Code
 * @message: copied
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOMEM.
 */
int vaccel_tf_status_init(struct vaccel_tf_status *status, uint8_t code, const char *message);

/** vaccel_tf_status_new() - vaccel_tf_status_init() of a status it allocates */
int vaccel_tf_status_new(struct vaccel_tf_status **status, uint8_t code, const char *message);

/** vaccel_tf_status_release() - free the message; leaves 0 and NULL. VACCEL_EINVAL for NULL */
int vaccel_tf_status_release(struct vaccel_tf_status *status);

/** vaccel_tf_status_delete() - release, and free what new made. VACCEL_EINVAL for NULL */
int vaccel_tf_status_delete(struct vaccel_tf_status *status);

#ifdef __cplusplus
}
#endif

#endif
