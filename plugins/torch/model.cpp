// SPDX-License-Identifier: Apache-2.0
/*
 * From a resource to a module. Most modules only compute, and one serves all
 * sessions and threads. Whether forward() writes to anything else is read from its graph when it
 * is loaded; where that cannot be told it is taken to.
 */
#include "torch/model.h"

#include <cstring>

#include <ATen/ops/empty.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include "model/util.h"
#include "torch/failure.h"
#include "torch/state.h"

using torch::jit::Block;
using torch::jit::Module;
using torch::jit::Node;

/** The largest file; larger ones are beyond what a resource is read into memory for. */
#define SCRIPT_SIZE_MAX (SIZE_MAX / 4)

static c10::Device device = at::kCPU;

/* A TorchScript file, read and not yet parsed. */
struct content {
	struct bytes bytes;
	const char *words;
};

struct model {
	struct held held;
	struct script *script;
};

namespace
{

class BytesReader : public caffe2::serialize::ReadAdapterInterface
{
      public:
	explicit BytesReader(const struct bytes &bytes) : bytes(bytes)
	{
	}

	size_t size() const override
	{
		return bytes.size;
	}

	size_t read(uint64_t at, void *to, size_t nr, const char *) const override
	{
		if (at >= bytes.size)
			return 0;
		nr = std::min<size_t>(nr, bytes.size - at);
		std::memcpy(to, static_cast<const char *>(bytes.data) + at, nr);
		return nr;
	}

      private:
	const struct bytes &bytes;
};

/* What forward() writes to. */
class Writes
{
      public:
	explicit Writes(const Module &module)
	{
		auto graph = torch::jit::toGraphFunction(module.get_method("forward").function())
				     .graph()
				     ->copy();

		torch::jit::Inline(*graph);
		aliases = std::make_unique<torch::jit::AliasDb>(graph);
		for (size_t i = 1; i < graph->inputs().size(); i++)
			inputs = inputs || may_write(graph->inputs()[i]);
		look(graph->block());
	}

	bool inputs = false;
	bool state = false;
	bool parameters = false;

      private:
	/* What is written to members of an input, such as a list's, is not known by the input. */
	bool may_write(const torch::jit::Value *input) const
	{
		return !input->type()->containedTypes().empty() || aliases->hasWriters(input);
	}

	void look(Block *block)
	{
		for (auto *node : block->nodes()) {
			look(node);
			for (auto *inner : node->blocks())
				look(inner);
		}
	}

	void look(Node *node)
	{
		auto kind = node->kind();

		/* What is not inlined by now could do anything. */
		if (kind == c10::prim::SetAttr || kind == c10::prim::CallMethod ||
		    kind == c10::prim::CallFunction || kind == c10::prim::fork)
			state = true;
		if (kind != c10::prim::GetAttr || !aliases->hasWriters(node->output()))
			return;
		auto type = node->input()->type()->cast<c10::ClassType>();
		auto slot = type ? type->findAttributeSlot(node->s(c10::attr::name)) : c10::nullopt;

		state = true;
		if (!slot || (type->is_module() && type->is_parameter(*slot)))
			parameters = true;
	}

	std::unique_ptr<torch::jit::AliasDb> aliases;
};

} // namespace

c10::Device script_device()
{
	return device;
}

void script_device(const std::string &name)
{
	c10::Device wanted(name);

	/* It throws where this torch, or this machine, has no such device. */
	at::empty({1}, at::TensorOptions(wanted));
	device = wanted;
}

static void check_archive(const struct content *content)
{
	if (content->bytes.size >= 4 && !std::memcmp(content->bytes.data, "PK\3\4", 4))
		return;
	throw failure{vaccel_fail(
		VACCEL_EINVAL,
		"%s is no TorchScript model, which is a ZIP archive; save one in Python with "
		"torch.jit.script(model).save(path)",
		content->words)};
}

static Module *read_module(const struct content *content)
try {
	auto module = std::make_unique<Module>(torch::jit::load(
		std::make_shared<BytesReader>(content->bytes), c10::optional<c10::Device>(device)));

	if (!module->find_method("forward"))
		throw failure{
			vaccel_fail(VACCEL_EINVAL, "%s has no forward() to run", content->words)};
	module->eval();
	return module.release();
} catch (const failure &) {
	throw;
} catch (const std::bad_alloc &) {
	throw;
} catch (...) {
	throw failure{vaccel_fail(VACCEL_EINVAL, "%s is no TorchScript model; torch: %.500s",
				  content->words, words_of_current().c_str())};
}

static void look_at_writes(struct script *script)
try {
	Writes writes(*script->module);

	script->writes_inputs = writes.inputs;
	script->keeps_state = writes.state;
	script->writes_parameters = writes.parameters;
} catch (const std::exception &) {
	script->writes_inputs = script->keeps_state = script->writes_parameters = true;
}

static int load(struct shared *shared, const void *opaque)
{
	auto *script = reinterpret_cast<struct script *>(shared);
	auto *content = static_cast<const struct content *>(opaque);

	return guarded([&] {
		check_archive(content);
		script->module = read_module(content);
		look_at_writes(script);
	});
}

static void unload(struct shared *shared)
{
	auto *script = reinterpret_cast<struct script *>(shared);

	state_forget(script);
	delete script->module;
}

static struct share scripts = {sizeof(struct script), load, unload};

size_t script_count()
{
	return share_count(&scripts);
}

/* A resource's files to one script */

static const struct model_file *find_file(const struct model_files *files)
{
	const struct model_file *file = files_single(files);

	if (!file)
		file = files_find(files, "model.pt");
	if (!file)
		vaccel_fail(
			VACCEL_EINVAL,
			"%s has no model.pt; a model is a TorchScript file, or a directory with model.pt",
			files->words);
	return file;
}

static int script_get(const struct model_files *files, struct script **ret_script)
{
	const struct model_file *file = find_file(files);
	_cleanup_(bytes_release) struct bytes bytes = {};
	struct digest digest;
	int ret = file ? file_bytes(file, SCRIPT_SIZE_MAX, &bytes) : VACCEL_EINVAL;

	if (!ret)
		ret = files_digest(files, bytes.data, bytes.size, NULL, &digest);
	if (ret)
		return ret;
	struct content content = {bytes, files->words};
	return share_get(&scripts, &digest, &content,
			 reinterpret_cast<struct shared **>(ret_script));
}

static int open_model(struct vaccel_resource *resource, const void *, struct held **ret_held)
{
	_cleanup_(files_release) struct model_files files = {};
	auto *model = static_cast<struct model *>(calloc(1, sizeof(struct model)));
	int ret = model ? files_of_resource(resource, &files)
			: vaccel_fail(VACCEL_ENOMEM, "no memory for a model");

	if (!ret)
		ret = script_get(&files, &model->script);
	if (ret)
		free(model);
	else
		*ret_held = &model->held;
	return ret;
}

static void close_model(struct held *held)
{
	auto *model = reinterpret_cast<struct model *>(held);

	share_put(&scripts, &model->script->shared);
	free(model);
}

const struct holder_kind script_kind = {open_model, close_model};

const struct script *script_of(const struct use *use)
{
	return reinterpret_cast<const struct model *>(use->held)->script;
}

const c10::FunctionSchema &script_schema(const struct script *script)
{
	return script->module->get_method("forward").function().getSchema();
}
