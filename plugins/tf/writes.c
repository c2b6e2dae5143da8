// SPDX-License-Identifier: Apache-2.0
/*
 * From a node backwards, along its inputs and those that it only waits for. TensorFlow
 * says of an operation whether it is stateful or takes a reference, which reading a variable
 * is and does, too: operations that only read are in a list.
 */
#include "tf/writes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "tf/proto.h"

/* Numbers of fields in TensorFlow's messages */
enum {
	NODE_OP = 2,
	NODE_ATTRIBUTE = 5,
	ENTRY_VALUE = 2,
	VALUE_LIST = 1,
	VALUE_FUNCTION = 10,
	LIST_FUNCTION = 9,
	FUNCTION_NAME = 1,
	FUNCTION_NODE = 3,
	OP_INPUT = 2,
	OP_STATEFUL = 17,
	INPUT_IS_REFERENCE = 16,
};

/* Stateful ones that change nothing; those that call functions are judged by these. */
static const char *const readers[] = {
	"Assert",
	"Case",
	"HashTableV2",
	"If",
	"IsVariableInitialized",
	"LookupTableFindV2",
	"LookupTableSizeV2",
	"Multinomial",
	"PartitionedCall",
	"Print",
	"PrintV2",
	"RandomStandardNormal",
	"RandomUniform",
	"RandomUniformInt",
	"ReadVariableOp",
	"ResourceGather",
	"ResourceGatherNd",
	"StatefulPartitionedCall",
	"TruncatedNormal",
	"VarHandleOp",
	"VarIsInitializedOp",
	"Variable",
	"VariableShape",
	"VariableV2",
	"While",
};

/* A function of the graph, and how far it was looked at. */
struct function {
	const char *name;
	TF_Function *function;
	bool wanted, seen;
};

/* A look along the graph. */
struct walk {
	TF_Graph *graph;
	TF_Status *status;
	void *seen; /* operations: a tree */
	TF_Operation **todo;
	size_t nr_todo, room;
	struct function *functions; /* by their names */
	size_t nr_functions;
	bool writes;
};

static int compare_pointers(const void *a, const void *b)
{
	return (a > b) - (a < b);
}

/* So begin those of arrays that are there for one run. */
static const char of_one_run[] = "TensorArray";

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_functions(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory to look at a graph");
}

static int want(struct walk *walk, TF_Operation *operation)
{
	if (tfind(operation, &walk->seen, compare_pointers))
		return VACCEL_OK;
	if (!tsearch(operation, &walk->seen, compare_pointers))
		return no_memory();
	if (walk->nr_todo == walk->room) {
		size_t room = walk->room ? 2 * walk->room : 64;
		TF_Operation **todo = reallocarray(walk->todo, room, sizeof(*todo));

		if (!todo)
			return no_memory();
		walk->todo = todo;
		walk->room = room;
	}
	walk->todo[walk->nr_todo++] = operation;
	return VACCEL_OK;
}

static int want_inputs(struct walk *walk, TF_Operation *operation)
{
	int nr = TF_OperationNumControlInputs(operation), ret = VACCEL_OK;
	_cleanup_(freep) TF_Operation **before = calloc((size_t)nr + 1, sizeof(TF_Operation *));

	if (!before)
		return no_memory();
	TF_OperationGetControlInputs(operation, before, nr);
	for (int i = 0; !ret && i < nr; i++)
		ret = want(walk, before[i]);
	for (int i = 0; !ret && i < TF_OperationNumInputs(operation); i++)
		ret = want(walk, TF_OperationInput((TF_Input){operation, i}).oper);
	return ret;
}

/* A name is in a message, and ends where that says. */
static struct function *find_function(struct walk *walk, struct part name)
{
	_cleanup_(freep) char *text = part_text(name);
	const struct function key = {.name = text};

	if (!text || !walk->nr_functions)
		return NULL;
	return bsearch(&key, walk->functions, walk->nr_functions, sizeof(key), compare_functions);
}

static void want_function(struct walk *walk, struct part value)
{
	struct part name = part_find(value, FUNCTION_NAME);
	struct function *function = name.size ? find_function(walk, name) : NULL;

	if (function)
		function->wanted = true;
}

static bool takes_reference(struct part op)
{
	struct field field;

	while (part_next(&op, &field))
		if (field.number == OP_INPUT && part_number(field.bytes, INPUT_IS_REFERENCE))
			return true;
	return false;
}

static int look_at_op(struct walk *walk, struct part name)
{
	_cleanup_(freep) char *text = part_text(name);
	_cleanup_(buffer_deletep) TF_Buffer *buffer = TF_NewBuffer();
	struct part op;

	if (!text || !buffer)
		return no_memory();
	if (!strncmp(text, of_one_run, strlen(of_one_run)) ||
	    bsearch(&text, readers, sizeof(readers) / sizeof(readers[0]), sizeof(readers[0]),
		    compare_names))
		return VACCEL_OK;
	TF_GraphGetOpDef(walk->graph, text, buffer, walk->status);
	op = (struct part){buffer->data, buffer->length};
	if (TF_GetCode(walk->status) != TF_OK || part_number(op, OP_STATEFUL) ||
	    takes_reference(op))
		walk->writes = true;
	return VACCEL_OK;
}

static int look_at_node(struct walk *walk, struct part node)
{
	struct part op = part_find(node, NODE_OP);
	struct function *function = find_function(walk, op);
	struct field field;

	while (part_next(&node, &field)) {
		struct part value, list;
		struct field item;

		if (field.number != NODE_ATTRIBUTE)
			continue;
		value = part_find(field.bytes, ENTRY_VALUE);
		want_function(walk, part_find(value, VALUE_FUNCTION));
		list = part_find(value, VALUE_LIST);
		while (part_next(&list, &item))
			if (item.number == LIST_FUNCTION)
				want_function(walk, item.bytes);
	}
	if (!function)
		return look_at_op(walk, op);
	function->wanted = true;
	return VACCEL_OK;
}

static int look_at_function(struct walk *walk, const struct function *function)
{
	_cleanup_(buffer_deletep) TF_Buffer *buffer = TF_NewBuffer();
	struct part body;
	struct field field;
	int ret = VACCEL_OK;

	if (!buffer)
		return no_memory();
	TF_FunctionToFunctionDef(function->function, buffer, walk->status);
	body = (struct part){buffer->data, buffer->length};
	while (!ret && !walk->writes && part_next(&body, &field))
		if (field.number == FUNCTION_NODE)
			ret = look_at_node(walk, field.bytes);
	return ret;
}

static int look_at_operation(struct walk *walk, TF_Operation *operation)
{
	_cleanup_(buffer_deletep) TF_Buffer *buffer = TF_NewBuffer();

	/* The node of a constant has all of its data. */
	if (!strcmp(TF_OperationOpType(operation), "Const"))
		return VACCEL_OK;
	if (!buffer)
		return no_memory();
	TF_OperationToNodeDef(operation, buffer, walk->status);
	return look_at_node(walk, (struct part){buffer->data, buffer->length});
}

/* The functions that are called, then those that they call, and so on. */
static int look_at_functions(struct walk *walk)
{
	bool more = true;
	int ret = VACCEL_OK;

	while (!ret && more) {
		more = false;
		for (size_t i = 0; !ret && !walk->writes && i < walk->nr_functions; i++) {
			struct function *function = &walk->functions[i];

			if (!function->wanted || function->seen)
				continue;
			function->seen = more = true;
			ret = look_at_function(walk, function);
		}
	}
	return ret;
}

static int list_functions(struct walk *walk)
{
	int nr = TF_GraphNumFunctions(walk->graph);
	_cleanup_(freep) TF_Function **functions = calloc((size_t)nr + 1, sizeof(TF_Function *));

	walk->functions = calloc((size_t)nr + 1, sizeof(*walk->functions));
	if (!functions || !walk->functions)
		return no_memory();
	nr = TF_GraphGetFunctions(walk->graph, functions, nr, walk->status);
	for (int i = 0; i < nr; i++)
		walk->functions[i] = (struct function){TF_FunctionName(functions[i]), functions[i],
						       false, false};
	walk->nr_functions = (size_t)nr;
	qsort(walk->functions, walk->nr_functions, sizeof(*walk->functions), compare_functions);
	return VACCEL_OK;
}

static void walk_release(struct walk *walk)
{
	for (size_t i = 0; i < walk->nr_functions; i++)
		TF_DeleteFunction(walk->functions[i].function);
	free(walk->functions);
	free(walk->todo);
	while (walk->seen)
		tdelete(*(void **)walk->seen, &walk->seen, compare_pointers);
	status_deletep(&walk->status);
}

static int look(TF_Graph *graph, TF_Operation *operation, bool *ret_writes)
{
	_cleanup_(walk_release) struct walk walk = {.graph = graph, .status = TF_NewStatus()};
	int ret = walk.status ? list_functions(&walk) : no_memory();

	if (!ret)
		ret = want(&walk, operation);
	while (!ret && !walk.writes && walk.nr_todo) {
		TF_Operation *next = walk.todo[--walk.nr_todo];

		ret = want_inputs(&walk, next);
		if (!ret)
			ret = look_at_operation(&walk, next);
	}
	if (!ret)
		ret = look_at_functions(&walk);
	if (!ret)
		*ret_writes = walk.writes;
	return ret;
}

void writes_init(struct writes *writes)
{
	pthread_mutex_init(&writes->lock, NULL);
}

void writes_release(struct writes *writes)
{
	pthread_mutex_destroy(&writes->lock);
	free(writes->known);
}

/* The lock is held. */
static int find(struct writes *writes, TF_Graph *graph, TF_Operation *operation, bool *ret_writes)
{
	struct known *known;
	int ret;

	for (size_t i = 0; i < writes->nr; i++)
		if (writes->known[i].operation == operation) {
			*ret_writes = writes->known[i].writes;
			return VACCEL_OK;
		}
	known = reallocarray(writes->known, writes->nr + 1, sizeof(*known));
	if (!known)
		return no_memory();
	writes->known = known;
	ret = look(graph, operation, ret_writes);
	if (!ret)
		known[writes->nr++] = (struct known){operation, *ret_writes};
	return ret;
}

int writes_find(struct writes *writes, TF_Graph *graph, TF_Operation *operation, bool *ret_writes)
{
	int ret;

	pthread_mutex_lock(&writes->lock);
	ret = find(writes, graph, operation, ret_writes);
	pthread_mutex_unlock(&writes->lock);
	return ret;
}
