/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching what a resource's URL leads to. */
#ifndef VACCEL_FILE_URL_H
#define VACCEL_FILE_URL_H

#include <stddef.h>

struct curl_api;

/*
 * Writes what an http or https URL leads to into a file. EINVAL for a bad URL,
 * ENOTSUP without libcurl, EDQUOT past VACCEL_URL_MAX_BYTES, ETIMEDOUT after
 * VACCEL_URL_TIMEOUT_S, ELOOP for redirects without end, EREMOTEIO for whatever
 * else the other side did, or the errno of writing. Words never show more than
 * scheme, host and path.
 */
int url_fetch(const char *url, int fd);

/* Writes the part of a URL that may be shown: without user, password, query and fragment. */
void url_for_words(const char *url, char *out, size_t size);

/* Loads libcurl by the first of these names that can be; the list ends in NULL. */
int url_load_curl(const char *const *names, struct curl_api *ret_api);

/* See unlock_in_child(). */
void url_after_fork(void);

#endif
