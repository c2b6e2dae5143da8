// SPDX-License-Identifier: Apache-2.0
/*
 * Files of a tenant: its own directory is all that this process can write to, and nobody
 * else writes there. Clients read the words, which therefore name no path.
 */
#include "agent/worker/resource/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

#define STEP (256 << 10)

char *file_path_of(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static int fail(const char *what, int error)
{
	return vaccel_fail(error, "the agent cannot %s a file: %s", what, strerror(error));
}

int file_make(const char *path, mode_t mode, int *ret_fd)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return fail("make", errno);
	*ret_fd = fd;
	return VACCEL_OK;
}

int file_write_all(int fd, const void *bytes, size_t size)
{
	const char *rest = bytes;

	while (size) {
		ssize_t written = write(fd, rest, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail("write", errno);
		rest += written;
		size -= (size_t)written;
	}
	return VACCEL_OK;
}

/* Some bytes, none at the end; -1 after vaccel_fail(). */
static ssize_t read_some(int fd, void *bytes, size_t size)
{
	ssize_t got;

	do {
		got = read(fd, bytes, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		fail("read", errno);
	return got;
}

int file_walk(const char *path, int (*take)(void *context, const void *bytes, size_t size),
	      void *context, uint64_t *ret_size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *buffer = malloc(STEP);
	uint64_t size = 0;
	ssize_t got;
	int ret = VACCEL_OK;

	if (fd < 0)
		return fail("open", errno);
	if (!buffer)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to read a file");
	while (!ret && (got = read_some(fd, buffer, STEP))) {
		if (got < 0)
			return VACCEL_EIO;
		ret = take(context, buffer, (size_t)got);
		size += (uint64_t)got;
	}
	*ret_size = size;
	return ret;
}

static int write_step(void *context, const void *bytes, size_t size)
{
	return file_write_all(*(int *)context, bytes, size);
}

int file_copy(const char *from, const char *to, mode_t mode)
{
	_cleanup_(closep) int fd = -1;
	uint64_t size;
	int ret = file_make(to, mode, &fd);

	if (ret)
		return ret;
	ret = file_walk(from, write_step, &fd, &size);
	if (ret)
		unlink(to);
	return ret;
}

int file_read(const char *path, void *ret_bytes, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *to = ret_bytes;

	if (fd < 0)
		return fail("open", errno);
	while (size) {
		ssize_t got = read_some(fd, to, size);

		if (got < 0)
			return VACCEL_EIO;
		if (!got)
			return vaccel_fail(VACCEL_EIO, "a stored content is cut short");
		to += got;
		size -= (size_t)got;
	}
	return VACCEL_OK;
}

/* Hashes */

static int no_hash(void)
{
	return vaccel_fail(VACCEL_EIO, "libcrypto cannot make a SHA-256");
}

int hash_new(EVP_MD_CTX **ret_hash)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(hash);
		return no_hash();
	}
	*ret_hash = hash;
	return VACCEL_OK;
}

int hash_add(EVP_MD_CTX *hash, const void *bytes, size_t size)
{
	return EVP_DigestUpdate(hash, bytes, size) == 1 ? VACCEL_OK : no_hash();
}

int hash_finish(EVP_MD_CTX *hash, unsigned char ret_sha256[SHA256_SIZE])
{
	return EVP_DigestFinal_ex(hash, ret_sha256, NULL) == 1 ? VACCEL_OK : no_hash();
}

static int hash_step(void *context, const void *bytes, size_t size)
{
	return hash_add(context, bytes, size);
}

int file_digest(const char *path, struct digest *ret_digest)
{
	EVP_MD_CTX *hash;
	int ret = hash_new(&hash);

	if (ret)
		return ret;
	ret = file_walk(path, hash_step, hash, &ret_digest->size);
	if (!ret)
		ret = hash_finish(hash, ret_digest->sha256);
	EVP_MD_CTX_free(hash);
	return ret;
}

void digest_to_hex(const unsigned char sha256[SHA256_SIZE], char ret_hex[DIGEST_HEX_SIZE])
{
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", sha256[i]);
}

int digest_check(const unsigned char sha256[SHA256_SIZE], const void *bytes, size_t size)
{
	unsigned char made[SHA256_SIZE];

	if (EVP_Digest(bytes, size, made, NULL, EVP_sha256(), NULL) != 1)
		return no_hash();
	if (!memcmp(made, sha256, SHA256_SIZE))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "the bytes do not have the SHA-256 that was announced");
}
