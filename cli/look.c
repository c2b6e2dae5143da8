// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel detect, segment, pose and depth: what is where in a picture, by the
 * operations that tell it in numbers; and drawn on the picture, if that is wanted, by
 * the functions of <vaccel/draw.h>.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/describe.h"
#include "base/library.h"
#include "command.h"

/* Joints of which the model is less sure are not listed; the JSON has all. */
#define SCORE_LEAST 0.2f

/* What one of the operations found. */
struct look {
	const uint8_t *picture;
	size_t size;
	struct vaccel_box *boxes;
	struct vaccel_point *points;
	size_t nr; /* of either */
	struct vaccel_mask mask;
	struct vaccel_depth depth;
};

/* How each command calls its operation, and what it does with what comes. */
struct way {
	int (*call)(struct vaccel_session *sess, struct look *look);
	int (*draw)(const struct look *look, const char *path);
	void (*put)(const struct look *look);
	void (*add)(const struct look *look, struct json_object *json);
};

static void put_label(const char *what, uint32_t index, const char *label)
{
	if (*label)
		terminal_put(STYLE_PLAIN, 0, label);
	else
		printf("%s %" PRIu32, what, index);
}

static struct json_object *labelled(uint32_t index, const char *label)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "index", json_object_new_int64(index));
	json_put(json, "label", json_text(label));
	return json;
}

static int call_detect(struct vaccel_session *sess, struct look *look)
{
	return vaccel_image_detect_boxes(sess, look->picture, look->size, &look->boxes, &look->nr);
}

static int draw_boxes(const struct look *look, const char *path)
{
	return vaccel_draw_boxes(look->picture, look->size, look->boxes, look->nr, path);
}

static void put_boxes(const struct look *look)
{
	for (size_t i = 0; i < look->nr; i++) {
		const struct vaccel_box *box = &look->boxes[i];

		printf("  %5.1f%%  %5.0f %5.0f to %5.0f %5.0f  ", 100 * (double)box->score,
		       (double)box->left, (double)box->top, (double)box->right,
		       (double)box->bottom);
		put_label("class", box->index, box->label);
		putchar('\n');
	}
	if (!look->nr)
		puts("  nothing that the model knows");
}

static void add_boxes(const struct look *look, struct json_object *json)
{
	struct json_object *boxes = json_object_new_array();

	for (size_t i = 0; i < look->nr; i++) {
		const struct vaccel_box *box = &look->boxes[i];
		struct json_object *item = labelled(box->index, box->label);

		json_put(item, "score", json_number(box->score));
		json_put(item, "left", json_number(box->left));
		json_put(item, "top", json_number(box->top));
		json_put(item, "right", json_number(box->right));
		json_put(item, "bottom", json_number(box->bottom));
		json_append(boxes, item);
	}
	json_put(json, "boxes", boxes);
}

static int call_segment(struct vaccel_session *sess, struct look *look)
{
	return vaccel_image_segment_mask(sess, look->picture, look->size, &look->mask);
}

static int draw_mask(const struct look *look, const char *path)
{
	return vaccel_draw_mask(look->picture, look->size, &look->mask, path);
}

static void put_areas(const struct look *look)
{
	double all = (double)look->mask.width * look->mask.height;

	for (size_t i = 0; i < look->mask.nr_areas; i++) {
		const struct vaccel_area *area = &look->mask.areas[i];

		printf("  %5.1f%%  ", 100 * (double)area->pixels / all);
		put_label("class", area->index, area->label);
		putchar('\n');
	}
}

static void add_areas(const struct look *look, struct json_object *json)
{
	struct json_object *areas = json_object_new_array();

	for (size_t i = 0; i < look->mask.nr_areas; i++) {
		const struct vaccel_area *area = &look->mask.areas[i];
		struct json_object *item = labelled(area->index, area->label);

		json_put(item, "pixels", json_object_new_int64((int64_t)area->pixels));
		json_append(areas, item);
	}
	json_put(json, "width", json_object_new_int64(look->mask.width));
	json_put(json, "height", json_object_new_int64(look->mask.height));
	json_put(json, "areas", areas);
}

static int call_pose(struct vaccel_session *sess, struct look *look)
{
	return vaccel_image_pose_points(sess, look->picture, look->size, &look->points, &look->nr);
}

static int draw_points(const struct look *look, const char *path)
{
	return vaccel_draw_points(look->picture, look->size, look->points, look->nr, path);
}

static void put_points(const struct look *look)
{
	size_t seen = 0;

	for (size_t i = 0; i < look->nr; i++) {
		const struct vaccel_point *point = &look->points[i];

		if (!(point->score >= SCORE_LEAST))
			continue;
		seen++;
		printf("  %5.1f%%  %5.0f %5.0f  ", 100 * (double)point->score, (double)point->x,
		       (double)point->y);
		if (look->points[look->nr - 1].person)
			printf("%" PRIu32 " ", point->person);
		put_label("joint", point->index, point->label);
		putchar('\n');
	}
	if (!seen)
		puts("  nobody of whom the model is sure");
}

static void add_points(const struct look *look, struct json_object *json)
{
	struct json_object *points = json_object_new_array();

	for (size_t i = 0; i < look->nr; i++) {
		const struct vaccel_point *point = &look->points[i];
		struct json_object *item = labelled(point->index, point->label);

		json_put(item, "person", json_object_new_int64(point->person));
		json_put(item, "score", json_number(point->score));
		json_put(item, "x", json_number(point->x));
		json_put(item, "y", json_number(point->y));
		json_append(points, item);
	}
	json_put(json, "points", points);
}

static int call_depth(struct vaccel_session *sess, struct look *look)
{
	int ret = vaccel_image_depth_map(sess, look->picture, look->size, &look->depth);

	/* Whoever answers may say so. */
	if (!ret && (!look->depth.width || !look->depth.height))
		ret = vaccel_fail(VACCEL_EBACKEND, "the backend gave a map of no pixels");
	return ret;
}

static int draw_depth(const struct look *look, const char *path)
{
	return vaccel_draw_depth(look->picture, look->size, &look->depth, path);
}

/* The least and the largest number of a map, and their places. */
static void find_ends(const struct vaccel_depth *depth, size_t ret_at[2])
{
	ret_at[0] = ret_at[1] = 0;
	for (size_t i = 1; i < (size_t)depth->width * depth->height; i++) {
		if (depth->values[i] < depth->values[ret_at[0]])
			ret_at[0] = i;
		if (depth->values[i] > depth->values[ret_at[1]])
			ret_at[1] = i;
	}
}

static void put_depth(const struct look *look)
{
	const struct vaccel_depth *depth = &look->depth;
	size_t at[2];

	find_ends(depth, at);
	for (int i = 0; i < 2; i++) {
		size_t x = at[i] % depth->width, y = at[i] / depth->width;

		printf("  %s %.6g at %.0f%% of the width, %.0f%% of the height\n",
		       i ? "most " : "least", (double)depth->values[at[i]],
		       100.0 * (double)x / depth->width, 100.0 * (double)y / depth->height);
	}
}

static void add_depth(const struct look *look, struct json_object *json)
{
	const struct vaccel_depth *depth = &look->depth;
	size_t at[2];

	find_ends(depth, at);
	json_put(json, "width", json_object_new_int64(depth->width));
	json_put(json, "height", json_object_new_int64(depth->height));
	json_put(json, "least", json_number(depth->values[at[0]]));
	json_put(json, "most", json_number(depth->values[at[1]]));
}

static int use_model(struct vaccel_session *sess, const char *path, struct vaccel_resource *model)
{
	int ret = vaccel_resource_init(model, path, VACCEL_RESOURCE_MODEL);

	return ret ? ret : vaccel_resource_register(model, sess);
}

static int call_and_draw(struct vaccel_session *sess, const struct way *way,
			 const struct options *options, struct look *look)
{
	int ret = way->call(sess, look);

	return ret || !options->output ? ret : way->draw(look, options->output);
}

static void show(const struct way *way, const struct options *options, const struct look *look)
{
	struct json_object *json;

	if (options->json) {
		json = json_object_new_object();
		json_put(json, "image", json_text(options->operands[0]));
		way->add(look, json);
		json_print(json);
		return;
	}
	terminal_put(STYLE_HEADING, 0, options->operands[0]);
	putchar('\n');
	way->put(look);
}

static void look_release(struct look *look)
{
	free(look->boxes);
	free(look->points);
	free(look->mask.pixels);
	free(look->mask.areas);
	free(look->depth.values);
}

static bool is_other_format(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

static int look_main(const struct options *options, const struct way *way)
{
	struct vaccel_session sess = {0};
	struct vaccel_resource model = {0};
	struct vaccel_blob blob = {.type = VACCEL_BLOB_MAX};
	struct look look = {0};
	int ret;

	if (options->output && is_other_format(options->output)) {
		complain("'%s': drawings are PNG; call the file .png", options->output);
		return STATUS_FAILED;
	}
	if (!library_ready())
		return STATUS_FAILED;
	ret = vaccel_session_init(&sess, 0);
	if (!ret && options->model)
		ret = use_model(&sess, options->model, &model);
	if (!ret)
		ret = vaccel_blob_init(&blob, options->operands[0]);
	if (!ret)
		ret = vaccel_blob_read(&blob);
	if (!ret) {
		look.picture = vaccel_blob_data(&blob, &look.size);
		ret = call_and_draw(&sess, way, options, &look);
	}
	if (ret)
		complain("%s: %s", options->operands[0], vaccel_error_text());
	else
		show(way, options, &look);
	look_release(&look);
	if (blob.type != VACCEL_BLOB_MAX)
		vaccel_blob_release(&blob);
	if (sess.id)
		vaccel_session_release(&sess);
	if (model.id)
		vaccel_resource_release(&model);
	return ret ? STATUS_FAILED : STATUS_OK;
}

int detect_main(const struct options *options)
{
	return look_main(options, &(struct way){call_detect, draw_boxes, put_boxes, add_boxes});
}

int segment_main(const struct options *options)
{
	return look_main(options, &(struct way){call_segment, draw_mask, put_areas, add_areas});
}

int pose_main(const struct options *options)
{
	return look_main(options, &(struct way){call_pose, draw_points, put_points, add_points});
}

int depth_main(const struct options *options)
{
	return look_main(options, &(struct way){call_depth, draw_depth, put_depth, add_depth});
}
