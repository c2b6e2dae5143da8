// SPDX-License-Identifier: Apache-2.0
/* Calls of libvaccel that bring the words of a failure back; see glue.h. */
#include <limits.h>
#include <string.h>

#include "glue.h"

char no_bytes[] __attribute__((aligned)) = "";

static struct outcome in_words(int code)
{
	return (struct outcome){code, code ? strdup(vaccel_error_text()) : NULL};
}

const struct vaccel_op *op_find(uint32_t number, uint64_t hash)
{
	const struct vaccel_op *op = vaccel_op_by_number(number);

	return op && vaccel_op_hash(op->signature) == hash ? op : NULL;
}

static int run_any(struct vaccel_session *sess, const struct any_args *args)
{
	if (args->nr_read > INT_MAX || args->nr_write > INT_MAX)
		return vaccel_fail(VACCEL_EINVAL, "genop: there are too many arguments");
	return vaccel_genop(sess, args->read, (int)args->nr_read, args->write, (int)args->nr_write);
}

static int run(struct vaccel_session *sess, const struct vaccel_op *op, void *args)
{
	switch ((int)op->number) {
	case VACCEL_OP_IMAGE_DETECT:
	case VACCEL_OP_IMAGE_SEGMENT:
	case VACCEL_OP_IMAGE_POSE:
	case VACCEL_OP_IMAGE_DEPTH:
		/* These are drawn here where no plugin does it. */
		return vaccel_image_annotate(sess, op, args);
	default:
		return vaccel_call(sess, op, args);
	}
}

struct outcome op_run(struct vaccel_session *sess, const struct vaccel_op *op, void *args)
{
	return in_words(op ? run(sess, op, args) : run_any(sess, args));
}

struct outcome library_open(const char *plugins, int log_level, const char *log_file,
			    bool profiling, bool version_ignore)
{
	struct vaccel_config config;
	struct outcome outcome =
		in_words(vaccel_config_init(&config, plugins, (vaccel_log_level_t)log_level,
					    log_file, profiling, version_ignore));

	if (outcome.code)
		return outcome;
	outcome = in_words(vaccel_bootstrap_with_config(&config));
	vaccel_config_release(&config);
	return outcome;
}

struct outcome library_open_from_env(void)
{
	return in_words(vaccel_bootstrap());
}

struct outcome library_close(void)
{
	return in_words(vaccel_cleanup());
}

struct outcome session_open(struct vaccel_session **ret_sess, uint32_t flags)
{
	return in_words(vaccel_session_new(ret_sess, flags));
}

struct outcome session_close(struct vaccel_session *sess)
{
	return in_words(vaccel_session_delete(sess));
}

struct outcome session_update(struct vaccel_session *sess, uint32_t flags)
{
	return in_words(vaccel_session_update(sess, flags));
}

struct outcome resource_from_paths(struct vaccel_resource **ret_res, char **paths, size_t nr,
				   vaccel_resource_type_t type)
{
	return in_words(vaccel_resource_multi_new(ret_res, (const char **)paths, nr, type));
}

struct outcome resource_from_bytes(struct vaccel_resource **ret_res, void *bytes, size_t size,
				   vaccel_resource_type_t type, const char *name)
{
	return in_words(vaccel_resource_from_buf(ret_res, bytes, size, type, name, true));
}

struct outcome resource_close(struct vaccel_resource *res)
{
	return in_words(vaccel_resource_delete(res));
}

struct outcome resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	return in_words(vaccel_resource_register(res, sess));
}

struct outcome resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	return in_words(vaccel_resource_unregister(res, sess));
}

struct outcome resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	return in_words(vaccel_resource_sync(res, sess));
}

struct outcome draw_boxes(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
			  const char *path)
{
	return in_words(vaccel_draw_boxes(img, len, boxes, nr, path));
}

struct outcome draw_mask(const void *img, size_t len, const struct vaccel_mask *mask,
			 const char *path)
{
	return in_words(vaccel_draw_mask(img, len, mask, path));
}

struct outcome draw_points(const void *img, size_t len, const struct vaccel_point *points,
			   size_t nr, const char *path)
{
	return in_words(vaccel_draw_points(img, len, points, nr, path));
}

struct outcome draw_depth(const void *img, size_t len, const struct vaccel_depth *depth,
			  const char *path)
{
	return in_words(vaccel_draw_depth(img, len, depth, path));
}
