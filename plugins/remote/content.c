// SPDX-License-Identifier: Apache-2.0
/*
 * Contents travel by their SHA-256: the agent is offered all of them by name, size
 * and digest, says which it lacks, and is sent those. Small ones come with the
 * offer. Files are read, never mapped, so that one that somebody cuts short
 * meanwhile is an error and not the end of the program. While an agent is waited
 * for nothing of the resource is held; each piece is copied when it is its turn.
 */
#include "remote/content.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "remote/server.h"

/* Contents of no more bytes come with the offer. */
#define SMALL 4096

/* Bytes that are read, or sent, at once. */
#define READ_STEP (1u << 20)
#define SEND_STEP (16u << 20)

/* So often an agent may find that it lacks something. */
#define OFFERS 3

/* Of a file that was read: what tells whether it is still the same. */
struct known {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
	unsigned char sha256[SHA256_SIZE];
};

struct digests {
	size_t nr;
	struct known known[]; /* by blob */
};

void digests_delete(struct digests *digests)
{
	free(digests);
}

static void hash_freep(EVP_MD_CTX **hash)
{
	EVP_MD_CTX_free(*hash);
}

static int no_hash(void)
{
	return vaccel_fail(VACCEL_EIO, "libcrypto cannot make a SHA-256");
}

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory to send a resource");
}

static int hash_bytes(const void *bytes, size_t size, unsigned char ret_sha256[SHA256_SIZE])
{
	if (EVP_Digest(bytes, size, ret_sha256, NULL, EVP_sha256(), NULL) == 1)
		return VACCEL_OK;
	return no_hash();
}

/* Files */

static int fail_read(const char *path)
{
	return vaccel_fail(errno, "cannot read '%s': %s", path, strerror(errno));
}

static int open_file(const char *path, int *ret_fd, struct stat *ret_status)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret_status))
		return fail_read(path);
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

/* All of @size bytes, from @offset on. */
static int read_all(int fd, const char *path, void *to, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t nr = pread(fd, (char *)to + done, size - done, offset + (off_t)done);

		if (nr < 0 && errno != EINTR)
			return fail_read(path);
		if (!nr)
			return vaccel_fail(VACCEL_EIO, "'%s' was cut short while it was read",
					   path);
		done += nr > 0 ? (size_t)nr : 0;
	}
	return VACCEL_OK;
}

static int hash_file(int fd, const char *path, uint64_t size, unsigned char ret_sha256[SHA256_SIZE])
{
	_cleanup_(hash_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();
	_cleanup_(freep) char *buffer = malloc(READ_STEP);
	int ret = VACCEL_OK;

	if (!buffer)
		return no_memory();
	if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		return no_hash();
	for (uint64_t done = 0; !ret && done < size;) {
		size_t step = (size_t)MIN_OF(size - done, (uint64_t)READ_STEP);

		ret = read_all(fd, path, buffer, step, (off_t)done);
		if (!ret && EVP_DigestUpdate(hash, buffer, step) != 1)
			ret = no_hash();
		done += step;
	}
	if (!ret && EVP_DigestFinal_ex(hash, ret_sha256, NULL) != 1)
		ret = no_hash();
	return ret;
}

static bool is_known(const struct known *known, const struct stat *status)
{
	return known->inode == status->st_ino && known->device == status->st_dev &&
	       known->size == status->st_size &&
	       !memcmp(&known->modified, &status->st_mtim, sizeof(known->modified)) &&
	       !memcmp(&known->changed, &status->st_ctim, sizeof(known->changed));
}

/* Room for all that @content has. */
static int alloc_bytes(struct vaccel_content *content)
{
	content->bytes.data = malloc((size_t)content->size);
	if (!content->bytes.data)
		return no_memory();
	content->bytes.count = (size_t)content->size;
	return VACCEL_OK;
}

/* Fills the size and the digest, and the bytes if they are few. */
static int read_file(const char *path, struct known *known, struct vaccel_content *content)
{
	_cleanup_(closep) int fd = -1;
	struct stat status;
	int ret = open_file(path, &fd, &status);

	if (ret)
		return ret;
	content->size = (uint64_t)status.st_size;
	if (!is_known(known, &status)) {
		ret = hash_file(fd, path, content->size, known->sha256);
		if (ret)
			return ret;
		known->device = status.st_dev;
		known->inode = status.st_ino;
		known->size = status.st_size;
		known->modified = status.st_mtim;
		known->changed = status.st_ctim;
	}
	memcpy(content->sha256.data, known->sha256, SHA256_SIZE);
	if (!content->size || content->size > SMALL)
		return VACCEL_OK;
	ret = alloc_bytes(content);
	if (!ret)
		ret = read_all(fd, path, content->bytes.data, content->bytes.count, 0);
	return ret ? ret
		   : hash_bytes(content->bytes.data, content->bytes.count, content->sha256.data);
}

/* Reading */

/* A file that is not in memory; what is there may have been changed by the program. */
static bool is_file(const struct vaccel_blob *blob)
{
	return blob->type == VACCEL_BLOB_FILE;
}

static int read_memory(const struct vaccel_blob *blob, struct vaccel_content *content)
{
	int ret;

	content->in_memory = blob->type == VACCEL_BLOB_BUFFER;
	content->size = blob->size;
	if (!blob->size || blob->size > SMALL)
		return hash_bytes(blob->data, blob->size, content->sha256.data);
	ret = alloc_bytes(content);
	if (ret)
		return ret;
	memcpy(content->bytes.data, blob->data, blob->size);
	return hash_bytes(content->bytes.data, blob->size, content->sha256.data);
}

static int prepare_digests(size_t nr, struct digests **digests)
{
	if (*digests && (*digests)->nr == nr)
		return VACCEL_OK;
	digests_delete(*digests);
	*digests = calloc(1, sizeof(**digests) + nr * sizeof((*digests)->known[0]));
	if (!*digests)
		return no_memory();
	(*digests)->nr = nr;
	return VACCEL_OK;
}

static int add(struct contents *contents, const struct vaccel_blob *blob, struct known *known)
{
	struct vaccel_content *content = &contents->list[contents->nr];
	int ret;

	contents->nr++;
	content->name = strdup(blob->name);
	content->sha256.data = malloc(SHA256_SIZE);
	if (!content->name || !content->sha256.data)
		return no_memory();
	content->sha256.count = SHA256_SIZE;
	ret = is_file(blob) ? read_file(blob->path, known, content) : read_memory(blob, content);
	contents->in_memory |= content->in_memory;
	return ret;
}

static bool hash_list(EVP_MD_CTX *hash, const struct contents *contents)
{
	const uint64_t kind[] = {contents->path_type, contents->nr};
	bool done = EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(hash, kind, sizeof(kind)) == 1;

	for (size_t i = 0; done && i < contents->nr; i++) {
		const struct vaccel_content *content = &contents->list[i];
		const uint64_t numbers[] = {content->in_memory, content->size};

		done = EVP_DigestUpdate(hash, content->name, strlen(content->name) + 1) == 1 &&
		       EVP_DigestUpdate(hash, numbers, sizeof(numbers)) == 1 &&
		       EVP_DigestUpdate(hash, content->sha256.data, SHA256_SIZE) == 1;
	}
	return done;
}

static int hash_all(struct contents *contents)
{
	_cleanup_(hash_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash && hash_list(hash, contents) &&
	    EVP_DigestFinal_ex(hash, contents->digest, NULL) == 1)
		return VACCEL_OK;
	return no_hash();
}

void contents_release(struct contents *contents)
{
	for (size_t i = 0; i < contents->nr; i++) {
		free((void *)contents->list[i].name);
		free((void *)contents->list[i].bytes.data);
		free((void *)contents->list[i].sha256.data);
	}
	free(contents->list);
	*contents = (struct contents){0};
}

static int read_blobs(struct vaccel_resource *res, void *context)
{
	struct contents *contents = context;
	struct digests **digests = &contents->resource->digests;
	int ret = prepare_digests(res->nr_blobs, digests);

	contents->syncs = contents->resource->syncs;
	contents->type = res->type;
	contents->path_type = res->path_type;
	contents->nr = 0;
	contents->list = calloc(res->nr_blobs + 1, sizeof(*contents->list));
	if (!contents->list)
		return no_memory();
	for (size_t i = 0; !ret && i < res->nr_blobs; i++)
		ret = add(contents, res->blobs[i], &(*digests)->known[i]);
	return ret ? ret : hash_all(contents);
}

int contents_read(struct resource *resource, int64_t until, struct contents *ret_contents)
{
	_cleanup_(contents_release) struct contents contents = {.resource = resource};
	int ret = resource_use(resource, until, read_blobs, &contents);

	if (ret)
		return ret;
	*ret_contents = contents;
	contents = (struct contents){0};
	return VACCEL_OK;
}

/* Sending */

static int put(struct channel *channel, const struct vaccel_content *content, uint64_t offset,
	       const void *bytes, size_t size)
{
	struct vaccel_content_put_args args = {
		.sha256 = {content->sha256.data, SHA256_SIZE},
		.size = content->size,
		.offset = offset,
		.bytes = {bytes, size},
	};
	struct request request = {.op = &vaccel_op_content_put, .args = &args, .fd = -1};

	return channel_ask(channel, &request);
}

/* The digest travels beside the bytes. */
static uint64_t step_of(const struct channel *channel)
{
	uint64_t most = channel->payload_max - MIN_OF(channel->payload_max, (uint64_t)SMALL);

	return MAX_OF(MIN_OF(most, (uint64_t)SEND_STEP), (uint64_t)SMALL);
}

/* A content on its way. */
struct upload {
	const struct vaccel_content *content;
	size_t index;
	int fd; /* of the file; -1: not opened so far, or it has none */
	char *buffer;
	uint64_t done;
	size_t step; /* as much is brought into the buffer next */
};

/* What was read once may be a file no more, or another one; the agent sees that by the digest. */
static int copy_piece(struct vaccel_resource *res, void *context)
{
	struct upload *upload = context;
	const struct vaccel_blob *blob;
	struct stat status;
	int ret = VACCEL_OK;

	if (upload->index >= res->nr_blobs)
		return vaccel_fail(VACCEL_EIO, "'%s' was dropped while it was sent",
				   upload->content->name);
	blob = res->blobs[upload->index];
	if (is_file(blob)) {
		if (upload->fd < 0)
			ret = open_file(blob->path, &upload->fd, &status);
		return ret ? ret
			   : read_all(upload->fd, blob->path, upload->buffer, upload->step,
				      (off_t)upload->done);
	}
	if (blob->size != upload->content->size)
		return vaccel_fail(VACCEL_EIO, "'%s' has changed while it was sent", blob->name);
	if (upload->step)
		memcpy(upload->buffer, blob->data + upload->done, upload->step);
	return VACCEL_OK;
}

static void upload_release(struct upload *upload)
{
	closep(&upload->fd);
	free(upload->buffer);
}

static int put_content(struct channel *channel, const struct contents *contents, uint32_t index)
{
	_cleanup_(upload_release) struct upload upload = {.index = index, .fd = -1};
	uint64_t most = step_of(channel), size;
	int ret;

	if (index >= contents->nr) {
		channel->broken = true;
		return vaccel_fail(VACCEL_EREMOTEIO, "%s lacks a content that was not offered",
				   channel->server->name);
	}
	upload.content = &contents->list[index];
	size = upload.content->size;
	upload.buffer = malloc((size_t)MIN_OF(most, size + 1));
	if (!upload.buffer)
		return no_memory();
	/* Also if there are none. */
	do {
		upload.step = (size_t)MIN_OF(size - upload.done, most);
		ret = resource_use(contents->resource, channel->until, copy_piece, &upload);
		if (!ret)
			ret = put(channel, upload.content, upload.done, upload.buffer, upload.step);
		upload.done += upload.step;
	} while (!ret && upload.done < size);
	return ret;
}

static int begin_upload(struct server *server, int64_t until)
{
	SCOPED_LOCK(&remote_lock);

	while (server->uploading)
		if (remote_wait(until))
			return vaccel_fail(VACCEL_ETIMEDOUT,
					   "another resource is being sent to %s, and takes long",
					   server->name);
	server->uploading = true;
	return VACCEL_OK;
}

static void end_upload(struct server *server)
{
	SCOPED_LOCK(&remote_lock);

	server->uploading = false;
	pthread_cond_broadcast(&remote_changed);
}

static int put_missing(struct channel *channel, const struct contents *contents,
		       const struct vaccel_resource_offer_args *offer)
{
	int ret = begin_upload(channel->server, channel->until);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < offer->missing.count; i++)
		ret = put_content(channel, contents, offer->missing.data[i]);
	end_upload(channel->server);
	return ret;
}

/* Offers once; *ret_id is 0 if something was missing, which has been sent then. */
static int offer_once(const struct contents *contents, struct channel *channel, int64_t *ret_id)
{
	struct vaccel_resource_offer_args args = {
		.type = contents->type,
		.path_type = contents->path_type,
		.contents = {contents->list, contents->nr},
		.resource = ret_id,
	};
	struct request request = {.op = &vaccel_op_resource_offer, .args = &args, .fd = -1};
	int ret = channel_ask(channel, &request);

	if (!ret && !*ret_id)
		ret = put_missing(channel, contents, &args);
	free(args.missing.data);
	return ret;
}

int contents_offer(const struct contents *contents, struct channel *channel, int64_t *ret_id)
{
	int64_t id = 0;

	for (int i = 0; i < OFFERS; i++) {
		int ret = offer_once(contents, channel, &id);

		if (ret)
			return ret;
		if (!id)
			continue;
		*ret_id = id;
		return VACCEL_OK;
	}
	return vaccel_fail(VACCEL_EREMOTEIO, "%s does not keep what it is sent",
			   channel->server->name);
}
