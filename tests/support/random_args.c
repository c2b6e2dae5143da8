// SPDX-License-Identifier: Apache-2.0
/*
 * By kind first, then the rules between arguments: an operation whose check
 * relates some of them has a function below that makes them fit. Memory for outputs
 * lies between guard bytes; memory for inputs has its exact size, so that address
 * sanitizers see a read beyond it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/op_headers.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "call/call.h"
#include "random_args.h"

#define GUARD	   16
#define GUARD_BYTE 0xa5

struct random_memory {
	struct random_memory *next;
	unsigned char *start;
	size_t size;
	bool guarded;
};

uint64_t random_next(struct random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return mixed ^ mixed >> 31;
}

size_t random_below(struct random *random, size_t bound)
{
	return bound ? (size_t)(random_next(random) % bound) : 0;
}

void random_bytes(struct random *random, void *bytes, size_t size)
{
	unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char)random_next(random);
}

static void *need(void *memory)
{
	if (memory)
		return memory;
	perror("random_args");
	abort();
}

static void *claim(struct random_args *made, size_t size, bool guarded)
{
	size_t guard = guarded ? GUARD : 0;
	struct random_memory *memory = need(malloc(sizeof(*memory)));

	*memory = (struct random_memory){made->memory, NULL, size, guarded};
	memory->start = need(malloc(size + 2 * guard + (size + guard == 0)));
	memset(memory->start, GUARD_BYTE, size + 2 * guard);
	made->memory = memory;
	return memory->start + guard;
}

bool random_args_intact(const struct random_args *made)
{
	for (const struct random_memory *memory = made->memory; memory; memory = memory->next)
		for (size_t i = 0; memory->guarded && i < GUARD; i++)
			if (memory->start[i] != GUARD_BYTE ||
			    memory->start[GUARD + memory->size + i] != GUARD_BYTE)
				return false;
	return true;
}

static void fill(struct random *random, const struct vaccel_field *field, void *to, size_t count)
{
	float *singles = to;
	double *doubles = to;

	for (size_t i = 0; i < count; i++) {
		double value = ((double)random_below(random, 257) - 128) / 16;

		if (!strcmp(field->type, "f32"))
			singles[i] = (float)value;
		else if (!strcmp(field->type, "f64"))
			doubles[i] = value;
		else
			random_bytes(random, (char *)to + i * field->size, field->size);
	}
}

static void fill_text(struct random *random, char *to, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = (char)(1 + random_below(random, 255));
	to[length] = '\0';
}

static struct extent make_span(struct random_args *made, const struct vaccel_field *field,
			       size_t count)
{
	struct extent extent = {claim(made, count * field->size, field->dir & VACCEL_DIR_OUT),
				count};

	if (field->dir != VACCEL_DIR_OUT)
		fill(&made->random, field, extent.data, count);
	return extent;
}

static char *make_text(struct random_args *made, size_t length)
{
	char *text = claim(made, length + 1, false);

	fill_text(&made->random, text, length);
	return text;
}

static struct extent make_list(struct random_args *made, const struct vaccel_field *list,
			       size_t count)
{
	const struct vaccel_item *item = list->item;
	char *items = claim(made, count * item->size, false);

	for (size_t i = 0; i < count * item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i % item->nr_fields];
		char *at = items + i / item->nr_fields * item->size;

		if (field->kind == VACCEL_KIND_ONE)
			fill(&made->random, field, at + field->offset, 1);
		else if (field->kind == VACCEL_KIND_TEXT)
			pointer_set(at, field, make_text(made, random_below(&made->random, 20)));
		else
			extent_set(at, field,
				   make_span(made, field, random_below(&made->random, 20)));
	}
	return (struct extent){items, count};
}

static struct extent make_tensors(struct random_args *made, const struct vaccel_field *field,
				  size_t count)
{
	struct vaccel_tensor *tensors = claim(made, count * sizeof(*tensors), false);

	memset(tensors, 0, count * sizeof(*tensors));
	for (size_t i = 0; field->dir & VACCEL_DIR_IN && i < count; i++) {
		struct vaccel_tensor *tensor = &tensors[i];

		tensor->data_type = (int32_t)random_below(&made->random, 23);
		tensor->nr_dims = random_below(&made->random, 5);
		tensor->dims = claim(made, tensor->nr_dims * sizeof(*tensor->dims), false);
		random_bytes(&made->random, tensor->dims, tensor->nr_dims * sizeof(*tensor->dims));
		tensor->size = random_below(&made->random, 100);
		tensor->data = claim(made, tensor->size, false);
		random_bytes(&made->random, tensor->data, tensor->size);
	}
	return (struct extent){tensors, count};
}

static struct extent make_user_args(struct random_args *made, const struct vaccel_field *field,
				    size_t count)
{
	struct vaccel_arg *list = claim(made, count * sizeof(*list), false);

	for (size_t i = 0; i < count; i++) {
		size_t size = random_below(&made->random, 60);
		void *buf = size ? claim(made, size, field->dir & VACCEL_DIR_OUT) : NULL;

		random_bytes(&made->random, buf, size);
		list[i] = (struct vaccel_arg){
			.buf = buf,
			.size = size,
			.type = (vaccel_arg_type_t)random_below(&made->random, VACCEL_ARG_MAX),
			.custom_type_id = (uint32_t)random_next(&made->random),
		};
	}
	return (struct extent){list, count};
}

static void make_one(struct random_args *made, const struct vaccel_field *field)
{
	void *value;

	if (field->dir == VACCEL_DIR_IN) {
		fill(&made->random, field, (char *)made->args + field->offset, 1);
		return;
	}
	value = claim(made, field->size, true);
	fill(&made->random, field, value, 1);
	pointer_set(made->args, field, value);
}

static void make(struct random_args *made, const struct vaccel_field *field)
{
	size_t few = random_below(&made->random, 5), many = random_below(&made->random, 70);

	if (field->marks & VACCEL_MARK_OPTIONAL && !random_below(&made->random, 4))
		return;
	if (field->marks & VACCEL_MARK_GROWS && field->kind != VACCEL_KIND_TENSORS)
		return;
	switch (field->kind) {
	case VACCEL_KIND_ONE:
		make_one(made, field);
		break;
	case VACCEL_KIND_SPAN:
		extent_set(made->args, field, make_span(made, field, many));
		break;
	case VACCEL_KIND_TEXT:
		if (field->dir == VACCEL_DIR_IN)
			pointer_set(made->args, field, make_text(made, many));
		else
			extent_set(made->args, field,
				   (struct extent){claim(made, many, true), many});
		break;
	case VACCEL_KIND_LIST:
		extent_set(made->args, field, make_list(made, field, few));
		break;
	case VACCEL_KIND_TENSORS:
		extent_set(made->args, field, make_tensors(made, field, few));
		break;
	case VACCEL_KIND_ARGS:
		extent_set(made->args, field, make_user_args(made, field, few));
		break;
	case VACCEL_KIND_RESOURCE:
		pointer_set(made->args, field, made->resources[field->resource_type]);
		break;
	}
}

/* The field of that name, which the operation has. */
static const struct vaccel_field *named(const struct random_args *made, const char *name)
{
	for (size_t i = 0; i < made->op->nr_fields; i++)
		if (!strcmp(made->op->fields[i].name, name))
			return &made->op->fields[i];
	fprintf(stderr, "random_args: %s has no '%s'\n", made->op->name, name);
	abort();
}

static void set_span(struct random_args *made, const char *name, size_t count)
{
	const struct vaccel_field *field = named(made, name);

	extent_set(made->args, field, make_span(made, field, count));
}

static void fit_minmax(struct random_args *made)
{
	struct vaccel_minmax_args *args = made->args;
	size_t count = 1 + random_below(&made->random, 50);

	set_span(made, "samples", count);
	set_span(made, "out", count);
	args->n = (int32_t)count;
	args->low = -(int32_t)random_below(&made->random, 10);
	args->high = (int32_t)random_below(&made->random, 10);
}

static size_t matrix_elements(size_t rows, size_t columns, size_t stride)
{
	return rows && columns ? (rows - 1) * stride + columns : 0;
}

static void fit_blas_sgemm(struct random_args *made)
{
	struct vaccel_blas_sgemm_args *args = made->args;
	size_t m = random_below(&made->random, 9), n = random_below(&made->random, 9);
	size_t k = random_below(&made->random, 9);
	size_t lda = k + 1 + random_below(&made->random, 3), ldb = n + 1, ldc = MAX_OF(n, 1u);

	args->m = (int64_t)m;
	args->n = (int64_t)n;
	args->k = (int64_t)k;
	args->lda = (int64_t)lda;
	args->ldb = (int64_t)ldb;
	args->ldc = (int64_t)ldc;
	set_span(made, "a", matrix_elements(m, k, lda));
	set_span(made, "b", matrix_elements(k, n, ldb));
	set_span(made, "c", matrix_elements(m, n, ldc));
}

/* All arrays of one length, a square number. */
static void fit_fpga(struct random_args *made)
{
	size_t side = 1 + random_below(&made->random, 6);

	for (size_t i = 0; i < made->op->nr_fields; i++)
		set_span(made, made->op->fields[i].name, side * side);
}

static void set_matrix(struct random_args *made, struct vaccel_tensor *tensor, size_t rows,
		       size_t columns)
{
	const struct vaccel_field single = {.type = "f32", .size = sizeof(float)};
	struct extent data = make_span(made, &single, rows * columns);

	*tensor = (struct vaccel_tensor){
		.data = data.data,
		.size = data.count * sizeof(float),
		.nr_dims = 2,
		.dims = claim(made, 2 * sizeof(int64_t), false),
		.data_type = VACCEL_TORCH_FLOAT,
	};
	tensor->dims[0] = (int64_t)rows;
	tensor->dims[1] = (int64_t)columns;
}

static void fit_torch_sgemm(struct random_args *made)
{
	struct vaccel_torch_sgemm_args *args = made->args;
	size_t m = 1 + random_below(&made->random, 6), n = 1 + random_below(&made->random, 6);
	size_t k = 1 + random_below(&made->random, 6);
	struct vaccel_tensor *in = claim(made, 3 * sizeof(*in), false);
	struct extent out = make_tensors(made, named(made, "out"), 1);

	set_matrix(made, &in[0], m, k);
	set_matrix(made, &in[1], k, n);
	set_matrix(made, &in[2], m, n);
	args->in.data = in;
	args->in.count = 3;
	args->m = (int32_t)m;
	args->n = (int32_t)n;
	args->k = (int32_t)k;
	extent_set(args, named(made, "out"), out);
}

/* As many names as there are tensors. */
static void set_names(struct random_args *made, const char *names, const char *tensors)
{
	size_t count = extent_get(made->args, named(made, tensors)).count;

	extent_set(made->args, named(made, names), make_list(made, named(made, names), count));
}

static void fit_tf_model_run(struct random_args *made)
{
	set_names(made, "in_nodes", "in");
	set_names(made, "out_nodes", "out");
}

static void fit_onnx_model_run(struct random_args *made)
{
	set_names(made, "in_names", "in");
	set_names(made, "out_names", "out");
}

static void fit_exec(struct random_args *made)
{
	((struct vaccel_exec_args *)made->args)->library = make_text(made, 7);
	((struct vaccel_exec_args *)made->args)->symbol = make_text(made, 5);
}

static void fit_exec_with_resource(struct random_args *made)
{
	((struct vaccel_exec_with_resource_args *)made->args)->symbol = make_text(made, 5);
}

static void fit_image(struct random_args *made)
{
	set_span(made, "image", 1 + random_below(&made->random, 200));
}

static void fit_image_classify_top(struct random_args *made)
{
	fit_image(made);
	((struct vaccel_image_classify_top_args *)made->args)->k =
		1 + random_below(&made->random, 10);
}

static const struct {
	const struct vaccel_op *op;
	void (*fit)(struct random_args *made);
} fits[] = {
	{&vaccel_op_minmax, fit_minmax},
	{&vaccel_op_blas_sgemm, fit_blas_sgemm},
	{&vaccel_op_fpga_arraycopy, fit_fpga},
	{&vaccel_op_fpga_mmult, fit_fpga},
	{&vaccel_op_fpga_parallel, fit_fpga},
	{&vaccel_op_fpga_vectoradd, fit_fpga},
	{&vaccel_op_torch_sgemm, fit_torch_sgemm},
	{&vaccel_op_tf_model_run, fit_tf_model_run},
	{&vaccel_op_onnx_model_run, fit_onnx_model_run},
	{&vaccel_op_exec, fit_exec},
	{&vaccel_op_exec_with_resource, fit_exec_with_resource},
	{&vaccel_op_image_classify, fit_image},
	{&vaccel_op_image_detect, fit_image},
	{&vaccel_op_image_segment, fit_image},
	{&vaccel_op_image_pose, fit_image},
	{&vaccel_op_image_depth, fit_image},
	{&vaccel_op_image_classify_top, fit_image_classify_top},
	{&vaccel_op_image_detect_boxes, fit_image},
	{&vaccel_op_image_segment_mask, fit_image},
	{&vaccel_op_image_pose_points, fit_image},
	{&vaccel_op_image_depth_map, fit_image},
};

struct random_args *random_args_new(const struct vaccel_op *op, uint64_t seed,
				    struct vaccel_resource *const *resources)
{
	struct random_args *made = need(calloc(1, sizeof(*made)));

	made->op = op;
	made->random.state = seed;
	made->resources = resources;
	made->args = need(calloc(1, op->args_size));
	for (size_t i = 0; i < op->nr_fields; i++)
		make(made, &op->fields[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fits); i++)
		if (fits[i].op == op)
			fits[i].fit(made);
	if (op->check && op->check(made->args)) {
		fprintf(stderr, "random_args: %s does not accept these: %s\n", op->name,
			vaccel_error_text());
		abort();
	}
	return made;
}

void random_args_delete(struct random_args *made)
{
	args_drop_outputs(made->op, made->args);
	while (made->memory) {
		struct random_memory *memory = made->memory;

		made->memory = memory->next;
		free(memory->start);
		free(memory);
	}
	free(made->args);
	free(made);
}
