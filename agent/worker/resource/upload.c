// SPDX-License-Identifier: Apache-2.0
/* Contents that clients are sending, part by part. */
#include <inttypes.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/worker/resource/resource.h"
#include "base/util.h"

/* So many at once a client may have begun; with one more it gives the oldest up. */
#define UPLOADS_MAX 8

struct upload {
	struct upload *next;
	struct incoming *incoming;
};

static struct upload **find(struct client *client, const struct digest *digest)
{
	struct upload **link = &client->uploads;

	while (*link && memcmp(incoming_digest((*link)->incoming), digest, sizeof(*digest)))
		link = &(*link)->next;
	return link;
}

/* Whatever has come of it and was not finished goes. */
static void end(struct upload **link)
{
	struct upload *upload = *link;

	*link = upload->next;
	incoming_delete(upload->incoming);
	free(upload);
}

static void make_room(struct client *client)
{
	struct upload **link = &client->uploads;

	for (unsigned int nr = 1; *link && nr < UPLOADS_MAX; nr++)
		link = &(*link)->next;
	while (*link)
		end(link);
}

/* The newest is the first. */
static int begin(struct client *client, const struct digest *digest)
{
	struct upload *upload;
	int ret;

	make_room(client);
	upload = malloc(sizeof(*upload));
	if (!upload)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an upload");
	ret = incoming_new(client->worker->store, digest, &upload->incoming);
	if (ret) {
		if (ret == VACCEL_EDQUOT)
			count_refusal(client->worker, REFUSED_QUOTA);
		free(upload);
		return ret;
	}
	upload->next = client->uploads;
	client->uploads = upload;
	return VACCEL_OK;
}

static int add(struct upload *upload, const struct vaccel_content_put_args *args, bool *ret_done)
{
	uint64_t written = incoming_written(upload->incoming);
	int ret;

	if (args->offset != written)
		return vaccel_fail(VACCEL_EINVAL,
				   "bytes from %" PRIu64 " on; those from %" PRIu64 " are next",
				   args->offset, written);
	ret = incoming_add(upload->incoming, args->bytes.data, args->bytes.count);
	*ret_done = args->offset + args->bytes.count == args->size;
	return !ret && *ret_done ? incoming_finish(upload->incoming) : ret;
}

int content_put(struct client *client, const struct vaccel_content_put_args *args)
{
	struct digest digest = {.size = args->size};
	struct upload **link;
	bool done = false;
	int ret = VACCEL_OK;

	memcpy(digest.sha256, args->sha256.data, SHA256_SIZE);
	SCOPED_LOCK(&client->upload_lock);
	link = find(client, &digest);
	if (*link && !args->offset)
		end(link);
	if (!args->offset)
		ret = begin(client, &digest);
	if (ret)
		return ret;
	link = find(client, &digest);
	if (!*link)
		return vaccel_fail(VACCEL_EINVAL, "nothing is known of the bytes before %" PRIu64,
				   args->offset);
	ret = add(*link, args, &done);
	if (ret || done)
		end(link);
	return ret;
}

void uploads_release(struct client *client)
{
	while (client->uploads)
		end(&client->uploads);
}
