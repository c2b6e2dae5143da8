// SPDX-License-Identifier: Apache-2.0
/*
 * A program that classifies a picture again and again, whatever becomes of its agent, until
 * nobody does that any more (ENOTSUP). Says how many calls were answered, and how many failed, and
 * of these why.
 *
 * usage: steady PICTURE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#define CHECK(call)                                                                     \
	do {                                                                            \
		int code = (call);                                                      \
                                                                                        \
		if (code) {                                                             \
			fprintf(stderr, "%s: %s: %s\n", #call, vaccel_error_name(code), \
				vaccel_error_text());                                   \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

int main(int argc, char **argv)
{
	unsigned char tags[512], first[512] = "", name[512];
	unsigned int answered = 0, failed = 0;
	struct vaccel_session session;
	struct vaccel_blob picture;
	const uint8_t *bytes;
	size_t size;
	int ret;

	if (argc != 2)
		return 2;
	CHECK(vaccel_blob_init(&picture, argv[1]));
	bytes = vaccel_blob_data(&picture, &size);
	CHECK(vaccel_session_init(&session, 0));
	for (;;) {
		ret = vaccel_image_classification(&session, bytes, tags, name, size, sizeof(tags),
						  sizeof(name));
		if (ret == VACCEL_ENOTSUP)
			break;
		if (ret) {
			fprintf(stderr, "%s: %s\n", vaccel_error_name(ret), vaccel_error_text());
			failed++;
			continue;
		}
		if (!answered++)
			memcpy(first, tags, sizeof(first));
		if (strcmp((char *)tags, (char *)first)) {
			fprintf(stderr, "'%s' instead of '%s'\n", (char *)tags, (char *)first);
			return 1;
		}
	}
	printf("%u answered, %u failed\n", answered, failed);
	vaccel_session_release(&session);
	vaccel_blob_release(&picture);
	return 0;
}
