/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a picture. A picture is the bytes of a JPEG or PNG file; a backend
 * decodes it and prepares it for its model, which is the first MODEL registered
 * with the session, or else the default of the task.
 */
#ifndef VACCEL_OPS_IMAGE_H
#define VACCEL_OPS_IMAGE_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_IMAGE_CLASSIFY_ARGS(ARG, op)                                                      \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture")                \
	ARG(op, OUT, TEXT, char, imgname, OPTIONAL, "name of an annotated picture; stays empty") \
	ARG(op, OUT, TEXT, char, text, OPTIONAL, "the most likely class: its percentage and label")
VACCEL_OP_CHECKED(3, IMAGE_CLASSIFY, image_classify, vaccel_image_classification, PURE,
		  "say what a picture shows")

#define VACCEL_IMAGE_ANNOTATE_ARGS_(ARG, op)                                      \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture") \
	ARG(op, OUT, TEXT, char, imgname, OPTIONAL, "path of the annotated picture")

#define VACCEL_IMAGE_DETECT_ARGS(ARG, op) VACCEL_IMAGE_ANNOTATE_ARGS_(ARG, op)
VACCEL_OP_CHECKED(4, IMAGE_DETECT, image_detect, vaccel_image_detection, PURE,
		  "draw boxes around the objects in a picture")

#define VACCEL_IMAGE_SEGMENT_ARGS(ARG, op) VACCEL_IMAGE_ANNOTATE_ARGS_(ARG, op)
VACCEL_OP_CHECKED(5, IMAGE_SEGMENT, image_segment, vaccel_image_segmentation, PURE,
		  "colour a picture by the class of each pixel")

#define VACCEL_IMAGE_POSE_ARGS(ARG, op) VACCEL_IMAGE_ANNOTATE_ARGS_(ARG, op)
VACCEL_OP_CHECKED(6, IMAGE_POSE, image_pose, vaccel_image_pose, PURE,
		  "draw the skeletons of the people in a picture")

#define VACCEL_IMAGE_DEPTH_ARGS(ARG, op) VACCEL_IMAGE_ANNOTATE_ARGS_(ARG, op)
VACCEL_OP_CHECKED(7, IMAGE_DEPTH, image_depth, vaccel_image_depth, PURE,
		  "colour a picture by how far away each pixel is")

/** struct vaccel_class - a class that a picture may belong to */
#define VACCEL_FIELDS_class(FIELD, item)                                              \
	FIELD(item, ONE, u32, index, "the class by its number in the model's output") \
	FIELD(item, ONE, f32, probability, "0 to 1")                                  \
	FIELD(item, TEXT, char, label, "the label's whole line; empty if the model has no labels")
VACCEL_ITEM(class)

#define VACCEL_IMAGE_CLASSIFY_TOP_ARGS(ARG, op)                                   \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture") \
	ARG(op, IN, ONE, u64, k, NONE, "how many classes to tell, at least 1")    \
	ARG(op, OUT, LIST, class, top, GROWS, "the classes, the most likely first")
VACCEL_OP_CHECKED(67, IMAGE_CLASSIFY_TOP, image_classify_top, vaccel_image_classify_top, PURE,
		  "tell the most likely classes of a picture")

/** struct vaccel_box - an object in a picture and where it is, in pixels of that picture */
#define VACCEL_FIELDS_box(FIELD, item)                                                \
	FIELD(item, ONE, u32, index, "its class by its number in the model's output") \
	FIELD(item, ONE, f32, score, "how sure the model is, 0 to 1")                 \
	FIELD(item, ONE, f32, left, "pixels from the left edge of the picture")       \
	FIELD(item, ONE, f32, top, "pixels from its top")                             \
	FIELD(item, ONE, f32, right, "as left, of the box's right edge")              \
	FIELD(item, ONE, f32, bottom, "as top, of the box's lower edge")              \
	FIELD(item, TEXT, char, label, "the class's label; empty if the model has no labels")
VACCEL_ITEM(box)

#define VACCEL_IMAGE_DETECT_BOXES_ARGS(ARG, op)                                   \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture") \
	ARG(op, OUT, LIST, box, boxes, GROWS, "the objects, the surest first")
VACCEL_OP_CHECKED(70, IMAGE_DETECT_BOXES, image_detect_boxes, vaccel_image_detect_boxes, PURE,
		  "tell which objects are in a picture, and where")

/** struct vaccel_area - how much of a picture is of one class */
#define VACCEL_FIELDS_area(FIELD, item)                                         \
	FIELD(item, ONE, u32, index, "the class by its number, as in the mask") \
	FIELD(item, ONE, u64, pixels, "how many pixels of the mask are of it")  \
	FIELD(item, TEXT, char, label, "its label; empty if the model has no labels")
VACCEL_ITEM(area)

#define VACCEL_IMAGE_SEGMENT_MASK_ARGS(ARG, op)                                                  \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture")                \
	ARG(op, OUT, ONE, u32, width, NONE, "of the mask, which covers the whole picture")       \
	ARG(op, OUT, ONE, u32, height, NONE, "of the mask")                                      \
	ARG(op, OUT, SPAN, u16, mask, GROWS, "the class of each pixel, row by row from the top") \
	ARG(op, OUT, LIST, area, areas, GROWS, "the classes that are there, the largest first")
VACCEL_OP_CHECKED(71, IMAGE_SEGMENT_MASK, image_segment_mask, vaccel_image_segment_mask, PURE,
		  "tell the class of each pixel of a picture")

/** struct vaccel_point - a joint of a body, and where it is, in pixels of the picture */
#define VACCEL_FIELDS_point(FIELD, item)                                       \
	FIELD(item, ONE, u32, person, "whose it is, counted from 0")           \
	FIELD(item, ONE, u32, index, "which joint, as the model numbers them") \
	FIELD(item, ONE, f32, x, "pixels from the left edge of the picture")   \
	FIELD(item, ONE, f32, y, "pixels from its top")                        \
	FIELD(item, ONE, f32, score, "how sure the model is, 0 to 1")          \
	FIELD(item, TEXT, char, label, "the joint's name, such as left elbow")
VACCEL_ITEM(point)

#define VACCEL_IMAGE_POSE_POINTS_ARGS(ARG, op)                                    \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture") \
	ARG(op, OUT, LIST, point, points, GROWS, "all joints of one person, then of the next")
VACCEL_OP_CHECKED(72, IMAGE_POSE_POINTS, image_pose_points, vaccel_image_pose_points, PURE,
		  "tell where the joints of the people in a picture are")

#define VACCEL_IMAGE_DEPTH_MAP_ARGS(ARG, op)                                              \
	ARG(op, IN, SPAN, u8, image, STABLE, "the file of a JPEG or PNG picture")         \
	ARG(op, OUT, ONE, u32, width, NONE, "of the map, which covers the whole picture") \
	ARG(op, OUT, ONE, u32, height, NONE, "of the map")                                \
	ARG(op, OUT, SPAN, f32, depth, GROWS,                                             \
	    "the model's number for each pixel, row by row from the top")
VACCEL_OP_CHECKED(73, IMAGE_DEPTH_MAP, image_depth_map, vaccel_image_depth_map, PURE,
		  "tell how far away each pixel of a picture is")

/**
 * vaccel_image_classification() - say what a picture shows
 * @sess: the session
 * @img: @len_img bytes, the file of a JPEG or PNG picture
 * @out_text: room for @len_out_text bytes; gets "99.812% seven", the percentage
 *	and the label's line of the most likely class, cut to fit and ending in NUL; NULL with
 *length 0 for none
 * @out_imgname: room for @len_out_imgname bytes; gets "", as there is no annotated
 *	picture; NULL with length 0 for none
 * @len_img: bytes of @img, at least 1
 * @len_out_text: bytes at @out_text
 * @len_out_imgname: bytes at @out_imgname
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for a picture that cannot be read; VACCEL_ENOENT
 * where there is no model; or an error of vaccel_call().
 */
int vaccel_image_classification(struct vaccel_session *sess, const void *img,
				unsigned char *out_text, unsigned char *out_imgname, size_t len_img,
				size_t len_out_text, size_t len_out_imgname);

/**
 * vaccel_image_detection() - draw boxes around the objects in a picture
 * @sess: the session
 * @img: @len_img bytes, the file of a JPEG or PNG picture
 * @out_imgname: room for @len_out_imgname bytes; gets the path of the annotated
 *	picture, cut to fit and ending in NUL; NULL with length 0 for none
 * @len_img: bytes of @img, at least 1
 * @len_out_imgname: bytes at @out_imgname
 *
 * Where no plugin draws, it is drawn by this process, as vaccel_draw_boxes() does, from
 * what vaccel_image_detect_boxes() gives: a PNG in the session's own directory, which
 * goes with the session.
 *
 * Return: as vaccel_image_classification(); VACCEL_ENOTSUP if nobody can draw.
 */
int vaccel_image_detection(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			   size_t len_img, size_t len_out_imgname);

/** vaccel_image_segmentation() - colour a picture by class; as vaccel_image_detection() */
int vaccel_image_segmentation(struct vaccel_session *sess, const void *img,
			      unsigned char *out_imgname, size_t len_img, size_t len_out_imgname);

/** vaccel_image_pose() - draw people's skeletons; as vaccel_image_detection() */
int vaccel_image_pose(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		      size_t len_img, size_t len_out_imgname);

/** vaccel_image_depth() - colour a picture by distance; as vaccel_image_detection() */
int vaccel_image_depth(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		       size_t len_img, size_t len_out_imgname);

/**
 * vaccel_image_annotate() - run one of these four operations
 * @sess: the session
 * @op: which: &vaccel_op_image_detect and so on
 * @args: its arguments
 *
 * As vaccel_call(), and draws where no plugin does.
 *
 * Return: as vaccel_image_detection().
 */
int vaccel_image_annotate(struct vaccel_session *sess, const struct vaccel_op *op, void *args);

/**
 * vaccel_image_classify_top() - tell the most likely classes of a picture
 * @sess: the session
 * @img: @len bytes, the file of a JPEG or PNG picture
 * @len: bytes of @img, at least 1
 * @k: how many classes to tell, at least 1; a model of fewer classes tells all
 * @ret_top: set to the classes, the most likely first, of equal ones the lower
 *	index; one block, labels included, to be freed with one free()
 * @ret_nr: set to how many they are
 *
 * Return: as vaccel_image_classification().
 */
int vaccel_image_classify_top(struct vaccel_session *sess, const void *img, size_t len, size_t k,
			      struct vaccel_class **ret_top, size_t *ret_nr);

/**
 * vaccel_image_detect_boxes() - tell which objects are in a picture, and where
 * @sess: the session
 * @img: @len bytes, the file of a JPEG or PNG picture
 * @len: bytes of @img, at least 1
 * @ret_boxes: set to the objects, the surest first; one block, labels included, to be
 *	freed with one free()
 * @ret_nr: set to how many they are, perhaps 0
 *
 * Pixels are those of the picture the right way up, as its EXIF orientation has it.
 *
 * Return: as vaccel_image_classification().
 */
int vaccel_image_detect_boxes(struct vaccel_session *sess, const void *img, size_t len,
			      struct vaccel_box **ret_boxes, size_t *ret_nr);

/**
 * struct vaccel_mask - the class of each pixel of a picture
 * @width: of the mask, as the model has it; it covers the whole picture
 * @height: likewise
 * @pixels: width * height classes, row by row from the top
 * @areas: the classes that are there, the largest first; labels lie in the same block
 * @nr_areas: how many
 */
struct vaccel_mask {
	uint32_t width;
	uint32_t height;
	uint16_t *pixels;
	struct vaccel_area *areas;
	size_t nr_areas;
};

/**
 * vaccel_image_segment_mask() - tell the class of each pixel of a picture
 * @sess: the session
 * @img: @len bytes, the file of a JPEG or PNG picture
 * @len: bytes of @img, at least 1
 * @ret_mask: set to the mask; free() its @pixels and its @areas
 *
 * Return: as vaccel_image_classification().
 */
int vaccel_image_segment_mask(struct vaccel_session *sess, const void *img, size_t len,
			      struct vaccel_mask *ret_mask);

/**
 * vaccel_image_pose_points() - tell where the joints of the people in a picture are
 * @sess: the session
 * @img: @len bytes, the file of a JPEG or PNG picture
 * @len: bytes of @img, at least 1
 * @ret_points: set to all joints of one person, then of the next, also those of which
 *	the model is not sure; one block, labels included, to be freed with one free()
 * @ret_nr: set to how many they are
 *
 * Pixels are as those of vaccel_image_detect_boxes().
 *
 * Return: as vaccel_image_classification().
 */
int vaccel_image_pose_points(struct vaccel_session *sess, const void *img, size_t len,
			     struct vaccel_point **ret_points, size_t *ret_nr);

/**
 * struct vaccel_depth - how far away each pixel of a picture is
 * @width: of the map, as the model has it; it covers the whole picture
 * @height: likewise
 * @values: width * height numbers, row by row from the top. What they mean is the
 *	model's affair: metres, or numbers that are larger where it is nearer.
 */
struct vaccel_depth {
	uint32_t width;
	uint32_t height;
	float *values;
};

/**
 * vaccel_image_depth_map() - tell how far away each pixel of a picture is
 * @sess: the session
 * @img: @len bytes, the file of a JPEG or PNG picture
 * @len: bytes of @img, at least 1
 * @ret_depth: set to the map; free() its @values
 *
 * Return: as vaccel_image_classification().
 */
int vaccel_image_depth_map(struct vaccel_session *sess, const void *img, size_t len,
			   struct vaccel_depth *ret_depth);

#ifdef VACCEL_OP_BODIES
static int check_picture(const char *op, size_t count)
{
	if (count)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "%s: the picture has no bytes", op);
}

static int image_classify_check(const struct vaccel_image_classify_args *args)
{
	return check_picture("image_classify", args->image.count);
}

static int image_classify_top_check(const struct vaccel_image_classify_top_args *args)
{
	if (!args->k)
		return vaccel_fail(VACCEL_EINVAL,
				   "image_classify_top: k is 0; ask for 1 class or more");
	return check_picture("image_classify_top", args->image.count);
}

int vaccel_image_classification(struct vaccel_session *sess, const void *img,
				unsigned char *out_text, unsigned char *out_imgname, size_t len_img,
				size_t len_out_text, size_t len_out_imgname)
{
	struct vaccel_image_classify_args args = {
		.image = {(const uint8_t *)img, len_img},
		.imgname = {(char *)out_imgname, len_out_imgname},
		.text = {(char *)out_text, len_out_text},
	};

	return vaccel_call(sess, &vaccel_op_image_classify, &args);
}

int vaccel_image_classify_top(struct vaccel_session *sess, const void *img, size_t len, size_t k,
			      struct vaccel_class **ret_top, size_t *ret_nr)
{
	struct vaccel_image_classify_top_args args = {
		.image = {(const uint8_t *)img, len},
		.k = k,
	};
	int ret;

	if (!ret_top || !ret_nr)
		return vaccel_fail(VACCEL_EINVAL, "image_classify_top: no place for the classes");
	ret = vaccel_call(sess, &vaccel_op_image_classify_top, &args);
	if (ret)
		return ret;
	*ret_top = args.top.data;
	*ret_nr = args.top.count;
	return VACCEL_OK;
}

#define IMAGE_CHECK(name)                                                \
	static int name##_check(const struct vaccel_##name##_args *args) \
	{                                                                \
		return check_picture(#name, args->image.count);          \
	}
IMAGE_CHECK(image_detect_boxes)
IMAGE_CHECK(image_segment_mask)
IMAGE_CHECK(image_pose_points)
IMAGE_CHECK(image_depth_map)
#undef IMAGE_CHECK

int vaccel_image_detect_boxes(struct vaccel_session *sess, const void *img, size_t len,
			      struct vaccel_box **ret_boxes, size_t *ret_nr)
{
	struct vaccel_image_detect_boxes_args args = {.image = {(const uint8_t *)img, len}};
	int ret;

	if (!ret_boxes || !ret_nr)
		return vaccel_fail(VACCEL_EINVAL, "image_detect_boxes: no place for the boxes");
	ret = vaccel_call(sess, &vaccel_op_image_detect_boxes, &args);
	if (ret)
		return ret;
	*ret_boxes = args.boxes.data;
	*ret_nr = args.boxes.count;
	return VACCEL_OK;
}

int vaccel_image_segment_mask(struct vaccel_session *sess, const void *img, size_t len,
			      struct vaccel_mask *ret_mask)
{
	struct vaccel_mask mask = {0};
	struct vaccel_image_segment_mask_args args = {
		.image = {(const uint8_t *)img, len},
		.width = &mask.width,
		.height = &mask.height,
	};
	int ret;

	if (!ret_mask)
		return vaccel_fail(VACCEL_EINVAL, "image_segment_mask: no place for the mask");
	ret = vaccel_call(sess, &vaccel_op_image_segment_mask, &args);
	if (ret)
		return ret;
	if (args.mask.count != (uint64_t)mask.width * mask.height) {
		free(args.mask.data);
		free(args.areas.data);
		return vaccel_fail(VACCEL_EBACKEND,
				   "image_segment_mask: the backend's mask has not the size that "
				   "it says");
	}
	mask.pixels = args.mask.data;
	mask.areas = args.areas.data;
	mask.nr_areas = args.areas.count;
	*ret_mask = mask;
	return VACCEL_OK;
}

int vaccel_image_pose_points(struct vaccel_session *sess, const void *img, size_t len,
			     struct vaccel_point **ret_points, size_t *ret_nr)
{
	struct vaccel_image_pose_points_args args = {.image = {(const uint8_t *)img, len}};
	int ret;

	if (!ret_points || !ret_nr)
		return vaccel_fail(VACCEL_EINVAL, "image_pose_points: no place for the points");
	ret = vaccel_call(sess, &vaccel_op_image_pose_points, &args);
	if (ret)
		return ret;
	*ret_points = args.points.data;
	*ret_nr = args.points.count;
	return VACCEL_OK;
}

int vaccel_image_depth_map(struct vaccel_session *sess, const void *img, size_t len,
			   struct vaccel_depth *ret_depth)
{
	struct vaccel_depth depth = {0};
	struct vaccel_image_depth_map_args args = {
		.image = {(const uint8_t *)img, len},
		.width = &depth.width,
		.height = &depth.height,
	};
	int ret;

	if (!ret_depth)
		return vaccel_fail(VACCEL_EINVAL, "image_depth_map: no place for the map");
	ret = vaccel_call(sess, &vaccel_op_image_depth_map, &args);
	if (ret)
		return ret;
	if (args.depth.count != (uint64_t)depth.width * depth.height) {
		free(args.depth.data);
		return vaccel_fail(VACCEL_EBACKEND,
				   "image_depth_map: the backend's map has not the size that it "
				   "says");
	}
	depth.values = args.depth.data;
	*ret_depth = depth;
	return VACCEL_OK;
}

/* The four that give the name of an annotated picture. */
#define IMAGE_ANNOTATE_BODY(name, function)                                                    \
	static int name##_check(const struct vaccel_##name##_args *args)                       \
	{                                                                                      \
		return check_picture(#name, args->image.count);                                \
	}                                                                                      \
                                                                                               \
	int function(struct vaccel_session *sess, const void *img, unsigned char *out_imgname, \
		     size_t len_img, size_t len_out_imgname)                                   \
	{                                                                                      \
		struct vaccel_##name##_args args = {                                           \
			.image = {(const uint8_t *)img, len_img},                              \
			.imgname = {(char *)out_imgname, len_out_imgname},                     \
		};                                                                             \
                                                                                               \
		return vaccel_image_annotate(sess, &vaccel_op_##name, &args);                  \
	}
IMAGE_ANNOTATE_BODY(image_detect, vaccel_image_detection)
IMAGE_ANNOTATE_BODY(image_segment, vaccel_image_segmentation)
IMAGE_ANNOTATE_BODY(image_pose, vaccel_image_pose)
IMAGE_ANNOTATE_BODY(image_depth, vaccel_image_depth)
#undef IMAGE_ANNOTATE_BODY
#endif

#ifdef __cplusplus
}
#endif

#endif
