// SPDX-License-Identifier: Apache-2.0
/* See support.h. */
#include "support.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

struct vaccel_session session;

static char root[] = "/tmp/vaccel-onnx-XXXXXX";
static const char template[] = "/tmp/vaccel-onnx-XXXXXX";

const char *path_in(const char *name)
{
	static char paths[4][256];
	static int turn;
	char *path = paths[turn = (turn + 1) % 4];

	assert_true(snprintf(path, sizeof(paths[0]), "%s/%s", root, name) < (int)sizeof(paths[0]));
	return path;
}

void reload(void)
{
	const char *plugins = getenv("VACCEL_PLUGINS");
	struct vaccel_config config = {
		.plugins = (char *)(plugins ? plugins : "onnx"),
		.log_level = VACCEL_LOG_INFO,
		.log_file = (char *)path_in("log"),
	};

	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
}

int fixture_setup(void **state)
{
	strcpy(root, template);
	if (!mkdtemp(root))
		return -1;
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	setenv("VACCEL_DATA_DIR", root, 1);
	reload();
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

int fixture_teardown(void **state)
{
	static const char *const knobs[] = {"VACCEL_ONNX_PROVIDERS", "VACCEL_ONNX_THREADS",
					    "VACCEL_ONNX_CACHE", "VACCEL_MODEL_PATH",
					    "VACCEL_IMAGE_MAX_PIXELS"};

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		unsetenv(knobs[i]);
	vaccel_session_release(&session);
	vaccel_cleanup();
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *make_dir(const char *name)
{
	const char *path = path_in(name);

	assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

void copy_file(const char *from, const char *to)
{
	size_t size;
	void *data = read_file(from, &size);

	write_file(to, data, size);
	free(data);
}

size_t count_in_log(const char *text)
{
	size_t size, count = 0;
	char *log = read_file(path_in("log"), &size);

	for (const char *at = log; (at = strstr(at, text)); at++)
		count++;
	free(log);
	return count;
}

size_t count_loads(void)
{
	return count_in_log("a model is run by");
}

void *colour(int channel, size_t *ret_size)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = 1, .height = 1, .format = PNG_FORMAT_RGB};
	png_byte pixel[3] = {0};
	png_alloc_size_t size = 4096;
	void *png = malloc(size);

	assert_non_null(png);
	if (channel < 3)
		pixel[channel] = 255;
	assert_true(png_image_write_to_memory(&image, png, &size, 0, pixel, 0, NULL));
	*ret_size = size;
	return png;
}
