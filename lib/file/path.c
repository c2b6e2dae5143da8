// SPDX-License-Identifier: Apache-2.0
/*
 * Paths and URLs. Of URLs only what the library does with them is understood:
 * file: URLs are turned into paths, those to be fetched are given to libcurl as
 * they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <vaccel/error.h>
#include <vaccel/utils/path.h>

#include "base/util.h"
#include "file/file.h"

VACCEL_ENUM_NAMES_DEFINE(vaccel_path_type, VACCEL_PATH, VACCEL_PATH_TYPE_LIST)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool vaccel_path_is_url(const char *path)
{
	if (!path || !strspn(path, LETTERS))
		return false;
	return !strncmp(path + strspn(path, LETTERS "0123456789+-."), "://", 3);
}

/* What follows "scheme://", or NULL if the path is no URL of that scheme. */
static const char *after_scheme(const char *path, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(path, scheme, len) || strncmp(path + len, "://", 3))
		return NULL;
	return path + len + 3;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX in place; false for a bad one, or one that stands for NUL. */
static bool decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		int high, low;

		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		high = hex_digit(in[1]);
		low = high < 0 ? -1 : hex_digit(in[2]);
		if (low < 0 || high + low == 0)
			return false;
		*out++ = (char)(high * 16 + low);
		in += 2;
	}
	*out = '\0';
	return true;
}

int vaccel_path_local(const char *path, char **ret_path)
{
	_cleanup_(freep) char *local = NULL;
	const char *rest;

	if (!path || !*path || !ret_path)
		return vaccel_fail(VACCEL_EINVAL,
				   "the path is empty, or the place for the result NULL");
	rest = after_scheme(path, "file");
	if (rest && !strncasecmp(rest, "localhost/", 10))
		rest += 9;
	if (rest ? *rest != '/' : vaccel_path_is_url(path))
		return vaccel_fail(VACCEL_EINVAL,
				   "the URL is of no local file; write file:///, then the path");
	local = strdup(rest ? rest : path);
	if (!local)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	if (rest && !decode(local))
		return vaccel_fail(VACCEL_EINVAL, "'%s' has a %% without two digits behind it",
				   path);
	*ret_path = TAKE(local);
	return VACCEL_OK;
}

static int local_type(const char *path, vaccel_path_type_t *ret_type)
{
	struct stat st;

	if (stat(path, &st))
		return vaccel_fail(VACCEL_EINVAL, "there is no '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return vaccel_fail(VACCEL_EINVAL, "'%s' is neither a file nor a directory", path);
	*ret_type = S_ISDIR(st.st_mode) ? VACCEL_PATH_LOCAL_DIR : VACCEL_PATH_LOCAL_FILE;
	return VACCEL_OK;
}

int vaccel_path_type(const char *path, vaccel_path_type_t *ret_type)
{
	_cleanup_(freep) char *local = NULL;
	const char *host;
	int ret;

	if (!path || !*path || !ret_type)
		return vaccel_fail(VACCEL_EINVAL,
				   "the path is empty, or the place for the result NULL");
	host = after_scheme(path, "http");
	if (!host)
		host = after_scheme(path, "https");
	if (host) {
		if (!strcspn(host, "/?#"))
			return vaccel_fail(VACCEL_EINVAL, "the URL names no host");
		*ret_type = VACCEL_PATH_REMOTE_FILE;
		return VACCEL_OK;
	}
	if (vaccel_path_is_url(path) && !after_scheme(path, "file"))
		return vaccel_fail(
			VACCEL_EINVAL,
			"URLs that begin with '%.*s' are not known; use http, https or file",
			(int)strcspn(path, ":"), path);
	ret = vaccel_path_local(path, &local);
	return ret ? ret : local_type(local, ret_type);
}

int vaccel_path_name(const char *path, char **ret_name)
{
	_cleanup_(freep) char *copy = NULL;
	char *start, *name;
	size_t len;

	if (!path || !ret_name)
		return vaccel_fail(VACCEL_EINVAL, "no path, or no place for the name");
	copy = strdup(path);
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	start = copy;
	if (vaccel_path_is_url(path)) {
		copy[strcspn(copy, "?#")] = '\0';
		start = strstr(copy, "://") + 3;
		start += strcspn(start, "/");
	}
	for (len = strlen(start); len && start[len - 1] == '/'; len--)
		start[len - 1] = '\0';
	name = strrchr(start, '/');
	name = name ? name + 1 : start;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return vaccel_fail(VACCEL_EINVAL, "the path '%s' ends in no name", path);
	name = strdup(name);
	if (!name)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a name");
	*ret_name = name;
	return VACCEL_OK;
}

int vaccel_path_join(const char *dir, const char *name, char **ret_path)
{
	char *path;
	size_t len;

	if (!dir || !*dir || !name || !*name || !ret_path)
		return vaccel_fail(VACCEL_EINVAL, "no path to join, or no place for the result");
	for (len = strlen(dir); len && dir[len - 1] == '/'; len--)
		;
	name += strspn(name, "/");
	path = file_path("%.*s/%s", (int)len, dir, name);
	if (!path)
		return VACCEL_ENOMEM;
	*ret_path = path;
	return VACCEL_OK;
}

bool vaccel_path_exists(const char *path)
{
	struct stat st;

	return path && !stat(path, &st);
}

bool vaccel_path_is_file(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISREG(st.st_mode);
}

bool vaccel_path_is_dir(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISDIR(st.st_mode);
}
