// SPDX-License-Identifier: Apache-2.0
/*
 * Fetching URLs by libcurl, which is loaded when first needed, so that programs
 * which use no URL need none. It stays loaded: its TLS library registers exit
 * handlers. Each fetch has a handle of its own; nothing is shared but the
 * functions.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/utils/path.h>
#include <vaccel/version.h>

#include "base/knob.h"
#include "base/util.h"
#include "file/curl_api.h"
#include "file/file.h"
#include "file/url.h"

#define REDIRECTS_MAX	  8
#define CONNECT_TIMEOUT_S 30
#define WORDS_MAX	  256

/* Where the bytes of one fetch go. */
struct sink {
	int fd;
	int64_t left; /* bytes that may still come */
	int failure;  /* why it took no more */
};

int url_load_curl(const char *const *names, struct curl_api *ret_api)
{
	struct curl_api api = {0};
	void *lib = NULL;
	struct {
		const char *name;
		void *function;
	} wanted[] = {
		{"curl_global_init", &api.global_init},
		{"curl_easy_init", &api.easy_init},
		{"curl_easy_setopt", &api.easy_setopt},
		{"curl_easy_perform", &api.easy_perform},
		{"curl_easy_getinfo", &api.easy_getinfo},
		{"curl_easy_cleanup", &api.easy_cleanup},
		{"curl_easy_strerror", &api.easy_strerror},
	};

	for (size_t i = 0; !lib && names[i]; i++)
		lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "URLs need libcurl, which is not there; install libcurl4");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		void *symbol = dlsym(lib, wanted[i].name);

		if (!symbol) {
			dlclose(lib);
			return vaccel_fail(VACCEL_ENOTSUP,
					   "libcurl has no %s; install libcurl4 of your system",
					   wanted[i].name);
		}
		memcpy(wanted[i].function, &symbol, sizeof(symbol));
	}
	if (api.global_init(CURL_INIT_DEFAULT))
		return vaccel_fail(VACCEL_ENOTSUP, "libcurl does not start");
	*ret_api = api;
	return VACCEL_OK;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* loading libcurl */

void url_after_fork(void)
{
	unlock_in_child(&lock);
}

static int get_curl(const struct curl_api **ret_curl)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
	static struct curl_api api;
	static bool loaded;
	int ret = VACCEL_OK;

	SCOPED_LOCK(&lock);
	if (!loaded)
		ret = url_load_curl(names, &api);
	if (!ret) {
		loaded = true;
		*ret_curl = &api;
	}
	return ret;
}

void url_for_words(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "://");
	size_t scheme, authority, user = 0;

	host = host ? host + 3 : url;
	scheme = (size_t)(host - url);
	authority = strcspn(host, "/?#");
	for (size_t i = 0; i < authority; i++)
		if (host[i] == '@')
			user = i + 1;
	snprintf(out, size, "%.*s%.*s", (int)scheme, url, (int)(strcspn(host, "?#") - user),
		 host + user);
}

static size_t take_bytes(char *data, size_t size, size_t count, void *context)
{
	struct sink *sink = context;
	size_t bytes = size * count;

	if ((int64_t)bytes > sink->left)
		sink->failure = VACCEL_EDQUOT;
	else
		sink->failure = file_write(sink->fd, "a downloaded file", data, bytes);
	if (sink->failure)
		return 0;
	sink->left -= (int64_t)bytes;
	return bytes;
}

static int set_options(const struct curl_api *curl, void *handle, const char *url,
		       struct sink *sink)
{
	long timeout = (long)knob_number(KNOB_URL_TIMEOUT_S);
	const struct {
		int option;
		long value;
	} numbers[] = {
		{CURL_SET_TIMEOUT, timeout},
		{CURL_SET_CONNECT_TIMEOUT, MIN_OF(timeout, CONNECT_TIMEOUT_S)},
		{CURL_SET_FAIL_ON_ERROR, 1},
		{CURL_SET_FOLLOW, 1},
		{CURL_SET_MAX_REDIRECTS, REDIRECTS_MAX},
		{CURL_SET_NO_SIGNAL, 1},
		{CURL_SET_PROTOCOLS, CURL_HTTP | CURL_HTTPS},
		{CURL_SET_REDIRECT_PROTOCOLS, CURL_HTTP | CURL_HTTPS},
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		failed |= curl->easy_setopt(handle, numbers[i].option, numbers[i].value);
	failed |= curl->easy_setopt(handle, CURL_SET_URL, url);
	failed |= curl->easy_setopt(handle, CURL_SET_USER_AGENT, "vaccel/" VACCEL_VERSION);
	failed |= curl->easy_setopt(handle, CURL_SET_MAX_SIZE, sink->left);
	failed |= curl->easy_setopt(handle, CURL_SET_WRITE_FUNCTION, take_bytes);
	failed |= curl->easy_setopt(handle, CURL_SET_WRITE_DATA, sink);
	return failed ? vaccel_fail(VACCEL_ENOTSUP, "this libcurl is too old") : VACCEL_OK;
}

static int fail_with(const struct curl_api *curl, void *handle, int code, const char *url)
{
	char words[WORDS_MAX];
	long status = 0;

	url_for_words(url, words, sizeof(words));
	switch (code) {
	case CURL_BAD_URL:
		return vaccel_fail(VACCEL_EINVAL, "cannot fetch %s: it is no proper URL", words);
	case CURL_UNSUPPORTED_PROTOCOL:
		return vaccel_fail(
			VACCEL_EREMOTEIO,
			"cannot fetch %s: it redirects to what is neither http nor https", words);
	case CURL_NO_MEMORY:
		return vaccel_fail(VACCEL_ENOMEM, "no memory to fetch %s", words);
	case CURL_TIMED_OUT:
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "fetching %s took too long; VACCEL_URL_TIMEOUT_S is %" PRId64,
				   words, knob_number(KNOB_URL_TIMEOUT_S));
	case CURL_TOO_LARGE:
		return vaccel_fail(VACCEL_EDQUOT,
				   "%s is too large; VACCEL_URL_MAX_BYTES is %" PRId64, words,
				   knob_number(KNOB_URL_MAX_BYTES));
	case CURL_TOO_MANY_REDIRECTS:
		return vaccel_fail(VACCEL_ELOOP, "%s redirects more than %d times", words,
				   REDIRECTS_MAX);
	case CURL_HTTP_ERROR:
		curl->easy_getinfo(handle, CURL_GET_STATUS, &status);
		return vaccel_fail(VACCEL_EREMOTEIO, "cannot fetch %s: the server answers %ld",
				   words, status);
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "cannot fetch %s: %s", words,
				   curl->easy_strerror(code));
	}
}

int url_fetch(const char *url, int fd)
{
	struct sink sink = {.fd = fd, .left = knob_number(KNOB_URL_MAX_BYTES)};
	vaccel_path_type_t type;
	const struct curl_api *curl;
	void *handle;
	int code;
	int ret = vaccel_path_type(url, &type);

	if (!ret && type != VACCEL_PATH_REMOTE_FILE)
		ret = vaccel_fail(VACCEL_EINVAL,
				  "what is to be fetched is not a URL of http or https");
	if (!ret)
		ret = get_curl(&curl);
	if (ret)
		return ret;
	handle = curl->easy_init();
	if (!handle)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to fetch a URL");
	ret = set_options(curl, handle, url, &sink);
	if (!ret) {
		code = curl->easy_perform(handle);
		if (code == CURL_WRITE_ERROR && sink.failure == VACCEL_EDQUOT)
			code = CURL_TOO_LARGE;
		/* file_write() has the words of other failures to write. */
		if (code == CURL_WRITE_ERROR && sink.failure)
			ret = sink.failure;
		else if (code != CURL_OK)
			ret = fail_with(curl, handle, code, url);
	}
	curl->easy_cleanup(handle);
	return ret;
}
