// SPDX-License-Identifier: Apache-2.0
/* The files of a resource, which other threads may be writing to the disk meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>
#include <vaccel/plugin.h>

#include "model/files.h"

int __real_vaccel_resource_with_blobs(struct vaccel_resource *resource, vaccel_resource_use_fn *use,
				      void *context);
int __wrap_vaccel_resource_with_blobs(struct vaccel_resource *resource, vaccel_resource_use_fn *use,
				      void *context);

/* That had to wait for another thread, which gave the file the name that it has on the disk. */
int __wrap_vaccel_resource_with_blobs(struct vaccel_resource *resource, vaccel_resource_use_fn *use,
				      void *context)
{
	free(resource->blobs[0]->name);
	resource->blobs[0]->name = strdup("model-1.onnx");
	return __real_vaccel_resource_with_blobs(resource, use, context);
}

static void test_names_that_change(void **state)
{
	struct vaccel_resource model;
	struct model_files files;

	(void)state;
	assert_int_equal(vaccel_bootstrap_with_config(&(struct vaccel_config){
				 .plugins = (char *)"", .log_level = VACCEL_LOG_ERROR}),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_init_from_buf(&model, "bytes", 5, VACCEL_RESOURCE_MODEL,
						       "model.onnx", true),
			 VACCEL_OK);
	assert_int_equal(files_of_resource(&model, &files), VACCEL_OK);
	assert_int_equal(files.nr, 1);
	assert_string_equal(files.file[0].name, "model-1.onnx");
	assert_int_equal(files.file[0].size, 5);
	assert_memory_equal(files.file[0].data, "bytes", 5);
	files_release(&files);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
	vaccel_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names_that_change)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
