// SPDX-License-Identifier: Apache-2.0
/*
 * The descriptions of control.h as data, and the rules between their arguments.
 * An agent asks for these before it acts on a request; a client keeps them.
 */
#define VACCEL_OP_BODIES

#include <inttypes.h>

#include "base/util.h"
#include "file/file.h"
#include "transport/control.h"

static int hello_check(const struct vaccel_hello_args *args)
{
	if (!args->version)
		return vaccel_fail(VACCEL_EINVAL, "hello: version 0; the first one is 1");
	if (args->token.count && args->token.count != TOKEN_SIZE)
		return vaccel_fail(VACCEL_EINVAL, "hello: a token of %zu bytes, not of %d",
				   args->token.count, TOKEN_SIZE);
	return VACCEL_OK;
}

static int check_sha256(const char *what, size_t count)
{
	if (count == SHA256_SIZE)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "%s: a SHA-256 of %zu bytes, not of %d", what, count,
			   SHA256_SIZE);
}

static int check_content(const struct vaccel_content *content)
{
	if (!file_name_valid(content->name))
		return vaccel_fail(VACCEL_EINVAL,
				   "resource_offer: a file named '%s'; give a name below the "
				   "resource's directory, as in 'sub/x'",
				   content->name ? content->name : "");
	if (content->in_memory > 1)
		return vaccel_fail(VACCEL_EINVAL,
				   "resource_offer: in_memory is %" PRIu32 ", not 0 or 1",
				   content->in_memory);
	if (content->bytes.count && content->bytes.count != content->size)
		return vaccel_fail(VACCEL_EINVAL,
				   "resource_offer: %zu bytes of a content of %" PRIu64
				   "; send all or none",
				   content->bytes.count, content->size);
	return check_sha256("resource_offer", content->sha256.count);
}

static int resource_offer_check(const struct vaccel_resource_offer_args *args)
{
	if (args->type >= VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "resource_offer: no type %" PRIu32, args->type);
	for (size_t i = 0; i < args->contents.count; i++) {
		int ret = check_content(&args->contents.data[i]);

		if (ret)
			return ret;
	}
	return VACCEL_OK;
}

static int content_put_check(const struct vaccel_content_put_args *args)
{
	if (args->offset > args->size || args->bytes.count > args->size - args->offset)
		return vaccel_fail(VACCEL_EINVAL,
				   "content_put: %zu bytes at %" PRIu64 " reach beyond the %" PRIu64
				   " of the content",
				   args->bytes.count, args->offset, args->size);
	return check_sha256("content_put", args->sha256.count);
}

static int region_add_check(const struct vaccel_region_add_args *args)
{
	if (args->read_only > 1)
		return vaccel_fail(VACCEL_EINVAL,
				   "region_add: read_only is %" PRIu32 ", not 0 or 1",
				   args->read_only);
	if (!args->size || args->size > PTRDIFF_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "region_add: no region can have %" PRIu64 " bytes", args->size);
	return VACCEL_OK;
}

#define ADDRESS_OF(NAME, name) &vaccel_op_##name,
static const struct vaccel_op *const table[] = {CONTROL_LIST(ADDRESS_OF)};

const struct vaccel_op *control_by_number(uint32_t number)
{
	if (number < CONTROL_FIRST || number - CONTROL_FIRST >= ARRAY_SIZE(table))
		return NULL;
	return table[number - CONTROL_FIRST];
}
