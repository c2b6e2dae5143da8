// SPDX-License-Identifier: Apache-2.0
/* Payloads in memory that both ends share, and either may change at any time. */
#include <stdlib.h>

#include <vaccel/op_headers.h>

#include "base/util.h"
#include "call/call.h"
#include "codec_made.h"
#include "transport/control.h"

static void *args;

/* Decodes a request with @size bytes of payload; what it made stays until the next. */
static int request(const struct vaccel_op *op, const struct made *made, size_t size)
{
	const struct codec_message message = {made->bytes, made->size, section, size};

	decoder_release(&decoder);
	args = NULL;
	return decode_request(&decoder, op, &message, &args);
}

static int reply(const struct vaccel_op *op, const struct made *made, size_t size, void *to)
{
	int ret;

	decoder_release(&decoder);
	ret = decode_reply(&decoder, op, made->bytes, made->size, size, to);
	if (ret)
		return ret;
	assert_int_equal(decoder.payload.size, size);
	pieces_fill(&decoder.payload, section);
	return decode_reply_end(&decoder);
}

static _Alignas(8) unsigned char region[512];
static size_t region_used;
static enum vaccel_dir last_dir;

static bool place_in_region(void *context, const void *data, enum vaccel_dir dir,
			    struct payload *ref)
{
	if (dir & VACCEL_DIR_IN)
		memcpy(region + region_used, data, (size_t)ref->size);
	ref->place = PAYLOAD_REGION;
	ref->region = 5;
	ref->offset = region_used;
	region_used += (size_t)ref->size + padding_of(ref->size);
	return true;
}

static size_t region_base; /* where it begins in @region */

static int at_region(void *context, const struct payload *ref, enum vaccel_dir dir, void **ret_data)
{
	if (ref->region != 5 || ref->offset > sizeof(region) ||
	    ref->size > sizeof(region) - ref->offset)
		return vaccel_fail(VACCEL_EFAULT, "that is not in the region");
	last_dir = dir;
	*ret_data = region + region_base + ref->offset;
	return VACCEL_OK;
}

static const struct codec_hooks region_hooks = {.place = place_in_region, .at = at_region};

static void test_request_in_region(void **state)
{
	const double samples[] = {1, 2, 3};
	double out[3], min, max;
	struct vaccel_minmax_args call = {{samples, 3}, 3, -1, 7, {out, 3}, &min, &max, 0}, *there;
	struct encoder encoder = {.hooks = &region_hooks};
	struct made made = {0};

	region_used = 8;
	decoder.hooks = &region_hooks;
	assert_int_equal(encode_request(&encoder, &vaccel_op_minmax, &call), 0);
	assert_int_equal(encoder.payload.count, 0);
	made.size = encoder.head_size;
	memcpy(made.bytes, encoder.head, encoder.head_size);
	encoder_release(&encoder);
	assert_int_equal(request(&vaccel_op_minmax, &made, 0), 0);
	there = args;
	assert_ptr_equal(there->samples.data, region + 8);
	assert_memory_equal(there->samples.data, samples, sizeof(samples));
	/* The room is in the region as well: the backend writes there. */
	assert_ptr_equal(there->out.data, region + 32);
	assert_int_equal(last_dir, VACCEL_DIR_OUT);

	put(&made, 16, &(uint64_t){12}, 8);
	assert_int_equal(request(&vaccel_op_minmax, &made, 0), VACCEL_EINVAL);
	assert_says("is at byte 12 of a region, which is no multiple of 8");
	put(&made, 16, &(uint64_t){sizeof(region) - 16}, 8);
	assert_int_equal(request(&vaccel_op_minmax, &made, 0), VACCEL_EFAULT);
	assert_says("that is not in the region");
	put(&made, 0, &(uint64_t){0}, 8);
	assert_int_equal(request(&vaccel_op_minmax, &made, 0), VACCEL_EINVAL);
	assert_says("is in region 5, with no bytes");
}

/* What a parser reads, and what was checked, does not change with the region. */
static void test_stable_is_copied(void **state)
{
	struct vaccel_image_classify_args *image;
	struct vaccel_exec_args *exec;
	struct made made = {0};

	decoder.hooks = &region_hooks;
	set_bytes(region, "picture", 8);
	payload(&made, 7, PAYLOAD_REGION, 5, 0);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	payload(&made, 10, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(request(&vaccel_op_image_classify, &made, 0), 0);
	memset(region, '!', 8);
	image = args;
	assert_memory_equal(image->image.data, "picture", 7);

	set_bytes(region, "lib\0\0\0\0\0f", 9);
	made.size = 0;
	payload(&made, 3, PAYLOAD_REGION, 5, 0);
	payload(&made, 1, PAYLOAD_PAGES, 5, 8);
	number(&made, 0);
	number(&made, 0);
	assert_int_equal(request(&vaccel_op_exec, &made, 0), 0);
	memset(region, '!', 9);
	exec = args;
	assert_string_equal(exec->library, "lib");
	assert_string_equal(exec->symbol, "f");
}

/* What is hashed is what is kept, and under the hash that was compared. */
static void test_contents_are_copied(void **state)
{
	struct vaccel_content_put_args *put;
	struct vaccel_resource_offer_args *offer;
	struct made made = {0};

	decoder.hooks = &region_hooks;
	set_bytes(region, "0123456789abcdef0123456789abcdefbytes", 37);
	payload(&made, SHA256_SIZE, PAYLOAD_REGION, 5, 0);
	number(&made, 5);
	number(&made, 0);
	payload(&made, 5, PAYLOAD_REGION, 5, SHA256_SIZE);
	assert_int_equal(request(&vaccel_op_content_put, &made, 0), 0);
	memset(region, '!', 37);
	put = args;
	assert_memory_equal(put->sha256.data, "0123456789abcdef0123456789abcdef", SHA256_SIZE);
	assert_memory_equal(put->bytes.data, "bytes", 5);

	set_bytes(region, "0123456789abcdef0123456789abcdefbytes", 37);
	made.size = 0;
	number(&made, VACCEL_RESOURCE_MODEL);
	number(&made, VACCEL_PATH_LOCAL_FILE);
	number(&made, 1);
	set_bytes(section, "name", 4);
	payload(&made, 4, PAYLOAD_INLINE, 0, 0);
	number(&made, 5);
	number(&made, 0);
	payload(&made, SHA256_SIZE, PAYLOAD_REGION, 5, 0);
	payload(&made, 5, PAYLOAD_REGION, 5, SHA256_SIZE);
	assert_int_equal(request(&vaccel_op_resource_offer, &made, 8), 0);
	memset(region, '!', 37);
	offer = args;
	assert_memory_equal(offer->contents.data->sha256.data, "0123456789abcdef0123456789abcdef",
			    SHA256_SIZE);
	assert_memory_equal(offer->contents.data->bytes.data, "bytes", 5);
}

static void test_reply_in_region(void **state)
{
	int32_t in[3] = {0}, out[4] = {0, 0, 0, 9};
	struct vaccel_fpga_arraycopy_args call = {{in, 3}, {out, 3}, 0};
	char name[4], text[8];
	struct vaccel_image_classify_args image = {.imgname = {name, 4}, .text = {text, 4}};
	struct made made = {0};

	decoder.hooks = &region_hooks;
	set_bytes(region, "0123456789ab", 12);
	payload(&made, 12, PAYLOAD_REGION, 5, 0);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), 0);
	assert_memory_equal(out, "0123456789ab", 12);
	assert_int_equal(out[3], 9);
	/* The program's memory may be the region's. */
	call.out.data = (int32_t *)region;
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), 0);
	assert_memory_equal(region, "0123456789ab", 12);
	put(&made, 8, &(uint32_t[]){PAYLOAD_REGION, 6}, 8);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), VACCEL_EFAULT);

	put(&made, 8, &(uint32_t[]){PAYLOAD_REGION, 5}, 8);
	put(&made, 16, &(uint64_t){12}, 8);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("is at byte 12 of a region, which is no multiple of 8");

	made.size = 0;
	payload(&made, 2, PAYLOAD_REGION, 5, 0);
	payload(&made, 6, PAYLOAD_REGION, 5, 0);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 0, &image), 0);
	assert_string_equal(name, "01");
	assert_string_equal(text, "012");
}

/* A program's output is where it likes. */
static void test_reply_in_memory_that_is_not_aligned(void **state)
{
	char out[24] = "";
	struct vaccel_fpga_arraycopy_args call = {{NULL, 0}, {(int32_t *)(out + 1), 3}, 0};
	struct made made = {0};

	decoder.hooks = &region_hooks;
	region_base = 1;
	set_bytes(region, "-0123456789ab", 13);
	payload(&made, 12, PAYLOAD_REGION, 5, 0);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), 0);
	assert_memory_equal(out + 1, "0123456789ab", 12);
	region_base = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_request_in_region),
		WIRE_TEST(test_stable_is_copied),
		WIRE_TEST(test_contents_are_copied),
		WIRE_TEST(test_reply_in_region),
		WIRE_TEST(test_reply_in_memory_that_is_not_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
