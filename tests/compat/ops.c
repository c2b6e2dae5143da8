// SPDX-License-Identifier: Apache-2.0
/* The operations, and the values that they take. */
#include <vaccel.h>

#include "check.h"

static void check_plain(void)
{
	FUNCTION(int, vaccel_noop, struct vaccel_session *);
	FUNCTION(int, vaccel_exec, struct vaccel_session *, const char *, const char *,
		 struct vaccel_arg *, size_t, struct vaccel_arg *, size_t);
	FUNCTION(int, vaccel_exec_with_resource, struct vaccel_session *, struct vaccel_resource *,
		 const char *, struct vaccel_arg *, size_t, struct vaccel_arg *, size_t);
	FUNCTION(int, vaccel_sgemm, struct vaccel_session *, int64_t, int64_t, int64_t, float,
		 float *, int64_t, float *, int64_t, float, float *, int64_t);
	FUNCTION(int, vaccel_minmax, struct vaccel_session *, const double *, int, int, int,
		 double *, double *, double *);
	FUNCTION(int, vaccel_fpga_arraycopy, struct vaccel_session *, int[], int[], size_t);
	FUNCTION(int, vaccel_fpga_mmult, struct vaccel_session *, float[], float[], float[],
		 size_t);
	FUNCTION(int, vaccel_fpga_parallel, struct vaccel_session *, float[], float[], float[],
		 float[], size_t);
	FUNCTION(int, vaccel_fpga_vadd, struct vaccel_session *, float[], float[], float[], size_t,
		 size_t);
	FUNCTION(int, vaccel_opencv_unpack, struct vaccel_session *, struct vaccel_arg *, int,
		 struct vaccel_arg *, int);
	FUNCTION(int, vaccel_genop, struct vaccel_session *, struct vaccel_arg *, int,
		 struct vaccel_arg *, int);
}

#define ANNOTATE(name) \
	FUNCTION(int, name, struct vaccel_session *, const void *, unsigned char *, size_t, size_t)

static void check_image(void)
{
	FUNCTION(int, vaccel_image_classification, struct vaccel_session *, const void *,
		 unsigned char *, unsigned char *, size_t, size_t, size_t);
	ANNOTATE(vaccel_image_detection);
	ANNOTATE(vaccel_image_segmentation);
	ANNOTATE(vaccel_image_pose);
	ANNOTATE(vaccel_image_depth);
	FUNCTION(int, vaccel_image_classify_top, struct vaccel_session *, const void *, size_t,
		 size_t, struct vaccel_class **, size_t *);
	FUNCTION(int, vaccel_image_detect_boxes, struct vaccel_session *, const void *, size_t,
		 struct vaccel_box **, size_t *);
	FUNCTION(int, vaccel_image_segment_mask, struct vaccel_session *, const void *, size_t,
		 struct vaccel_mask *);
	FUNCTION(int, vaccel_image_pose_points, struct vaccel_session *, const void *, size_t,
		 struct vaccel_point **, size_t *);
	FUNCTION(int, vaccel_image_depth_map, struct vaccel_session *, const void *, size_t,
		 struct vaccel_depth *);
}

#define TENSOR_FUNCTIONS(tensor, rank_type, dim_type, element_type)                             \
	do {                                                                                    \
		FUNCTION(int, tensor##_init, struct tensor *, rank_type, const dim_type *,      \
			 element_type);                                                         \
		FUNCTION(int, tensor##_new, struct tensor **, rank_type, const dim_type *,      \
			 element_type);                                                         \
		FUNCTION(int, tensor##_allocate, struct tensor **, rank_type, const dim_type *, \
			 element_type, size_t);                                                 \
		FUNCTION(int, tensor##_release, struct tensor *);                               \
		FUNCTION(int, tensor##_delete, struct tensor *);                                \
		FUNCTION(int, tensor##_set_data, struct tensor *, void *, size_t);              \
		FUNCTION(int, tensor##_take_data, struct tensor *, void **, size_t *);          \
	} while (0)

#define BUFFER_FUNCTIONS(buffer, data_type)                                            \
	do {                                                                           \
		FUNCTION(int, buffer##_init, struct buffer *, data_type *, size_t);    \
		FUNCTION(int, buffer##_new, struct buffer **, data_type *, size_t);    \
		FUNCTION(int, buffer##_take_data, struct buffer *, void **, size_t *); \
		FUNCTION(int, buffer##_release, struct buffer *);                      \
		FUNCTION(int, buffer##_delete, struct buffer *);                       \
	} while (0)

static void check_tensors(void)
{
	TENSOR_FUNCTIONS(vaccel_tf_tensor, int, int64_t, enum vaccel_tf_data_type);
	TENSOR_FUNCTIONS(vaccel_tflite_tensor, int, int32_t, enum vaccel_tflite_data_type);
	TENSOR_FUNCTIONS(vaccel_torch_tensor, int64_t, int64_t, enum vaccel_torch_data_type);
	TENSOR_FUNCTIONS(vaccel_tensor, size_t, int64_t, int32_t);
	BUFFER_FUNCTIONS(vaccel_tf_buffer, void);
	BUFFER_FUNCTIONS(vaccel_torch_buffer, char);
}

static void check_tf(void)
{
	FUNCTION(int, vaccel_tf_node_init, struct vaccel_tf_node *, const char *, int);
	FUNCTION(int, vaccel_tf_node_new, struct vaccel_tf_node **, const char *, int);
	FUNCTION(int, vaccel_tf_node_release, struct vaccel_tf_node *);
	FUNCTION(int, vaccel_tf_node_delete, struct vaccel_tf_node *);
	FUNCTION(int, vaccel_tf_status_init, struct vaccel_tf_status *, uint8_t, const char *);
	FUNCTION(int, vaccel_tf_status_new, struct vaccel_tf_status **, uint8_t, const char *);
	FUNCTION(int, vaccel_tf_status_release, struct vaccel_tf_status *);
	FUNCTION(int, vaccel_tf_status_delete, struct vaccel_tf_status *);

	FUNCTION(int, vaccel_tf_model_load, struct vaccel_session *, struct vaccel_resource *,
		 struct vaccel_tf_status *);
	FUNCTION(int, vaccel_tf_model_unload, struct vaccel_session *, struct vaccel_resource *,
		 struct vaccel_tf_status *);
	FUNCTION(int, vaccel_tf_model_run, struct vaccel_session *, struct vaccel_resource *,
		 const struct vaccel_tf_buffer *, const struct vaccel_tf_node *,
		 struct vaccel_tf_tensor *const *, int, const struct vaccel_tf_node *,
		 struct vaccel_tf_tensor **, int, struct vaccel_tf_status *);
}

static void check_tflite_and_torch(void)
{
	FUNCTION(int, vaccel_tflite_model_load, struct vaccel_session *, struct vaccel_resource *);
	FUNCTION(int, vaccel_tflite_model_unload, struct vaccel_session *,
		 struct vaccel_resource *);
	FUNCTION(int, vaccel_tflite_model_run, struct vaccel_session *, struct vaccel_resource *,
		 struct vaccel_tflite_tensor *const *, int, struct vaccel_tflite_tensor **, int,
		 uint8_t *);
	FUNCTION(int, vaccel_torch_model_load, struct vaccel_session *, struct vaccel_resource *);
	FUNCTION(int, vaccel_torch_model_run, struct vaccel_session *, struct vaccel_resource *,
		 const struct vaccel_torch_buffer *, struct vaccel_torch_tensor *const *, int,
		 struct vaccel_torch_tensor **, int);
	FUNCTION(int, vaccel_torch_jitload_forward, struct vaccel_session *,
		 struct vaccel_resource *, const struct vaccel_torch_buffer *,
		 struct vaccel_torch_tensor *const *, int, struct vaccel_torch_tensor **, int);
	FUNCTION(int, vaccel_torch_sgemm, struct vaccel_session *, struct vaccel_torch_tensor **,
		 struct vaccel_torch_tensor **, struct vaccel_torch_tensor **, int, int, int,
		 struct vaccel_torch_tensor **);
}

static void check_onnx(void)
{
	FUNCTION(int, vaccel_onnx_model_load, struct vaccel_session *, struct vaccel_resource *);
	FUNCTION(int, vaccel_onnx_model_unload, struct vaccel_session *, struct vaccel_resource *);
	FUNCTION(int, vaccel_onnx_model_run, struct vaccel_session *, struct vaccel_resource *,
		 const char *const *, struct vaccel_tensor *const *, size_t, const char *const *,
		 struct vaccel_tensor **, size_t);
}

void check_ops(void)
{
	check_plain();
	check_image();
	check_tensors();
	check_tf();
	check_tflite_and_torch();
	check_onnx();
}
