// SPDX-License-Identifier: Apache-2.0
/* The headers by their names, the constants by their values, the structs by their members. */
#include <errno.h>

#include <vaccel.h>
#include <vaccel/arg.h>
#include <vaccel/blob.h>
#include <vaccel/config.h>
#include <vaccel/core.h>
#include <vaccel/error.h>
#include <vaccel/id.h>
#include <vaccel/list.h>
#include <vaccel/log.h>
#include <vaccel/op.h>
#include <vaccel/ops/blas.h>
#include <vaccel/ops/exec.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/genop.h>
#include <vaccel/ops/image.h>
#include <vaccel/ops/minmax.h>
#include <vaccel/ops/noop.h>
#include <vaccel/ops/opencv.h>
#include <vaccel/ops/tf.h>
#include <vaccel/ops/tflite.h>
#include <vaccel/ops/torch.h>
#include <vaccel/plugin.h>
#include <vaccel/prof.h>
#include <vaccel/resource.h>
#include <vaccel/session.h>
#include <vaccel/utils/enum.h>
#include <vaccel/utils/path.h>
#include <vaccel/utils/str.h>

#include "check.h"

VALUE(VACCEL_OK, 0);
VALUE(VACCEL_EINVAL, EINVAL);
VALUE(VACCEL_ENOMEM, ENOMEM);
VALUE(VACCEL_ENOTSUP, ENOTSUP);
VALUE(VACCEL_EINPROGRESS, EINPROGRESS);
VALUE(VACCEL_EBUSY, EBUSY);
VALUE(VACCEL_EEXIST, EEXIST);
VALUE(VACCEL_ENOENT, ENOENT);
VALUE(VACCEL_ELIBBAD, ELIBBAD);
VALUE(VACCEL_ENODEV, ENODEV);
VALUE(VACCEL_EIO, EIO);
VALUE(VACCEL_ENOEXEC, ENOEXEC);
VALUE(VACCEL_ENAMETOOLONG, ENAMETOOLONG);
VALUE(VACCEL_EUSERS, EUSERS);
VALUE(VACCEL_EPERM, EPERM);
VALUE(VACCEL_ELOOP, ELOOP);
VALUE(VACCEL_EMLINK, EMLINK);
VALUE(VACCEL_ENOSPC, ENOSPC);
VALUE(VACCEL_ENOTDIR, ENOTDIR);
VALUE(VACCEL_EROFS, EROFS);
VALUE(VACCEL_EACCES, EACCES);
VALUE(VACCEL_EBADF, EBADF);
VALUE(VACCEL_EREMOTEIO, EREMOTEIO);
VALUE(VACCEL_EFAULT, EFAULT);
VALUE(VACCEL_ERANGE, ERANGE);
VALUE(VACCEL_EAGAIN, EAGAIN);
VALUE(VACCEL_ENOSYS, ENOSYS);
VALUE(VACCEL_ESESS, ECONNRESET);
VALUE(VACCEL_EBACKEND, EPROTO);
VALUE(VACCEL_ETIMEDOUT, ETIMEDOUT);
VALUE(VACCEL_EDQUOT, EDQUOT);
VALUE(VACCEL_ECANCELED, ECANCELED);

VALUE(VACCEL_OP_NOOP, 0);
VALUE(VACCEL_OP_EXEC, 1);
VALUE(VACCEL_OP_EXEC_WITH_RESOURCE, 2);
VALUE(VACCEL_OP_IMAGE_CLASSIFY, 3);
VALUE(VACCEL_OP_IMAGE_DETECT, 4);
VALUE(VACCEL_OP_IMAGE_SEGMENT, 5);
VALUE(VACCEL_OP_IMAGE_POSE, 6);
VALUE(VACCEL_OP_IMAGE_DEPTH, 7);
VALUE(VACCEL_OP_TF_MODEL_LOAD, 8);
VALUE(VACCEL_OP_TF_MODEL_UNLOAD, 9);
VALUE(VACCEL_OP_TF_MODEL_RUN, 10);
VALUE(VACCEL_OP_TFLITE_MODEL_LOAD, 11);
VALUE(VACCEL_OP_TFLITE_MODEL_UNLOAD, 12);
VALUE(VACCEL_OP_TFLITE_MODEL_RUN, 13);
VALUE(VACCEL_OP_TORCH_MODEL_LOAD, 14);
VALUE(VACCEL_OP_TORCH_MODEL_RUN, 15);
VALUE(VACCEL_OP_TORCH_SGEMM, 16);
VALUE(VACCEL_OP_BLAS_SGEMM, 17);
VALUE(VACCEL_OP_FPGA_ARRAYCOPY, 18);
VALUE(VACCEL_OP_FPGA_MMULT, 19);
VALUE(VACCEL_OP_FPGA_PARALLEL, 20);
VALUE(VACCEL_OP_FPGA_VECTORADD, 21);
VALUE(VACCEL_OP_MINMAX, 22);
VALUE(VACCEL_OP_OPENCV, 23);
VALUE(VACCEL_OP_ONNX_MODEL_LOAD, 64);
VALUE(VACCEL_OP_ONNX_MODEL_RUN, 65);
VALUE(VACCEL_OP_ONNX_MODEL_UNLOAD, 66);
VALUE(VACCEL_OP_IMAGE_CLASSIFY_TOP, 67);
VALUE(VACCEL_OP_IMAGE_DETECT_BOXES, 70);
VALUE(VACCEL_OP_IMAGE_SEGMENT_MASK, 71);
VALUE(VACCEL_OP_IMAGE_POSE_POINTS, 72);
VALUE(VACCEL_OP_IMAGE_DEPTH_MAP, 73);

VALUE(VACCEL_PLUGIN_CPU, 0x1);
VALUE(VACCEL_PLUGIN_GPU, 0x2);
VALUE(VACCEL_PLUGIN_FPGA, 0x4);
VALUE(VACCEL_PLUGIN_SOFTWARE, 0x8);
VALUE(VACCEL_PLUGIN_TENSORFLOW, 0x10);
VALUE(VACCEL_PLUGIN_TORCH, 0x20);
VALUE(VACCEL_PLUGIN_JETSON, 0x40);
VALUE(VACCEL_PLUGIN_GENERIC, 0x80);
VALUE(VACCEL_PLUGIN_DEBUG, 0x100);
VALUE(VACCEL_PLUGIN_REMOTE, 0x4000);
VALUE(VACCEL_PLUGIN_ALL, 0xffff);

VALUE(VACCEL_RESOURCE_LIB, 0);
VALUE(VACCEL_RESOURCE_DATA, 1);
VALUE(VACCEL_RESOURCE_MODEL, 2);
VALUE(VACCEL_RESOURCE_MAX, 3);
VALUE(VACCEL_BLOB_FILE, 0);
VALUE(VACCEL_BLOB_BUFFER, 1);
VALUE(VACCEL_BLOB_MAPPED, 2);
VALUE(VACCEL_BLOB_MAX, 3);
VALUE(VACCEL_PATH_LOCAL_FILE, 0);
VALUE(VACCEL_PATH_LOCAL_DIR, 1);
VALUE(VACCEL_PATH_REMOTE_FILE, 2);
VALUE(VACCEL_PATH_MAX, 3);
VALUE(VACCEL_LOG_ERROR, 1);
VALUE(VACCEL_LOG_WARN, 2);
VALUE(VACCEL_LOG_INFO, 3);
VALUE(VACCEL_LOG_DEBUG, 4);
VALUE(VACCEL_LOG_MAX, 5);

VALUE(VACCEL_ARG_RAW, 0);
VALUE(VACCEL_ARG_INT8, 1);
VALUE(VACCEL_ARG_INT8_ARRAY, 2);
VALUE(VACCEL_ARG_INT16, 3);
VALUE(VACCEL_ARG_INT16_ARRAY, 4);
VALUE(VACCEL_ARG_INT32, 5);
VALUE(VACCEL_ARG_INT32_ARRAY, 6);
VALUE(VACCEL_ARG_INT64, 7);
VALUE(VACCEL_ARG_INT64_ARRAY, 8);
VALUE(VACCEL_ARG_UINT8, 9);
VALUE(VACCEL_ARG_UINT8_ARRAY, 10);
VALUE(VACCEL_ARG_UINT16, 11);
VALUE(VACCEL_ARG_UINT16_ARRAY, 12);
VALUE(VACCEL_ARG_UINT32, 13);
VALUE(VACCEL_ARG_UINT32_ARRAY, 14);
VALUE(VACCEL_ARG_UINT64, 15);
VALUE(VACCEL_ARG_UINT64_ARRAY, 16);
VALUE(VACCEL_ARG_FLOAT32, 17);
VALUE(VACCEL_ARG_FLOAT32_ARRAY, 18);
VALUE(VACCEL_ARG_FLOAT64, 19);
VALUE(VACCEL_ARG_FLOAT64_ARRAY, 20);
VALUE(VACCEL_ARG_BOOL, 21);
VALUE(VACCEL_ARG_BOOL_ARRAY, 22);
VALUE(VACCEL_ARG_CHAR, 23);
VALUE(VACCEL_ARG_CHAR_ARRAY, 24);
VALUE(VACCEL_ARG_UCHAR, 25);
VALUE(VACCEL_ARG_UCHAR_ARRAY, 26);
VALUE(VACCEL_ARG_STRING, 27);
VALUE(VACCEL_ARG_BUFFER, 28);
VALUE(VACCEL_ARG_CUSTOM, 29);
VALUE(VACCEL_ARG_MAX, 30);

VALUE(VACCEL_TF_FLOAT, 1);
VALUE(VACCEL_TF_DOUBLE, 2);
VALUE(VACCEL_TF_INT32, 3);
VALUE(VACCEL_TF_UINT8, 4);
VALUE(VACCEL_TF_INT16, 5);
VALUE(VACCEL_TF_INT8, 6);
VALUE(VACCEL_TF_STRING, 7);
VALUE(VACCEL_TF_INT64, 9);
VALUE(VACCEL_TF_BOOL, 10);
VALUE(VACCEL_TF_HALF, 19);
VALUE(VACCEL_TF_UINT32, 22);
VALUE(VACCEL_TF_UINT64, 23);
VALUE(VACCEL_TFLITE_NOTYPE, 0);
VALUE(VACCEL_TFLITE_FLOAT32, 1);
VALUE(VACCEL_TFLITE_INT32, 2);
VALUE(VACCEL_TFLITE_UINT8, 3);
VALUE(VACCEL_TFLITE_INT64, 4);
VALUE(VACCEL_TFLITE_BOOL, 6);
VALUE(VACCEL_TFLITE_FLOAT16, 10);
VALUE(VACCEL_TFLITE_INT4, 18);
VALUE(VACCEL_TORCH_BYTE, 1);
VALUE(VACCEL_TORCH_CHAR, 2);
VALUE(VACCEL_TORCH_SHORT, 3);
VALUE(VACCEL_TORCH_INT, 4);
VALUE(VACCEL_TORCH_LONG, 5);
VALUE(VACCEL_TORCH_HALF, 6);
VALUE(VACCEL_TORCH_FLOAT, 7);
VALUE(VACCEL_TORCH_DOUBLE, 8);
VALUE(VACCEL_TORCH_BOOL, 9);
VALUE(VACCEL_TORCH_BFLOAT16, 10);

VALUE(VACCEL_ENUM_STR_MAX, 128);
VALUE(sizeof(vaccel_id_t), 8);
static_assert(sizeof(VACCEL_VERSION) > sizeof("0.0."), "VACCEL_VERSION is text");

FIRST(vaccel_config, plugins);
NEXT(vaccel_config, plugins, log_level);
NEXT(vaccel_config, log_level, log_file);
NEXT(vaccel_config, log_file, profiling_enabled);
NEXT(vaccel_config, profiling_enabled, version_ignore);

FIRST(vaccel_session, id);
NEXT(vaccel_session, id, remote_id);
NEXT(vaccel_session, remote_id, hint);
NEXT(vaccel_session, hint, is_virtio);
NEXT(vaccel_session, is_virtio, plugin);
NEXT(vaccel_session, plugin, priv);

FIRST(vaccel_blob, type);
NEXT(vaccel_blob, type, name);
NEXT(vaccel_blob, name, path);
NEXT(vaccel_blob, path, path_owned);
NEXT(vaccel_blob, path_owned, data);
NEXT(vaccel_blob, data, data_owned);
NEXT(vaccel_blob, data_owned, size);

FIRST(vaccel_resource, id);
NEXT(vaccel_resource, id, remote_id);
NEXT(vaccel_resource, remote_id, type);
NEXT(vaccel_resource, type, path_type);
NEXT(vaccel_resource, path_type, paths);
NEXT(vaccel_resource, paths, nr_paths);
NEXT(vaccel_resource, nr_paths, rundir);
NEXT(vaccel_resource, rundir, blobs);
NEXT(vaccel_resource, blobs, nr_blobs);
NEXT(vaccel_resource, nr_blobs, plugin_priv);

FIRST(vaccel_arg, buf);
NEXT(vaccel_arg, buf, size);
NEXT(vaccel_arg, size, type);
NEXT(vaccel_arg, type, custom_type_id);
NEXT(vaccel_arg, custom_type_id, owned);

FIRST(vaccel_arg_array, args);
NEXT(vaccel_arg_array, args, count);
NEXT(vaccel_arg_array, count, capacity);
NEXT(vaccel_arg_array, capacity, position);
NEXT(vaccel_arg_array, position, owned);

FIRST(vaccel_arg_list, size);
NEXT(vaccel_arg_list, size, list);

#define TENSOR_ORDER(type)          \
	FIRST(type, data);          \
	NEXT(type, data, size);     \
	NEXT(type, size, owned);    \
	NEXT(type, owned, nr_dims); \
	NEXT(type, nr_dims, dims);  \
	NEXT(type, dims, data_type)
TENSOR_ORDER(vaccel_tf_tensor);
TENSOR_ORDER(vaccel_tflite_tensor);
TENSOR_ORDER(vaccel_torch_tensor);
TENSOR_ORDER(vaccel_tensor);

FIRST(vaccel_tf_buffer, data);
NEXT(vaccel_tf_buffer, data, size);
FIRST(vaccel_torch_buffer, data);
NEXT(vaccel_torch_buffer, data, size);
FIRST(vaccel_tf_node, name);
NEXT(vaccel_tf_node, name, id);
FIRST(vaccel_tf_status, code);
NEXT(vaccel_tf_status, code, message);
FIRST(vaccel_class, index);
NEXT(vaccel_class, index, probability);
NEXT(vaccel_class, probability, label);

static void object_members(struct vaccel_config *config, struct vaccel_session *sess,
			   struct vaccel_blob *blob, struct vaccel_resource *resource)
{
	MEMBER(config, char *, plugins);
	MEMBER(config, vaccel_log_level_t, log_level);
	MEMBER(config, char *, log_file);
	MEMBER(config, bool, profiling_enabled);
	MEMBER(config, bool, version_ignore);

	MEMBER(sess, vaccel_id_t, id);
	MEMBER(sess, vaccel_id_t, remote_id);
	MEMBER(sess, unsigned int, hint);
	MEMBER(sess, bool, is_virtio);
	MEMBER(sess, struct vaccel_plugin *, plugin);
	MEMBER(sess->plugin->info, const char *const, name);
	MEMBER(sess, void *, priv);

	MEMBER(blob, vaccel_blob_type_t, type);
	MEMBER(blob, char *, name);
	MEMBER(blob, char *, path);
	MEMBER(blob, bool, path_owned);
	MEMBER(blob, uint8_t *, data);
	MEMBER(blob, bool, data_owned);
	MEMBER(blob, size_t, size);

	MEMBER(resource, vaccel_id_t, id);
	MEMBER(resource, vaccel_id_t, remote_id);
	MEMBER(resource, vaccel_resource_type_t, type);
	MEMBER(resource, vaccel_path_type_t, path_type);
	MEMBER(resource, char **, paths);
	MEMBER(resource, size_t, nr_paths);
	MEMBER(resource, char *, rundir);
	MEMBER(resource, struct vaccel_blob **, blobs);
	MEMBER(resource, size_t, nr_blobs);
	MEMBER(resource, void *, plugin_priv);
}

static void arg_members(struct vaccel_arg *arg, struct vaccel_arg_array *array,
			struct vaccel_arg_list *list)
{
	MEMBER(arg, void *, buf);
	MEMBER(arg, size_t, size);
	MEMBER(arg, vaccel_arg_type_t, type);
	MEMBER(arg, uint32_t, custom_type_id);
	MEMBER(arg, bool, owned);

	MEMBER(array, struct vaccel_arg *, args);
	MEMBER(array, size_t, count);
	MEMBER(array, size_t, capacity);
	MEMBER(array, size_t, position);
	MEMBER(array, bool, owned);

	MEMBER(list, uint32_t, size);
	MEMBER(list, struct vaccel_arg *, list);
}

#define TENSOR_MEMBERS(tensor, rank_type, dim_type, element_type) \
	do {                                                      \
		MEMBER(tensor, void *, data);                     \
		MEMBER(tensor, size_t, size);                     \
		MEMBER(tensor, bool, owned);                      \
		MEMBER(tensor, rank_type, nr_dims);               \
		MEMBER(tensor, dim_type *, dims);                 \
		MEMBER(tensor, element_type, data_type);          \
	} while (0)

static void tensor_members(struct vaccel_tf_tensor *tf, struct vaccel_tflite_tensor *tflite,
			   struct vaccel_torch_tensor *torch, struct vaccel_tensor *onnx)
{
	TENSOR_MEMBERS(tf, int, int64_t, enum vaccel_tf_data_type);
	TENSOR_MEMBERS(tflite, int, int32_t, enum vaccel_tflite_data_type);
	TENSOR_MEMBERS(torch, int64_t, int64_t, enum vaccel_torch_data_type);
	TENSOR_MEMBERS(onnx, size_t, int64_t, int32_t);
}

static void other_members(struct vaccel_tf_buffer *tf, struct vaccel_torch_buffer *torch,
			  struct vaccel_tf_node *node, struct vaccel_tf_status *status,
			  struct vaccel_class *top)
{
	MEMBER(tf, void *, data);
	MEMBER(tf, size_t, size);
	MEMBER(torch, char *, data);
	MEMBER(torch, size_t, size);
	MEMBER(node, char *, name);
	MEMBER(node, int, id);
	MEMBER(status, uint8_t, code);
	MEMBER(status, char *, message);
	MEMBER(top, uint32_t, index);
	MEMBER(top, float, probability);
	MEMBER(top, char *, label);
}

void check_values(void)
{
	/* Only compiled: what they look at is of no matter. */
	use((void (*)(void))object_members);
	use((void (*)(void))arg_members);
	use((void (*)(void))tensor_members);
	use((void (*)(void))other_members);
}
