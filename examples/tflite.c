// SPDX-License-Identifier: Apache-2.0
/* Runs a TensorFlow Lite model with one input of four floats. */
#include "example.h"

int main(int argc, char **argv)
{
	const int32_t dims[] = {1, 4};
	float data[] = {1, 2, 3, 4};
	struct vaccel_tflite_tensor *in, *out;
	struct vaccel_resource *model;
	struct vaccel_session sess;
	uint8_t status;

	if (argc != 2)
		usage("tflite MODEL");
	TRY(vaccel_session_init(&sess, VACCEL_PLUGIN_TENSORFLOW));
	TRY(vaccel_resource_new(&model, argv[1], VACCEL_RESOURCE_MODEL));
	TRY(vaccel_resource_register(model, &sess));
	TRY(vaccel_tflite_model_load(&sess, model));

	TRY(vaccel_tflite_tensor_new(&in, 2, dims, VACCEL_TFLITE_FLOAT32));
	TRY(vaccel_tflite_tensor_set_data(in, data, sizeof(data)));
	TRY(vaccel_tflite_model_run(&sess, model, &in, 1, &out, 1, &status));
	printf("status %u, %d dimensions, %zu bytes\n", status, out->nr_dims, out->size);
	TRY(vaccel_tflite_tensor_delete(out));
	TRY(vaccel_tflite_tensor_delete(in));

	TRY(vaccel_tflite_model_unload(&sess, model));
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_resource_delete(model));
	return EXIT_SUCCESS;
}
