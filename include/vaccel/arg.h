/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments: a typed piece of memory (struct vaccel_arg), and an array of them
 * that is written with add, read with get in the same order, and filled in
 * place with set. Functions run by vaccel_exec() get their arguments so.
 *
 * An argument or an array is not protected against use from several threads.
 */
#ifndef VACCEL_ARG_H
#define VACCEL_ARG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/utils/enum.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_ARG_TYPE_LIST(X)         \
	X(VACCEL_ARG_RAW, 0)            \
	X(VACCEL_ARG_INT8, 1)           \
	X(VACCEL_ARG_INT8_ARRAY, 2)     \
	X(VACCEL_ARG_INT16, 3)          \
	X(VACCEL_ARG_INT16_ARRAY, 4)    \
	X(VACCEL_ARG_INT32, 5)          \
	X(VACCEL_ARG_INT32_ARRAY, 6)    \
	X(VACCEL_ARG_INT64, 7)          \
	X(VACCEL_ARG_INT64_ARRAY, 8)    \
	X(VACCEL_ARG_UINT8, 9)          \
	X(VACCEL_ARG_UINT8_ARRAY, 10)   \
	X(VACCEL_ARG_UINT16, 11)        \
	X(VACCEL_ARG_UINT16_ARRAY, 12)  \
	X(VACCEL_ARG_UINT32, 13)        \
	X(VACCEL_ARG_UINT32_ARRAY, 14)  \
	X(VACCEL_ARG_UINT64, 15)        \
	X(VACCEL_ARG_UINT64_ARRAY, 16)  \
	X(VACCEL_ARG_FLOAT32, 17)       \
	X(VACCEL_ARG_FLOAT32_ARRAY, 18) \
	X(VACCEL_ARG_FLOAT64, 19)       \
	X(VACCEL_ARG_FLOAT64_ARRAY, 20) \
	X(VACCEL_ARG_BOOL, 21)          \
	X(VACCEL_ARG_BOOL_ARRAY, 22)    \
	X(VACCEL_ARG_CHAR, 23)          \
	X(VACCEL_ARG_CHAR_ARRAY, 24)    \
	X(VACCEL_ARG_UCHAR, 25)         \
	X(VACCEL_ARG_UCHAR_ARRAY, 26)   \
	X(VACCEL_ARG_STRING, 27)        \
	X(VACCEL_ARG_BUFFER, 28)        \
	X(VACCEL_ARG_CUSTOM, 29)

VACCEL_ENUM_DECLARE(vaccel_arg_type, VACCEL_ARG, VACCEL_ARG_TYPE_LIST)

/* X(suffix, C type, type of one, type of an array): the types that are numbers. */
#define VACCEL_ARG_NUMERIC_TYPES(X)                                     \
	X(int8, int8_t, VACCEL_ARG_INT8, VACCEL_ARG_INT8_ARRAY)         \
	X(int16, int16_t, VACCEL_ARG_INT16, VACCEL_ARG_INT16_ARRAY)     \
	X(int32, int32_t, VACCEL_ARG_INT32, VACCEL_ARG_INT32_ARRAY)     \
	X(int64, int64_t, VACCEL_ARG_INT64, VACCEL_ARG_INT64_ARRAY)     \
	X(uint8, uint8_t, VACCEL_ARG_UINT8, VACCEL_ARG_UINT8_ARRAY)     \
	X(uint16, uint16_t, VACCEL_ARG_UINT16, VACCEL_ARG_UINT16_ARRAY) \
	X(uint32, uint32_t, VACCEL_ARG_UINT32, VACCEL_ARG_UINT32_ARRAY) \
	X(uint64, uint64_t, VACCEL_ARG_UINT64, VACCEL_ARG_UINT64_ARRAY) \
	X(float, float, VACCEL_ARG_FLOAT32, VACCEL_ARG_FLOAT32_ARRAY)   \
	X(double, double, VACCEL_ARG_FLOAT64, VACCEL_ARG_FLOAT64_ARRAY) \
	X(bool, bool, VACCEL_ARG_BOOL, VACCEL_ARG_BOOL_ARRAY)           \
	X(char, char, VACCEL_ARG_CHAR, VACCEL_ARG_CHAR_ARRAY)           \
	X(uchar, unsigned char, VACCEL_ARG_UCHAR, VACCEL_ARG_UCHAR_ARRAY)

/** struct vaccel_arg - a typed piece of memory */
struct vaccel_arg {
	void *buf;
	/** Bytes at buf. */
	size_t size;
	vaccel_arg_type_t type;
	/** The program's own type number, for VACCEL_ARG_CUSTOM. */
	uint32_t custom_type_id;
	/** Whether vaccel_arg_release() frees buf. */
	bool owned;
};

/**
 * vaccel_arg_init() - make an argument that holds a copy
 * @arg: memory to initialise
 * @buf: @size bytes to copy; NULL for @size zero bytes
 * @size: in bytes; 0, with @buf NULL, for an empty argument
 * @type: what @buf holds
 * @custom_id: the program's own type number, 0 if there is none
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @arg is NULL, @type unknown, or @buf
 * given without a size; VACCEL_ENOMEM.
 */
int vaccel_arg_init(struct vaccel_arg *arg, const void *buf, size_t size, vaccel_arg_type_t type,
		    uint32_t custom_id);

/**
 * vaccel_arg_init_from_buf() - make an argument of the caller's memory
 * @arg: memory to initialise
 * @buf: @size bytes that stay the caller's, and live as long as @arg is used
 * @size: in bytes; 0, with @buf NULL, for an empty argument
 * @type: what @buf holds
 * @custom_id: the program's own type number, 0 if there is none
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @arg is NULL, @type unknown, or only one
 * of @buf and @size given.
 */
int vaccel_arg_init_from_buf(struct vaccel_arg *arg, void *buf, size_t size, vaccel_arg_type_t type,
			     uint32_t custom_id);

/**
 * vaccel_arg_release() - free what an argument owns; leaves type VACCEL_ARG_MAX
 * @arg: an initialised argument
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @arg is NULL.
 */
int vaccel_arg_release(struct vaccel_arg *arg);

/**
 * vaccel_arg_new() - allocate an argument, initialised as by vaccel_arg_init()
 * @arg: where to put it; freed with vaccel_arg_delete()
 * @buf: bytes to copy, or NULL
 * @size: in bytes
 * @type: what @buf holds
 * @custom_id: the program's own type number, 0 if there is none
 *
 * Return: as vaccel_arg_init().
 */
int vaccel_arg_new(struct vaccel_arg **arg, const void *buf, size_t size, vaccel_arg_type_t type,
		   uint32_t custom_id);

/**
 * vaccel_arg_from_buf() - allocate an argument of the caller's memory
 * @arg: where to put it; freed with vaccel_arg_delete()
 * @buf: bytes that stay the caller's
 * @size: in bytes
 * @type: what @buf holds
 * @custom_id: the program's own type number, 0 if there is none
 *
 * Return: as vaccel_arg_init_from_buf(), or VACCEL_ENOMEM.
 */
int vaccel_arg_from_buf(struct vaccel_arg **arg, void *buf, size_t size, vaccel_arg_type_t type,
			uint32_t custom_id);

/**
 * vaccel_arg_delete() - release and free an argument made by new or from_buf
 * @arg: the argument
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @arg is NULL.
 */
int vaccel_arg_delete(struct vaccel_arg *arg);

/** struct vaccel_arg_array - arguments in a row */
struct vaccel_arg_array {
	struct vaccel_arg *args;
	/** Arguments in use, and how many there is room for. */
	size_t count;
	size_t capacity;
	/** The argument that the next get or set means. */
	size_t position;
	/** Whether the array allocated args; if not, it cannot grow. */
	bool owned;
};

/** Whether @buf holds a sound value of the custom type @custom_id. */
typedef bool (*vaccel_arg_type_validator_fn)(const void *buf, size_t size, uint32_t custom_id);

/** Turns @data into bytes, @buf being malloc'd here and given away; 0 or a VACCEL_E* code. */
typedef int (*vaccel_arg_serializer_fn)(const void *data, size_t data_size, uint32_t custom_id,
					void **buf, size_t *size);

/** Fills @data, of @data_size bytes, from the bytes at @buf; 0 or a VACCEL_E* code. */
typedef int (*vaccel_arg_deserializer_fn)(const void *buf, size_t size, uint32_t custom_id,
					  size_t data_size, void *data);

/**
 * vaccel_arg_array_init() - make an empty array
 * @array: memory to initialise
 * @initial_capacity: arguments to make room for, 0 for 8; it doubles as needed
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @array is NULL; VACCEL_ENOMEM.
 */
int vaccel_arg_array_init(struct vaccel_arg_array *array, size_t initial_capacity);

/**
 * vaccel_arg_array_release() - free the arguments, and what they own
 * @array: the array; one that wraps a caller's arguments leaves them alone
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @array is NULL.
 */
int vaccel_arg_array_release(struct vaccel_arg_array *array);

/**
 * vaccel_arg_array_new() - allocate an empty array
 * @array: where to put it; freed with vaccel_arg_array_delete()
 * @initial_capacity: arguments to make room for, 0 for 8
 *
 * Return: as vaccel_arg_array_init().
 */
int vaccel_arg_array_new(struct vaccel_arg_array **array, size_t initial_capacity);

/**
 * vaccel_arg_array_delete() - release and free an array made by new
 * @array: the array
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @array is NULL.
 */
int vaccel_arg_array_delete(struct vaccel_arg_array *array);

/**
 * vaccel_arg_array_wrap() - see a caller's arguments as an array of fixed size
 * @array: memory to initialise
 * @args: the arguments, which stay the caller's
 * @count: how many
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if @array is NULL, or @args is with a count.
 */
int vaccel_arg_array_wrap(struct vaccel_arg_array *array, struct vaccel_arg *args, size_t count);

/**
 * vaccel_arg_array_clear() - release every argument, keeping the room for them
 * @array: the array, wrapping or not
 */
void vaccel_arg_array_clear(struct vaccel_arg_array *array);

/* What follows reads a NULL array as empty. */

/** vaccel_arg_array_count() - how many arguments @array holds */
size_t vaccel_arg_array_count(const struct vaccel_arg_array *array);

/** vaccel_arg_array_position() - the index that the next get or set means */
size_t vaccel_arg_array_position(const struct vaccel_arg_array *array);

/** vaccel_arg_array_set_position() - go to an index; past the end means the end */
void vaccel_arg_array_set_position(struct vaccel_arg_array *array, size_t position);

/** vaccel_arg_array_reset_position() - go to the first argument */
void vaccel_arg_array_reset_position(struct vaccel_arg_array *array);

/** vaccel_arg_array_remaining_count() - how many arguments are left from the position on */
size_t vaccel_arg_array_remaining_count(const struct vaccel_arg_array *array);

/** vaccel_arg_array_raw() - the arguments as a C array, which stays @array's */
struct vaccel_arg *vaccel_arg_array_raw(struct vaccel_arg_array *array);

/**
 * vaccel_arg_array_get_remaining() - the arguments left, as a C array
 * @array: the array; its position does not move
 * @args: the argument at the position, NULL if there is none; it stays @array's
 * @count: how many are left
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if anything is NULL.
 */
int vaccel_arg_array_get_remaining(struct vaccel_arg_array *array, struct vaccel_arg **args,
				   size_t *count);

/**
 * vaccel_arg_array_add_range() - add arguments of another array
 * @dest: where to add them
 * @src: where they are; its position plays no part
 * @start: the first, an index into @src
 * @count: how many
 * @copy: whether to copy what they hold; else @dest borrows it
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if an array is NULL; VACCEL_ERANGE if @src
 * has no such range, or @dest is full and of fixed size; VACCEL_ENOMEM. On an
 * error @dest is as before.
 */
int vaccel_arg_array_add_range(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			       size_t start, size_t count, bool copy);

/** vaccel_arg_array_add_remaining() - vaccel_arg_array_add_range() from @src's position on */
int vaccel_arg_array_add_remaining(struct vaccel_arg_array *dest,
				   const struct vaccel_arg_array *src, bool copy);

/** vaccel_arg_array_add_all() - vaccel_arg_array_add_range() of all of @src */
int vaccel_arg_array_add_all(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			     bool copy);

/*
 * Add puts an argument at the end. It borrows the caller's memory, which must
 * live as long as the array is used; only add_serialized has memory of its own.
 *
 * Get reads the argument at the position, set copies a value into its buffer,
 * and both then go on to the next. The argument must be of the very type, or
 * VACCEL_EINVAL; past the end it is VACCEL_ERANGE; and after any error the
 * position is where it was. What get returns through a pointer to a pointer
 * stays the array's. Set writes at most as many bytes as the buffer has, and
 * leaves the argument's size as it is.
 *
 * All return VACCEL_OK or: VACCEL_EINVAL for NULL, an empty value, a value
 * that does not fit, or an argument that holds no sound value of its type;
 * VACCEL_ERANGE at the end of the array; VACCEL_ENOMEM.
 */

/*
 * VACCEL_ARG_ARRAY_DECLARE() - declare the functions of a type that is a number
 *
 * vaccel_arg_array_add_T(array, value) - add one, which stays the caller's
 * vaccel_arg_array_add_T_array(array, values, count) - add @count of them
 * vaccel_arg_array_get_T(array, value) - copy the next argument, which is one, to @value
 * vaccel_arg_array_get_T_array(array, values, count) - the next argument's memory, and how
 *	many are there; @count may be NULL
 * vaccel_arg_array_set_T(array, value) - write one into the next argument
 * vaccel_arg_array_set_T_array(array, values, count) - write @count of them, or as many as fit
 */
#define VACCEL_ARG_ARRAY_DECLARE(suffix, c_type, scalar_type, array_type)                          \
	int vaccel_arg_array_add_##suffix(struct vaccel_arg_array *array, c_type *value);          \
	int vaccel_arg_array_add_##suffix##_array(struct vaccel_arg_array *array, c_type *values,  \
						  size_t count);                                   \
	int vaccel_arg_array_get_##suffix(struct vaccel_arg_array *array, c_type *value);          \
	int vaccel_arg_array_get_##suffix##_array(struct vaccel_arg_array *array, c_type **values, \
						  size_t *count);                                  \
	int vaccel_arg_array_set_##suffix(struct vaccel_arg_array *array, const c_type *value);    \
	int vaccel_arg_array_set_##suffix##_array(struct vaccel_arg_array *array,                  \
						  const c_type *values, size_t count);

/* vaccel_arg_array_add_int8() and so on */
VACCEL_ARG_NUMERIC_TYPES(VACCEL_ARG_ARRAY_DECLARE)
#undef VACCEL_ARG_ARRAY_DECLARE

/** vaccel_arg_array_add_raw() - add @size bytes of no particular type */
int vaccel_arg_array_add_raw(struct vaccel_arg_array *array, void *buf, size_t size);

/** vaccel_arg_array_get_raw() - the next argument's bytes, of type VACCEL_ARG_RAW */
int vaccel_arg_array_get_raw(struct vaccel_arg_array *array, void **buf, size_t *size);

/** vaccel_arg_array_set_raw() - copy @size bytes into the next argument */
int vaccel_arg_array_set_raw(struct vaccel_arg_array *array, const void *buf, size_t size);

/** vaccel_arg_array_add_buffer() - add @size bytes of data, say an image */
int vaccel_arg_array_add_buffer(struct vaccel_arg_array *array, void *buf, size_t size);

/** vaccel_arg_array_get_buffer() - the next argument's bytes, of type VACCEL_ARG_BUFFER */
int vaccel_arg_array_get_buffer(struct vaccel_arg_array *array, void **buf, size_t *size);

/** vaccel_arg_array_set_buffer() - copy @size bytes into the next argument */
int vaccel_arg_array_set_buffer(struct vaccel_arg_array *array, const void *buf, size_t size);

/** vaccel_arg_array_add_string() - add text, its NUL included */
int vaccel_arg_array_add_string(struct vaccel_arg_array *array, char *str);

/** vaccel_arg_array_get_string() - the next argument's text, which has a NUL or is refused */
int vaccel_arg_array_get_string(struct vaccel_arg_array *array, char **str);

/** vaccel_arg_array_set_string() - copy text, its NUL included, into the next argument */
int vaccel_arg_array_set_string(struct vaccel_arg_array *array, const char *str);

/** vaccel_arg_array_add_custom() - add a value of the program's own type, if @validator likes it */
int vaccel_arg_array_add_custom(struct vaccel_arg_array *array, uint32_t custom_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator);

/** vaccel_arg_array_get_custom() - the next argument's bytes, if @validator likes them */
int vaccel_arg_array_get_custom(struct vaccel_arg_array *array, uint32_t custom_id, void **buf,
				size_t *size, vaccel_arg_type_validator_fn validator);

/** vaccel_arg_array_set_custom() - copy a value that @validator likes into the next argument */
int vaccel_arg_array_set_custom(struct vaccel_arg_array *array, uint32_t custom_id, const void *buf,
				size_t size, vaccel_arg_type_validator_fn validator);

/**
 * vaccel_arg_array_add_serialized() - add the bytes that @serializer makes of a value
 * @array: owns them from then on
 * @type: the argument's type
 * @custom_id: the argument's custom type
 * @data: given to @serializer
 * @data_size: bytes at @data
 * @serializer: its code, if not 0, is passed on
 *
 * Return: as all add functions.
 */
int vaccel_arg_array_add_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer);

/**
 * vaccel_arg_array_get_serialized() - make a value of the next argument's bytes
 * @array: the array
 * @type: the type that the argument must have
 * @custom_id: the custom type that it must have
 * @data: filled by @deserializer
 * @data_size: bytes at @data
 * @deserializer: its code, if not 0, is passed on
 *
 * Return: as all get functions.
 */
int vaccel_arg_array_get_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, void *data, size_t data_size,
				    vaccel_arg_deserializer_fn deserializer);

/**
 * vaccel_arg_array_set_serialized() - copy a value's bytes into the next argument
 * @array: the array
 * @type: the type that the argument must have
 * @custom_id: the custom type that it must have
 * @data: given to @serializer
 * @data_size: bytes at @data
 * @serializer: must make exactly as many bytes as the argument has
 *
 * Return: as all set functions.
 */
int vaccel_arg_array_set_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer);

/*
 * The list that struct vaccel_arg_array has replaced, kept for programs that
 * use it. Serial arguments are plain bytes; nonserial ones are made of, and
 * into, bytes by the program's functions.
 */

/** struct vaccel_arg_list - a list of fixed size */
struct vaccel_arg_list {
	/** Arguments that the list has room for. */
	uint32_t size;
	struct vaccel_arg *list;
	/** The next one to add. */
	int curr_idx;
	/** 1 for each argument whose buf is freed with the list; programs may set it. */
	int *idcs_allocated_space;
};

#define VACCEL_ARG_LIST_DEPRECATED __attribute__((deprecated("use struct vaccel_arg_array")))

/** vaccel_args_init() - a list of @size empty arguments; NULL if there is no memory for it */
VACCEL_ARG_LIST_DEPRECATED
struct vaccel_arg_list *vaccel_args_init(uint32_t size);

/** vaccel_delete_args() - free a list; VACCEL_EINVAL if it is NULL */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_delete_args(struct vaccel_arg_list *args);

/**
 * vaccel_add_serial_arg() - add @size bytes at @buf, which stay the caller's
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, no bytes, or a full list.
 */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_add_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size);

/**
 * vaccel_add_nonserial_arg() - add what @serializer makes of @buf
 * @args: the list
 * @buf: given to @serializer
 * @type: ignored
 * @serializer: returns malloc'd bytes, which the list frees, and their count
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, a serializer that returns nothing,
 * or a full list.
 */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_add_nonserial_arg(struct vaccel_arg_list *args, void *buf, uint32_t type,
			     void *(*serializer)(void *buf, uint32_t *size));

/** vaccel_expect_serial_arg() - as vaccel_add_serial_arg(), for bytes to be written */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_expect_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size);

/**
 * vaccel_expect_nonserial_arg() - make room for @expected_size bytes to be written
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, no bytes, or a full list;
 * VACCEL_ENOMEM.
 */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_expect_nonserial_arg(struct vaccel_arg_list *args, uint32_t expected_size);

/** vaccel_extract_serial_arg() - the bytes of argument @idx, or NULL; @idx is not checked */
VACCEL_ARG_LIST_DEPRECATED
void *vaccel_extract_serial_arg(struct vaccel_arg *args, int idx);

/** vaccel_extract_nonserial_arg() - what @deserializer makes of argument @idx, or NULL */
VACCEL_ARG_LIST_DEPRECATED
void *vaccel_extract_nonserial_arg(struct vaccel_arg *args, int idx,
				   void *(*deserializer)(void *buf, uint32_t size));

/**
 * vaccel_write_serial_arg() - fill argument @idx from @buf, which has as many bytes
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, or an argument without memory.
 */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_write_serial_arg(struct vaccel_arg *args, int idx, void *buf);

/**
 * vaccel_write_nonserial_arg() - fill argument @idx with what @serializer makes of @buf
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, a serializer that returns nothing,
 * or more than the argument has room for.
 */
VACCEL_ARG_LIST_DEPRECATED
int vaccel_write_nonserial_arg(struct vaccel_arg *args, int idx, void *buf,
			       void *(*serializer)(void *buf, uint32_t *size));

#undef VACCEL_ARG_LIST_DEPRECATED

#ifdef __cplusplus
}
#endif

#endif
