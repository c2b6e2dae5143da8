// SPDX-License-Identifier: Apache-2.0
/* Lists the objects in a picture, and draws them on a copy of it if that is given a name. */
#include "example.h"

int main(int argc, char **argv)
{
	struct vaccel_blob picture;
	struct vaccel_session sess;
	struct vaccel_box *boxes;
	const uint8_t *bytes;
	size_t size, count;

	if (argc != 2 && argc != 3)
		usage("boxes IMAGE [COPY.png]");
	TRY(vaccel_blob_init(&picture, argv[1]));
	bytes = vaccel_blob_data(&picture, &size);
	TRY(bytes ? VACCEL_OK : VACCEL_EIO);

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_image_detect_boxes(&sess, bytes, size, &boxes, &count));
	for (size_t i = 0; i < count; i++)
		printf("%5.1f%% %s, from %.0f, %.0f to %.0f, %.0f\n", 100 * (double)boxes[i].score,
		       boxes[i].label, (double)boxes[i].left, (double)boxes[i].top,
		       (double)boxes[i].right, (double)boxes[i].bottom);
	if (argc == 3)
		TRY(vaccel_draw_boxes(bytes, size, boxes, count, argv[2]));
	/* The labels lie in the same block. */
	free(boxes);

	TRY(vaccel_session_release(&sess));
	TRY(vaccel_blob_release(&picture));
	return EXIT_SUCCESS;
}
