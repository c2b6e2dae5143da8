// SPDX-License-Identifier: Apache-2.0
/*
 * What a resource may be made of: bytes in memory, and each PATH: a file, a
 * directory with what is below it, or a URL. Registering it with a session
 * reads, or fetches, what is there.
 */
#include "example.h"

static void show(struct vaccel_session *sess, struct vaccel_resource *resource, const char *name)
{
	TRY(vaccel_resource_register(resource, sess));
	printf("%s is resource %" PRId64 ":\n", name, resource->id);
	for (size_t i = 0; i < resource->nr_blobs; i++) {
		struct vaccel_blob *blob = resource->blobs[i];
		size_t size = 0;

		TRY(vaccel_blob_data(blob, &size) ? VACCEL_OK : VACCEL_EIO);
		printf("  %s, %zu bytes\n", blob->name, size);
	}
	TRY(vaccel_resource_unregister(resource, sess));
	TRY(vaccel_resource_delete(resource));
}

int main(int argc, char **argv)
{
	static const char bytes[] = "bytes of the program's own";
	struct vaccel_resource *resource;
	struct vaccel_session sess;

	if (argc < 2)
		usage("resources PATH...");
	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_resource_from_buf(&resource, bytes, sizeof(bytes), VACCEL_RESOURCE_DATA, "words",
				     true));
	show(&sess, resource, "a buffer");
	for (int i = 1; i < argc; i++) {
		TRY(vaccel_resource_new(&resource, argv[i], VACCEL_RESOURCE_DATA));
		show(&sess, resource, argv[i]);
	}
	TRY(vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
