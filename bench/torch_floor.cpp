// SPDX-License-Identifier: Apache-2.0
/* See torch_floor.h. What a careful program would write by hand. */
#include <cstring>
#include <sstream>

#include <torch/script.h>

#include <vaccel/error.h>

extern "C" {
#include "bench/torch_floor.h"
}

template <typename Work> static int guarded(Work &&work)
try {
	work();
	return VACCEL_OK;
} catch (const std::exception &error) {
	std::string words = error.what();

	return vaccel_fail(VACCEL_EBACKEND, "torch: %s", words.substr(0, words.find('\n')).c_str());
}

static int smallest(void **ret_data, size_t *ret_size)
{
	return guarded([&] {
		torch::jit::Module module("Smallest");
		std::ostringstream file;

		module.define("def forward(self, x):\n    return x + 1\n");
		module.save(file);
		std::string bytes = file.str();
		*ret_data = malloc(bytes.size());
		if (!*ret_data)
			throw std::bad_alloc();
		std::memcpy(*ret_data, bytes.data(), bytes.size());
		*ret_size = bytes.size();
	});
}

static int open_model(const void *data, size_t size, void **ret_model)
{
	return guarded([&] {
		std::istringstream file(std::string(static_cast<const char *>(data), size));
		auto module = std::make_unique<torch::jit::Module>(torch::jit::load(file));

		module->eval();
		*ret_model = module.release();
	});
}

static int run(void *model, float *in, const int64_t dims[TORCH_DIMS], float *ret_first)
{
	return guarded([&] {
		c10::InferenceMode inference;
		auto *module = static_cast<torch::jit::Module *>(model);
		at::Tensor x = torch::from_blob(in, at::IntArrayRef(dims, TORCH_DIMS));
		at::Tensor out = module->forward({x}).toTensor();

		*ret_first = *out.data_ptr<float>();
	});
}

static void close_model(void *model)
{
	delete static_cast<torch::jit::Module *>(model);
}

extern "C" {
__attribute__((visibility("default"))) extern const struct torch_floor torch_floor;
const struct torch_floor torch_floor = {smallest, open_model, run, close_model};
}
