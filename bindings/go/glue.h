/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Go calls. The words of an error belong to a thread, and the next call of a
 * goroutine may be on another one: so each function here brings them back with the
 * code.
 */
#ifndef GLUE_H
#define GLUE_H

#include <stdlib.h>

#include <vaccel.h>

/* How a call went: its code, and the words of a failure, malloc'd. */
struct outcome {
	int code;
	char *words;
};

/* The operation of this number if it is described as this hash says, else NULL. */
const struct vaccel_op *op_find(uint32_t number, uint64_t hash);

/* Memory without a byte, which is not NULL. */
extern char no_bytes[];

/* The arguments of vaccel_genop(). */
struct any_args {
	struct vaccel_arg *read;
	size_t nr_read;
	struct vaccel_arg *write;
	size_t nr_write;
};

/* Runs an operation by the struct of its arguments; without one, vaccel_genop(). */
struct outcome op_run(struct vaccel_session *sess, const struct vaccel_op *op, void *args);

struct outcome library_open(const char *plugins, int log_level, const char *log_file,
			    bool profiling, bool version_ignore);
struct outcome library_open_from_env(void);
struct outcome library_close(void);

struct outcome session_open(struct vaccel_session **ret_sess, uint32_t flags);
struct outcome session_close(struct vaccel_session *sess);
struct outcome session_update(struct vaccel_session *sess, uint32_t flags);

struct outcome resource_from_paths(struct vaccel_resource **ret_res, char **paths, size_t nr,
				   vaccel_resource_type_t type);
struct outcome resource_from_bytes(struct vaccel_resource **ret_res, void *bytes, size_t size,
				   vaccel_resource_type_t type, const char *name);
struct outcome resource_close(struct vaccel_resource *res);
struct outcome resource_register(struct vaccel_resource *res, struct vaccel_session *sess);
struct outcome resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess);
struct outcome resource_sync(struct vaccel_resource *res, struct vaccel_session *sess);

struct outcome draw_boxes(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
			  const char *path);
struct outcome draw_mask(const void *img, size_t len, const struct vaccel_mask *mask,
			 const char *path);
struct outcome draw_points(const void *img, size_t len, const struct vaccel_point *points,
			   size_t nr, const char *path);
struct outcome draw_depth(const void *img, size_t len, const struct vaccel_depth *depth,
			  const char *path);

#endif
