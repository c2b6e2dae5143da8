/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tiny HTTP server on the loopback, one thread, one connection at a time. What
 * it answers follows from the path:
 *
 *	/ok…, /?ok	200, HTTP_TEXT		/empty		200, no bytes
 *	/truncated	200, half of it		/missing	404
 *	/endless	200, bytes for ever	/silent		nothing, for ever
 *	/loop		redirects to itself	/to?URL		redirects to the URL
 */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HTTP_TEXT "what the server has"

struct http_server {
	pthread_t thread;
	int socket;
	int port;
	char request[2048]; /* the last one */
	int requests;
};

static inline void http_send(int fd, const char *text)
{
	size_t rest = strlen(text);

	while (rest) {
		ssize_t sent = send(fd, text, rest, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		text += sent;
		rest -= (size_t)sent;
	}
}

/* Waits until the other side closes. */
static inline void http_wait(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static inline void http_send_for_ever(int fd)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
		;
}

static inline void http_answer(int fd, const char *path)
{
	bool truncated = !strcmp(path, "/truncated");
	char head[2048];

	if (!strncmp(path, "/ok", 3) || !strcmp(path, "/?ok") || truncated) {
		snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%.*s",
			 strlen(HTTP_TEXT), truncated ? 7 : 1000, HTTP_TEXT);
		http_send(fd, head);
	} else if (!strcmp(path, "/empty")) {
		http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	} else if (!strcmp(path, "/endless")) {
		http_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		http_send_for_ever(fd);
	} else if (!strcmp(path, "/silent")) {
		http_wait(fd);
	} else if (!strcmp(path, "/loop") || !strncmp(path, "/to?", 4)) {
		snprintf(head, sizeof(head),
			 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n",
			 path[1] == 'l' ? path : path + 4);
		http_send(fd, head);
	} else {
		http_send(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
	}
}

static inline void *http_serve(void *context)
{
	struct http_server *server = context;
	int fd;

	while ((fd = accept(server->socket, NULL, NULL)) >= 0) {
		char path[1024] = "";
		ssize_t got = recv(fd, server->request, sizeof(server->request) - 1, 0);

		server->request[got > 0 ? got : 0] = '\0';
		server->requests++;
		if (sscanf(server->request, "GET %1023s", path) == 1)
			http_answer(fd, path);
		close(fd);
	}
	return NULL;
}

static inline void http_start(struct http_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	memset(server, 0, sizeof(*server));
	server->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->socket >= 0);
	assert_int_equal(bind(server->socket, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->socket, 8), 0);
	assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, http_serve, server), 0);
}

static inline void http_stop(struct http_server *server)
{
	shutdown(server->socket, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->socket);
}

#endif
