// SPDX-License-Identifier: Apache-2.0
/*
 * Reads key and token files, and compares tokens. A secret that other users of the
 * machine can read is refused rather than used: it is no secret any more. Service
 * managers hand secrets to a service by the group of a file of root's, so that is allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/secret.h"

/* Bundles of many certificates are some hundred KiB. */
#define TEXT_FILE_MAX (1 << 20)

void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static int check_secrecy(const char *what, const char *path, const struct stat *st)
{
	mode_t refused = st->st_uid ? S_IRWXG | S_IRWXO : S_IWGRP | S_IRWXO;

	if (!(st->st_mode & refused))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EACCES,
			   "%s: '%s' has mode %04o, so that others can %s it; run chmod 600 on it",
			   what, path, (unsigned int)st->st_mode & 07777,
			   st->st_mode & refused & (S_IRGRP | S_IROTH) ? "read" : "change");
}

static int check_file(const char *what, const char *path, int fd, bool secret, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st))
		return vaccel_fail(errno, "%s: '%s': %s", what, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vaccel_fail(VACCEL_EINVAL, "%s: '%s' is no file", what, path);
	if (st.st_size > TEXT_FILE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "%s: '%s' is larger than %d bytes", what, path,
				   TEXT_FILE_MAX);
	*ret_size = (size_t)st.st_size;
	return secret ? check_secrecy(what, path, &st) : VACCEL_OK;
}

/* Up to @room bytes. -1 and errno. */
static ssize_t read_all(int fd, char *bytes, size_t room)
{
	size_t size = 0;
	ssize_t got;

	do {
		got = read(fd, bytes + size, room - size);
		if (got > 0)
			size += (size_t)got;
	} while ((got > 0 && size < room) || (got < 0 && errno == EINTR));
	return got < 0 ? -1 : (ssize_t)size;
}

int text_file_read(const char *what, const char *path, bool secret, char **ret_text)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_(secret_freep) char *text = NULL;
	size_t room = 0;
	ssize_t size;
	int ret;

	if (fd < 0)
		return vaccel_fail(errno, "%s: '%s': %s", what, path, strerror(errno));
	ret = check_file(what, path, fd, secret, &room);
	if (ret)
		return ret;
	text = calloc(1, room + 1);
	if (!text)
		return vaccel_fail(VACCEL_ENOMEM, "%s: no memory for '%s'", what, path);
	size = read_all(fd, text, room);
	if (size < 0)
		return vaccel_fail(errno, "%s: '%s': %s", what, path, strerror(errno));
	if (strlen(text) != (size_t)size)
		return vaccel_fail(VACCEL_EINVAL, "%s: '%s' is no text", what, path);
	*ret_text = TAKE(text);
	return VACCEL_OK;
}

int token_read(const char *path, char **ret_token)
{
	_cleanup_(secret_freep) char *text = NULL;
	size_t length;
	int ret = text_file_read("token", path, true, &text);

	if (ret)
		return ret;
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[--length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return vaccel_fail(VACCEL_EINVAL,
					   "token: '%s' must hold one line of printable ASCII "
					   "without spaces",
					   path);
	if (length < TOKEN_TEXT_MIN || length > TOKEN_TEXT_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "token: '%s' holds %zu characters, which must be %d to %d; "
				   "\"openssl rand -hex 32\" makes one",
				   path, length, TOKEN_TEXT_MIN, TOKEN_TEXT_MAX);
	*ret_token = TAKE(text);
	return VACCEL_OK;
}

bool token_matches(const char *expected, const char *borne)
{
	volatile unsigned char differs = 0;
	size_t length;

	if (!expected)
		return true;
	length = strlen(expected);
	if (!borne || strlen(borne) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		differs |= (unsigned char)(borne[i] ^ expected[i]);
	return !differs;
}
