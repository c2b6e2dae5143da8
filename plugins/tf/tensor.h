/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of programs as TensorFlow's, and back. */
#ifndef TF_TENSOR_H
#define TF_TENSOR_H

#include "tf/tf.h"

/** type_from_tf() - the enum vaccel_tensor_type that an enum vaccel_tf_data_type is like */
int32_t type_from_tf(int32_t type);

/**
 * tensor_make() - a copy of a program's tensor
 * @name: of the input, for sentences
 * @ret_tensor: to be freed with tensor_delete()
 *
 * Return: 0; EINVAL if its data do not fit its type and shape; ENOMEM.
 */
int tensor_make(const char *name, const struct vaccel_tensor *from, TF_Tensor **ret_tensor);

/** tensor_delete() - frees one that tensor_make() has made, strings included */
void tensor_delete(TF_Tensor *tensor);

/** tensor_tell() - a copy of TensorFlow's tensor for the program; ENOTSUP for what is no value */
int tensor_tell(struct vaccel_call *call, const char *name, const TF_Tensor *from,
		struct vaccel_tensor *to);

#endif
