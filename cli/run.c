// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel run: a model on arrays of NumPy. Where outputs are not named, all are wanted,
 * and how many those are only the model knows: it is run for more and more of them, until
 * it has not as many. Each time is in a session of its own, where a model that remembers
 * something begins anew.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/describe.h"
#include "base/framework.h"
#include "base/library.h"
#include "base/npy.h"
#include "command.h"

#define OUTPUTS_MOST 64
#define PATH_MOST    4096
#define VALUES_PUT   6 /* of each output, for people */

struct run {
	const struct options *options;
	struct vaccel_resource model;
	char *names[TEXTS_MOST]; /* the inputs', in the order of @in; NULL if by place */
	bool named;
	struct vaccel_tensor in[TEXTS_MOST];
	size_t nr_in;
	struct vaccel_tensor out[OUTPUTS_MOST];
	size_t nr_out;
	struct framework_run framework;
};

/* One --input: its name, and where it goes among those that go by their places. */
static int read_input(struct run *run, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t at = run->nr_in;
	char *end;

	if (equals && framework_has_names(run->framework.framework)) {
		run->names[at] = strndup(text, (size_t)(equals - text));
		if (!run->names[at])
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a name");
		run->named = true;
	} else if (equals) {
		at = strtoul(text, &end, 10);
		if (end != equals || end == text || at >= run->options->inputs.nr ||
		    run->in[at].data_type)
			return vaccel_fail(VACCEL_EINVAL,
					   "the input '%s': this framework knows inputs by their "
					   "places; name them 0, 1 and so on, each once, or give "
					   "files alone",
					   text);
	} else if (run->in[at].data_type) {
		return vaccel_fail(VACCEL_EINVAL, "the input '%s' has no place left", text);
	}
	run->nr_in++;
	return npy_read(equals ? equals + 1 : text, &run->in[at]);
}

static int read_inputs(struct run *run)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < run->options->inputs.nr; i++)
		ret = read_input(run, run->options->inputs.text[i]);
	for (size_t i = 0; !ret && run->named && i < run->nr_in; i++)
		if (!run->names[i])
			ret = vaccel_fail(VACCEL_EINVAL,
					  "some inputs have names and '%s' has none; name all, or "
					  "none",
					  run->options->inputs.text[i]);
	return ret;
}

static int set_up(struct run *run)
{
	const struct options *options = run->options;
	const char *path = options->operands[0];
	int ret;

	run->framework.framework = framework_of(path);
	if (run->framework.framework == FRAMEWORK_NONE && access(path, R_OK))
		return vaccel_fail(errno, "cannot read the model '%s': %s", path, strerror(errno));
	if (run->framework.framework == FRAMEWORK_NONE)
		return vaccel_fail(VACCEL_EINVAL,
				   "'%s' is of no framework that can be told; call the file .onnx, "
				   ".tflite, .pb or .pt, or in a directory model.onnx, "
				   "model.tflite, saved_model.pb or model.pt",
				   path);
	ret = read_inputs(run);
	if (!ret && run->framework.framework == FRAMEWORK_TF &&
	    (!options->fetch.nr || (run->nr_in && !run->named)))
		ret = vaccel_fail(VACCEL_EINVAL,
				  "TensorFlow knows inputs and outputs by names: give --input "
				  "NAME=FILE and --fetch NAME");
	if (!ret && options->fetch.nr && !framework_has_names(run->framework.framework))
		ret = vaccel_fail(VACCEL_EINVAL,
				  "--fetch: this framework's outputs have no names; all of them "
				  "are fetched");
	return ret ? ret : vaccel_resource_init(&run->model, path, VACCEL_RESOURCE_MODEL);
}

static void drop_outputs(struct run *run)
{
	for (size_t i = 0; i < run->nr_out; i++)
		vaccel_tensor_release(&run->out[i]);
	run->nr_out = 0;
}

/* Runs it for that many outputs. If that succeeds they replace those that were there. */
static int fetch(struct run *run, size_t nr_out)
{
	struct vaccel_tensor out[OUTPUTS_MOST] = {0};
	struct vaccel_session sess;
	int ret = vaccel_session_init(&sess, 0);

	if (ret)
		return ret;
	run->framework.sess = &sess;
	run->framework.out = out;
	run->framework.nr_out = nr_out;
	ret = vaccel_resource_register(&run->model, &sess);
	if (!ret)
		ret = framework_run(&run->framework);
	vaccel_session_release(&sess);
	if (ret)
		return ret;
	drop_outputs(run);
	memcpy(run->out, out, nr_out * sizeof(*out));
	run->nr_out = nr_out;
	return VACCEL_OK;
}

/* The model has not so many, or the last of them is none that can be handed over. */
static bool is_too_many(int code)
{
	return code == VACCEL_EINVAL || code == VACCEL_ENOTSUP;
}

/* One, two, four and so on, and then between the last that it had and the first that it had not. */
static int fetch_all(struct run *run)
{
	size_t good = 1, bad = OUTPUTS_MOST + 1;
	int ret = fetch(run, 1);

	while (!ret && bad - good > 1) {
		size_t next = bad > OUTPUTS_MOST && 2 * good <= OUTPUTS_MOST
				      ? 2 * good
				      : good + (bad - good) / 2;

		ret = fetch(run, next);
		if (!ret)
			good = next;
		if (is_too_many(ret)) {
			bad = next;
			ret = VACCEL_OK;
		}
	}
	return ret;
}

static int run_model(struct run *run)
{
	const struct options *options = run->options;

	run->framework.model = &run->model;
	run->framework.in = run->in;
	run->framework.nr_in = run->nr_in;
	if (run->named)
		run->framework.in_names = (const char *const *)run->names;
	if (!options->fetch.nr)
		return fetch_all(run);
	run->framework.out_names = options->fetch.text;
	return fetch(run, options->fetch.nr);
}

/* An output's name, or "output-0" and so on. */
static void name_output(const struct run *run, size_t i, char *name, size_t size)
{
	if (run->options->fetch.nr)
		snprintf(name, size, "%s", run->options->fetch.text[i]);
	else
		snprintf(name, size, "output-%zu", i);
}

static void file_of(const struct run *run, size_t i, char path[PATH_MOST])
{
	char name[PATH_MOST / 2];

	name_output(run, i, name, sizeof(name));
	/* A name is no path. */
	for (char *at = name; *at; at++)
		if (*at == '/')
			*at = '_';
	snprintf(path, PATH_MOST, "%s/%s.npy", run->options->output, name);
}

static int write_outputs(const struct run *run)
{
	char path[PATH_MOST];
	int ret = VACCEL_OK;

	if (!run->options->output)
		return VACCEL_OK;
	if (mkdir(run->options->output, 0777) && errno != EEXIST)
		return vaccel_fail(errno, "cannot make the directory '%s': %s",
				   run->options->output, strerror(errno));
	for (size_t i = 0; !ret && i < run->nr_out; i++) {
		file_of(run, i, path);
		ret = npy_write(path, &run->out[i]);
	}
	return ret;
}

/* A float of 16 bits. */
static double half_at(const void *data, size_t i)
{
	uint16_t bits;
	int exponent;
	double value;

	memcpy(&bits, (const char *)data + 2 * i, sizeof(bits));
	exponent = bits >> 10 & 31;
	value = bits & 1023;
	if (exponent == 31)
		value = bits & 1023 ? (double)NAN : (double)INFINITY;
	else
		value = ldexp(exponent ? value + 1024 : value, (exponent ? exponent : 1) - 25);
	return bits >> 15 ? -value : value;
}

static uint32_t word_at(const struct vaccel_tensor *tensor, size_t i)
{
	uint32_t word = 0;

	if (i < tensor->size / sizeof(word))
		memcpy(&word, (const char *)tensor->data + i * sizeof(word), sizeof(word));
	return word;
}

/* After their count come the places of their beginnings, and of the end; whoever answers wrote
 * them. */
static struct json_object *string_at(const struct vaccel_tensor *tensor, size_t i)
{
	uint32_t begin = word_at(tensor, 1 + i), end = word_at(tensor, 2 + i);
	struct json_object *json;
	char *text;

	if (begin > end || end > tensor->size)
		return NULL;
	text = strndup((const char *)tensor->data + begin, end - begin);
	json = json_text(text);
	free(text);
	return json;
}

/* A number or a string as JSON has it, and people read it. */
static struct json_object *value_at(const struct vaccel_tensor *tensor, size_t i)
{
	const void *data = tensor->data;

	switch (tensor->data_type) {
	case VACCEL_TENSOR_FLOAT:
		return json_number((double)((const float *)data)[i]);
	case VACCEL_TENSOR_DOUBLE:
		return json_number(((const double *)data)[i]);
	case VACCEL_TENSOR_FLOAT16:
		return json_number(half_at(data, i));
	case VACCEL_TENSOR_UINT8:
		return json_object_new_int64(((const uint8_t *)data)[i]);
	case VACCEL_TENSOR_INT8:
		return json_object_new_int64(((const int8_t *)data)[i]);
	case VACCEL_TENSOR_UINT16:
		return json_object_new_int64(((const uint16_t *)data)[i]);
	case VACCEL_TENSOR_INT16:
		return json_object_new_int64(((const int16_t *)data)[i]);
	case VACCEL_TENSOR_INT32:
		return json_object_new_int64(((const int32_t *)data)[i]);
	case VACCEL_TENSOR_UINT32:
		return json_object_new_int64(((const uint32_t *)data)[i]);
	case VACCEL_TENSOR_INT64:
		return json_object_new_int64(((const int64_t *)data)[i]);
	case VACCEL_TENSOR_UINT64:
		return json_object_new_uint64(((const uint64_t *)data)[i]);
	case VACCEL_TENSOR_BOOL:
		return json_object_new_boolean(((const uint8_t *)data)[i] != 0);
	case VACCEL_TENSOR_STRING:
		return string_at(tensor, i);
	default:
		return NULL;
	}
}

/* How many values there are to show; 0 of a type that cannot be shown. */
static size_t count_values(const struct vaccel_tensor *tensor)
{
	const struct number_type *type = number_type_of(tensor->data_type);
	size_t words = tensor->size / sizeof(uint32_t), count = word_at(tensor, 0);

	if (tensor->data_type == VACCEL_TENSOR_STRING)
		return count + 2 <= words ? count : 0;
	return type ? tensor->size / type->size : 0;
}

static const char *type_of(const struct vaccel_tensor *tensor)
{
	const struct number_type *type = number_type_of(tensor->data_type);

	if (tensor->data_type == VACCEL_TENSOR_STRING)
		return "string";
	return type ? type->name : "of another type";
}

static void put_output(const struct run *run, size_t i)
{
	const struct vaccel_tensor *tensor = &run->out[i];
	size_t count = count_values(tensor);
	char name[PATH_MOST / 2];

	name_output(run, i, name, sizeof(name));
	terminal_put(STYLE_HEADING, 0, name);
	printf("  %s [", type_of(tensor));
	for (size_t d = 0; d < tensor->nr_dims; d++)
		printf("%s%" PRId64, d ? ", " : "", tensor->dims[d]);
	printf("]\n ");
	for (size_t n = 0; n < count && n < VALUES_PUT; n++) {
		struct json_object *value = value_at(tensor, n);

		printf(" %s", value ? json_object_to_json_string(value) : "nan");
		json_object_put(value);
	}
	puts(count > VALUES_PUT ? " ..." : "");
}

static struct json_object *output_to_json(const struct run *run, size_t i)
{
	const struct vaccel_tensor *tensor = &run->out[i];
	struct json_object *json = json_object_new_object();
	struct json_object *shape = json_object_new_array(), *data;
	char text[PATH_MOST];

	name_output(run, i, text, sizeof(text) / 2);
	json_put(json, "name", json_text(text));
	json_put(json, "type", json_text(type_of(tensor)));
	for (size_t d = 0; d < tensor->nr_dims; d++)
		json_append(shape, json_object_new_int64(tensor->dims[d]));
	json_put(json, "shape", shape);
	if (run->options->output) {
		file_of(run, i, text);
		json_put(json, "file", json_text(text));
		return json;
	}
	data = json_object_new_array();
	for (size_t n = 0; n < count_values(tensor); n++)
		json_append(data, value_at(tensor, n));
	json_put(json, "data", data);
	return json;
}

static void show(const struct run *run)
{
	struct json_object *json, *outputs;

	if (!run->options->json) {
		for (size_t i = 0; i < run->nr_out; i++)
			put_output(run, i);
		return;
	}
	json = json_object_new_object();
	outputs = json_object_new_array();
	for (size_t i = 0; i < run->nr_out; i++)
		json_append(outputs, output_to_json(run, i));
	json_put(json, "model", json_text(run->options->operands[0]));
	json_put(json, "outputs", outputs);
	json_print(json);
}

static void tear_down(struct run *run)
{
	drop_outputs(run);
	for (size_t i = 0; i < TEXTS_MOST; i++) {
		vaccel_tensor_release(&run->in[i]);
		free(run->names[i]);
	}
	if (run->model.id)
		vaccel_resource_release(&run->model);
}

int run_main(const struct options *options)
{
	struct run run = {.options = options};
	int ret;

	if (!library_ready())
		return STATUS_FAILED;
	ret = set_up(&run);
	if (!ret)
		ret = run_model(&run);
	if (!ret)
		ret = write_outputs(&run);
	if (ret)
		complain("%s", vaccel_error_text());
	else
		show(&run);
	tear_down(&run);
	return ret ? STATUS_FAILED : STATUS_OK;
}
