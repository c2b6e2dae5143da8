/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model as the vision tasks see it, whoever runs it: an input that takes a
 * picture's numbers, and outputs whose numbers mean something. A plugin makes
 * one of each model that it loads.
 */
#ifndef VISION_NETWORK_H
#define VISION_NETWORK_H

#include "model/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/** No task reads more outputs of a model, nor longer shapes. */
enum { NETWORK_OUTPUTS_MAX = 8, NETWORK_DIMS_MAX = 8 };

/**
 * struct network_input - what the model is to look at
 * @data: numbers of the type of the model's first input; nobody changes them meanwhile
 * @size: their bytes
 * @nr_dims: how many dimensions
 * @dims: their sizes; they fit the model's own
 */
struct network_input {
	void *data;
	size_t size;
	size_t nr_dims;
	const int64_t *dims;
};

/**
 * struct network_output - one output of a run
 * @data: where it lies, until done()
 * @type: an enum vaccel_tensor_type
 * @nr_dims: how many dimensions
 * @dims: their sizes, as the run has them
 * @own: for the one who runs it
 */
struct network_output {
	const void *data;
	int32_t type;
	size_t nr_dims;
	int64_t dims[NETWORK_DIMS_MAX];
	void *own;
};

/**
 * struct network_outputs - what a run gives
 * @nr: how many outputs are wanted, the model's first ones; set before run()
 * @output: those
 * @own: for the one who runs it
 */
struct network_outputs {
	size_t nr;
	struct network_output output[NETWORK_OUTPUTS_MAX];
	void *own;
};

struct network;

/** struct network_kind - how a framework runs its models */
struct network_kind {
	/**
	 * Runs the model once. Called by several threads at once. Fills outputs->output, of
	 * which all but @nr was zero. After an error done() is called, too.
	 */
	int (*run)(const struct network *network, const struct network_input *input,
		   struct network_outputs *outputs);
	/** Gives back what run() took. */
	void (*done)(const struct network *network, struct network_outputs *outputs);
};

/**
 * struct network - a loaded model; never changes
 * @kind: who runs it
 * @inputs: those that must be given
 * @nr_inputs: how many
 * @outputs: the outputs
 * @nr_outputs: how many
 */
struct network {
	const struct network_kind *kind;
	const struct port *inputs;
	size_t nr_inputs;
	const struct port *outputs;
	size_t nr_outputs;
};

/** network_reads() - whether numbers of that type can be read as floats */
bool network_reads(int32_t type);

/** network_count() - how many numbers an output has */
size_t network_count(const struct network_output *output);

/**
 * network_floats() - an output as floats
 * @output: of a type that network_reads()
 * @port: what the model says of it: its numbers are scaled back if they are quantised
 * @room: for as many floats as it has numbers; left alone if it has floats
 *
 * Return: where they are: @room, or where they lie.
 */
const float *network_floats(const struct network_output *output, const struct port *port,
			    float *room);

#ifdef __cplusplus
}
#endif

#endif
