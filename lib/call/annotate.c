// SPDX-License-Identifier: Apache-2.0
/*
 * The four operations that give the name of an annotated picture. A plugin may
 * have them; where none does, the picture is drawn here from what the operation
 * that tells the same in numbers gives. So the drawing is where the program is,
 * even if the work was done elsewhere. An agent calls vaccel_call() and never
 * comes here.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vaccel/draw.h>
#include <vaccel/ops/describe.h>
#include <vaccel/ops/image.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "call/call.h"
#include "object/session.h"

#define PATH_SIZE 4096

/* The four have the same arguments: those of one are those of each. */
#define SAME_ARGS(name)                                                                    \
	_Static_assert(sizeof(struct vaccel_##name##_args) ==                              \
				       sizeof(struct vaccel_image_detect_args) &&          \
			       offsetof(struct vaccel_##name##_args, imgname) ==           \
				       offsetof(struct vaccel_image_detect_args, imgname), \
		       #name " has other arguments")
SAME_ARGS(image_segment);
SAME_ARGS(image_pose);
SAME_ARGS(image_depth);

static int draw_boxes(struct vaccel_session *sess, const void *img, size_t len, const char *path)
{
	struct vaccel_box *boxes = NULL;
	size_t nr;
	int ret = vaccel_image_detect_boxes(sess, img, len, &boxes, &nr);

	if (!ret)
		ret = vaccel_draw_boxes(img, len, boxes, nr, path);
	free(boxes);
	return ret;
}

static int draw_mask(struct vaccel_session *sess, const void *img, size_t len, const char *path)
{
	struct vaccel_mask mask = {0};
	int ret = vaccel_image_segment_mask(sess, img, len, &mask);

	if (!ret)
		ret = vaccel_draw_mask(img, len, &mask, path);
	free(mask.pixels);
	free(mask.areas);
	return ret;
}

static int draw_points(struct vaccel_session *sess, const void *img, size_t len, const char *path)
{
	struct vaccel_point *points = NULL;
	size_t nr;
	int ret = vaccel_image_pose_points(sess, img, len, &points, &nr);

	if (!ret)
		ret = vaccel_draw_points(img, len, points, nr, path);
	free(points);
	return ret;
}

static int draw_depth(struct vaccel_session *sess, const void *img, size_t len, const char *path)
{
	struct vaccel_depth depth = {0};
	int ret = vaccel_image_depth_map(sess, img, len, &depth);

	if (!ret)
		ret = vaccel_draw_depth(img, len, &depth, path);
	free(depth.values);
	return ret;
}

static const struct annotation {
	const struct vaccel_op *op;
	int (*draw)(struct vaccel_session *sess, const void *img, size_t len, const char *path);
} annotations[ANNOTATIONS] = {
	{&vaccel_op_image_detect, draw_boxes},
	{&vaccel_op_image_segment, draw_mask},
	{&vaccel_op_image_pose, draw_points},
	{&vaccel_op_image_depth, draw_depth},
};

static const struct annotation *find(const struct vaccel_op *op)
{
	for (size_t i = 0; i < ANNOTATIONS; i++)
		if (annotations[i].op == op)
			return &annotations[i];
	return NULL;
}

/* A file for each call, so that none takes another's away. */
static int make_path(struct vaccel_session *sess, const struct vaccel_op *op, char path[PATH_SIZE])
{
	static atomic_uint count;
	const char *rundir = vaccel_session_rundir(sess);

	if (!rundir)
		return VACCEL_EIO;
	/* A forked child counts on from the same number, in the same directory. */
	snprintf(path, PATH_SIZE, "%s/%s-%d-%u.png", rundir, op->name, (int)getpid(),
		 atomic_fetch_add(&count, 1));
	return VACCEL_OK;
}

/* What vaccel_call() checks, too. */
static int check(const struct vaccel_op *op, const struct vaccel_session *sess, const void *args)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < op->nr_fields; i++)
		ret = field_check(op, &op->fields[i], sess, args);
	return ret ? ret : op->check(args);
}

static int draw(struct vaccel_session *sess, const struct annotation *annotation,
		const struct vaccel_image_detect_args *args)
{
	char path[PATH_SIZE];
	int ret = check(annotation->op, sess, args);

	if (!ret)
		ret = make_path(sess, annotation->op, path);
	if (!ret)
		ret = annotation->draw(sess, args->image.data, args->image.count, path);
	if (!ret && args->imgname.size)
		snprintf(args->imgname.data, args->imgname.size, "%s", path);
	return ret;
}

int vaccel_image_annotate(struct vaccel_session *sess, const struct vaccel_op *op, void *args)
{
	const struct annotation *annotation = find(op);
	atomic_bool *drawn;
	int ret = session_check(sess);

	if (ret)
		return ret;
	if (!annotation || !args)
		return vaccel_fail(VACCEL_EINVAL, "%s is no operation that annotates a picture",
				   op ? op->name : "NULL");
	/* A session far away need not be asked each time: that would send the picture twice. */
	drawn = &sess->state->drawn[annotation - annotations];
	if (!atomic_load(drawn)) {
		ret = vaccel_call(sess, op, args);
		/* Nobody does it, or may; whether the other operation may is asked for itself. */
		if (ret != VACCEL_ENOTSUP && ret != VACCEL_EPERM)
			return ret;
	}
	ret = draw(sess, annotation, args);
	if (!ret)
		atomic_store(drawn, true);
	return ret;
}
