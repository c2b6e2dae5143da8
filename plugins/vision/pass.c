// SPDX-License-Identifier: Apache-2.0
/*
 * What every task does first. What a call works with comes from the shelf of
 * scratch.c, so that after the first calls next to nothing is allocated here.
 */
#include "vision/pass.h"

#include "model/words.h"

int pass_begin(struct vaccel_call *call, enum card_task task, struct pass *pass)
{
	int ret = use_session(call, model_defaults[task], &pass->use);

	if (ret)
		return ret;
	pass->model = (const struct model *)pass->use.held;
	if (pass->model->unfit[task])
		return vaccel_fail(VACCEL_EINVAL, "%s", pass->model->unfit[task]);
	pass->scratch = scratch_take();
	return pass->scratch ? VACCEL_OK : VACCEL_ENOMEM;
}

static int make_input(struct pass *pass, const void *image, size_t size,
		      struct network_input *ret_input)
{
	const struct card_input *input = &pass->model->card.input;
	const struct port *port = &pass->model->network->inputs[0];
	struct preprocess_scratch *pictures = &pass->scratch->pictures;
	size_t item = port->type == VACCEL_TENSOR_FLOAT ? sizeof(float) : 1;
	size_t bytes = item * 3 * input->width * input->height;
	void *room = scratch_room(pass->scratch, ROOM_INPUT, bytes);
	int ret;

	if (!room)
		return VACCEL_ENOMEM;
	ret = picture_prepare(image, size, &model_limits, input, pictures);
	if (ret)
		return ret;
	tensor_fill(input, port, &pictures->resized, room);
	pass->width = pictures->decoded.width;
	pass->height = pictures->decoded.height;
	*ret_input = (struct network_input){room, bytes, 4, pass->model->shape};
	return VACCEL_OK;
}

/* What a model says of its outputs may leave open what a run then shows. */
static int check_output(const struct network_output *output, const struct port *port)
{
	bool sound = network_reads(output->type);

	for (size_t i = 0; i < output->nr_dims; i++)
		sound = sound && output->dims[i] >= 0;
	if (sound)
		return VACCEL_OK;
	return vaccel_fail(
		VACCEL_EBACKEND,
		"the model's output '%.60s' is %s, which are no numbers that a task reads",
		port->name, shape_words(output->type, output->nr_dims, output->dims).text);
}

int pass_run(struct pass *pass, const void *image, size_t size, size_t nr_outputs)
{
	const struct network *network = pass->model->network;
	struct network_input input;
	int ret = make_input(pass, image, size, &input);

	if (ret)
		return ret;
	pass->outputs.nr = nr_outputs;
	pass->ran = true;
	ret = network->kind->run(network, &input, &pass->outputs);
	for (size_t i = 0; !ret && i < nr_outputs; i++)
		ret = check_output(&pass->outputs.output[i], &network->outputs[i]);
	return ret;
}

const float *pass_floats(struct pass *pass, size_t output)
{
	static const float nothing;
	const struct network_output *from = &pass->outputs.output[output];
	float *room = NULL;

	/* Nothing may lie nowhere. */
	if (!network_count(from))
		return &nothing;
	if (from->type != VACCEL_TENSOR_FLOAT) {
		room = scratch_room(pass->scratch, ROOM_OUTPUT + (unsigned int)output,
				    bytes_of(network_count(from), sizeof(*room), 0));
		if (!room)
			return NULL;
	}
	return network_floats(from, &pass->model->network->outputs[output], room);
}

void pass_end(struct pass *pass)
{
	if (pass->ran)
		pass->model->network->kind->done(pass->model->network, &pass->outputs);
	scratch_give(pass->scratch);
	use_end(&pass->use);
}
