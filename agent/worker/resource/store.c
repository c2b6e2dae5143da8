// SPDX-License-Identifier: Apache-2.0
/*
 * See store.h. A file gets its name, the hash in hexadecimal, when its bytes were
 * found to have it. The index is in memory, and made anew from the directory when the
 * worker starts; what was half written then is removed.
 */
#include "agent/worker/resource/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <vaccel/error.h>

#include "agent/worker/resource/store_file.h"
#include "base/util.h"

#define FOLDER	 "content"
#define HEX_SIZE (DIGEST_HEX_SIZE - 1)
#define BUCKETS	 1024
#define BLOCK	 4096 /* what the smallest file takes */

struct entry {
	struct entry *next;	     /* in its bucket */
	struct entry *older, *newer; /* among those that nobody holds */
	struct digest digest;
	unsigned int holds;
	char *outside; /* where the file lies; NULL: in the store */
};

struct store {
	char *folder;
	char *policy;
	uint64_t limit;
	pthread_mutex_t bringing; /* in from outside: there is room for one copy, not for two */
	pthread_mutex_t lock;	  /* all below */
	uint64_t used;		  /* bytes, in whole blocks */
	uint64_t last_new;	  /* to name files that are being written */
	struct entry *buckets[BUCKETS];
	struct entry *oldest, *newest; /* of those that nobody holds and that may go */
};

static uint64_t blocks_of(uint64_t size)
{
	if (size > UINT64_MAX - BLOCK)
		return UINT64_MAX;
	return size ? (size + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
}

static bool from_hex(const char *hex, unsigned char ret_sha256[SHA256_SIZE])
{
	if (strlen(hex) != HEX_SIZE || strspn(hex, "0123456789abcdef") != HEX_SIZE)
		return false;
	for (size_t i = 0; i < SHA256_SIZE; i++)
		sscanf(hex + 2 * i, "%2hhx", &ret_sha256[i]);
	return true;
}

static char *path_of(const struct store *store, const struct entry *entry)
{
	char hex[DIGEST_HEX_SIZE];
	char *path;

	digest_to_hex(entry->digest.sha256, hex);
	path = entry->outside ? strdup(entry->outside) : file_path_of(store->folder, hex);
	if (!path)
		vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	return path;
}

/* The index; its lock is held */

static struct entry **bucket_of(struct store *store, const unsigned char *sha256)
{
	return &store->buckets[(sha256[0] | sha256[1] << 8) % BUCKETS];
}

static struct entry *find(struct store *store, const struct digest *digest)
{
	struct entry *entry = *bucket_of(store, digest->sha256);

	while (entry && (entry->digest.size != digest->size ||
			 memcmp(entry->digest.sha256, digest->sha256, SHA256_SIZE)))
		entry = entry->next;
	return entry;
}

/* Nobody holds it any more. */
static void let_go(struct store *store, struct entry *entry)
{
	if (entry->outside)
		return;
	entry->older = store->newest;
	entry->newer = NULL;
	*(store->newest ? &store->newest->newer : &store->oldest) = entry;
	store->newest = entry;
}

static void keep(struct store *store, struct entry *entry)
{
	if (entry->outside)
		return;
	*(entry->older ? &entry->older->newer : &store->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &store->newest) = entry->older;
}

/* A content that nobody holds yet. Takes @outside. */
static int add(struct store *store, const struct digest *digest, char *outside)
{
	struct entry **bucket = bucket_of(store, digest->sha256);
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		free(outside);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the index of contents");
	}
	entry->digest = *digest;
	entry->outside = outside;
	entry->next = *bucket;
	*bucket = entry;
	let_go(store, entry);
	return VACCEL_OK;
}

static void forget(struct store *store, struct entry *entry)
{
	struct entry **link = bucket_of(store, entry->digest.sha256);

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	free(entry->outside);
	free(entry);
}

static void evict(struct store *store, struct entry *entry)
{
	_cleanup_(freep) char *path = path_of(store, entry);

	if (path)
		unlink(path);
	keep(store, entry);
	store->used -= blocks_of(entry->digest.size);
	forget(store, entry);
}

/* Room */

int store_take(struct store *store, uint64_t bytes)
{
	uint64_t wanted = blocks_of(bytes);

	SCOPED_LOCK(&store->lock);
	while (store->oldest && wanted <= store->limit && store->used > store->limit - wanted)
		evict(store, store->oldest);
	if (wanted > store->limit || store->used > store->limit - wanted)
		return vaccel_fail(VACCEL_EDQUOT,
				   "no room for %" PRIu64 " bytes: policy '%s' permits %" PRIu64
				   " of stored content, and resources use %" PRIu64,
				   bytes, store->policy, store->limit, store->used);
	store->used += wanted;
	return VACCEL_OK;
}

void store_give(struct store *store, uint64_t bytes)
{
	SCOPED_LOCK(&store->lock);
	store->used -= blocks_of(bytes);
}

/* Contents */

bool store_hold(struct store *store, const struct digest *digest)
{
	struct entry *entry;

	SCOPED_LOCK(&store->lock);
	entry = find(store, digest);
	if (!entry)
		return false;
	if (!entry->holds++)
		keep(store, entry);
	return true;
}

void store_drop(struct store *store, const struct digest *digest)
{
	struct entry *entry;

	SCOPED_LOCK(&store->lock);
	entry = find(store, digest);
	if (!--entry->holds)
		let_go(store, entry);
}

int store_know(struct store *store, const char *path)
{
	char *copy = strdup(path);
	struct digest digest;
	int ret;

	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	ret = file_digest(path, &digest);
	SCOPED_LOCK(&store->lock);
	if (ret || find(store, &digest)) {
		free(copy);
		return ret;
	}
	return add(store, &digest, copy);
}

/* On their way */

struct incoming {
	struct store *store;
	struct digest digest;
	uint64_t written;
	int fd;
	char *path;
	EVP_MD_CTX *hash;
};

void incoming_delete(struct incoming *incoming)
{
	if (!incoming)
		return;
	closep(&incoming->fd);
	if (incoming->path) {
		unlink(incoming->path);
		store_give(incoming->store, incoming->digest.size);
	}
	EVP_MD_CTX_free(incoming->hash);
	free(incoming->path);
	free(incoming);
}

static void incoming_deletep(struct incoming **incoming)
{
	incoming_delete(*incoming);
}

static int name_new(struct store *store, char **ret_path)
{
	char name[32];

	SCOPED_LOCK(&store->lock);
	snprintf(name, sizeof(name), "new-%" PRIu64, ++store->last_new);
	*ret_path = file_path_of(store->folder, name);
	return *ret_path ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
}

int incoming_new(struct store *store, const struct digest *digest, struct incoming **ret_incoming)
{
	_cleanup_(incoming_deletep) struct incoming *incoming = calloc(1, sizeof(*incoming));
	char *path;
	int ret;

	if (!incoming)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a content");
	incoming->fd = -1;
	incoming->store = store;
	incoming->digest = *digest;
	ret = hash_new(&incoming->hash);
	if (!ret)
		ret = name_new(store, &path);
	if (ret)
		return ret;
	ret = store_take(store, digest->size);
	if (ret) {
		free(path);
		return ret;
	}
	incoming->path = path;
	ret = file_make(path, 0400, &incoming->fd);
	if (!ret)
		*ret_incoming = TAKE(incoming);
	return ret;
}

int incoming_add(struct incoming *incoming, const void *bytes, size_t size)
{
	int ret;

	if (size > incoming->digest.size - incoming->written)
		return vaccel_fail(VACCEL_EINVAL, "a content of %" PRIu64 " bytes gets more",
				   incoming->digest.size);
	ret = hash_add(incoming->hash, bytes, size);
	if (!ret)
		ret = file_write_all(incoming->fd, bytes, size);
	if (!ret)
		incoming->written += size;
	return ret;
}

static int add_step(void *incoming, const void *bytes, size_t size)
{
	return incoming_add(incoming, bytes, size);
}

/* The file gets its name, unless another one has come with the same content. */
static int publish(struct incoming *incoming)
{
	struct store *store = incoming->store;
	_cleanup_(freep) char *path = NULL;
	char hex[DIGEST_HEX_SIZE];
	struct entry *entry;
	int ret = VACCEL_OK;

	digest_to_hex(incoming->digest.sha256, hex);
	path = file_path_of(store->folder, hex);
	if (!path)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	SCOPED_LOCK(&store->lock);
	entry = find(store, &incoming->digest);
	if (entry && !entry->outside)
		return VACCEL_OK;
	if (rename(incoming->path, path))
		return vaccel_fail(errno, "cannot keep a content: %s", strerror(errno));
	if (!entry) {
		ret = add(store, &incoming->digest, NULL);
	} else {
		free(TAKE(entry->outside));
		/* What lay outside was in no list. */
		if (!entry->holds)
			let_go(store, entry);
	}
	if (ret)
		unlink(path);
	else
		free(TAKE(incoming->path)); /* the room is the entry's now */
	return ret;
}

int incoming_finish(struct incoming *incoming)
{
	unsigned char sha256[SHA256_SIZE];
	int ret = hash_finish(incoming->hash, sha256);

	if (ret)
		return ret;
	if (memcmp(sha256, incoming->digest.sha256, SHA256_SIZE))
		return vaccel_fail(VACCEL_EINVAL,
				   "the bytes do not have the SHA-256 that was announced");
	return publish(incoming);
}

const struct digest *incoming_digest(const struct incoming *incoming)
{
	return &incoming->digest;
}

uint64_t incoming_written(const struct incoming *incoming)
{
	return incoming->written;
}

/* Using what is held: its entry stays */

static bool is_outside(struct store *store, const struct digest *digest)
{
	SCOPED_LOCK(&store->lock);
	return find(store, digest)->outside;
}

static int locate(struct store *store, const struct digest *digest, char **ret_path)
{
	SCOPED_LOCK(&store->lock);
	*ret_path = path_of(store, find(store, digest));
	return *ret_path ? VACCEL_OK : VACCEL_ENOMEM;
}

/*
 * What lies outside is copied once, and counts from then on: the sandbox lets nobody link to it,
 * and it may have changed since.
 */
static int bring_in(struct store *store, const struct digest *digest)
{
	_cleanup_(incoming_deletep) struct incoming *incoming = NULL;
	_cleanup_(freep) char *outside = NULL;
	uint64_t size;
	int ret = locate(store, digest, &outside);

	if (!ret)
		ret = incoming_new(store, digest, &incoming);
	if (!ret)
		ret = file_walk(outside, add_step, incoming, &size);
	if (!ret)
		ret = incoming_finish(incoming);
	if (ret == VACCEL_EINVAL)
		return vaccel_fail(VACCEL_EIO, "a model that this agent has was changed since it "
					       "was loaded; restart the agent");
	return ret;
}

static int path_inside(struct store *store, const struct digest *digest, char **ret_path)
{
	int ret = VACCEL_OK;

	if (is_outside(store, digest)) {
		SCOPED_LOCK(&store->bringing);
		/* Who came first may have done it. */
		if (is_outside(store, digest))
			ret = bring_in(store, digest);
	}
	return ret ? ret : locate(store, digest, ret_path);
}

int store_link(struct store *store, const struct digest *digest, const char *path)
{
	_cleanup_(freep) char *from = NULL;
	int ret = path_inside(store, digest, &from);

	/* File systems without links get a copy. */
	if (!ret && link(from, path))
		ret = file_copy(from, path, 0400);
	return ret;
}

int store_copy(struct store *store, const struct digest *digest, const char *path)
{
	_cleanup_(freep) char *from = NULL;
	int ret = path_inside(store, digest, &from);

	return ret ? ret : file_copy(from, path, 0600);
}

int store_read(struct store *store, const struct digest *digest, void *ret_bytes)
{
	_cleanup_(freep) char *from = NULL;
	int ret = path_inside(store, digest, &from);

	return ret ? ret : file_read(from, ret_bytes, (size_t)digest->size);
}

/* Opening and closing */

static int index_file(struct store *store, int folder, const char *name)
{
	struct digest digest;
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return VACCEL_OK;
	if (!from_hex(name, digest.sha256) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode)) {
		unlinkat(folder, name, 0);
		return VACCEL_OK;
	}
	digest.size = (uint64_t)st.st_size;
	store->used += blocks_of(digest.size);
	return add(store, &digest, NULL);
}

static int make_index(struct store *store)
{
	_cleanup_(closedirp) DIR *stream = NULL;
	struct dirent *found;
	int ret = VACCEL_OK;

	if (mkdir(store->folder, 0700) && errno != EEXIST)
		return vaccel_fail(errno, "cannot make directory '%s': %s", store->folder,
				   strerror(errno));
	stream = opendir(store->folder);
	if (!stream)
		return vaccel_fail(errno, "cannot read directory '%s': %s", store->folder,
				   strerror(errno));
	while (!ret && (found = readdir(stream)))
		ret = index_file(store, dirfd(stream), found->d_name);
	return ret;
}

int store_open(const char *directory, uint64_t limit, const char *policy, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int ret;

	if (!store)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for stored contents");
	pthread_mutex_init(&store->bringing, NULL);
	pthread_mutex_init(&store->lock, NULL);
	store->limit = limit;
	store->policy = strdup(policy);
	store->folder = file_path_of(directory, FOLDER);
	if (!store->policy || !store->folder)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for stored contents");
	else
		ret = make_index(store);
	if (ret)
		store_close(store);
	else
		*ret_store = store;
	return ret;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (store->buckets[i])
			forget(store, store->buckets[i]);
	pthread_mutex_destroy(&store->lock);
	pthread_mutex_destroy(&store->bringing);
	free(store->policy);
	free(store->folder);
	free(store);
}
