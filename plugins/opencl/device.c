// SPDX-License-Identifier: Apache-2.0
/*
 * Devices of all drivers are numbered as they come. Which one is used is decided
 * once; a failure is remembered, too, with its words.
 */
#include "opencl/device.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PLATFORMS_MAX 16
#define DEVICES_MAX   64
#define QUEUES_MAX    32
#define NAME_ROOM     128

struct list {
	cl_device_id id[DEVICES_MAX];
	cl_uint nr;
};

static const struct {
	cl_device_type type;
	const char *name;
} types[] = {
	{CL_DEVICE_TYPE_GPU, "gpu"},
	{CL_DEVICE_TYPE_ACCELERATOR, "accelerator"},
	{CL_DEVICE_TYPE_CPU, "cpu"},
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock until it is settled, and as it is from then on. */
static bool settled;
static struct device device;
static int failure_code;
static char failure[512];

/* Under the lock. */
static cl_command_queue queues[QUEUES_MAX];
static size_t nr_queues;

static bool is_pocl(cl_platform_id platform)
{
	char name[NAME_ROOM];

	return !clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof(name), name, NULL) &&
	       !strcmp(name, "Portable Computing Language");
}

static const char *wanted_device(void)
{
	const char *wanted = vaccel_knob_text(&knobs[KNOB_DEVICE]);

	return wanted && *wanted ? wanted : NULL;
}

/* PoCL is left out unless a device was chosen: see device_drivers(). */
static cl_uint list_platforms(cl_platform_id platforms[PLATFORMS_MAX], bool *ret_pocl)
{
	cl_platform_id all[PLATFORMS_MAX];
	cl_uint nr_all = 0, nr = 0;

	*ret_pocl = false;
	/* Without a driver this is an error of the loader's own. */
	if (clGetPlatformIDs(PLATFORMS_MAX, all, &nr_all))
		return 0;
	for (cl_uint i = 0; i < nr_all && i < PLATFORMS_MAX; i++) {
		bool pocl = is_pocl(all[i]);

		*ret_pocl = *ret_pocl || pocl;
		if (!pocl || wanted_device())
			platforms[nr++] = all[i];
	}
	return nr;
}

/* Whether the setting can mean the processor: by its type, a number or a name. */
static bool processor_is_wanted(void)
{
	const char *wanted = wanted_device();

	return wanted && strcasecmp(wanted, "gpu") != 0 && strcasecmp(wanted, "accelerator") != 0;
}

int device_drivers(bool *ret_pocl)
{
	cl_platform_id platforms[PLATFORMS_MAX];
	bool pocl;
	cl_uint nr = list_platforms(platforms, &pocl);

	*ret_pocl = pocl && processor_is_wanted();
	if (nr)
		return VACCEL_OK;
	if (pocl)
		return vaccel_fail(VACCEL_ENODEV,
				   "the only OpenCL driver is PoCL, which computes on the "
				   "processor; to use it, set VACCEL_OPENCL_DEVICE=cpu");
	return vaccel_fail(VACCEL_ENODEV,
			   "there is no OpenCL driver; install your device's, or PoCL for this "
			   "processor (Debian: pocl-opencl-icd)");
}

static void list_devices(struct list *list)
{
	cl_platform_id platforms[PLATFORMS_MAX];
	bool pocl;
	cl_uint nr_platforms = list_platforms(platforms, &pocl);

	list->nr = 0;
	for (cl_uint i = 0; i < nr_platforms; i++) {
		cl_uint room = DEVICES_MAX - list->nr, nr = 0;

		if (room && !clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, room,
					    list->id + list->nr, &nr))
			list->nr += nr < room ? nr : room;
	}
}

static cl_device_type type_of(cl_device_id id)
{
	cl_device_type type = 0;

	clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
	return type;
}

void device_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
	char *whole = NULL;
	size_t length = 0;

	text[0] = '\0';
	if (!clGetDeviceInfo(id, what, 0, NULL, &length))
		whole = calloc(1, length + 1);
	if (whole && !clGetDeviceInfo(id, what, length, whole, NULL))
		snprintf(text, size, "%s", whole);
	free(whole);
}

/* "0: GeForce (gpu)" */
static void words_of(const struct list *list, cl_uint index, char *text, size_t size)
{
	char name[NAME_ROOM];
	const char *type = "of another type";

	for (size_t i = 0; i < NR_TYPES; i++)
		if (type_of(list->id[index]) & types[i].type)
			type = types[i].name;
	device_text(list->id[index], CL_DEVICE_NAME, name, sizeof(name));
	snprintf(text, size, "%u: %s (%s)", (unsigned int)index, name, type);
}

static void words_of_all(const struct list *list, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (cl_uint i = 0; i < list->nr && used < size; i++) {
		char one[NAME_ROOM + 32];

		words_of(list, i, one, sizeof(one));
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", one);
	}
}

static cl_device_id first_of_type(const struct list *list, cl_device_type type)
{
	for (cl_uint i = 0; i < list->nr; i++)
		if (type_of(list->id[i]) & type)
			return list->id[i];
	return NULL;
}

static cl_device_id by_number(const struct list *list, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return !*end && number < list->nr ? list->id[number] : NULL;
}

static cl_device_id by_name(const struct list *list, const char *text)
{
	char name[NAME_ROOM];

	for (cl_uint i = 0; i < list->nr; i++) {
		device_text(list->id[i], CL_DEVICE_NAME, name, sizeof(name));
		if (strcasestr(name, text))
			return list->id[i];
	}
	return NULL;
}

static cl_device_id find(const struct list *list, const char *wanted)
{
	cl_device_id id = NULL;

	for (size_t i = 0; i < NR_TYPES; i++) {
		if (wanted && !strcasecmp(wanted, types[i].name))
			return first_of_type(list, types[i].type);
		if (!wanted && !id)
			id = first_of_type(list, types[i].type);
	}
	if (wanted)
		id = by_number(list, wanted);
	return id || !wanted ? id : by_name(list, wanted);
}

static int choose(struct device *ret_device)
{
	const char *wanted = wanted_device();
	struct device chosen;
	struct list list;
	char words[300];
	cl_int status;
	int ret;

	list_devices(&list);
	words_of_all(&list, words, sizeof(words));
	chosen.id = find(&list, wanted);
	if (!chosen.id)
		return vaccel_fail(VACCEL_ENODEV,
				   "there is no OpenCL device%s%.60s%s; those that there are: %s",
				   wanted ? " '" : "", wanted ? wanted : "", wanted ? "'" : "",
				   *words ? words : "none");
	chosen.context = clCreateContext(NULL, 1, &chosen.id, NULL, NULL, &status);
	ret = opencl_check(status, "clCreateContext");
	if (!ret)
		*ret_device = chosen;
	return ret;
}

int device_get(const struct device **ret_device)
{
	int ret;

	pthread_mutex_lock(&lock);
	if (!settled) {
		failure_code = choose(&device);
		if (failure_code)
			snprintf(failure, sizeof(failure), "%s", vaccel_error_text());
		settled = true;
	}
	ret = failure_code;
	pthread_mutex_unlock(&lock);
	if (ret)
		return vaccel_fail(ret, "%s", failure);
	*ret_device = &device;
	return VACCEL_OK;
}

void device_release(void)
{
	while (nr_queues)
		clReleaseCommandQueue(queues[--nr_queues]);
	if (settled && !failure_code)
		clReleaseContext(device.context);
	settled = false;
}

int queue_take(const struct device *of, cl_command_queue *ret_queue)
{
	cl_command_queue queue = NULL;
	cl_int status = CL_SUCCESS;

	pthread_mutex_lock(&lock);
	if (nr_queues)
		queue = queues[--nr_queues];
	pthread_mutex_unlock(&lock);
	if (!queue)
		queue = clCreateCommandQueue(of->context, of->id, 0, &status);
	if (status)
		return opencl_check(status, "clCreateCommandQueue");
	*ret_queue = queue;
	return VACCEL_OK;
}

void queue_give(cl_command_queue queue)
{
	if (!queue)
		return;
	/* What failed half-way may still be running. */
	clFinish(queue);
	pthread_mutex_lock(&lock);
	if (nr_queues < QUEUES_MAX) {
		queues[nr_queues++] = queue;
		queue = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (queue)
		clReleaseCommandQueue(queue);
}

void device_report(vaccel_plugin_report_fn *say, void *context)
{
	const struct device *used = NULL;
	struct list list;
	char words[512];

	list_devices(&list);
	words_of_all(&list, words, sizeof(words));
	say(context, "devices", words);
	if (device_get(&used) || !used) {
		say(context, "device", vaccel_error_text());
		return;
	}
	device_text(used->id, CL_DEVICE_NAME, words, sizeof(words));
	say(context, "device", words);
	device_text(used->id, CL_DEVICE_VERSION, words, sizeof(words));
	say(context, "version", words);
}
