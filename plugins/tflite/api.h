/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is used of TensorFlow Lite's C API. No package that has its library has all of
 * its headers, so this says what the library's functions are: those of the C API, which
 * stay as they are from version to version, those of delegates, and one of C++.
 */
#ifndef TFLITE_API_H
#define TFLITE_API_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TfLiteModel TfLiteModel;
typedef struct TfLiteInterpreter TfLiteInterpreter;
typedef struct TfLiteInterpreterOptions TfLiteInterpreterOptions;
typedef struct TfLiteTensor TfLiteTensor;
typedef struct TfLiteDelegate TfLiteDelegate;

/** TfLiteStatus - what functions return; all others are errors */
typedef enum { kTfLiteOk } TfLiteStatus;

/** struct TfLiteQuantizationParams - a number stands for (it - zero_point) * scale; 0: for itself
 */
typedef struct {
	float scale;
	int32_t zero_point;
} TfLiteQuantizationParams;

typedef void tflite_report_fn(void *context, const char *format, va_list arguments);

/* Models and interpreters. A tensor's type is an enum vaccel_tflite_data_type. */
const char *TfLiteVersion(void);
TfLiteModel *TfLiteModelCreateWithErrorReporter(const void *data, size_t size,
						tflite_report_fn *report, void *context);
void TfLiteModelDelete(TfLiteModel *model);
TfLiteInterpreterOptions *TfLiteInterpreterOptionsCreate(void);
void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions *options);
void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions *options, int32_t threads);
void TfLiteInterpreterOptionsSetErrorReporter(TfLiteInterpreterOptions *options,
					      tflite_report_fn *report, void *context);
TfLiteInterpreter *TfLiteInterpreterCreate(const TfLiteModel *model,
					   const TfLiteInterpreterOptions *options);
void TfLiteInterpreterDelete(TfLiteInterpreter *interpreter);
/* Gives parts of the model to a delegate; after an error it has none, or the model is unusable. */
TfLiteStatus TfLiteInterpreterModifyGraphWithDelegate(const TfLiteInterpreter *interpreter,
						      TfLiteDelegate *delegate);
int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter *interpreter);
TfLiteTensor *TfLiteInterpreterGetInputTensor(const TfLiteInterpreter *interpreter, int32_t index);
int32_t TfLiteInterpreterGetOutputTensorCount(const TfLiteInterpreter *interpreter);
const TfLiteTensor *TfLiteInterpreterGetOutputTensor(const TfLiteInterpreter *interpreter,
						     int32_t index);
int32_t TfLiteInterpreterGetVariableTensorCount(const TfLiteInterpreter *interpreter);
/* Any tensor of the model's; NULL for an index beyond the last. */
TfLiteTensor *TfLiteInterpreterGetTensor(const TfLiteInterpreter *interpreter, int index);
TfLiteStatus TfLiteInterpreterResizeInputTensor(TfLiteInterpreter *interpreter, int32_t index,
						const int *dims, int32_t nr_dims);
TfLiteStatus TfLiteInterpreterAllocateTensors(TfLiteInterpreter *interpreter);
TfLiteStatus TfLiteInterpreterInvoke(TfLiteInterpreter *interpreter);

/* Tensors */
int TfLiteTensorType(const TfLiteTensor *tensor);
int32_t TfLiteTensorNumDims(const TfLiteTensor *tensor);
int32_t TfLiteTensorDim(const TfLiteTensor *tensor, int32_t index);
size_t TfLiteTensorByteSize(const TfLiteTensor *tensor);
void *TfLiteTensorData(const TfLiteTensor *tensor);
const char *TfLiteTensorName(const TfLiteTensor *tensor);
TfLiteQuantizationParams TfLiteTensorQuantizationParams(const TfLiteTensor *tensor);
/* The shape that a model was written with, -1 for sizes that it leaves open; none: nr 0 or less. */
TfLiteStatus TfLiteOpaqueTensorGetNumDimsSignature(const TfLiteTensor *tensor, int32_t *ret_nr);
TfLiteStatus TfLiteOpaqueTensorGetDimSignature(const TfLiteTensor *tensor, int32_t index,
					       int32_t *ret_size);
/* For a tensor whose size is no matter of its shape: one of strings. */
TfLiteStatus TfLiteTensorRealloc(size_t size, TfLiteTensor *tensor);

/* XNNPACK. Quantised operations are left to TensorFlow Lite unless flags ask for them. */
enum { XNNPACK_SIGNED_BYTES = 1, XNNPACK_UNSIGNED_BYTES = 2 };

struct TfLiteXNNPackDelegateWeightsCache;

/**
 * struct TfLiteXNNPackDelegateOptions - its first members
 *
 * Each version appends some, which are left as the library itself has set them.
 */
typedef struct {
	int32_t num_threads;
	uint32_t flags;
	struct TfLiteXNNPackDelegateWeightsCache *weights_cache;
	uint64_t more[62];
} TfLiteXNNPackDelegateOptions;

TfLiteXNNPackDelegateOptions TfLiteXNNPackDelegateOptionsDefault(void);
TfLiteDelegate *TfLiteXNNPackDelegateCreate(const TfLiteXNNPackDelegateOptions *options);
void TfLiteXNNPackDelegateDelete(TfLiteDelegate *delegate);
struct TfLiteXNNPackDelegateWeightsCache *TfLiteXNNPackDelegateWeightsCacheCreate(void);
bool TfLiteXNNPackDelegateWeightsCacheFinalizeSoft(struct TfLiteXNNPackDelegateWeightsCache *cache);
void TfLiteXNNPackDelegateWeightsCacheDelete(struct TfLiteXNNPackDelegateWeightsCache *cache);

/* What a library with a delegate of its own has, by these names */
typedef TfLiteDelegate *tflite_plugin_create_delegate_fn(const char *const *keys,
							 const char *const *values, size_t nr,
							 void (*report)(const char *text));
typedef void tflite_plugin_destroy_delegate_fn(TfLiteDelegate *delegate);

/*
 * Says from which severity on the library writes to stderr; 3 is that of nothing. Only C++ knows
 * it, by this name, and a library without it is fine.
 */
int tflite_set_severity(int severity) __asm__(
	"_ZN6tflite16logging_internal13MinimalLogger21SetMinimumLogSeverityENS_11LogSeverityE")
	__attribute__((weak));

#endif
