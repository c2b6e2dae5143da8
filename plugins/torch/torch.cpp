// SPDX-License-Identifier: Apache-2.0
/*
 * The torch plugin: TorchScript models, and products of matrices, by libtorch. This
 * file is what vaccel sees of it.
 */
#include <cinttypes>
#include <cstdio>
#include <string>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/api/include/torch/version.h>

#include <vaccel/ops/torch.h>
#include <vaccel/plugin.h>

#include "torch/failure.h"
#include "torch/model.h"
#include "torch/state.h"
#include "torch/values.h"

/* Of the BLAS that libtorch uses, if that is OpenBLAS. */
extern "C" {
__attribute__((weak)) int blas_thread_shutdown_(void);
__attribute__((weak)) void openblas_set_num_threads(int threads);
}

namespace
{

enum { KNOB_DEVICE, KNOB_THREADS, KNOB_COUNT };

/* clang-format off */
const struct vaccel_knob knobs[KNOB_COUNT] = {
	{"VACCEL_TORCH_DEVICE", "cpu", "where TorchScript models run: cpu, cuda, cuda:1, ..."},
	{"VACCEL_TORCH_THREADS", "0",
		"threads that work on one run of a TorchScript model; 0: as many as libtorch finds cores",
		VACCEL_KNOB_NUMBER, 0, 1024},
};
/* clang-format on */

const char *const read_paths[] = {"/proc/cpuinfo", "/sys/devices/system/cpu", nullptr};
const char *const devices[] = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0", "/dev/dri",
			       nullptr};
const char *const system_calls[] = {"sched_setaffinity", nullptr};

/* oneDNN makes its kernels as it goes. */
struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.system_calls = system_calls,
	.jit = true,
};

/*
 * Libraries that libtorch brings start threads when they are loaded, where a sandbox that is
 * closed later would not hold them: OpenBLAS's end here, and come again when they are needed.
 */
void set_threads()
{
	int threads = (int)vaccel_knob_number(&knobs[KNOB_THREADS]);

	if (threads)
		at::set_num_threads(threads);
	if (threads && openblas_set_num_threads)
		openblas_set_num_threads(threads);
	if (blas_thread_shutdown_)
		blas_thread_shutdown_();
}

void set_device(const std::string &name)
try {
	script_device(name);
} catch (const std::exception &) {
	throw failure{vaccel_fail(VACCEL_EINVAL, "VACCEL_TORCH_DEVICE is '%.40s'; torch: %.500s",
				  name.c_str(), words_of_current().c_str())};
}

int init()
{
	std::string device = vaccel_knob_text(&knobs[KNOB_DEVICE]);

	if (device != "cpu")
		needs.devices = devices;
	return guarded([&] {
		set_threads();
		set_device(device);
	});
}

int resource_open(struct vaccel_resource *, void **ret_slot)
{
	return holder_new(&script_kind, nullptr, reinterpret_cast<struct holder **>(ret_slot));
}

void resource_close(struct vaccel_resource *, void *slot)
{
	holder_delete(static_cast<struct holder *>(slot));
}

int model_load(struct vaccel_call *call, struct vaccel_torch_model_load_args *args)
{
	return holder_load(call, args->model);
}

c10::IValue forward(const struct script *script, const void *session,
		    const struct vaccel_torch_model_run_args *args)
{
	const c10::FunctionSchema &schema = script_schema(script);
	/* What is the call's own goes with it, and what has state may keep what it is given. */
	bool copy = script->writes_inputs || script->keeps_state;
	auto arguments =
		arguments_make(schema, args->in.data, args->in.count, script_device(), copy);

	try {
		return script_run(script, session, std::move(arguments));
	} catch (const std::exception &) {
		std::string inputs = arguments_words(schema, args->in.data, args->in.count);

		throw failure{failure_of_current("; the inputs were " + inputs)};
	}
}

int model_run(struct vaccel_call *call, struct vaccel_torch_model_run_args *args)
{
	struct use use = {};
	void *slot;
	int ret = vaccel_call_session_slot(call, &slot);

	if (!ret)
		ret = use_resource(call, args->model, &use);
	if (ret)
		return ret;
	ret = guarded([&] {
		c10::InferenceMode inference;

		results_give(call, forward(script_of(&use), slot, args), args->out.data,
			     args->out.count);
	});
	use_end(&use);
	return ret;
}

/* A matrix of floats; its size has been checked, its dimensions may be any of that size. */
at::Tensor matrix(const struct vaccel_tensor &tensor, int64_t rows, int64_t columns)
{
	return at::from_blob(tensor.data, {rows, columns}, at::TensorOptions(at::kFloat));
}

int sgemm(struct vaccel_call *call, struct vaccel_torch_sgemm_args *args)
{
	const int64_t dims[] = {args->m, args->n};
	size_t size = sizeof(float) * (size_t)args->m * (size_t)args->n;
	int ret =
		vaccel_call_out_tensor(call, &args->out.data[0], VACCEL_TORCH_FLOAT, 2, dims, size);

	if (ret)
		return ret;
	return guarded([&] {
		c10::InferenceMode inference;
		c10::Device device = script_device();
		at::Tensor a = matrix(args->in.data[0], args->m, args->k).to(device);
		at::Tensor b = matrix(args->in.data[1], args->k, args->n).to(device);
		at::Tensor c = matrix(args->in.data[2], args->m, args->n).to(device);
		at::Tensor out = matrix(args->out.data[0], args->m, args->n);

		if (device.is_cpu())
			at::addmm_out(out, c, a, b);
		else
			out.copy_(at::addmm(c, a, b));
	});
}

/* The accelerators that this torch was built for, and how many of each there are. */
std::string list_devices()
{
	std::string list = "cpu";

	for (c10::DeviceType type : {at::kCUDA, at::kHIP, at::kXPU}) {
		if (!c10::impl::hasDeviceGuardImpl(type))
			continue;
		for (int i = 0; i < c10::impl::getDeviceGuardImpl(type)->deviceCount(); i++)
			list += ", " + c10::Device(type, (c10::DeviceIndex)i).str();
	}
	return list;
}

void report(vaccel_plugin_report_fn *say, void *context)
{
	auto say_words = [&](const char *key, const std::string &words) {
		say(context, key, words.c_str());
	};

	say_words("runtime", "libtorch " TORCH_VERSION);
	say_words("devices", list_devices());
	say_words("device", script_device().str());
	say_words("threads", std::to_string(at::get_num_threads()));
	say_words("models", std::to_string(script_count()) + " loaded");
}

const struct vaccel_plugin_info info = {
	.name = "torch",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_GPU | VACCEL_PLUGIN_TORCH,
	.sentence = "runs TorchScript models by libtorch",
};

const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(TORCH_MODEL_LOAD, torch_model_load, model_load),
	VACCEL_PLUGIN_OP(TORCH_MODEL_RUN, torch_model_run, model_run),
	VACCEL_PLUGIN_OP(TORCH_SGEMM, torch_sgemm, sgemm),
};

} // namespace

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .session_open = own_slot_open,
	      .session_close = state_session_close, .resource_open = resource_open,
	      .resource_close = resource_close, .report = report);
