// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP by libmicrohttpd, driven from outside. Whoever connects asks once, within
 * a few seconds: what libmicrohttpd takes for a sign of life, a byte now and then, would
 * otherwise keep a place for hours. And when places get few, whoever has had one for
 * longest makes room: who asks at once is answered before his turn comes.
 *
 * This is a module of its own, since libmicrohttpd brings GnuTLS, which the agent's other
 * processes need not hold.
 */
#include "agent/monitor/http.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/transport.h"

#define VISITORS_MAX 64
#define PLACES_FREE  16	   /* for those who come; more than libmicrohttpd takes in at once */
#define MEMORY_MAX   16384 /* of a request, and of what libmicrohttpd needs to answer it */

struct visitor {
	struct visitor *next; /* who came before */
	struct http *http;
	int fd;
	int64_t until;
};

struct http {
	struct MHD_Daemon *daemon;
	http_answer *answer;
	const void *context;
	int64_t life;
	struct visitor *visitors;
};

static void count_visitor(void *context, struct MHD_Connection *connection, void **visitor_at,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct visitor *visitor = *visitor_at;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		visitor = calloc(1, sizeof(*visitor));
		if (!visitor || !info) {
			free(visitor);
			return;
		}
		*visitor = (struct visitor){
			.next = http->visitors,
			.http = http,
			.fd = info->connect_fd,
			.until = time_now() + http->life,
		};
		http->visitors = *visitor_at = visitor;
	} else if (visitor) {
		struct visitor **at = &http->visitors;

		while (*at != visitor)
			at = &(*at)->next;
		*at = visitor->next;
		free(visitor);
	}
}

static enum MHD_Result reply(struct MHD_Connection *connection, struct http_page *page)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result ret = MHD_NO;

	if (page->text)
		response = MHD_create_response_from_buffer(page->size, page->text,
							   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(page->text);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type) &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") &&
	    (page->status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD")))
		ret = MHD_queue_response(connection, page->status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **request)
{
	const struct http *http = context;
	bool is_asked =
		!strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD);
	struct http_page page = {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .text = NULL};

	if (is_asked)
		http->answer(http->context, path, &page);
	else
		http_words(&page, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
	return reply(connection, &page);
}

static int open_http(int listener, int life_ms, http_answer *find, const void *context,
		     struct http **ret_http)
{
	struct http *http;

	/* Without one libmicrohttpd would make its own, open to all. */
	if (listener < 0)
		return vaccel_fail(VACCEL_EINVAL, "there is no socket to serve metrics on");
	http = calloc(1, sizeof(*http));
	if (http) {
		http->answer = find;
		http->context = context;
		http->life = (int64_t)life_ms * MILLISECOND;
		http->daemon = MHD_start_daemon(
			MHD_USE_EPOLL, 0, NULL, NULL, answer, http, MHD_OPTION_LISTEN_SOCKET,
			listener, MHD_OPTION_NOTIFY_CONNECTION, count_visitor, http,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned int)VISITORS_MAX,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX, MHD_OPTION_END);
	}
	if (!http || !http->daemon) {
		free(http);
		close(listener);
		return vaccel_fail(VACCEL_EIO,
				   "cannot serve metrics: libmicrohttpd does not start");
	}
	*ret_http = http;
	return VACCEL_OK;
}

static void close_http(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}

static int fd_of(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static int patience_of(const struct http *http)
{
	MHD_UNSIGNED_LONG_LONG its = 0;
	int64_t patience = INT64_MAX;

	if (MHD_get_timeout(http->daemon, &its) == MHD_YES)
		patience = (int64_t)MIN_OF(its, 1000ULL);
	for (const struct visitor *visitor = http->visitors; visitor; visitor = visitor->next)
		patience = MIN_OF(patience,
				  MAX_OF((visitor->until - time_now()) / MILLISECOND + 1, 0));
	return patience == INT64_MAX ? -1 : (int)patience;
}

/* What is left of the connection is libmicrohttpd's to see. True: there was somebody to go. */
static bool see_off(struct http *http)
{
	int64_t now = time_now();
	unsigned int stay = 0;
	bool any = false;

	for (struct visitor *visitor = http->visitors; visitor; visitor = visitor->next) {
		if (visitor->until > now && stay++ < VISITORS_MAX - PLACES_FREE)
			continue;
		shutdown(visitor->fd, SHUT_RDWR);
		any = true;
	}
	return any;
}

static void run_http(struct http *http)
{
	see_off(http);
	MHD_run(http->daemon);
	/* Those who waited for a place are not seen before the next run. */
	if (see_off(http))
		MHD_run(http->daemon);
}

const struct http_server agent_http = {
	.open = open_http,
	.close = close_http,
	.fd = fd_of,
	.patience = patience_of,
	.run = run_http,
};
