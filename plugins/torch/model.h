/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TorchScript modules. The weights of a content are in memory once, whoever brings it and however
 * often; what a module changes while it runs belongs to a session.
 */
#ifndef TORCH_MODEL_H
#define TORCH_MODEL_H

#include <torch/csrc/jit/api/module.h>

#include "model/holder.h"
#include "model/share.h"

/**
 * struct script - a loaded module
 * @shared: what makes it the only one of its content
 * @module: torch's
 * @writes_inputs: its forward() may change the memory of its inputs
 * @keeps_state: its forward() may change the module
 * @writes_parameters: also its parameters
 */
struct script {
	struct shared shared;
	torch::jit::Module *module;
	bool writes_inputs;
	bool keeps_state;
	bool writes_parameters;
};

/** script_device() - where modules run: on the CPU, or where that was last set to */
c10::Device script_device();

/** script_device() - set it to "cpu", "cuda:1" and so on; throws what torch does */
void script_device(const std::string &name);

/** script_kind - what a holder of a resource's script is made with */
extern const struct holder_kind script_kind;

/** script_of() - the script of a resource that is in use */
const struct script *script_of(const struct use *use);

/** script_count() - how many are loaded */
size_t script_count();

/** script_schema() - what its forward() takes */
const c10::FunctionSchema &script_schema(const struct script *script);

#endif
