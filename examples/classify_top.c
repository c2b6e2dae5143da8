// SPDX-License-Identifier: Apache-2.0
/* Lists the K classes that a picture most likely belongs to. */
#include "example.h"

int main(int argc, char **argv)
{
	static const char how[] = "classify_top IMAGE [K]";
	struct vaccel_blob picture;
	struct vaccel_session sess;
	struct vaccel_class *top;
	const uint8_t *bytes;
	size_t size, count, k = 3;

	if (argc != 2 && argc != 3)
		usage(how);
	if (argc == 3)
		k = (size_t)to_count(argv[2], how);
	TRY(vaccel_blob_init(&picture, argv[1]));
	bytes = vaccel_blob_data(&picture, &size);
	TRY(bytes ? VACCEL_OK : VACCEL_EIO);

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_image_classify_top(&sess, bytes, size, k, &top, &count));
	for (size_t i = 0; i < count; i++)
		printf("%7.3f%% class %" PRIu32 ": %s\n", 100 * (double)top[i].probability,
		       top[i].index, top[i].label);
	/* The labels lie in the same block. */
	free(top);

	TRY(vaccel_session_release(&sess));
	TRY(vaccel_blob_release(&picture));
	return EXIT_SUCCESS;
}
