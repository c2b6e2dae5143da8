// SPDX-License-Identifier: Apache-2.0
/*
 * What is given has been compared with what the model says of itself. TensorFlow Lite
 * reports errors to a function, in words, line by line, and returns a status without
 * any; here the one is put to the other.
 */
#include "tflite/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/ops/tflite.h>

#include "model/strings.h"
#include "model/util.h"
#include "model/words.h"
#include "tflite/tflite.h"

void runner_report(void *context, const char *format, va_list arguments)
{
	char *said = context;
	size_t used = strlen(said);

	if (used && used + 2 < RUNNER_WORDS_SIZE)
		used += (size_t)snprintf(said + used, RUNNER_WORDS_SIZE - used, "; ");
	vsnprintf(said + used, RUNNER_WORDS_SIZE - used, format, arguments);
	words_flatten(said);
	/* Some lines end in a dot, some in a line break, some in nothing. */
	for (used = strlen(said); used && strchr(". ", said[used - 1]); used--)
		said[used - 1] = '\0';
}

static int fail(const struct runner *runner, const char *what)
{
	return vaccel_fail(VACCEL_EBACKEND, "TensorFlow Lite cannot %s%s%s", what,
			   *runner->said ? ": " : "", runner->said);
}

void runner_delete(struct runner *runner)
{
	if (!runner)
		return;
	if (runner->interpreter)
		TfLiteInterpreterDelete(runner->interpreter);
	delegates_release(&runner->delegates);
	free(runner);
}

static void runner_deletep(struct runner **runner)
{
	runner_delete(*runner);
}

static int make_interpreter(struct runner *runner, const TfLiteModel *model)
{
	TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();

	if (!options)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an interpreter");
	TfLiteInterpreterOptionsSetNumThreads(options, threads_wanted());
	TfLiteInterpreterOptionsSetErrorReporter(options, runner_report, runner->said);
	runner->interpreter = TfLiteInterpreterCreate(model, options);
	TfLiteInterpreterOptionsDelete(options);
	return runner->interpreter ? VACCEL_OK : fail(runner, "make an interpreter of the model");
}

/* A damaged model may name what is none of its tensors; delegates trust it. */
static int check_ends(const struct runner *runner)
{
	const TfLiteInterpreter *interpreter = runner->interpreter;
	int32_t nr_in = TfLiteInterpreterGetInputTensorCount(interpreter);
	int32_t nr_out = TfLiteInterpreterGetOutputTensorCount(interpreter);
	bool all = true;

	for (int32_t i = 0; i < nr_in; i++)
		all = all && TfLiteInterpreterGetInputTensor(interpreter, i);
	for (int32_t i = 0; i < nr_out; i++)
		all = all && TfLiteInterpreterGetOutputTensor(interpreter, i);
	return all ? VACCEL_OK
		   : vaccel_fail(VACCEL_EINVAL,
				 "the model has an input or output that is none of its tensors");
}

/* Delegates take what they can. One that takes nothing is no error: whether the model runs is seen
 * when it is prepared. */
static int delegate(struct runner *runner, struct TfLiteXNNPackDelegateWeightsCache *cache)
{
	int ret = delegates_make(cache, &runner->delegates);

	for (size_t i = 0; !ret && i < runner->delegates.nr; i++)
		if (TfLiteInterpreterModifyGraphWithDelegate(runner->interpreter,
							     runner->delegates.each[i].delegate))
			vaccel_debug("a delegate leaves a model alone%s%s",
				     *runner->said ? ": " : "", runner->said);
	runner->said[0] = '\0';
	return ret;
}

/* What all memory cannot hold would be found missing only while the model runs. */
static int check_memory(const struct runner *runner)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	const TfLiteTensor *tensor;

	for (int32_t i = 0; (tensor = TfLiteInterpreterGetTensor(runner->interpreter, i)); i++)
		if (TfLiteTensorByteSize(tensor) > memory)
			return vaccel_fail(VACCEL_ENOMEM,
					   "the model's tensor '%.60s' takes %zu bytes, and this "
					   "machine has %" PRIu64,
					   TfLiteTensorName(tensor), TfLiteTensorByteSize(tensor),
					   memory);
	return VACCEL_OK;
}

static int allocate(struct runner *runner)
{
	int ret;

	runner->status = TfLiteInterpreterAllocateTensors(runner->interpreter);
	if (runner->status)
		return fail(runner, "prepare the model");
	ret = check_memory(runner);
	runner->ready = !ret;
	return ret;
}

int runner_new(const TfLiteModel *model, struct TfLiteXNNPackDelegateWeightsCache *cache,
	       struct runner **ret_runner)
{
	_cleanup_(runner_deletep) struct runner *runner = calloc(1, sizeof(*runner));
	int ret;

	if (!runner)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an interpreter");
	ret = make_interpreter(runner, model);
	if (!ret)
		ret = check_ends(runner);
	if (!ret)
		ret = delegate(runner, cache);
	if (!ret)
		ret = allocate(runner);
	if (ret)
		return ret;
	*ret_runner = TAKE(runner);
	return VACCEL_OK;
}

static bool has_shape(const TfLiteTensor *tensor, const struct network_input *input)
{
	if ((size_t)TfLiteTensorNumDims(tensor) != input->nr_dims)
		return false;
	for (size_t i = 0; i < input->nr_dims; i++)
		if (TfLiteTensorDim(tensor, (int32_t)i) != input->dims[i])
			return false;
	return true;
}

static int shape(struct runner *runner, int32_t index, const struct network_input *input)
{
	const TfLiteTensor *tensor = TfLiteInterpreterGetInputTensor(runner->interpreter, index);
	int dims[VACCEL_TENSOR_DIMS_MAX];

	if (has_shape(tensor, input))
		return VACCEL_OK;
	for (size_t i = 0; i < input->nr_dims; i++)
		dims[i] = (int)input->dims[i];
	runner->ready = false;
	runner->status = TfLiteInterpreterResizeInputTensor(runner->interpreter, index, dims,
							    (int32_t)input->nr_dims);
	return runner->status ? fail(runner, "take an input of that shape") : VACCEL_OK;
}

static size_t count_of(const struct network_input *input)
{
	size_t count = 1;

	for (size_t i = 0; i < input->nr_dims; i++)
		count *= (size_t)input->dims[i];
	return count;
}

/* TensorFlow Lite trusts strings, and what they were copied from may have changed meanwhile. */
static int check_strings(const TfLiteTensor *tensor, const struct network_input *input)
{
	if (strings_are_whole(TfLiteTensorData(tensor), input->size, count_of(input)))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "the input '%.60s' was changed while it was read",
			   TfLiteTensorName(tensor));
}

static int fill(struct runner *runner, int32_t index, const struct network_input *input)
{
	TfLiteTensor *tensor = TfLiteInterpreterGetInputTensor(runner->interpreter, index);
	bool strings = TfLiteTensorType(tensor) == VACCEL_TFLITE_STRING;

	if (strings)
		runner->status = TfLiteTensorRealloc(input->size, tensor);
	if (runner->status || TfLiteTensorByteSize(tensor) != input->size)
		return fail(runner, "make room for an input");
	if (input->size)
		memcpy(TfLiteTensorData(tensor), input->data, input->size);
	return strings ? check_strings(tensor, input) : VACCEL_OK;
}

int runner_run(struct runner *runner, const struct network_input *inputs, size_t nr)
{
	int ret = VACCEL_OK;

	runner->said[0] = '\0';
	runner->status = kTfLiteOk;
	for (size_t i = 0; !ret && i < nr; i++)
		ret = shape(runner, (int32_t)i, &inputs[i]);
	if (!ret && !runner->ready)
		ret = allocate(runner);
	for (size_t i = 0; !ret && i < nr; i++)
		ret = fill(runner, (int32_t)i, &inputs[i]);
	if (ret)
		return ret;
	runner->status = TfLiteInterpreterInvoke(runner->interpreter);
	return runner->status ? fail(runner, "run the model") : VACCEL_OK;
}
