// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin for tests of the worker, in whose process it runs: operations that wait
 * until they are told to go on, and that tell which files they were given.
 */
#include <string.h>
#include <unistd.h>

#include <vaccel/ops/fpga.h>
#include <vaccel/ops/image.h>
#include <vaccel/plugin.h>

/* Copies; before that, says on descriptor a[0] that it runs, and waits for a byte on a[1]. */
static int wait_at_gate(struct vaccel_call *call, struct vaccel_fpga_arraycopy_args *args)
{
	char byte;

	if (args->a.count >= 2 && args->a.data[0] > 2 &&
	    (write(args->a.data[0], "r", 1) != 1 || read(args->a.data[1], &byte, 1) != 1))
		return vaccel_fail(VACCEL_EBACKEND, "gate: nobody is there, says /a/b/c.txt");
	memmove(args->out.data, args->a.data, args->a.count * sizeof(*args->a.data));
	return VACCEL_OK;
}

/* The path of the first file of the session's DATA; its first byte in memory becomes 'X'. */
static int change_data(struct vaccel_call *call, struct vaccel_image_depth_args *args)
{
	struct vaccel_resource *data = vaccel_call_resource(call, VACCEL_RESOURCE_DATA);
	const char *path;
	int ret = VACCEL_OK;

	if (!data)
		return vaccel_fail(VACCEL_ENOENT, "gate: the session has no data");
	*vaccel_blob_data(data->blobs[0], NULL) = 'X';
	if (args->imgname.size)
		ret = vaccel_resource_file(data, 0, &path);
	if (!ret && args->imgname.size)
		strncpy(args->imgname.data, path, args->imgname.size - 1);
	vaccel_resource_unref(data);
	return ret;
}

static const struct vaccel_plugin_info info = {
	.name = "gate",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_GENERIC,
	.sentence = "waits",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(FPGA_ARRAYCOPY, fpga_arraycopy, wait_at_gate),
	VACCEL_PLUGIN_OP(IMAGE_DEPTH, image_depth, change_data),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]));
