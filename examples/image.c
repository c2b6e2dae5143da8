// SPDX-License-Identifier: Apache-2.0
/* Draws on a picture what a model sees in it; the backend says where it put the result. */
#include <string.h>

#include "example.h"

typedef int image_op(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
		     size_t len_img, size_t len_out_imgname);

static const struct {
	const char *name;
	image_op *run;
} ops[] = {
	{"detect", vaccel_image_detection},
	{"segment", vaccel_image_segmentation},
	{"pose", vaccel_image_pose},
	{"depth", vaccel_image_depth},
};

static image_op *find(const char *name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].name, name))
			return ops[i].run;
	return NULL;
}

int main(int argc, char **argv)
{
	image_op *run = argc == 3 ? find(argv[1]) : NULL;
	struct vaccel_blob picture;
	struct vaccel_session sess;
	unsigned char name[512];
	const uint8_t *bytes;
	size_t size;

	if (!run)
		usage("image detect|segment|pose|depth IMAGE");
	TRY(vaccel_blob_init(&picture, argv[2]));
	bytes = vaccel_blob_data(&picture, &size);
	TRY(bytes ? VACCEL_OK : VACCEL_EIO);

	TRY(vaccel_session_init(&sess, 0));
	TRY(run(&sess, bytes, name, size, sizeof(name)));
	printf("annotated picture: %s\n", (const char *)name);
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_blob_release(&picture));
	return EXIT_SUCCESS;
}
