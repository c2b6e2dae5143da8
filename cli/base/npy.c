// SPDX-License-Identifier: Apache-2.0
/*
 * The format: a magic number, a version, the size of the head, the head, which is a
 * dictionary as Python writes it, and the numbers. The head is read strictly, key by
 * key: what is not understood is refused and not guessed.
 */
#include "base/npy.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	   "\x93NUMPY"
#define MAGIC_SIZE 6
#define HEAD_MOST  65536
#define HEAD_ALIGN 64
#define START_SIZE 10 /* the magic number, the version 1.0, and a size of two bytes */
#define DIMS_MOST  32
#define DESCR_SIZE 16

static const struct number_type types[] = {
	{"<f4", "float32", 4, VACCEL_TENSOR_FLOAT},   {"|u1", "uint8", 1, VACCEL_TENSOR_UINT8},
	{"|i1", "int8", 1, VACCEL_TENSOR_INT8},	      {"<u2", "uint16", 2, VACCEL_TENSOR_UINT16},
	{"<i2", "int16", 2, VACCEL_TENSOR_INT16},     {"<i4", "int32", 4, VACCEL_TENSOR_INT32},
	{"<i8", "int64", 8, VACCEL_TENSOR_INT64},     {"|b1", "bool", 1, VACCEL_TENSOR_BOOL},
	{"<f2", "float16", 2, VACCEL_TENSOR_FLOAT16}, {"<f8", "float64", 8, VACCEL_TENSOR_DOUBLE},
	{"<u4", "uint32", 4, VACCEL_TENSOR_UINT32},   {"<u8", "uint64", 8, VACCEL_TENSOR_UINT64},
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

const struct number_type *number_type_of(int32_t type)
{
	for (size_t i = 0; i < NR_TYPES; i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

/* What the head says. */
struct head {
	char descr[DESCR_SIZE];
	bool fortran;
	int64_t dims[DIMS_MOST];
	size_t nr_dims;
	unsigned int seen; /* a bit for each key */
};

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEYS_ALL = 7 };

static void skip_space(const char **at)
{
	*at += strspn(*at, " \t\n");
}

/* Whether that is what comes next. */
static bool next_is(const char **at, char wanted)
{
	skip_space(at);
	return **at == wanted;
}

/* Takes a word if it stands there. */
static bool take(const char **at, const char *word)
{
	skip_space(at);
	if (strncmp(*at, word, strlen(word)) != 0)
		return false;
	*at += strlen(word);
	return true;
}

/* A text between quotes, of either kind. */
static bool take_text(const char **at, char *text, size_t size)
{
	const char *end;

	skip_space(at);
	if (**at != '\'' && **at != '"')
		return false;
	end = strchr(*at + 1, **at);
	if (!end || (size_t)(end - *at - 1) >= size)
		return false;
	memcpy(text, *at + 1, (size_t)(end - *at - 1));
	text[end - *at - 1] = '\0';
	*at = end + 1;
	return true;
}

/* (), (3,), (3, 4) */
static bool take_shape(const char **at, struct head *head)
{
	char *end;

	if (!take(at, "("))
		return false;
	while (!take(at, ")")) {
		skip_space(at);
		if (head->nr_dims == DIMS_MOST || **at < '0' || **at > '9')
			return false;
		errno = 0;
		head->dims[head->nr_dims++] = strtoll(*at, &end, 10);
		*at = end;
		if (errno || (!take(at, ",") && !next_is(at, ')')))
			return false;
	}
	return true;
}

static bool take_value(const char **at, const char *key, struct head *head)
{
	unsigned int bit;
	bool taken;

	if (!strcmp(key, "descr")) {
		bit = KEY_DESCR;
		taken = take_text(at, head->descr, sizeof(head->descr));
	} else if (!strcmp(key, "fortran_order")) {
		bit = KEY_ORDER;
		head->fortran = take(at, "True");
		taken = head->fortran || take(at, "False");
	} else if (!strcmp(key, "shape")) {
		bit = KEY_SHAPE;
		taken = take_shape(at, head);
	} else {
		return false;
	}
	taken = taken && !(head->seen & bit);
	head->seen |= bit;
	return taken;
}

static bool parse_head(const char *text, struct head *head)
{
	char key[DESCR_SIZE];

	if (!take(&text, "{"))
		return false;
	while (!take(&text, "}")) {
		if (!take_text(&text, key, sizeof(key)) || !take(&text, ":") ||
		    !take_value(&text, key, head))
			return false;
		if (!take(&text, ",") && !next_is(&text, '}'))
			return false;
	}
	skip_space(&text);
	return !*text && head->seen == KEYS_ALL;
}

static int no_npy(const char *path, const char *why)
{
	return vaccel_fail(VACCEL_EINVAL, "'%s' is no array of NumPy (.npy): %s", path, why);
}

/* From the start of the file to the numbers. */
static int read_head(FILE *file, const char *path, struct head *head)
{
	unsigned char start[START_SIZE + 2];
	size_t size, more = 0;
	char *text;
	bool good;

	if (fread(start, 1, START_SIZE, file) != START_SIZE ||
	    memcmp(start, MAGIC, MAGIC_SIZE) != 0)
		return no_npy(path, "it begins otherwise");
	if (start[6] < 1 || start[6] > 3)
		return no_npy(path, "its version is none of 1, 2 and 3");
	if (start[6] > 1)
		more = fread(start + START_SIZE, 1, 2, file);
	if (start[6] > 1 && more != 2)
		return no_npy(path, "it ends early");
	size = start[8] | (size_t)start[9] << 8;
	if (more)
		size |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
	if (size > HEAD_MOST)
		return no_npy(path, "its head is too long");
	text = calloc(1, size + 1);
	if (!text)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to read '%s'", path);
	good = fread(text, 1, size, file) == size && strlen(text) == size && parse_head(text, head);
	free(text);
	return good ? VACCEL_OK : no_npy(path, "its head is not as NumPy writes it");
}

static const struct number_type *type_by_descr(const char *descr)
{
	for (size_t i = 0; i < NR_TYPES; i++) {
		/* What has one byte has no order of bytes: "<u1" is "|u1". */
		if (!strcmp(types[i].descr, descr) ||
		    (types[i].size == 1 && strchr("<>=", descr[0]) && descr[0] &&
		     !strcmp(types[i].descr + 1, descr + 1)))
			return &types[i];
	}
	return NULL;
}

/* How many bytes the numbers have; false if that is more than memory can be. */
static bool count_bytes(const struct head *head, size_t size, size_t *ret_bytes)
{
	size_t bytes = size;

	for (size_t i = 0; i < head->nr_dims; i++)
		if (head->dims[i] < 0 || (uint64_t)head->dims[i] > SIZE_MAX ||
		    __builtin_mul_overflow(bytes, (size_t)head->dims[i], &bytes))
			return false;
	*ret_bytes = bytes;
	return bytes <= PTRDIFF_MAX;
}

static int read_numbers(FILE *file, const char *path, struct head *head,
			struct vaccel_tensor *ret_tensor)
{
	const struct number_type *type = type_by_descr(head->descr);
	struct vaccel_tensor *tensor;
	size_t bytes;
	int ret;

	if (!type)
		return vaccel_fail(VACCEL_EINVAL,
				   "'%s' is of the type '%s', which no model takes; save it as "
				   "float32, say, little-endian",
				   path, head->descr);
	if (head->fortran)
		return vaccel_fail(VACCEL_EINVAL,
				   "'%s' is in Fortran's order; save numpy.ascontiguousarray() of "
				   "it",
				   path);
	if (!count_bytes(head, type->size, &bytes))
		return no_npy(path, "its shape is larger than memory");
	ret = vaccel_tensor_allocate(&tensor, head->nr_dims, head->dims, type->type, bytes);
	if (ret)
		return ret;
	if ((bytes && fread(tensor->data, 1, bytes, file) != bytes) || getc(file) != EOF) {
		vaccel_tensor_delete(tensor);
		return no_npy(path, "it has not as many numbers as its shape says");
	}
	*ret_tensor = *tensor;
	free(tensor);
	return VACCEL_OK;
}

int npy_read(const char *path, struct vaccel_tensor *ret_tensor)
{
	struct head head = {0};
	FILE *file = fopen(path, "re");
	int ret;

	if (!file)
		return vaccel_fail(errno, "cannot read '%s': %s", path, strerror(errno));
	ret = read_head(file, path, &head);
	if (!ret)
		ret = read_numbers(file, path, &head, ret_tensor);
	fclose(file);
	return ret;
}

/* The start of a file, to the numbers; its size is a multiple of HEAD_ALIGN. */
static size_t make_head(const struct vaccel_tensor *tensor, const struct number_type *type,
			char head[HEAD_MOST])
{
	size_t used = START_SIZE, size;

	used += (size_t)sprintf(head + used, "{'descr': '%s', 'fortran_order': False, 'shape': (",
				type->descr);
	for (size_t i = 0; i < tensor->nr_dims; i++)
		used += (size_t)sprintf(head + used, "%s%" PRId64 "%s", i ? " " : "",
					tensor->dims[i], i + 1 < tensor->nr_dims || !i ? "," : "");
	used += (size_t)sprintf(head + used, "), }");
	size = (used + 1 + HEAD_ALIGN - 1) / HEAD_ALIGN * HEAD_ALIGN;
	memset(head + used, ' ', size - used);
	head[size - 1] = '\n';
	memcpy(head, MAGIC "\x01", MAGIC_SIZE + 2);
	head[8] = (char)((size - START_SIZE) & 0xff);
	head[9] = (char)((size - START_SIZE) >> 8);
	return size;
}

int npy_write(const char *path, const struct vaccel_tensor *tensor)
{
	const struct number_type *type = number_type_of(tensor->data_type);
	char head[HEAD_MOST];
	size_t size;
	FILE *file;
	bool good;

	if (!type || tensor->nr_dims > VACCEL_TENSOR_DIMS_MAX)
		return vaccel_fail(VACCEL_ENOTSUP, "'%s': NumPy has no such type of numbers", path);
	size = make_head(tensor, type, head);
	file = fopen(path, "we");
	if (!file)
		return vaccel_fail(errno, "cannot write '%s': %s", path, strerror(errno));
	good = fwrite(head, 1, size, file) == size &&
	       (!tensor->size || fwrite(tensor->data, 1, tensor->size, file) == tensor->size);
	good = !fclose(file) && good;
	return good ? VACCEL_OK
		    : vaccel_fail(VACCEL_EIO, "cannot write '%s': %s", path, strerror(errno));
}
