// SPDX-License-Identifier: Apache-2.0
/* call_plugin PLUGIN: loads a plugin of docs/writing-a-plugin.md and checks what it computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>
#include <vaccel/plugin.h>

#define CHECK(condition)                                                                       \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "line %d: %s; last error: %s\n", __LINE__, #condition, \
				vaccel_error_text());                                          \
			exit(EXIT_FAILURE);                                                    \
		}                                                                              \
	} while (0)

static void check_hello(struct vaccel_session *sess)
{
	static float many[1001];
	float a[2] = {1, 2}, b[2] = {3, 5}, sum[2];

	CHECK(!vaccel_fpga_vadd(sess, a, b, sum, 2, 2));
	CHECK(sum[0] == 4 && sum[1] == 7);
	CHECK(vaccel_fpga_vadd(sess, many, many, many, 1001, 1001) == VACCEL_ERANGE);
	CHECK(strstr(vaccel_error_text(), "give at most 1000"));
}

static void check_guess(struct vaccel_session *sess)
{
	static const char *const labels[] = {"large picture", "small picture"};
	struct vaccel_class *top;
	size_t nr;

	for (int i = 0; i < 2; i++) {
		CHECK(!vaccel_image_classify_top(sess, "picture", i ? 3 : 7, 5, &top, &nr));
		CHECK(nr == 1 && top[0].probability == 1);
		CHECK(!strcmp(top[0].label, labels[i]));
		free(top);
	}
}

int main(int argc, char **argv)
{
	struct vaccel_session sess;
	const char *name;

	CHECK(argc == 2);
	CHECK(!vaccel_plugin_load(argv[1]));
	CHECK(!vaccel_session_init(&sess, 0));
	name = sess.plugin->info->name;
	CHECK(!strcmp(name, "hello") || !strcmp(name, "guess"));
	if (!strcmp(name, "hello"))
		check_hello(&sess);
	else
		check_guess(&sess);
	CHECK(!vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
