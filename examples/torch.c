// SPDX-License-Identifier: Apache-2.0
/* Runs a TorchScript model with one input of 2 x 2 floats, and a product of matrices: a b + c. */
#include "example.h"

enum { SIDE = 2 };

static struct vaccel_torch_tensor *matrix(float data[SIDE][SIDE])
{
	const int64_t dims[] = {SIDE, SIDE};
	struct vaccel_torch_tensor *tensor;

	TRY(vaccel_torch_tensor_new(&tensor, 2, dims, VACCEL_TORCH_FLOAT));
	/* Borrowed: the caller keeps it in place. */
	TRY(vaccel_torch_tensor_set_data(tensor, data, SIDE * SIDE * sizeof(float)));
	return tensor;
}

static void print(const char *what, struct vaccel_torch_tensor *tensor)
{
	const float *values = tensor->data;

	printf("%s:", what);
	for (size_t i = 0; i < tensor->size / sizeof(*values); i++)
		printf(" %g", (double)values[i]);
	printf("\n");
	TRY(vaccel_torch_tensor_delete(tensor));
}

int main(int argc, char **argv)
{
	float numbers[SIDE][SIDE] = {{1, 2}, {3, 4}}, zeros[SIDE][SIDE] = {{0}};
	struct vaccel_torch_tensor *a = matrix(numbers), *c = matrix(zeros), *out;
	struct vaccel_resource *model;
	struct vaccel_session sess;

	if (argc != 2)
		usage("torch MODEL");
	TRY(vaccel_session_init(&sess, VACCEL_PLUGIN_TORCH));
	TRY(vaccel_resource_new(&model, argv[1], VACCEL_RESOURCE_MODEL));
	TRY(vaccel_resource_register(model, &sess));
	TRY(vaccel_torch_model_load(&sess, model));
	TRY(vaccel_torch_model_run(&sess, model, NULL, &a, 1, &out, 1));
	print("model", out);
	TRY(vaccel_torch_sgemm(&sess, &a, &a, &c, SIDE, SIDE, SIDE, &out));
	print("sgemm", out);

	TRY(vaccel_torch_tensor_delete(c));
	TRY(vaccel_torch_tensor_delete(a));
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_resource_delete(model));
	return EXIT_SUCCESS;
}
