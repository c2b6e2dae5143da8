// SPDX-License-Identifier: Apache-2.0
/* A program that uses the operation that the test adds: by its function, and by its number. */
#include <stdio.h>
#include <string.h>

#include <vaccel.h>

static const float samples[] = {1, 2, 3};
static const float expected[] = {2, 4, 6};

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, vaccel_error_text());
	return 1;
}

static int run_generic(struct vaccel_session *sess, float *scaled)
{
	uint8_t number = VACCEL_OP_SCALE;
	float factor = 2;
	struct vaccel_arg read[] = {
		{.buf = &number, .size = sizeof(number), .type = VACCEL_ARG_UINT8},
		{.buf = (void *)samples, .size = sizeof(samples), .type = VACCEL_ARG_FLOAT32_ARRAY},
		{.buf = &factor, .size = sizeof(factor), .type = VACCEL_ARG_FLOAT32},
	};
	struct vaccel_arg write[] = {
		{.buf = scaled, .size = sizeof(samples), .type = VACCEL_ARG_FLOAT32_ARRAY},
	};

	return vaccel_genop(sess, read, 3, write, 1);
}

int main(void)
{
	const struct vaccel_op *op = vaccel_op_by_number(90);
	struct vaccel_session sess;
	float scaled[3] = {0};

	if (!op || strcmp(op->name, "scale") != 0)
		return fail("the library does not know operation 90");
	if (strcmp(vaccel_op_type_to_str(VACCEL_OP_SCALE), "VACCEL_OP_SCALE") != 0)
		return fail("the operation has no name");
	if (vaccel_session_init(&sess, 0))
		return fail("vaccel_session_init");
	if (!vaccel_plugin_offers(sess.plugin, op))
		return fail("no plugin offers it");
	if (vaccel_scale(&sess, samples, 2, scaled, 3) ||
	    memcmp(scaled, expected, sizeof(expected)) != 0)
		return fail("vaccel_scale");
	memset(scaled, 0, sizeof(scaled));
	if (run_generic(&sess, scaled) || memcmp(scaled, expected, sizeof(expected)) != 0)
		return fail("vaccel_genop");
	if (vaccel_session_release(&sess))
		return fail("vaccel_session_release");
	printf("operation 90 runs\n");
	return 0;
}
