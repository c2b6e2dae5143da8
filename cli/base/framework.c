// SPDX-License-Identifier: Apache-2.0
/*
 * The operations that run models take the same tensors, but number their types as the
 * framework does. They are called by vaccel_call() with their argument structs, which
 * the four functions of the API would have to be given in four forms.
 */
#include "base/framework.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MOST 256
#define PATH_MOST 4096

static const struct {
	const char *suffix;
	const char *in_directory;
	enum framework framework;
} names[] = {
	{".onnx", "model.onnx", FRAMEWORK_ONNX}, {".tflite", "model.tflite", FRAMEWORK_TFLITE},
	{".lite", NULL, FRAMEWORK_TFLITE},	 {".pb", "saved_model.pb", FRAMEWORK_TF},
	{".pt", "model.pt", FRAMEWORK_TORCH},	 {".pth", NULL, FRAMEWORK_TORCH},
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

/* The frameworks' numbers of a type; -1 where they have none. */
static const struct {
	int32_t number[FRAMEWORK_NONE];
} types[] = {
#define TYPE(onnx, tflite, tf, torch)                                                           \
	{                                                                                       \
		{                                                                               \
			[FRAMEWORK_ONNX] = VACCEL_TENSOR_##onnx, [FRAMEWORK_TFLITE] = (tflite), \
			[FRAMEWORK_TF] = (tf), [FRAMEWORK_TORCH] = (torch)                      \
		}                                                                               \
	}
	TYPE(FLOAT, VACCEL_TFLITE_FLOAT32, VACCEL_TF_FLOAT, VACCEL_TORCH_FLOAT),
	TYPE(UINT8, VACCEL_TFLITE_UINT8, VACCEL_TF_UINT8, VACCEL_TORCH_BYTE),
	TYPE(INT8, VACCEL_TFLITE_INT8, VACCEL_TF_INT8, VACCEL_TORCH_CHAR),
	TYPE(UINT16, VACCEL_TFLITE_UINT16, VACCEL_TF_UINT16, -1),
	TYPE(INT16, VACCEL_TFLITE_INT16, VACCEL_TF_INT16, VACCEL_TORCH_SHORT),
	TYPE(INT32, VACCEL_TFLITE_INT32, VACCEL_TF_INT32, VACCEL_TORCH_INT),
	TYPE(INT64, VACCEL_TFLITE_INT64, VACCEL_TF_INT64, VACCEL_TORCH_LONG),
	TYPE(BOOL, VACCEL_TFLITE_BOOL, VACCEL_TF_BOOL, VACCEL_TORCH_BOOL),
	TYPE(FLOAT16, VACCEL_TFLITE_FLOAT16, VACCEL_TF_HALF, VACCEL_TORCH_HALF),
	TYPE(DOUBLE, VACCEL_TFLITE_FLOAT64, VACCEL_TF_DOUBLE, VACCEL_TORCH_DOUBLE),
	TYPE(UINT32, VACCEL_TFLITE_UINT32, VACCEL_TF_UINT32, -1),
	TYPE(UINT64, VACCEL_TFLITE_UINT64, VACCEL_TF_UINT64, -1),
	TYPE(STRING, VACCEL_TFLITE_STRING, VACCEL_TF_STRING, -1),
#undef TYPE
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && !strcmp(name + length - tail, suffix);
}

static enum framework by_directory(const char *path)
{
	char file[PATH_MOST];

	for (size_t i = 0; i < NR_NAMES; i++) {
		if (!names[i].in_directory)
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, names[i].in_directory);
		if (!access(file, F_OK))
			return names[i].framework;
	}
	return FRAMEWORK_NONE;
}

static enum framework by_bytes(const char *path)
{
	char head[8] = "";
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return FRAMEWORK_NONE;
	size = fread(head, 1, sizeof(head), file);
	fclose(file);
	if (size == sizeof(head) && !memcmp(head + 4, "TFL3", 4))
		return FRAMEWORK_TFLITE;
	return size > 4 && !memcmp(head, "PK\3\4", 4) ? FRAMEWORK_TORCH : FRAMEWORK_NONE;
}

enum framework framework_of(const char *path)
{
	struct stat status;

	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		return by_directory(path);
	for (size_t i = 0; i < NR_NAMES; i++)
		if (ends_in(path, names[i].suffix))
			return names[i].framework;
	return by_bytes(path);
}

bool framework_has_names(enum framework framework)
{
	return framework == FRAMEWORK_ONNX || framework == FRAMEWORK_TF;
}

/* A number of one framework as that of another; -1 if that has no such type. */
static int32_t translate(int32_t number, enum framework from, enum framework to)
{
	for (size_t i = 0; i < NR_TYPES; i++)
		if (types[i].number[from] == number)
			return types[i].number[to];
	return -1;
}

static int run_onnx(struct framework_run *run, const struct vaccel_tensor *in)
{
	struct vaccel_onnx_name in_names[NAME_MOST], out_names[NAME_MOST];
	struct vaccel_onnx_model_run_args args = {
		.model = run->model,
		.in = {in, run->nr_in},
		.out = {run->out, run->nr_out},
	};

	for (size_t i = 0; run->in_names && i < run->nr_in; i++)
		in_names[i].name = (char *)run->in_names[i];
	for (size_t i = 0; run->out_names && i < run->nr_out; i++)
		out_names[i].name = (char *)run->out_names[i];
	if (run->in_names) {
		args.in_names.data = in_names;
		args.in_names.count = run->nr_in;
	}
	if (run->out_names) {
		args.out_names.data = out_names;
		args.out_names.count = run->nr_out;
	}
	return vaccel_call(run->sess, &vaccel_op_onnx_model_run, &args);
}

static int run_tflite(struct framework_run *run, const struct vaccel_tensor *in)
{
	uint8_t status = 0;
	struct vaccel_tflite_model_run_args args = {
		.model = run->model,
		.in = {in, run->nr_in},
		.out = {run->out, run->nr_out},
		.status = &status,
	};

	return vaccel_call(run->sess, &vaccel_op_tflite_model_run, &args);
}

static int run_torch(struct framework_run *run, const struct vaccel_tensor *in)
{
	struct vaccel_torch_model_run_args args = {
		.model = run->model,
		.in = {in, run->nr_in},
		.out = {run->out, run->nr_out},
	};

	return vaccel_call(run->sess, &vaccel_op_torch_model_run, &args);
}

/* "name", or "name:1" for another than the first of its outputs. */
static struct vaccel_tf_node node_of(const char *name, char room[NAME_MOST])
{
	char *colon;
	int id = 0;

	snprintf(room, NAME_MOST, "%s", name);
	colon = strrchr(room, ':');
	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
		id = atoi(colon + 1);
		*colon = '\0';
	}
	return (struct vaccel_tf_node){room, id};
}

static int run_tf(struct framework_run *run, const struct vaccel_tensor *in)
{
	char(*rooms)[NAME_MOST] = calloc(run->nr_in + run->nr_out, sizeof(*rooms));
	struct vaccel_tf_node *nodes = calloc(run->nr_in + run->nr_out, sizeof(*nodes));
	uint8_t status = 0;
	struct vaccel_tf_model_run_args args = {
		.model = run->model,
		.in_nodes = {nodes, run->nr_in},
		.in = {in, run->nr_in},
		.out = {run->out, run->nr_out},
		.status = &status,
	};
	int ret;

	for (size_t i = 0; rooms && nodes && i < run->nr_in; i++)
		nodes[i] = node_of(run->in_names[i], rooms[i]);
	for (size_t i = 0; rooms && nodes && i < run->nr_out; i++)
		nodes[run->nr_in + i] = node_of(run->out_names[i], rooms[run->nr_in + i]);
	args.out_nodes.data = nodes ? nodes + run->nr_in : NULL;
	args.out_nodes.count = run->nr_out;
	ret = rooms && nodes ? vaccel_call(run->sess, &vaccel_op_tf_model_run, &args)
			     : vaccel_fail(VACCEL_ENOMEM, "no memory for names");
	free(args.message.data);
	free(nodes);
	free(rooms);
	return ret;
}

int framework_run(struct framework_run *run)
{
	static int (*const runs[])(struct framework_run *, const struct vaccel_tensor *) = {
		[FRAMEWORK_ONNX] = run_onnx,
		[FRAMEWORK_TFLITE] = run_tflite,
		[FRAMEWORK_TF] = run_tf,
		[FRAMEWORK_TORCH] = run_torch,
	};
	struct vaccel_tensor in[NAME_MOST];
	int ret;

	if (run->nr_in > NAME_MOST || run->nr_out > NAME_MOST)
		return vaccel_fail(VACCEL_EINVAL, "more than %d inputs or outputs", NAME_MOST);
	for (size_t i = 0; i < run->nr_in; i++) {
		in[i] = run->in[i];
		in[i].data_type = translate(in[i].data_type, FRAMEWORK_ONNX, run->framework);
		if (in[i].data_type < 0)
			return vaccel_fail(VACCEL_EINVAL,
					   "the framework has no numbers of the type of input %zu",
					   i);
	}
	ret = runs[run->framework](run, in);
	for (size_t i = 0; !ret && i < run->nr_out; i++) {
		int32_t type = translate(run->out[i].data_type, run->framework, FRAMEWORK_ONNX);

		run->out[i].data_type = type < 0 ? VACCEL_TENSOR_UNDEFINED : type;
	}
	return ret;
}
