// SPDX-License-Identifier: Apache-2.0
/*
 * annotate MODEL PICTURE: a program of vAccel 0.8's manner, whose picture must be
 * annotated in its own session's directory, wherever the work is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel.h>

static int annotate(struct vaccel_session *sess, const void *picture, size_t size)
{
	unsigned char name[512] = "";
	const char *rundir = vaccel_session_rundir(sess);
	int ret = vaccel_image_detection(sess, picture, name, size, sizeof(name));

	if (ret) {
		printf("%s\n", vaccel_error_text());
		return ret;
	}
	printf("%s\n", (char *)name);
	if (!rundir || strncmp((char *)name, rundir, strlen(rundir)) ||
	    access((char *)name, R_OK)) {
		printf("that is no file in %s\n", rundir ? rundir : "a directory of the session's");
		return VACCEL_ENOENT;
	}
	return VACCEL_OK;
}

int main(int argc, char **argv)
{
	struct vaccel_session sess = {0};
	struct vaccel_resource model = {0};
	struct vaccel_blob blob;
	const uint8_t *picture;
	size_t size;
	int ret;

	if (argc != 3)
		return EXIT_FAILURE;
	ret = vaccel_session_init(&sess, 0);
	if (!ret)
		ret = vaccel_resource_init(&model, argv[1], VACCEL_RESOURCE_MODEL);
	if (!ret)
		ret = vaccel_resource_register(&model, &sess);
	if (!ret)
		ret = vaccel_blob_init(&blob, argv[2]);
	if (!ret)
		ret = vaccel_blob_read(&blob);
	if (ret) {
		printf("%s\n", vaccel_error_text());
		return EXIT_FAILURE;
	}
	picture = vaccel_blob_data(&blob, &size);
	/* At the second time the session knows that it has to draw. */
	for (int i = 0; !ret && i < 2; i++)
		ret = annotate(&sess, picture, size);
	vaccel_blob_release(&blob);
	vaccel_session_release(&sess);
	vaccel_resource_release(&model);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
