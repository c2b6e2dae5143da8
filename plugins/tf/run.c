// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a model on tensors as they come. What a program gives is compared with what the
 * graph says of its nodes, so that an error names the tensor, what it is and what it
 * should be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/port.h"
#include "model/util.h"
#include "model/words.h"
#include "tf/engine.h"
#include "tf/state.h"
#include "tf/tensor.h"

/* The inputs, or the outputs, of a run: what TensorFlow wants side by side. */
struct side {
	const char *what;
	TF_Output *nodes;
	TF_Tensor **tensors;
	void (*delete)(TF_Tensor *tensor);
	size_t nr;
};

struct name_list {
	char text[400];
	size_t used;
};

static void side_release(struct side *side)
{
	for (size_t i = 0; side->tensors && i < side->nr; i++)
		if (side->tensors[i])
			side->delete (side->tensors[i]);
	free(side->tensors);
	free(side->nodes);
}

/* What programs call an input is a placeholder, and an output what no other node takes. */
static bool is_end(TF_Operation *operation, const char *what)
{
	if (!strcmp(what, "input"))
		return !strcmp(TF_OperationOpType(operation), "Placeholder");
	return TF_OperationNumOutputs(operation) == 1 &&
	       !TF_OperationOutputNumConsumers((TF_Output){operation, 0});
}

static void add_name(struct name_list *list, const char *name)
{
	if (list->used < sizeof(list->text))
		list->used +=
			(size_t)snprintf(list->text + list->used, sizeof(list->text) - list->used,
					 "%s'%.60s'", list->used ? ", " : "", name);
}

/* The names that a program may have meant, as many as have room. */
static struct name_list names_of(const struct instance *instance, const char *what)
{
	struct name_list list = {.text = "none"};
	TF_Operation *operation;
	size_t at = 0;

	for (size_t i = 0; i < instance->signature.nr; i++)
		add_name(&list, instance->signature.alias[i].name);
	while (!instance->signature.nr && (operation = TF_GraphNextOperation(instance->graph, &at)))
		if (is_end(operation, what))
			add_name(&list, TF_OperationName(operation));
	return list;
}

/* Finds a node as the graph, or the model's signature, names it. */
static int find_node(const struct instance *instance, const char *what,
		     const struct vaccel_tf_node *node, TF_Output *ret_output)
{
	const char *alias = signature_find(&instance->signature, node->name), *colon;
	_cleanup_(freep) char *name = NULL;

	ret_output->oper = TF_GraphOperationByName(instance->graph, node->name);
	ret_output->index = node->id;
	if (!ret_output->oper && alias) {
		colon = strrchr(alias, ':');
		name = strndup(alias, colon ? (size_t)(colon - alias) : strlen(alias));
		if (!name)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a node's name");
		ret_output->oper = TF_GraphOperationByName(instance->graph, name);
		ret_output->index = colon ? atoi(colon + 1) : 0;
	}
	if (!ret_output->oper)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model has no node '%.100s' for an %s, neither in its graph "
				   "nor in its signature; there is %s",
				   node->name, what, names_of(instance, what).text);
	if (ret_output->index < 0 || ret_output->index >= TF_OperationNumOutputs(ret_output->oper))
		return vaccel_fail(
			VACCEL_EINVAL, "the model's node '%.100s' has %d outputs, and no %d",
			node->name, TF_OperationNumOutputs(ret_output->oper), ret_output->index);
	return VACCEL_OK;
}

static int find_nodes(const struct instance *instance, const struct vaccel_tf_node *nodes,
		      struct side *side)
{
	int ret = VACCEL_OK;

	/* One more than asked for, so that none is still a list. */
	side->nodes = calloc(side->nr + 1, sizeof(*side->nodes));
	side->tensors = calloc(side->nr + 1, sizeof(TF_Tensor *));
	if (!side->nodes || !side->tensors) {
		vaccel_fail(VACCEL_ENOMEM, "no memory for %zu %ss", side->nr, side->what);
		return VACCEL_ENOMEM;
	}
	for (size_t i = 0; !ret && i < side->nr; i++)
		ret = find_node(instance, side->what, &nodes[i], &side->nodes[i]);
	return ret;
}

static int read_port(const struct instance *instance, TF_Output node, struct port *port)
{
	_cleanup_(status_deletep) TF_Status *status = TF_NewStatus();
	int nr, ret;

	if (!status)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a status");
	nr = TF_GraphGetTensorNumDims(instance->graph, node, status);
	ret = status_check(status);
	/* A node of any rank has no list of sizes. */
	if (ret || nr < 0)
		return ret;
	port->nr_dims = (size_t)nr;
	port->dims = calloc((size_t)nr + 1, sizeof(*port->dims));
	if (!port->dims)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a shape");
	TF_GraphGetTensorShape(instance->graph, node, port->dims, nr, status);
	return status_check(status);
}

/* Programs' tensors have a dimension at least, so a single number may have one, of size 1. */
static bool is_single(const struct port *port, const struct vaccel_tensor *tensor)
{
	return port->dims && port->nr_dims == 0 && tensor->nr_dims == 1 && tensor->dims[0] == 1;
}

static int make_input(const struct instance *instance, const char *name, TF_Output node,
		      const struct vaccel_tensor *tensor, TF_Tensor **ret_tensor)
{
	struct port port = {.type = (int32_t)TF_OperationOutputType(node)};
	struct vaccel_tensor given = *tensor;
	int ret = dims_check(name, tensor);

	if (!ret)
		ret = read_port(instance, node, &port);
	if (!ret && is_single(&port, tensor))
		given.nr_dims = 0;
	if (!ret && (port.type != given.data_type ||
		     (port.dims && !port_takes(&port, given.data_type, given.nr_dims, given.dims))))
		ret = vaccel_fail(
			VACCEL_EINVAL, "the input '%.60s' is %s, and the model takes %s%s", name,
			shape_words(type_from_tf(tensor->data_type), tensor->nr_dims, tensor->dims)
				.text,
			port.dims ? "" : "any shape of ",
			port.dims
				? shape_words(type_from_tf(port.type), port.nr_dims, port.dims).text
				: type_name(type_from_tf(port.type)));
	if (!ret)
		ret = tensor_make(name, &given, ret_tensor);
	free(port.dims);
	return ret;
}

/* Whether it changes variables is seen from the nodes that it fetches. */
static int choose_instance(struct vaccel_call *call, const struct model *model,
			   const struct vaccel_tf_model_run_args *args,
			   const struct instance **ret_instance)
{
	struct engine *engine = model->engine;
	bool writes = false;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && !writes && i < args->out.count; i++) {
		TF_Output node;

		ret = find_node(&engine->instance, "output", &args->out_nodes.data[i], &node);
		if (!ret)
			ret = writes_find(&engine->writes, engine->instance.graph, node.oper,
					  &writes);
	}
	return ret ? ret : state_find(call, model, writes, ret_instance);
}

static int run(struct vaccel_call *call, const struct model *model,
	       struct vaccel_tf_model_run_args *args)
{
	_cleanup_(side_release) struct side in = {
		.what = "input", .nr = args->in.count, .delete = tensor_delete};
	_cleanup_(side_release) struct side out = {
		.what = "output", .nr = args->out.count, .delete = TF_DeleteTensor};
	_cleanup_(status_deletep) TF_Status *status = TF_NewStatus();
	const TF_Buffer options = {.data = args->run_options.data,
				   .length = args->run_options.count};
	const struct instance *instance;
	int ret;

	if (!status)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a status");
	ret = choose_instance(call, model, args, &instance);
	if (!ret)
		ret = find_nodes(instance, args->in_nodes.data, &in);
	if (!ret)
		ret = find_nodes(instance, args->out_nodes.data, &out);
	for (size_t i = 0; !ret && i < in.nr; i++)
		ret = make_input(instance, args->in_nodes.data[i].name, in.nodes[i],
				 &args->in.data[i], &in.tensors[i]);
	if (ret)
		return ret;
	TF_SessionRun(instance->session, options.length ? &options : NULL, in.nodes, in.tensors,
		      (int)in.nr, out.nodes, out.tensors, (int)out.nr, NULL, 0, NULL, status);
	ret = status_check(status);
	for (size_t i = 0; !ret && i < out.nr; i++)
		ret = tensor_tell(call, args->out_nodes.data[i].name, out.tensors[i],
				  &args->out.data[i]);
	return ret;
}

int model_run(struct vaccel_call *call, struct vaccel_tf_model_run_args *args)
{
	_cleanup_(use_end) struct use use = {0};
	int ret = use_resource(call, args->model, &use);

	return ret ? ret : run(call, (const struct model *)use.held, args);
}
