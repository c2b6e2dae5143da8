/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server without a thread: the caller waits for its descriptor, or for its
 * time, and lets it run. It is a module, which the monitor loads before it enters its
 * sandbox.
 */
#ifndef VACCEL_AGENT_MONITOR_HTTP_H
#define VACCEL_AGENT_MONITOR_HTTP_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_MODULE "agent-http.so" /* beside the plugins; it has agent_http */

struct http_page {
	unsigned int status; /* 200 and so on */
	const char *type;    /* the content's, a string that stays */
	char *text;	     /* by malloc(), for the server to free; NULL for want of memory */
	size_t size;
};

/* What is answered to who asks for @path. */
typedef void http_answer(const void *context, const char *path, struct http_page *ret_page);

struct http;

struct http_server {
	/*
	 * Takes @listener, a listening socket, also when it fails. Who connects has @life_ms
	 * to ask and to take the answer.
	 */
	int (*open)(int listener, int life_ms, http_answer *answer, const void *context,
		    struct http **ret_http);
	void (*close)(struct http *http);

	/* To be waited for until it is readable. */
	int (*fd)(const struct http *http);

	/* How long at most, in ms; -1: as long as one likes. */
	int (*patience)(const struct http *http);
	void (*run)(struct http *http);
};

extern const struct http_server agent_http;

static inline void http_words(struct http_page *page, unsigned int status, const char *words)
{
	*page = (struct http_page){status, "text/plain; charset=utf-8", strdup(words),
				   strlen(words)};
}

#endif
