// SPDX-License-Identifier: Apache-2.0
/*
 * The values of TensorFlow: tensors and buffers are in the templates, which
 * see; nodes and statuses are a number and a string of their own.
 */
#include <string.h>

#include <vaccel/ops/tf.h>

/* Bits of an element; 0 where elements have no one size. */
static const unsigned char element_bits[] = {
	[VACCEL_TF_UINT8] = 8,	   [VACCEL_TF_INT8] = 8,	 [VACCEL_TF_BOOL] = 8,
	[VACCEL_TF_QINT8] = 8,	   [VACCEL_TF_QUINT8] = 8,	 [VACCEL_TF_INT16] = 16,
	[VACCEL_TF_BFLOAT16] = 16, [VACCEL_TF_QINT16] = 16,	 [VACCEL_TF_QUINT16] = 16,
	[VACCEL_TF_UINT16] = 16,   [VACCEL_TF_HALF] = 16,	 [VACCEL_TF_FLOAT] = 32,
	[VACCEL_TF_INT32] = 32,	   [VACCEL_TF_QINT32] = 32,	 [VACCEL_TF_UINT32] = 32,
	[VACCEL_TF_DOUBLE] = 64,   [VACCEL_TF_COMPLEX64] = 64,	 [VACCEL_TF_INT64] = 64,
	[VACCEL_TF_UINT64] = 64,   [VACCEL_TF_COMPLEX128] = 128,
};

#define TENSOR		vaccel_tf_tensor
#define TENSOR_RANK	int
#define TENSOR_MIN_RANK 1
#define TENSOR_DIM	int64_t
#define TENSOR_TYPE	enum vaccel_tf_data_type
#define TENSOR_BITS	element_bits
#include "value/tensor_template.h"

#define BUFFER	    vaccel_tf_buffer
#define BUFFER_DATA void
#include "value/buffer_template.h"

static int copy_string(const void *object, const char *string, char **ret_copy)
{
	char *copy;

	if (!object || !string)
		return vaccel_fail(VACCEL_EINVAL, "tensorflow node or status: NULL");
	copy = strdup(string);
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "tensorflow node or status: no memory");
	*ret_copy = copy;
	return VACCEL_OK;
}

int vaccel_tf_node_init(struct vaccel_tf_node *node, const char *name, int id)
{
	char *copy = NULL;
	int ret = copy_string(node, name, &copy);

	if (!ret)
		*node = (struct vaccel_tf_node){copy, id};
	return ret;
}

int vaccel_tf_node_new(struct vaccel_tf_node **node, const char *name, int id)
{
	return NEW(node, vaccel_tf_node_init, name, id);
}

int vaccel_tf_node_release(struct vaccel_tf_node *node)
{
	if (!node)
		return vaccel_fail(VACCEL_EINVAL, "tensorflow node: NULL");
	free(node->name);
	*node = (struct vaccel_tf_node){NULL, -1};
	return VACCEL_OK;
}

int vaccel_tf_node_delete(struct vaccel_tf_node *node)
{
	return DELETE(node, vaccel_tf_node_release);
}

int vaccel_tf_status_init(struct vaccel_tf_status *status, uint8_t code, const char *message)
{
	char *copy = NULL;
	int ret = copy_string(status, message, &copy);

	if (!ret)
		*status = (struct vaccel_tf_status){code, copy};
	return ret;
}

int vaccel_tf_status_new(struct vaccel_tf_status **status, uint8_t code, const char *message)
{
	return NEW(status, vaccel_tf_status_init, code, message);
}

int vaccel_tf_status_release(struct vaccel_tf_status *status)
{
	if (!status)
		return vaccel_fail(VACCEL_EINVAL, "tensorflow status: NULL");
	free(status->message);
	*status = (struct vaccel_tf_status){0, NULL};
	return VACCEL_OK;
}

int vaccel_tf_status_delete(struct vaccel_tf_status *status)
{
	return DELETE(status, vaccel_tf_status_release);
}
