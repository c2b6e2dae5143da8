/* SPDX-License-Identifier: Apache-2.0 */
/* Fixtures come from tests/data/make_pictures.py; no file there is large. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIXTURE_MAX = 16384 };

struct bytes load_bytes(const char *name)
{
	struct bytes bytes = {0};
	char buffer[FIXTURE_MAX];
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/pictures/%s", TEST_DATA, name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	bytes.size = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	assert_in_range(bytes.size, 1, FIXTURE_MAX - 1);
	bytes.data = malloc(bytes.size);
	assert_non_null(bytes.data);
	memcpy(bytes.data, buffer, bytes.size);
	return bytes;
}

struct picture load_ppm(const char *name)
{
	struct bytes file = load_bytes(name);
	struct picture picture = {0};
	char text[FIXTURE_MAX + 1];
	int start = 0;

	memcpy(text, file.data, file.size);
	text[file.size] = '\0';
	assert_int_equal(sscanf(text, "P6 %u %u 255%n", &picture.width, &picture.height, &start),
			 2);
	picture.room = (size_t)picture.width * picture.height * 3;
	assert_int_equal(file.size, (size_t)start + 1 + picture.room);
	picture.rgb = malloc(picture.room);
	assert_non_null(picture.rgb);
	memcpy(picture.rgb, file.data + start + 1, picture.room);
	free(file.data);
	return picture;
}

char *write_temporary(const char *text, size_t size)
{
	char *path = strdup("/tmp/vaccel-test-XXXXXX");
	int fd;

	assert_non_null(path);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
	return path;
}

void assert_same_picture(const struct picture *picture, const struct picture *expected)
{
	assert_int_equal(picture->width, expected->width);
	assert_int_equal(picture->height, expected->height);
	assert_memory_equal(picture->rgb, expected->rgb,
			    (size_t)expected->width * expected->height * 3);
}

void assert_failed(int err, int code, const char *words)
{
	assert_int_equal(err, code);
	if (!strstr(vaccel_error_text(), words))
		fail_msg("\"%s\" does not say \"%s\"", vaccel_error_text(), words);
}

uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}
