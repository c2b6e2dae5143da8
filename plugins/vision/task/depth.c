// SPDX-License-Identifier: Apache-2.0
/* How far away each pixel is: the model's first output is a map of one number for each. */
#include <string.h>

#include "model/util.h"
#include "vision/pass.h"
#include "vision/task/map.h"
#include "vision/task/task.h"

static bool is_depth(const struct model *model, size_t nr_dims, const int64_t *dims,
		     struct map *ret_map)
{
	return map_of(nr_dims, dims, model->card.output.layout, ret_map) && ret_map->channels <= 1;
}

int depth_fit(const struct model *model)
{
	const struct port *port = &model->network->outputs[0];
	struct map map;

	if (network_reads(port->type) &&
	    (!port->nr_dims || is_depth(model, port->nr_dims, port->dims, &map)))
		return VACCEL_OK;
	return vaccel_fail(
		VACCEL_EINVAL,
		"the model's output '%.60s' is %s; to tell distances it must be one map, "
		"such as float [1, 256, 256]",
		port->name, port_words(port).text);
}

int vision_image_depth_map(struct vaccel_call *call, struct vaccel_image_depth_map_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	const struct network_output *output = &pass.outputs.output[0];
	const float *numbers;
	struct map map;
	size_t pixels;
	int ret = pass_begin(call, CARD_DEPTH, &pass);

	if (!ret)
		ret = pass_run(&pass, args->image.data, args->image.count, 1);
	if (ret)
		return ret;
	if (!is_depth(pass.model, output->nr_dims, output->dims, &map))
		return vaccel_fail(VACCEL_EBACKEND, "the model's output is %s, which is no map",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	pixels = (size_t)(map.width * map.height);
	numbers = pass_floats(&pass, 0);
	if (!numbers || !vaccel_call_out(call, &args->depth, bytes_of(pixels, sizeof(*numbers), 0)))
		return VACCEL_ENOMEM;
	memcpy(args->depth.data, numbers, pixels * sizeof(*numbers));
	args->depth.count = pixels;
	*args->width = (uint32_t)map.width;
	*args->height = (uint32_t)map.height;
	return VACCEL_OK;
}
