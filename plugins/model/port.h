/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says of its inputs and outputs. */
#ifndef MODEL_PORT_H
#define MODEL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct port - an input or an output of a model
 * @name: the model's name for it
 * @type: an enum vaccel_tensor_type; VACCEL_TENSOR_UNDEFINED if it is no tensor
 * @nr_dims: how many dimensions
 * @dims: their sizes; below 0: any
 * @scale: of a quantised one: a number is (value - @zero_point) * @scale; 0: it is not
 * @zero_point: see @scale
 */
struct port {
	char *name;
	int32_t type;
	size_t nr_dims;
	int64_t *dims;
	float scale;
	int32_t zero_point;
};

/** port_takes() - whether a tensor of that type and shape may stand there */
bool port_takes(const struct port *port, int32_t type, size_t nr_dims, const int64_t *dims);

/** dims_check() - whether no dimension of a program's tensor is below 0; EINVAL, with the name */
int dims_check(const char *name, const struct vaccel_tensor *tensor);

/**
 * input_check() - whether a program's tensor has the data that its type and dimensions make
 * @name: of the input that it is for
 * @type: an enum vaccel_tensor_type
 *
 * Return: 0; EINVAL, ERANGE if they cannot make any; with the name.
 */
int input_check(const char *name, int32_t type, const struct vaccel_tensor *tensor);

/** ports_delete() - free @nr of them, and the list. NULL is fine if @nr is 0. */
void ports_delete(struct port *ports, size_t nr);

#ifdef __cplusplus
}
#endif

#endif
