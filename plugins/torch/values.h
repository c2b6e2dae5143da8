/* SPDX-License-Identifier: Apache-2.0 */
/* Between the tensors of calls and the values of torch. */
#ifndef TORCH_VALUES_H
#define TORCH_VALUES_H

#include <string>
#include <vector>

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <vaccel/plugin.h>

/**
 * tensor_borrow() - a tensor over the data of one of a call's
 * @name: what sentences call it
 *
 * It must not be used after the call. Throws EINVAL for a type that there is not, and for data of
 * another size than type and dimensions say.
 */
at::Tensor tensor_borrow(const struct vaccel_tensor &from, const std::string &name);

/**
 * arguments_make() - the arguments of forward() from the tensors of a call
 * @schema: of forward(), self being the first
 * @from: the tensors
 * @device: where the model is
 * @copy: that the model writes to its inputs or keeps them, so that they must not be the call's
 *	own memory
 *
 * A tuple takes as many tensors as it has members; a list those that are left over by the arguments
 * behind it; a number a tensor of one element. What has a default may be left out at the end.
 */
std::vector<c10::IValue> arguments_make(const c10::FunctionSchema &schema,
					const struct vaccel_tensor *from, size_t nr,
					c10::Device device, bool copy);

/** arguments_words() - "x: Float [1, 3], n: Long []", for sentences */
std::string arguments_words(const c10::FunctionSchema &schema, const struct vaccel_tensor *from,
			    size_t nr);

/** results_give() - hand out the first @nr tensors of what forward() returned */
void results_give(struct vaccel_call *call, const c10::IValue &value, struct vaccel_tensor *to,
		  size_t nr);

#endif
