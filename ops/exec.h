/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a function of a library. It has the type
 *
 *	int f(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
 *
 * and returns 0 if it succeeded.
 */
#ifndef VACCEL_OPS_EXEC_H
#define VACCEL_OPS_EXEC_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_EXEC_ARGS(ARG, op)                                                             \
	ARG(op, IN, TEXT, char, library, NONE, "path of the library, where the work is done") \
	ARG(op, IN, TEXT, char, symbol, NONE, "name of the function")                         \
	ARG(op, IN, ARGS, arg, read, OPTIONAL, "what the function reads")                     \
	ARG(op, INOUT, ARGS, arg, write, OPTIONAL, "what the function writes")
VACCEL_OP_CHECKED(1, EXEC, exec, vaccel_exec, EFFECT, "run a function of a library")

#define VACCEL_EXEC_WITH_RESOURCE_ARGS(ARG, op)                                             \
	ARG(op, IN, RESOURCE, LIB, library, NONE, "the library, after those that it needs") \
	ARG(op, IN, TEXT, char, symbol, NONE, "name of the function")                       \
	ARG(op, IN, ARGS, arg, read, OPTIONAL, "what the function reads")                   \
	ARG(op, INOUT, ARGS, arg, write, OPTIONAL, "what the function writes")
VACCEL_OP_CHECKED(2, EXEC_WITH_RESOURCE, exec_with_resource, vaccel_exec_with_resource, EFFECT,
		  "run a function of a library that the program brings")

/**
 * vaccel_exec() - run a function of a library
 * @sess: the session
 * @library: path of the library, where the work is done
 * @symbol: name of the function
 * @read: @nr_read arguments that the function reads
 * @nr_read: how many; 0 with NULL for none
 * @write: @nr_write arguments that it may read and writes; it may lower an argument's
 *	size, and leaves its buf where it is
 * @nr_write: how many; 0 with NULL for none
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if the library cannot be loaded; VACCEL_ENOSYS if
 * it has no such function; VACCEL_EBACKEND if that returned other than 0, when @write
 * has what it wrote until then; or an error of vaccel_call().
 */
int vaccel_exec(struct vaccel_session *sess, const char *library, const char *symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);

/**
 * vaccel_exec_with_resource() - run a function of a library that the program brings
 * @sess: the session
 * @library: a resource of type LIB, registered with @sess: the libraries that it
 *	needs first, itself last
 * @symbol, @read, @nr_read, @write, @nr_write: as for vaccel_exec()
 *
 * Return: as vaccel_exec(); VACCEL_EPERM if @library is not registered.
 */
int vaccel_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *library,
			      const char *symbol, struct vaccel_arg *read, size_t nr_read,
			      struct vaccel_arg *write, size_t nr_write);

#ifdef VACCEL_OP_BODIES
static int exec_check(const struct vaccel_exec_args *args)
{
	if (*args->library && *args->symbol)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "exec: the name of the library or the function is empty");
}

static int exec_with_resource_check(const struct vaccel_exec_with_resource_args *args)
{
	if (*args->symbol)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "exec_with_resource: the name of the function is empty");
}

int vaccel_exec(struct vaccel_session *sess, const char *library, const char *symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	struct vaccel_exec_args args = {
		.library = library,
		.symbol = symbol,
		.read = {read, nr_read},
		.write = {write, nr_write},
	};

	return vaccel_call(sess, &vaccel_op_exec, &args);
}

int vaccel_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *library,
			      const char *symbol, struct vaccel_arg *read, size_t nr_read,
			      struct vaccel_arg *write, size_t nr_write)
{
	struct vaccel_exec_with_resource_args args = {
		.library = library,
		.symbol = symbol,
		.read = {read, nr_read},
		.write = {write, nr_write},
	};

	return vaccel_call(sess, &vaccel_op_exec_with_resource, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
