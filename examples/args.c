// SPDX-License-Identifier: Apache-2.0
/*
 * Arrays of arguments, as they go to vaccel_exec() and vaccel_genop(): added in
 * order, read back in the same order, types checked on the way.
 */
#include <string.h>

#include "example.h"

/* A type of the program's own, with a number of its choice. */
#define POINT_TYPE 7
struct point {
	int32_t x, y;
};

static bool is_point(const void *buf, size_t size, uint32_t custom_id)
{
	return custom_id == POINT_TYPE && size == sizeof(struct point);
}

/* The same, as text: what a program does whose values are not plain bytes. */
static int write_point(const void *data, size_t data_size, uint32_t custom_id, void **buf,
		       size_t *size)
{
	const struct point *point = data;
	char *text = malloc(32);

	if (!text)
		return VACCEL_ENOMEM;
	*size = (size_t)snprintf(text, 32, "%" PRId32 ",%" PRId32, point->x, point->y) + 1;
	*buf = text;
	return VACCEL_OK;
}

static int read_point(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
		      void *data)
{
	struct point *point = data;

	if (!memchr(buf, '\0', size) ||
	    sscanf(buf, "%" SCNd32 ",%" SCNd32, &point->x, &point->y) != 2)
		return VACCEL_EINVAL;
	return VACCEL_OK;
}

int main(int argc, char **argv)
{
	int32_t number = 42, half = number / 2;
	float values[] = {1, 2, 3}, *read_values;
	char text[] = "some text", *read_text;
	struct point corner = {3, 4}, read_corner;
	struct vaccel_arg_array args;
	void *custom;
	size_t count, size;

	if (argc != 1)
		usage("args");
	TRY(vaccel_arg_array_init(&args, 0));
	TRY(vaccel_arg_array_add_int32(&args, &number));
	TRY(vaccel_arg_array_add_float_array(&args, values, 3));
	TRY(vaccel_arg_array_add_string(&args, text));
	TRY(vaccel_arg_array_add_custom(&args, POINT_TYPE, &corner, sizeof(corner), is_point));
	TRY(vaccel_arg_array_add_serialized(&args, VACCEL_ARG_CUSTOM, POINT_TYPE, &corner,
					    sizeof(corner), write_point));
	printf("%zu arguments\n", vaccel_arg_array_count(&args));

	/* Writes into the memory that was added, as a function that is run would. */
	TRY(vaccel_arg_array_set_int32(&args, &half));
	printf("number is %" PRId32 " now\n", number);
	TRY(vaccel_arg_array_get_float_array(&args, &read_values, &count));
	printf("%zu values, the last is %g\n", count, (double)read_values[count - 1]);
	TRY(vaccel_arg_array_get_string(&args, &read_text));
	printf("'%s'\n", read_text);
	TRY(vaccel_arg_array_get_custom(&args, POINT_TYPE, &custom, &size, is_point));
	printf("a point of %zu bytes\n", size);
	TRY(vaccel_arg_array_get_serialized(&args, VACCEL_ARG_CUSTOM, POINT_TYPE, &read_corner,
					    sizeof(read_corner), read_point));
	printf("at %" PRId32 ", %" PRId32 "\n", read_corner.x, read_corner.y);
	printf("%zu arguments left\n", vaccel_arg_array_remaining_count(&args));

	TRY(vaccel_arg_array_release(&args));
	return EXIT_SUCCESS;
}
