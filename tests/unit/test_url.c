// SPDX-License-Identifier: Apache-2.0
/* Fetching URLs, from a server of our own: what is there, what is not, and what never ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "file/curl_api.h"
#include "file/url.h"
#include "files.h"
#include "http_server.h"

#if __has_include(<curl/curl.h>)
#include <curl/curl.h>

#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #theirs);

/* clang-format off */
SAME(CURL_INIT_DEFAULT, CURL_GLOBAL_DEFAULT)
SAME(CURL_SET_WRITE_DATA, CURLOPT_WRITEDATA)
SAME(CURL_SET_URL, CURLOPT_URL)
SAME(CURL_SET_TIMEOUT, CURLOPT_TIMEOUT)
SAME(CURL_SET_USER_AGENT, CURLOPT_USERAGENT)
SAME(CURL_SET_FAIL_ON_ERROR, CURLOPT_FAILONERROR)
SAME(CURL_SET_FOLLOW, CURLOPT_FOLLOWLOCATION)
SAME(CURL_SET_MAX_REDIRECTS, CURLOPT_MAXREDIRS)
SAME(CURL_SET_CONNECT_TIMEOUT, CURLOPT_CONNECTTIMEOUT)
SAME(CURL_SET_NO_SIGNAL, CURLOPT_NOSIGNAL)
SAME(CURL_SET_WRITE_FUNCTION, CURLOPT_WRITEFUNCTION)
SAME(CURL_SET_MAX_SIZE, CURLOPT_MAXFILESIZE_LARGE)
SAME(CURL_HTTP, CURLPROTO_HTTP)
SAME(CURL_HTTPS, CURLPROTO_HTTPS)
SAME(CURL_GET_STATUS, CURLINFO_RESPONSE_CODE)
SAME(CURL_OK, CURLE_OK)
SAME(CURL_UNSUPPORTED_PROTOCOL, CURLE_UNSUPPORTED_PROTOCOL)
SAME(CURL_BAD_URL, CURLE_URL_MALFORMAT)
SAME(CURL_HTTP_ERROR, CURLE_HTTP_RETURNED_ERROR)
SAME(CURL_WRITE_ERROR, CURLE_WRITE_ERROR)
SAME(CURL_NO_MEMORY, CURLE_OUT_OF_MEMORY)
SAME(CURL_TIMED_OUT, CURLE_OPERATION_TIMEDOUT)
SAME(CURL_TOO_MANY_REDIRECTS, CURLE_TOO_MANY_REDIRECTS)
SAME(CURL_TOO_LARGE, CURLE_FILESIZE_EXCEEDED)
/* clang-format on */
/* Deprecated, and so not compared where the compiler would complain: 181 and 182. */
#endif

static struct http_server server;
static char *dir, *file;
static int fd = -1;

static int setup(void **state)
{
	dir = dir_new();
	file = path_in(dir, "fetched");
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	http_start(&server);
	setenv("no_proxy", "*", 1);
	unsetenv("VACCEL_URL_MAX_BYTES");
	unsetenv("VACCEL_URL_TIMEOUT_S");
	return 0;
}

static int teardown(void **state)
{
	http_stop(&server);
	close(fd);
	free(file);
	dir_remove(dir);
	return 0;
}

/* Fetches PATH from the server, with credentials in the URL, which no words may show. */
static int fetch(const char *path)
{
	char url[256];
	int ret;

	snprintf(url, sizeof(url), "http://user:secret@127.0.0.1:%d%s", server.port, path);
	ret = url_fetch(url, fd);
	if (ret)
		assert_null(strstr(vaccel_error_text(), "secret"));
	return ret;
}

static void assert_words(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
}

static void test_ok(void **state)
{
	assert_int_equal(fetch("/ok"), VACCEL_OK);
	assert_file_is(file, HTTP_TEXT);
	assert_non_null(strstr(server.request, "User-Agent: vaccel/"));
}

static void test_empty(void **state)
{
	assert_int_equal(fetch("/empty"), VACCEL_OK);
	assert_file_is(file, "");
}

static void test_missing(void **state)
{
	assert_int_equal(fetch("/missing?token=secret"), VACCEL_EREMOTEIO);
	assert_words("404");
	assert_words("/missing");
	assert_file_is(file, "");
}

static void test_truncated(void **state)
{
	assert_int_equal(fetch("/truncated"), VACCEL_EREMOTEIO);
	assert_words("cannot fetch http://127.0.0.1");
}

static void test_nobody_listens(void **state)
{
	char url[64];
	struct http_server gone;

	http_start(&gone);
	http_stop(&gone);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", gone.port);
	assert_int_equal(url_fetch(url, fd), VACCEL_EREMOTEIO);
	assert_words(url);
}

static void test_redirects(void **state)
{
	char path[128];

	snprintf(path, sizeof(path), "/to?http://127.0.0.1:%d/ok", server.port);
	assert_int_equal(fetch(path), VACCEL_OK);
	assert_file_is(file, HTTP_TEXT);
	assert_int_equal(server.requests, 2);
	assert_int_equal(fetch("/loop"), VACCEL_ELOOP);
	assert_words("redirects");
	assert_true(server.requests < 20);
}

static void test_redirects_lead_to_http_only(void **state)
{
	assert_int_equal(fetch("/to?file:///etc/passwd"), VACCEL_EREMOTEIO);
	assert_int_equal(fetch("/to?ftp://127.0.0.1/x"), VACCEL_EREMOTEIO);
	assert_file_is(file, "");
}

static void test_endless_meets_the_limit(void **state)
{
	struct stat st;

	setenv("VACCEL_URL_MAX_BYTES", "100000", 1);
	assert_int_equal(fetch("/endless"), VACCEL_EDQUOT);
	assert_words("VACCEL_URL_MAX_BYTES is 100000");
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size <= 100000);
}

static void test_announced_as_too_large(void **state)
{
	setenv("VACCEL_URL_MAX_BYTES", "5", 1);
	assert_int_equal(fetch("/ok"), VACCEL_EDQUOT);
	assert_file_is(file, "");
	setenv("VACCEL_URL_MAX_BYTES", "19", 1);
	assert_int_equal(fetch("/ok"), VACCEL_OK);
}

static void test_silence_meets_the_timeout(void **state)
{
	setenv("VACCEL_URL_TIMEOUT_S", "1", 1);
	assert_int_equal(fetch("/silent"), VACCEL_ETIMEDOUT);
	assert_words("VACCEL_URL_TIMEOUT_S is 1");
}

static void test_what_is_no_url(void **state)
{
	assert_int_equal(url_fetch("ftp://127.0.0.1/x", fd), VACCEL_EINVAL);
	assert_int_equal(url_fetch("file:///etc/passwd", fd), VACCEL_EINVAL);
	assert_int_equal(url_fetch(NULL, fd), VACCEL_EINVAL);
	assert_int_equal(url_fetch("http://127.0.0.1:port/x", fd), VACCEL_EINVAL);
	assert_file_is(file, "");
}

static void test_a_file_that_takes_nothing(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char url[64];

	assert_true(full >= 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", server.port);
	assert_int_equal(url_fetch(url, full), VACCEL_ENOSPC);
	assert_words("cannot write");
	close(full);
}

static void assert_shown(const char *url, const char *expected)
{
	char words[64];

	url_for_words(url, words, sizeof(words));
	assert_string_equal(words, expected);
}

static void test_words_hide_what_is_private(void **state)
{
	assert_shown("https://host/a/b", "https://host/a/b");
	assert_shown("https://u:p@host:1/a?key=1#f", "https://host:1/a");
	assert_shown("https://u:p@@host", "https://host");
	assert_shown("https://host?u@x", "https://host");
	assert_shown("https://host/a@b", "https://host/a@b");
	assert_shown("u:p@host/x", "host/x");
	assert_shown("https://host/0123456789012345678901234567890123456789012345678901234567890",
		     "https://host/01234567890123456789012345678901234567890123456789");
}

static void test_without_libcurl(void **state)
{
	static const char *const none[] = {"libno-such-thing.so.4", NULL};
	static const char *const other[] = {"libno-such-thing.so.4", "libm.so.6", NULL};
	struct curl_api api = {0};

	assert_int_equal(url_load_curl(none, &api), VACCEL_ENOTSUP);
	assert_words("install libcurl4");
	assert_int_equal(url_load_curl(other, &api), VACCEL_ENOTSUP);
	assert_words("curl_global_init");
	assert_null(api.easy_init);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ok),
		TEST(test_empty),
		TEST(test_missing),
		TEST(test_truncated),
		TEST(test_nobody_listens),
		TEST(test_redirects),
		TEST(test_redirects_lead_to_http_only),
		TEST(test_endless_meets_the_limit),
		TEST(test_announced_as_too_large),
		TEST(test_silence_meets_the_timeout),
		TEST(test_what_is_no_url),
		TEST(test_a_file_that_takes_nothing),
		cmocka_unit_test(test_words_hide_what_is_private),
		cmocka_unit_test(test_without_libcurl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
