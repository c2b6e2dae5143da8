// SPDX-License-Identifier: Apache-2.0
/* The functions of arguments, arrays of them, and the deprecated list. */
#include <vaccel.h>

#include "check.h"

static void check_arg(void)
{
	FUNCTION(int, vaccel_arg_init, struct vaccel_arg *, const void *, size_t, vaccel_arg_type_t,
		 uint32_t);
	FUNCTION(int, vaccel_arg_new, struct vaccel_arg **, const void *, size_t, vaccel_arg_type_t,
		 uint32_t);
	FUNCTION(int, vaccel_arg_init_from_buf, struct vaccel_arg *, void *, size_t,
		 vaccel_arg_type_t, uint32_t);
	FUNCTION(int, vaccel_arg_from_buf, struct vaccel_arg **, void *, size_t, vaccel_arg_type_t,
		 uint32_t);
	FUNCTION(int, vaccel_arg_release, struct vaccel_arg *);
	FUNCTION(int, vaccel_arg_delete, struct vaccel_arg *);
}

static void check_array(void)
{
	FUNCTION(int, vaccel_arg_array_init, struct vaccel_arg_array *, size_t);
	FUNCTION(int, vaccel_arg_array_new, struct vaccel_arg_array **, size_t);
	FUNCTION(int, vaccel_arg_array_release, struct vaccel_arg_array *);
	FUNCTION(int, vaccel_arg_array_delete, struct vaccel_arg_array *);
	FUNCTION(int, vaccel_arg_array_wrap, struct vaccel_arg_array *, struct vaccel_arg *,
		 size_t);
	FUNCTION(void, vaccel_arg_array_clear, struct vaccel_arg_array *);
	FUNCTION(size_t, vaccel_arg_array_count, const struct vaccel_arg_array *);
	FUNCTION(size_t, vaccel_arg_array_position, const struct vaccel_arg_array *);
	FUNCTION(void, vaccel_arg_array_set_position, struct vaccel_arg_array *, size_t);
	FUNCTION(void, vaccel_arg_array_reset_position, struct vaccel_arg_array *);
	FUNCTION(size_t, vaccel_arg_array_remaining_count, const struct vaccel_arg_array *);
	FUNCTION(int, vaccel_arg_array_get_remaining, struct vaccel_arg_array *,
		 struct vaccel_arg **, size_t *);
	FUNCTION(struct vaccel_arg *, vaccel_arg_array_raw, struct vaccel_arg_array *);
	FUNCTION(int, vaccel_arg_array_add_range, struct vaccel_arg_array *,
		 const struct vaccel_arg_array *, size_t, size_t, bool);
	FUNCTION(int, vaccel_arg_array_add_remaining, struct vaccel_arg_array *,
		 const struct vaccel_arg_array *, bool);
	FUNCTION(int, vaccel_arg_array_add_all, struct vaccel_arg_array *,
		 const struct vaccel_arg_array *, bool);
}

#define NUMERIC(suffix, c_type, scalar, array)                                                     \
	VALUE((int)(array) - (int)(scalar), 1);                                                    \
	FUNCTION(int, vaccel_arg_array_add_##suffix, struct vaccel_arg_array *, c_type *);         \
	FUNCTION(int, vaccel_arg_array_add_##suffix##_array, struct vaccel_arg_array *, c_type *,  \
		 size_t);                                                                          \
	FUNCTION(int, vaccel_arg_array_get_##suffix, struct vaccel_arg_array *, c_type *);         \
	FUNCTION(int, vaccel_arg_array_get_##suffix##_array, struct vaccel_arg_array *, c_type **, \
		 size_t *);                                                                        \
	FUNCTION(int, vaccel_arg_array_set_##suffix, struct vaccel_arg_array *, const c_type *);   \
	FUNCTION(int, vaccel_arg_array_set_##suffix##_array, struct vaccel_arg_array *,            \
		 const c_type *, size_t);

/* Declared by hand, to see that each of the thirteen is in the list. */
#define BY_NAME(suffix, c_type) \
	FUNCTION(int, vaccel_arg_array_add_##suffix, struct vaccel_arg_array *, c_type *)

static void check_typed(void)
{
	VACCEL_ARG_NUMERIC_TYPES(NUMERIC)
	BY_NAME(int8, int8_t);
	BY_NAME(int16, int16_t);
	BY_NAME(int32, int32_t);
	BY_NAME(int64, int64_t);
	BY_NAME(uint8, uint8_t);
	BY_NAME(uint16, uint16_t);
	BY_NAME(uint32, uint32_t);
	BY_NAME(uint64, uint64_t);
	BY_NAME(float, float);
	BY_NAME(double, double);
	BY_NAME(bool, bool);
	BY_NAME(char, char);
	BY_NAME(uchar, unsigned char);
}

static void check_bytes(void)
{
	FUNCTION(int, vaccel_arg_array_add_raw, struct vaccel_arg_array *, void *, size_t);
	FUNCTION(int, vaccel_arg_array_get_raw, struct vaccel_arg_array *, void **, size_t *);
	FUNCTION(int, vaccel_arg_array_set_raw, struct vaccel_arg_array *, const void *, size_t);
	FUNCTION(int, vaccel_arg_array_add_buffer, struct vaccel_arg_array *, void *, size_t);
	FUNCTION(int, vaccel_arg_array_get_buffer, struct vaccel_arg_array *, void **, size_t *);
	FUNCTION(int, vaccel_arg_array_set_buffer, struct vaccel_arg_array *, const void *, size_t);
	FUNCTION(int, vaccel_arg_array_add_string, struct vaccel_arg_array *, char *);
	FUNCTION(int, vaccel_arg_array_get_string, struct vaccel_arg_array *, char **);
	FUNCTION(int, vaccel_arg_array_set_string, struct vaccel_arg_array *, const char *);
	FUNCTION(int, vaccel_arg_array_add_custom, struct vaccel_arg_array *, uint32_t, void *,
		 size_t, vaccel_arg_type_validator_fn);
	FUNCTION(int, vaccel_arg_array_get_custom, struct vaccel_arg_array *, uint32_t, void **,
		 size_t *, vaccel_arg_type_validator_fn);
	FUNCTION(int, vaccel_arg_array_set_custom, struct vaccel_arg_array *, uint32_t,
		 const void *, size_t, vaccel_arg_type_validator_fn);
	FUNCTION(int, vaccel_arg_array_add_serialized, struct vaccel_arg_array *, vaccel_arg_type_t,
		 uint32_t, const void *, size_t, vaccel_arg_serializer_fn);
	FUNCTION(int, vaccel_arg_array_get_serialized, struct vaccel_arg_array *, vaccel_arg_type_t,
		 uint32_t, void *, size_t, vaccel_arg_deserializer_fn);
	FUNCTION(int, vaccel_arg_array_set_serialized, struct vaccel_arg_array *, vaccel_arg_type_t,
		 uint32_t, const void *, size_t, vaccel_arg_serializer_fn);
}

/* As a program writes them. */
static bool validate(const void *buf, size_t size, uint32_t id)
{
	return buf && size && id;
}

static int serialize(const void *data, size_t data_size, uint32_t id, void **buf, size_t *size)
{
	return data && data_size && id && buf && size ? VACCEL_OK : VACCEL_EINVAL;
}

static int deserialize(const void *buf, size_t size, uint32_t id, size_t data_size, void *data)
{
	return buf && size && id && data_size && data ? VACCEL_OK : VACCEL_EINVAL;
}

static void check_callbacks(void)
{
	vaccel_arg_type_validator_fn validator = validate;
	vaccel_arg_serializer_fn serializer = serialize;
	vaccel_arg_deserializer_fn deserializer = deserialize;

	use((void (*)(void))validator);
	use((void (*)(void))serializer);
	use((void (*)(void))deserializer);
}

static void check_list(void)
{
	FUNCTION(struct vaccel_arg_list *, vaccel_args_init, uint32_t);
	FUNCTION(int, vaccel_delete_args, struct vaccel_arg_list *);
	FUNCTION(int, vaccel_add_serial_arg, struct vaccel_arg_list *, void *, uint32_t);
	FUNCTION(int, vaccel_expect_serial_arg, struct vaccel_arg_list *, void *, uint32_t);
	FUNCTION(void *, vaccel_extract_serial_arg, struct vaccel_arg *, int);
	FUNCTION(int, vaccel_write_serial_arg, struct vaccel_arg *, int, void *);
	FUNCTION(int, vaccel_add_nonserial_arg, struct vaccel_arg_list *, void *, uint32_t,
		 void *(*)(void *, uint32_t *));
	FUNCTION(int, vaccel_expect_nonserial_arg, struct vaccel_arg_list *, uint32_t);
	FUNCTION(void *, vaccel_extract_nonserial_arg, struct vaccel_arg *, int,
		 void *(*)(void *, uint32_t));
	FUNCTION(int, vaccel_write_nonserial_arg, struct vaccel_arg *, int, void *,
		 void *(*)(void *, uint32_t *));
}

void check_args(void)
{
	check_arg();
	check_array();
	check_typed();
	check_bytes();
	check_callbacks();
	check_list();
}
