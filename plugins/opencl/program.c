// SPDX-License-Identifier: Apache-2.0
/*
 * Compiling takes up to seconds, so what comes of it is kept: in this process, and
 * in a file for the next. The file begins with what it was made from and for, and is
 * only taken if all of that is the same; where it cannot be written, that costs the
 * next process its time and nothing else.
 */
#include "opencl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/log.h>

#define BINARY_MAX (64 << 20)
#define KEY_ROOM   8192
#define STRING(x)  STRING_(x)
#define STRING_(x) #x

/* clang-format off */
static const char source[] =
	"#define GROUP " STRING(GROUP) "\n"
	"#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void\n"
	"KERNEL arraycopy(ulong n, __global const int *a, __global int *out)\n"
	"{\n"
	"	size_t i = get_global_id(0);\n"
	"	if (i < n)\n"
	"		out[i] = a[i];\n"
	"}\n"
	"KERNEL vectoradd(ulong n, __global const float *a, __global const float *b,\n"
	"		 __global float *c)\n"
	"{\n"
	"	size_t i = get_global_id(0);\n"
	"	if (i < n)\n"
	"		c[i] = a[i] + b[i];\n"
	"}\n"
	"KERNEL parallel(ulong n, __global const float *a, __global const float *b,\n"
	"		__global float *sum, __global float *product)\n"
	"{\n"
	"	size_t i = get_global_id(0);\n"
	"	if (i < n) {\n"
	"		sum[i] = a[i] + b[i];\n"
	"		product[i] = a[i] * b[i];\n"
	"	}\n"
	"}\n"
	"KERNEL mmult(ulong side, __global const float *a, __global const float *b,\n"
	"	     __global float *c)\n"
	"{\n"
	"	size_t i = get_global_id(0), row = i / side, column = i % side;\n"
	"	float sum = 0;\n"
	"	if (i >= side * side)\n"
	"		return;\n"
	"	for (size_t k = 0; k < side; k++)\n"
	"		sum += a[row * side + k] * b[k * side + column];\n"
	"	c[i] = sum;\n"
	"}\n";
/* clang-format on */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cl_program program; /* NULL until it is compiled; under the lock */

bool program_cache(char path[CACHE_ROOM])
{
	const char *chosen = vaccel_knob_text(&knobs[KNOB_CACHE]);
	const char *cache = vaccel_knob_text(&knobs[KNOB_XDG_CACHE_HOME]);
	const char *home = vaccel_knob_text(&knobs[KNOB_HOME]);
	int length;

	if (chosen && *chosen)
		length = snprintf(path, CACHE_ROOM, "%s", chosen);
	else if (cache && *cache)
		length = snprintf(path, CACHE_ROOM, "%s/vaccel/opencl", cache);
	else
		length = snprintf(path, CACHE_ROOM, "%s/.cache/vaccel/opencl", home ? home : "");
	return path[0] == '/' && length < CACHE_ROOM - 64;
}

/* All that what is compiled depends on; its length. */
static size_t fill_key(const struct device *device, char key[KEY_ROOM])
{
	static const cl_device_info facts[] = {CL_DEVICE_NAME, CL_DEVICE_VENDOR, CL_DEVICE_VERSION,
					       CL_DRIVER_VERSION};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		char text[512];

		device_text(device->id, facts[i], text, sizeof(text));
		used += (size_t)snprintf(key + used, KEY_ROOM - used, "%s\n", text);
	}
	return used + (size_t)snprintf(key + used, KEY_ROOM - used, "%s", source) + 1;
}

static uint64_t sum_of(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
	return sum;
}

/* The name of the file, by a sum of the key; a collision costs a compilation. */
static bool cache_file(const char *key, size_t size, char path[CACHE_ROOM])
{
	size_t used;

	if (!program_cache(path))
		return false;
	used = strlen(path);
	snprintf(path + used, CACHE_ROOM - used, "/%016" PRIx64, sum_of(key, size));
	return true;
}

static int build(const struct device *device, cl_program built)
{
	cl_int status = clBuildProgram(built, 1, &device->id, "", NULL, NULL);
	char log[1024] = "";

	if (status &&
	    !clGetProgramBuildInfo(built, device->id, CL_PROGRAM_BUILD_LOG, sizeof(log), log, NULL))
		vaccel_debug("OpenCL: %s", log);
	return opencl_check(status, "clBuildProgram");
}

/* The rest of a file whose sum is @sum; NULL if it is another. */
static unsigned char *read_rest(FILE *file, size_t size, uint64_t sum)
{
	unsigned char *rest = malloc(size);

	if (rest && fread(rest, 1, size, file) == size && sum_of(rest, size) == sum)
		return rest;
	free(rest);
	return NULL;
}

/*
 * What a file of the cache has behind its key; NULL if it is not that key's, or not
 * whole: drivers believe what they are given.
 */
static unsigned char *read_binary(const char *path, const char *key, size_t key_size,
				  size_t *ret_size)
{
	FILE *file = fopen(path, "rbe");
	unsigned char *binary = NULL;
	char found[KEY_ROOM];
	struct stat st;
	uint64_t sum;

	if (!file)
		return NULL;
	if (fread(found, 1, key_size, file) == key_size && !memcmp(found, key, key_size) &&
	    fread(&sum, sizeof(sum), 1, file) == 1 && !fstat(fileno(file), &st) &&
	    st.st_size > (off_t)(key_size + sizeof(sum)) && st.st_size < BINARY_MAX) {
		*ret_size = (size_t)st.st_size - key_size - sizeof(sum);
		binary = read_rest(file, *ret_size, sum);
	}
	fclose(file);
	return binary;
}

static cl_program from_cache(const struct device *device, const char *path, const char *key,
			     size_t key_size)
{
	size_t size;
	unsigned char *binary = read_binary(path, key, key_size, &size);
	cl_int status, loaded;
	cl_program built;

	if (!binary)
		return NULL;
	built = clCreateProgramWithBinary(device->context, 1, &device->id, &size,
					  (const unsigned char **)&binary, &loaded, &status);
	free(binary);
	if (status)
		return NULL;
	if (!loaded && !build(device, built))
		return built;
	clReleaseProgram(built);
	return NULL;
}

/* Makes the directories of a path. */
static void make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

static bool write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* Whole or not at all: others may be reading it, or writing the same. */
static void write_file(char *path, const char *key, size_t key_size, const void *binary,
		       size_t size)
{
	char fresh[CACHE_ROOM + 8];
	uint64_t sum = sum_of(binary, size);
	bool whole;
	int fd;

	make_directories(path);
	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return;
	whole = write_all(fd, key, key_size) && write_all(fd, &sum, sizeof(sum)) &&
		write_all(fd, binary, size);
	if (close(fd) || !whole || rename(fresh, path))
		unlink(fresh);
}

static void to_cache(cl_program built, char *path, const char *key, size_t key_size)
{
	unsigned char *binary;
	size_t size = 0;

	if (clGetProgramInfo(built, CL_PROGRAM_BINARY_SIZES, sizeof(size), &size, NULL) || !size ||
	    size >= BINARY_MAX / 2 || !(binary = malloc(size)))
		return;
	if (!clGetProgramInfo(built, CL_PROGRAM_BINARIES, sizeof(binary), &binary, NULL))
		write_file(path, key, key_size, binary, size);
	free(binary);
}

static int compile(const struct device *device, cl_program *ret_program)
{
	const char *text = source;
	cl_int status;
	cl_program built = clCreateProgramWithSource(device->context, 1, &text, NULL, &status);
	int ret = opencl_check(status, "clCreateProgramWithSource");

	if (ret)
		return ret;
	ret = build(device, built);
	if (ret)
		clReleaseProgram(built);
	else
		*ret_program = built;
	return ret;
}

/* The lock is held. */
static int make_program(const struct device *device)
{
	char key[KEY_ROOM], path[CACHE_ROOM];
	size_t size = fill_key(device, key);
	bool cached = cache_file(key, size, path);
	int ret;

	program = cached ? from_cache(device, path, key, size) : NULL;
	if (program)
		return VACCEL_OK;
	ret = compile(device, &program);
	if (!ret && cached)
		to_cache(program, path, key, size);
	return ret;
}

int program_kernel(const struct device *device, const char *name, cl_kernel *ret_kernel)
{
	cl_kernel kernel;
	cl_int status;
	int ret = VACCEL_OK;

	pthread_mutex_lock(&lock);
	if (!program)
		ret = make_program(device);
	pthread_mutex_unlock(&lock);
	if (ret)
		return ret;
	kernel = clCreateKernel(program, name, &status);
	ret = opencl_check(status, "clCreateKernel");
	if (!ret)
		*ret_kernel = kernel;
	return ret;
}

void program_release(void)
{
	if (program)
		clReleaseProgram(program);
	program = NULL;
}
