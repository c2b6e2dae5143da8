// SPDX-License-Identifier: Apache-2.0
/*
 * Says what a picture shows: by the model that is given, else by the default
 * one. The picture is classified N times, as a program with many would do it.
 */
#include <unistd.h>

#include "example.h"

static void classify(struct vaccel_session *sess, const char *path, int times)
{
	struct vaccel_blob picture;
	unsigned char tags[512], name[512];
	const uint8_t *bytes;
	size_t size;

	TRY(vaccel_blob_init(&picture, path));
	bytes = vaccel_blob_data(&picture, &size);
	TRY(bytes ? VACCEL_OK : VACCEL_EIO);
	printf("Image size: %zuB\n", size);
	for (int i = 0; i < times; i++) {
		TRY(vaccel_image_classification(sess, bytes, tags, name, size, sizeof(tags),
						sizeof(name)));
		printf("classification tags: %s\n", (const char *)tags);
	}
	TRY(vaccel_blob_release(&picture));
}

int main(int argc, char **argv)
{
	static const char how[] = "classify [-m MODEL] IMAGE [N]";
	struct vaccel_resource *model = NULL;
	struct vaccel_session sess;
	const char *model_path = NULL;
	int option, times = 1;

	opterr = 0; /* the usage says it all */
	while ((option = getopt(argc, argv, "m:")) != -1) {
		if (option != 'm')
			usage(how);
		model_path = optarg;
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage(how);
	if (argc - optind == 2)
		times = to_count(argv[optind + 1], how);

	TRY(vaccel_session_init(&sess, 0));
	printf("Initialized session with id: %" PRId64 "\n", sess.id);
	if (model_path) {
		TRY(vaccel_resource_new(&model, model_path, VACCEL_RESOURCE_MODEL));
		TRY(vaccel_resource_register(model, &sess));
	}
	classify(&sess, argv[optind], times);
	TRY(vaccel_session_release(&sess));
	if (model)
		TRY(vaccel_resource_delete(model));
	return EXIT_SUCCESS;
}
