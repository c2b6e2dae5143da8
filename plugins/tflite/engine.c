// SPDX-License-Identifier: Apache-2.0
/*
 * Loads models. The first runner is made with the model: what TensorFlow Lite has to say
 * against it is said then, XNNPACK's weights are packed by it, and from it is
 * learnt what the inputs and outputs are.
 */
#include "tflite/engine.h"

#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/tensor.h>

#include "model/util.h"
#include "model/words.h"
#include "tflite/flat.h"
#include "tflite/state.h"
#include "tflite/types.h"

/* Runners beyond so many are not kept. */
#define SHELF_SIZE 32

static const struct network_kind network_kind;

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's inputs and outputs");
}

/* The shape that the model was written with, where it leaves sizes open; else the one it has. */
static int32_t size_of_dim(const TfLiteTensor *tensor, int32_t nr_open, int32_t dim)
{
	int32_t size;

	if (dim < nr_open && TfLiteOpaqueTensorGetDimSignature(tensor, dim, &size) == kTfLiteOk)
		return size;
	return TfLiteTensorDim(tensor, dim);
}

static int read_port(const TfLiteTensor *tensor, struct port *port)
{
	TfLiteQuantizationParams quantization = TfLiteTensorQuantizationParams(tensor);
	const char *name = TfLiteTensorName(tensor);
	int32_t nr = TfLiteTensorNumDims(tensor);
	int32_t nr_open = 0;

	if (TfLiteOpaqueTensorGetNumDimsSignature(tensor, &nr_open) || nr_open != nr)
		nr_open = 0;
	port->type = type_from_tflite(TfLiteTensorType(tensor));
	port->scale = quantization.scale;
	port->zero_point = quantization.zero_point;
	port->name = strdup(name ? name : "");
	port->dims = calloc(nr > 0 ? (size_t)nr : 1, sizeof(*port->dims));
	if (!port->name || !port->dims)
		return no_memory();
	port->nr_dims = nr > 0 ? (size_t)nr : 0;
	for (int32_t i = 0; i < nr; i++)
		port->dims[i] = size_of_dim(tensor, nr_open, i);
	return VACCEL_OK;
}

static int read_ports(struct network *network, const TfLiteInterpreter *interpreter)
{
	size_t nr_inputs = (size_t)TfLiteInterpreterGetInputTensorCount(interpreter);
	size_t nr_outputs = (size_t)TfLiteInterpreterGetOutputTensorCount(interpreter);
	struct port *inputs = calloc(nr_inputs + 1, sizeof(*inputs));
	struct port *outputs = calloc(nr_outputs + 1, sizeof(*outputs));
	int ret = VACCEL_OK;

	network->inputs = inputs;
	network->nr_inputs = inputs ? nr_inputs : 0;
	network->outputs = outputs;
	network->nr_outputs = outputs ? nr_outputs : 0;
	if (!inputs || !outputs) {
		no_memory();
		return VACCEL_ENOMEM;
	}
	for (size_t i = 0; !ret && i < nr_inputs; i++)
		ret = read_port(TfLiteInterpreterGetInputTensor(interpreter, (int32_t)i),
				&inputs[i]);
	for (size_t i = 0; !ret && i < nr_outputs; i++)
		ret = read_port(TfLiteInterpreterGetOutputTensor(interpreter, (int32_t)i),
				&outputs[i]);
	return ret;
}

static int bytes_own(struct bytes *bytes)
{
	if (bytes->own)
		return VACCEL_OK;
	bytes->own = malloc(bytes->size ? bytes->size : 1);
	if (!bytes->own)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model of %zu bytes",
				   bytes->size);
	memcpy(bytes->own, bytes->data, bytes->size);
	bytes->data = bytes->own;
	return VACCEL_OK;
}

static int parse(struct engine *engine)
{
	char said[RUNNER_WORDS_SIZE] = "";

	engine->model = TfLiteModelCreateWithErrorReporter(engine->bytes.data, engine->bytes.size,
							   runner_report, said);
	if (engine->model && flat_has_graph(engine->bytes.data, engine->bytes.size))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL,
			   "this is no TensorFlow Lite model, or not a whole one%s%s",
			   *said ? ": " : "", said);
}

static int make_first(struct engine *engine)
{
	struct runner *runner;
	int ret;

	engine->cache = TfLiteXNNPackDelegateWeightsCacheCreate();
	if (!engine->cache)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's weights");
	ret = runner_new(engine->model, engine->cache, &runner);
	if (ret)
		return ret;
	engine->shelf = runner;
	engine->nr_shelf = 1;
	if (!TfLiteXNNPackDelegateWeightsCacheFinalizeSoft(engine->cache))
		return vaccel_fail(VACCEL_EBACKEND, "XNNPACK cannot keep the model's weights");
	engine->keeps_state = TfLiteInterpreterGetVariableTensorCount(runner->interpreter) > 0 ||
			      flat_has_variables(engine->bytes.data, engine->bytes.size);
	return read_ports(&engine->network, runner->interpreter);
}

/* What is loaded: the file's bytes, which the engine takes. */
struct content {
	struct bytes *bytes;
};

static int load(struct shared *shared, const void *content)
{
	struct engine *engine = (struct engine *)shared;
	struct bytes *bytes = ((const struct content *)content)->bytes;
	int ret;

	pthread_mutex_init(&engine->lock, NULL);
	engine->network.kind = &network_kind;
	/* A copy, if they are a resource's: it may go before the model does. */
	ret = bytes_own(bytes);
	if (ret)
		return ret;
	engine->bytes = *bytes;
	*bytes = (struct bytes){0};
	ret = parse(engine);
	return ret ? ret : make_first(engine);
}

static void unload(struct shared *shared)
{
	struct engine *engine = (struct engine *)shared;

	state_forget(engine);
	while (engine->shelf) {
		struct runner *runner = engine->shelf;

		engine->shelf = runner->next;
		runner_delete(runner);
	}
	if (engine->cache)
		TfLiteXNNPackDelegateWeightsCacheDelete(engine->cache);
	if (engine->model)
		TfLiteModelDelete(engine->model);
	bytes_release(&engine->bytes);
	ports_delete((struct port *)engine->network.inputs, engine->network.nr_inputs);
	ports_delete((struct port *)engine->network.outputs, engine->network.nr_outputs);
	pthread_mutex_destroy(&engine->lock);
}

static struct share engines = {.size = sizeof(struct engine), .load = load, .unload = unload};

/* The one file that is the model. */
static const struct model_file *find_model(const struct model_files *files)
{
	const struct model_file *file = files_single(files);

	return file ? file : files_find(files, "model.tflite");
}

int engine_open(struct model_files *files, const struct network **ret_network)
{
	const struct model_file *file = find_model(files);
	_cleanup_(bytes_release) struct bytes bytes = {0};
	const struct content content = {&bytes};
	struct shared *shared;
	struct digest digest;
	int ret;

	if (!file)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s has no model.tflite; a model is a .tflite file, or a "
				   "directory with model.tflite and, for pictures, model.json "
				   "and labels.txt",
				   files->words);
	ret = file_bytes(file, MODEL_SIZE_MAX, &bytes);
	if (!ret)
		ret = files_digest(files, bytes.data, bytes.size, NULL, &digest);
	if (!ret)
		ret = share_get(&engines, &digest, &content, &shared);
	if (ret)
		return ret;
	*ret_network = &((struct engine *)shared)->network;
	return VACCEL_OK;
}

struct engine *engine_of(const struct network *network)
{
	return (struct engine *)((char *)network - offsetof(struct engine, network));
}

void engine_close(const struct network *network)
{
	share_put(&engines, &engine_of(network)->shared);
}

size_t engine_count(void)
{
	return share_count(&engines);
}

int engine_take(struct engine *engine, struct runner **ret_runner)
{
	struct runner *runner;

	pthread_mutex_lock(&engine->lock);
	runner = engine->shelf;
	if (runner) {
		engine->shelf = runner->next;
		engine->nr_shelf--;
	}
	pthread_mutex_unlock(&engine->lock);
	if (!runner)
		return runner_new(engine->model, engine->cache, ret_runner);
	*ret_runner = runner;
	return VACCEL_OK;
}

void engine_give(struct engine *engine, struct runner *runner, bool usable)
{
	bool kept = false;

	if (!runner)
		return;
	pthread_mutex_lock(&engine->lock);
	if (usable && engine->nr_shelf < SHELF_SIZE) {
		runner->next = engine->shelf;
		engine->shelf = runner;
		engine->nr_shelf++;
		kept = true;
	}
	pthread_mutex_unlock(&engine->lock);
	if (!kept)
		runner_delete(runner);
}

/* For pictures */

/* TensorFlow Lite does not see to it for what comes with the model and is said to be sparse. */
static int check_size(const TfLiteTensor *tensor, const struct network_output *output)
{
	size_t wanted = SIZE_MAX, size = TfLiteTensorByteSize(tensor);

	/* What is of a type without a size no task reads. */
	if (vaccel_tensor_data_size(output->nr_dims, output->dims, output->type, &wanted) ==
		    VACCEL_EINVAL ||
	    size >= wanted)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EBACKEND,
			   "the model's output '%.60s' has %zu bytes, too few for %s",
			   TfLiteTensorName(tensor), size,
			   shape_words(output->type, output->nr_dims, output->dims).text);
}

static int read_output(const struct runner *runner, size_t index, struct network_output *output)
{
	const TfLiteTensor *tensor =
		TfLiteInterpreterGetOutputTensor(runner->interpreter, (int32_t)index);
	size_t nr_dims = (size_t)TfLiteTensorNumDims(tensor);

	if (nr_dims > NETWORK_DIMS_MAX)
		return vaccel_fail(VACCEL_EBACKEND, "the model's output '%.60s' has %zu dimensions",
				   TfLiteTensorName(tensor), nr_dims);
	if (TfLiteTensorByteSize(tensor) && !TfLiteTensorData(tensor))
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model computes nothing for its output '%.60s'",
				   TfLiteTensorName(tensor));
	output->data = TfLiteTensorData(tensor);
	output->type = type_from_tflite(TfLiteTensorType(tensor));
	output->nr_dims = nr_dims;
	for (size_t i = 0; i < nr_dims; i++)
		output->dims[i] = TfLiteTensorDim(tensor, (int32_t)i);
	return check_size(tensor, output);
}

static int network_run(const struct network *network, const struct network_input *input,
		       struct network_outputs *outputs)
{
	struct engine *engine = engine_of(network);
	struct runner *runner;
	int ret;

	/* A picture begins with what the model brings, not with what others have left. */
	if (engine->keeps_state)
		ret = runner_new(engine->model, engine->cache, &runner);
	else
		ret = engine_take(engine, &runner);
	if (ret)
		return ret;
	ret = runner_run(runner, input, 1);
	if (ret) {
		engine_give(engine, runner, false);
		return ret;
	}
	outputs->own = runner;
	for (size_t i = 0; !ret && i < outputs->nr; i++)
		ret = read_output(runner, i, &outputs->output[i]);
	return ret;
}

static void network_done(const struct network *network, struct network_outputs *outputs)
{
	struct engine *engine = engine_of(network);

	engine_give(engine, outputs->own, !engine->keeps_state);
	outputs->own = NULL;
}

static const struct network_kind network_kind = {.run = network_run, .done = network_done};
