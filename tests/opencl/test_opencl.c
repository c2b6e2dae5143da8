// SPDX-License-Identifier: Apache-2.0
/* Which device is used, and what is kept of compiling for it. PoCL is the driver. */
#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel.h>

static struct vaccel_session session;
static char root[] = "/tmp/vaccel-opencl-XXXXXX";
static char cache[64];

static int start(const char *device)
{
	struct vaccel_config config = {.plugins = (char *)"opencl", .log_level = VACCEL_LOG_ERROR};
	int ret;

	if (device)
		setenv("VACCEL_OPENCL_DEVICE", device, 1);
	else
		unsetenv("VACCEL_OPENCL_DEVICE");
	ret = vaccel_bootstrap_with_config(&config);
	return ret ? ret : vaccel_session_init(&session, 0);
}

static void stop(void)
{
	vaccel_session_release(&session);
	vaccel_cleanup();
}

static int add(void)
{
	float a[3] = {1, 2, 3}, b[3] = {10, 20, 30}, sum[3] = {0};
	int ret = vaccel_fpga_vadd(&session, a, b, sum, 3, 3);

	if (!ret)
		assert_memory_equal(sum, ((float[]){11, 22, 33}), sizeof(sum));
	return ret;
}

static void assert_says(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' does not say '%s'", vaccel_error_text(), words);
}

struct search {
	const char *key;
	char value[600];
};

static void compare_key(void *context, const char *key, const char *value)
{
	struct search *search = context;

	if (!strcmp(search->key, key))
		snprintf(search->value, sizeof(search->value), "%s", value);
}

static const char *reported(const char *key)
{
	static struct search search;

	search = (struct search){.key = key};
	vaccel_plugin_at(0)->report(compare_key, &search);
	return search.value;
}

/* The one file of the cache. */
static bool find_kept(char path[512])
{
	DIR *directory = opendir(cache);
	struct dirent *entry;
	int files = 0;

	if (!directory)
		return false;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && ++files)
			snprintf(path, 512, "%s/%s", cache, entry->d_name);
	closedir(directory);
	assert_true(files <= 1);
	return files;
}

static void test_a_processor_has_to_be_asked_for(void **state)
{
	assert_int_equal(start(NULL), VACCEL_ENODEV);
	assert_says("set VACCEL_OPENCL_DEVICE=cpu");
}

/* PoCL starts a linker; where it cannot be the one that is used, nothing may be started. */
static void test_a_linker_only_for_a_processor(void **state)
{
	static const char *const devices[] = {"cpu", "0", "pthread", "gpu", "Accelerator"};

	for (int i = 0; i < 5; i++) {
		assert_int_equal(start(devices[i]), VACCEL_OK);
		assert_int_equal(vaccel_plugin_at(0)->needs->children, i < 3);
		stop();
	}
}

static void test_choosing(void **state)
{
	char name[600];

	assert_int_equal(start("cpu"), VACCEL_OK);
	snprintf(name, sizeof(name), "%s", reported("device"));
	assert_non_null(strstr(reported("devices"), "0: "));
	assert_non_null(strstr(reported("devices"), "(cpu)"));
	stop();
	assert_int_equal(start("0"), VACCEL_OK);
	assert_string_equal(reported("device"), name);
	stop();
	assert_int_equal(start("PTHREAD"), VACCEL_OK);
	assert_string_equal(reported("device"), name);
	stop();
}

static void test_devices_that_are_not_there(void **state)
{
	static const char *const none[] = {"gpu", "accelerator", "7",
					   "a device of somebody else's"};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(start(none[i]), VACCEL_OK);
		assert_int_equal(add(), VACCEL_ENODEV);
		assert_says(none[i]);
		assert_says("(cpu)");
		assert_int_equal(add(), VACCEL_ENODEV);
		stop();
	}
}

static unsigned int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int threads = 0;
	struct dirent *entry;

	while ((entry = readdir(tasks)))
		threads += entry->d_name[0] != '.';
	closedir(tasks);
	return threads;
}

/* A sandbox has to be closed before there are threads. */
static void test_no_threads_before_work(void **state)
{
	assert_int_equal(start("cpu"), VACCEL_OK);
	assert_int_equal(count_threads(), 1);
	stop();
}

static void test_kernels_are_kept(void **state)
{
	char path[512];
	struct stat first, second;

	assert_false(find_kept(path));
	assert_int_equal(start("cpu"), VACCEL_OK);
	assert_int_equal(add(), VACCEL_OK);
	stop();
	assert_true(find_kept(path));
	assert_int_equal(stat(path, &first), 0);
	assert_int_equal(first.st_mode & 0777, 0600);
	assert_int_equal(start("cpu"), VACCEL_OK);
	assert_int_equal(add(), VACCEL_OK);
	stop();
	assert_true(find_kept(path));
	assert_int_equal(stat(path, &second), 0);
	/* A file that is made anew has another number. */
	assert_int_equal(first.st_ino, second.st_ino);
}

/* Whatever lies there in place of what was kept, the kernels are right. */
static void test_a_cache_of_others(void **state)
{
	char path[512];
	FILE *file;
	struct stat kept;

	assert_true(find_kept(path));
	assert_int_equal(stat(path, &kept), 0);
	for (off_t size = 0; size < kept.st_size; size += kept.st_size / 3) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(start("cpu"), VACCEL_OK);
		assert_int_equal(add(), VACCEL_OK);
		stop();
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("nonsense", file);
	fclose(file);
	assert_int_equal(start("cpu"), VACCEL_OK);
	assert_int_equal(add(), VACCEL_OK);
	stop();
	setenv("VACCEL_OPENCL_CACHE", "/dev/null/nowhere", 1);
	assert_int_equal(start("cpu"), VACCEL_OK);
	assert_int_equal(add(), VACCEL_OK);
	stop();
}

static void test_more_than_the_device_has(void **state)
{
	float value[1] = {1};

	assert_int_equal(start("cpu"), VACCEL_OK);
	/* Nobody reads the matrices, which are not there. */
	assert_int_equal(vaccel_sgemm(&session, 1 << 22, 1, 1 << 22, 1, value, 1 << 22, value, 1, 0,
				      value, 1),
			 VACCEL_ENOMEM);
	assert_says("OpenCL: clCreateBuffer: ");
	stop();
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, in a process in which no driver has begun. */
		cmocka_unit_test(test_no_threads_before_work),
		cmocka_unit_test(test_a_processor_has_to_be_asked_for),
		cmocka_unit_test(test_a_linker_only_for_a_processor),
		cmocka_unit_test(test_choosing),
		cmocka_unit_test(test_devices_that_are_not_there),
		cmocka_unit_test(test_kernels_are_kept),
		cmocka_unit_test(test_a_cache_of_others),
		cmocka_unit_test(test_more_than_the_device_has),
	};
	int ret;

	if (!mkdtemp(root))
		return EXIT_FAILURE;
	snprintf(cache, sizeof(cache), "%s/a/cache", root);
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	setenv("VACCEL_OPENCL_CACHE", cache, 1);
	/* PoCL and no other driver that this machine may have, and its own cache. */
	setenv("OCL_ICD_VENDORS", "/etc/OpenCL/vendors/pocl.icd", 1);
	setenv("POCL_CACHE_DIR", root, 1);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) ? EXIT_FAILURE : ret;
}
