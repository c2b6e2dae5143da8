// SPDX-License-Identifier: Apache-2.0
/*
 * Runs an ONNX model on tensors that the program makes itself. The model is our
 * own of models/digits: 1 x 3 x 8 x 8 floats in, dark ink at -1 on light paper at
 * 1, and a score for each of the ten digits out.
 */
#include "example.h"

enum { CHANNELS = 3, SIDE = 8, PIXELS = SIDE * SIDE };

static const char drawing[] = "  ####  "
			      " ##  ## "
			      " #    # "
			      " #    # "
			      " #    # "
			      " #    # "
			      " ##  ## "
			      "  ####  ";

static void draw(float input[CHANNELS][PIXELS])
{
	for (int channel = 0; channel < CHANNELS; channel++)
		for (int i = 0; i < PIXELS; i++)
			input[channel][i] = drawing[i] == '#' ? -1 : 1;
}

static size_t largest(const float *scores, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (scores[i] > scores[best])
			best = i;
	return best;
}

int main(int argc, char **argv)
{
	const int64_t dims[] = {1, CHANNELS, SIDE, SIDE};
	const char *const in_names[] = {"input"}, *const out_names[] = {"logits"};
	float pixels[CHANNELS][PIXELS];
	struct vaccel_tensor *in, *out;
	struct vaccel_resource *model;
	struct vaccel_session sess;

	if (argc != 2)
		usage("onnx MODEL");
	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_resource_new(&model, argv[1], VACCEL_RESOURCE_MODEL));
	TRY(vaccel_resource_register(model, &sess));
	TRY(vaccel_onnx_model_load(&sess, model));

	draw(pixels);
	TRY(vaccel_tensor_new(&in, 4, dims, VACCEL_TENSOR_FLOAT));
	TRY(vaccel_tensor_set_data(in, pixels, sizeof(pixels)));
	TRY(vaccel_onnx_model_run(&sess, model, in_names, &in, 1, out_names, &out, 1));
	printf("that is a %zu, of %zu digits\n", largest(out->data, out->size / sizeof(float)),
	       out->size / sizeof(float));

	TRY(vaccel_tensor_delete(out));
	TRY(vaccel_tensor_delete(in));
	TRY(vaccel_onnx_model_unload(&sess, model));
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_resource_delete(model));
	return EXIT_SUCCESS;
}
