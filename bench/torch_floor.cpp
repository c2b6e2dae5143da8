// SPDX-License-Identifier: Apache-2.0
/*
 * See model_floor.h. TorchScript does not say what it takes: all inputs are rows of three
 * floats, or pictures of 224 or 128 pixels a side, whichever the model runs on.
 */
#include <cstring>
#include <sstream>

#include <torch/script.h>

extern "C" {
#include "bench/model_floor.h"

EMBED_SMALLEST(SMALLEST);
}

struct model {
	torch::jit::Module module;
	std::vector<int64_t> dims;
	std::vector<float> numbers;
	std::vector<vaccel_torch_tensor> in;
};

template <typename Work> static int guarded(Work &&work)
try {
	work();
	return VACCEL_OK;
} catch (const std::exception &error) {
	std::string words = error.what();

	return vaccel_fail(VACCEL_EBACKEND, "torch: %s", words.substr(0, words.find('\n')).c_str());
}

static unsigned char run_once(struct model *model)
{
	c10::InferenceMode inference;
	std::vector<c10::IValue> in;

	for (size_t i = 0; i < model->in.size(); i++)
		in.push_back(torch::from_blob(model->numbers.data(), model->dims));
	c10::IValue out = model->module.forward(std::move(in));
	if (out.isTuple())
		out = out.toTupleRef().elements()[0];
	return *static_cast<unsigned char *>(out.toTensor().data_ptr());
}

static bool takes(struct model *model, const std::vector<int64_t> &dims)
try {
	model->dims = dims;
	model->numbers.resize(c10::multiply_integers(dims));
	run_once(model);
	return true;
} catch (const std::exception &) {
	return false;
}

static int open_model(const void *data, size_t size, void **ret_model)
{
	return guarded([&] {
		std::istringstream file(std::string(static_cast<const char *>(data), size));
		auto model = std::make_unique<struct model>();

		model->module = torch::jit::load(file);
		model->module.eval();
		model->in.resize(model->module.get_method("forward").num_inputs() - 1);
		if (!takes(model.get(), {1, 3}) && !takes(model.get(), {1, 3, 224, 224}) &&
		    !takes(model.get(), {1, 3, 128, 128}))
			throw std::invalid_argument("a model to be measured takes pictures");
		for (auto &in : model->in) {
			in.data = model->numbers.data();
			in.size = model->numbers.size() * sizeof(float);
			in.nr_dims = (int64_t)model->dims.size();
			in.dims = model->dims.data();
			in.data_type = VACCEL_TORCH_FLOAT;
		}
		*ret_model = model.release();
	});
}

static int run(void *model, unsigned char *ret_first)
{
	return guarded([&] { *ret_first = run_once(static_cast<struct model *>(model)); });
}

static int call(void *opaque, struct vaccel_session *sess, struct vaccel_resource *resource,
		unsigned char *ret_first)
{
	auto *model = static_cast<struct model *>(opaque);
	struct vaccel_torch_tensor *in[ENDS_MAX], *out;
	int nr = 0, ret;

	for (auto &tensor : model->in)
		in[nr++] = &tensor;
	ret = vaccel_torch_model_run(sess, resource, nullptr, in, nr, &out, 1);
	if (ret)
		return ret;
	*ret_first = *static_cast<unsigned char *>(out->data);
	return vaccel_torch_tensor_delete(out);
}

static void close_model(void *model)
{
	delete static_cast<struct model *>(model);
}

extern "C" {
__attribute__((visibility("default"))) extern const struct model_floor model_floor;
const struct model_floor model_floor = {smallest_model, smallest_model_end, open_model, run,
					call,		close_model};
}
