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
 * Return: as vaccel_image_classification().
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
		return vaccel_call(sess, &vaccel_op_##name, &args);                            \
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
