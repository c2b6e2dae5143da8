// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a TensorFlow model: a SavedModel directory, or the file of a frozen
 * graph, with one input of four floats. A status tells what TensorFlow said.
 */
#include "example.h"

int main(int argc, char **argv)
{
	const int64_t dims[] = {1, 4};
	float data[] = {1, 2, 3, 4};
	struct vaccel_tf_node in_node, out_node;
	struct vaccel_tf_tensor *in, *out;
	struct vaccel_tf_status status;
	struct vaccel_resource *model;
	struct vaccel_session sess;

	if (argc != 4)
		usage("tf MODEL INPUT OUTPUT");
	TRY(vaccel_session_init(&sess, VACCEL_PLUGIN_TENSORFLOW));
	TRY(vaccel_resource_new(&model, argv[1], VACCEL_RESOURCE_MODEL));
	TRY(vaccel_resource_register(model, &sess));
	TRY(vaccel_tf_model_load(&sess, model, &status));
	TRY(vaccel_tf_status_release(&status));

	TRY(vaccel_tf_node_init(&in_node, argv[2], 0));
	TRY(vaccel_tf_node_init(&out_node, argv[3], 0));
	TRY(vaccel_tf_tensor_new(&in, 2, dims, VACCEL_TF_FLOAT));
	TRY(vaccel_tf_tensor_set_data(in, data, sizeof(data)));
	TRY(vaccel_tf_model_run(&sess, model, NULL, &in_node, &in, 1, &out_node, &out, 1, &status));
	printf("status %u '%s', %d dimensions, %zu bytes\n", status.code, status.message,
	       out->nr_dims, out->size);
	TRY(vaccel_tf_status_release(&status));
	TRY(vaccel_tf_tensor_delete(out));
	TRY(vaccel_tf_tensor_delete(in));
	TRY(vaccel_tf_node_release(&out_node));
	TRY(vaccel_tf_node_release(&in_node));

	TRY(vaccel_tf_model_unload(&sess, model, NULL));
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_resource_delete(model));
	return EXIT_SUCCESS;
}
