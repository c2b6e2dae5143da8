/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we use of libcurl's binary interface, which is loaded when a URL is first
 * fetched. Its numbers never change; with them here no header of libcurl is
 * needed to build, and a test compares them with the header where there is one.
 */
#ifndef VACCEL_FILE_CURL_API_H
#define VACCEL_FILE_CURL_API_H

#include <stddef.h>

enum {
	CURL_INIT_DEFAULT = 3,

	CURL_SET_WRITE_DATA = 10001,
	CURL_SET_URL = 10002,
	CURL_SET_TIMEOUT = 13,
	CURL_SET_USER_AGENT = 10018,
	CURL_SET_FAIL_ON_ERROR = 45,
	CURL_SET_FOLLOW = 52,
	CURL_SET_MAX_REDIRECTS = 68,
	CURL_SET_CONNECT_TIMEOUT = 78,
	CURL_SET_NO_SIGNAL = 99,
	CURL_SET_PROTOCOLS = 181,
	CURL_SET_REDIRECT_PROTOCOLS = 182,
	CURL_SET_WRITE_FUNCTION = 20011,
	CURL_SET_MAX_SIZE = 30117,

	CURL_HTTP = 1,
	CURL_HTTPS = 2,

	CURL_GET_STATUS = 0x200002,

	CURL_OK = 0,
	CURL_UNSUPPORTED_PROTOCOL = 1,
	CURL_BAD_URL = 3,
	CURL_HTTP_ERROR = 22,
	CURL_WRITE_ERROR = 23,
	CURL_NO_MEMORY = 27,
	CURL_TIMED_OUT = 28,
	CURL_TOO_MANY_REDIRECTS = 47,
	CURL_TOO_LARGE = 63,
};

struct curl_api {
	int (*global_init)(long flags);
	void *(*easy_init)(void);
	int (*easy_setopt)(void *handle, int option, ...);
	int (*easy_perform)(void *handle);
	int (*easy_getinfo)(void *handle, int info, ...);
	void (*easy_cleanup)(void *handle);
	const char *(*easy_strerror)(int code);
};

#endif
