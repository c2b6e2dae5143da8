// SPDX-License-Identifier: Apache-2.0
/*
 * The admin socket gives one JSON document to whoever connects, and ends. An agent
 * that root runs has it in /run/vaccel, one of another user in that user's directory
 * for run-time files.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json_tokener.h>
#include <vaccel.h>

#include "base/agent.h"
#include "base/progress.h"
#include "base/terminal.h"

#define SYSTEM_SOCKET "/run/vaccel/admin.sock"
#define SECONDS_MOST  10
#define DOCUMENT_MOST ((size_t)64 << 20)
#define PLACES	      3
#define PATH_ROOM     sizeof(((struct sockaddr_un *)NULL)->sun_path)

static const struct vaccel_knob xdg_runtime_dir = {
	"XDG_RUNTIME_DIR", NULL, "the user's run-time files", VACCEL_KNOB_TEXT, 0, 0,
};
static const struct vaccel_knob tmpdir = {
	"TMPDIR", "/tmp", "temporary files", VACCEL_KNOB_TEXT, 0, 0,
};

struct places {
	size_t nr;
	char path[PLACES][PATH_ROOM];
};

/* One whose path is too long for a socket cannot be an agent's. */
static void add_place(struct places *places, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_place(struct places *places, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(places->path[places->nr], PATH_ROOM, format, args) < (int)PATH_ROOM)
		places->nr++;
	va_end(args);
}

static void find_places(struct places *places)
{
	const char *of_user = vaccel_knob_text(&xdg_runtime_dir);

	*places = (struct places){0};
	if (geteuid() && of_user && *of_user)
		add_place(places, "%s/vaccel/admin.sock", of_user);
	else if (geteuid())
		add_place(places, "%s/vaccel-%u/admin.sock", vaccel_knob_text(&tmpdir),
			  (unsigned int)geteuid());
	add_place(places, SYSTEM_SOCKET);
}

/* Returns a connection, or -1 with errno. */
static int reach(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = SECONDS_MOST};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* Connecting takes what sending may: an agent that hangs lets its queue fill. */
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* All up to the end, or NULL with errno. */
static char *read_document(int fd)
{
	size_t used = 0, room = 0;
	char *text = NULL, *more;
	double until = seconds_now() + SECONDS_MOST;
	ssize_t got = 1;

	while (got > 0) {
		if (seconds_now() > until) {
			errno = EAGAIN;
			got = -1;
			break;
		}
		if (used + 1 >= room) {
			room = room ? 2 * room : 1 << 16;
			more = room <= DOCUMENT_MOST ? realloc(text, room) : NULL;
			if (!more)
				break;
			text = more;
		}
		got = read(fd, text + used, room - used - 1);
		used += got > 0 ? (size_t)got : 0;
	}
	if (!got) {
		text[used] = '\0';
		return text;
	}
	if (got > 0)
		errno = EFBIG;
	else if (!used && errno == EAGAIN)
		errno = ENODATA;
	free(text);
	return NULL;
}

static const char *why(void)
{
	switch (errno) {
	case EAGAIN:
		return "it takes too long";
	case ENODATA:
		return "it says nothing: either it hangs, or this is a socket for programs, who speak "
		       "first; then give its admin socket, which admin.socket in its configuration "
		       "names";
	case EFBIG:
		return "what it says has no end";
	default:
		return strerror(errno);
	}
}

static const char *what_to_do(void)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		return "start vaccel-agent, or see admin.socket in its configuration";
	case EACCES:
		return "be root or the user that it runs as";
	default:
		return "give the admin socket of an agent";
	}
}

static struct json_object *ask_at(const char *path, int fd)
{
	char *text = read_document(fd);
	struct json_object *document = text && *text ? json_tokener_parse(text) : NULL;

	if (!text)
		complain("the agent at '%s' does not answer: %s", path, why());
	else if (!*text)
		complain("what listens at '%s' says nothing: either it is no admin socket, or its "
			 "agent tells only root and the user that it runs as",
			 path);
	else if (!json_object_is_type(document, json_type_object))
		complain("'%s' is no admin socket of an agent; give the one that admin.socket "
			 "in its configuration names",
			 path);
	free(text);
	if (json_object_is_type(document, json_type_object))
		return document;
	json_object_put(document);
	return NULL;
}

static struct json_object *ask_given(const char *path)
{
	struct json_object *document;
	int fd = reach(path);

	if (fd < 0) {
		complain("no agent answers at '%s': %s; %s", path, strerror(errno), what_to_do());
		return NULL;
	}
	document = ask_at(path, fd);
	close(fd);
	return document;
}

static void complain_of_none(const char *tried, const char *denied)
{
	if (denied)
		complain("the agent's admin socket %s is for root and the user that it runs as "
			 "alone; be one of them, or have `vaccel ping unix://%.*s/agent.sock` tell "
			 "whether it answers programs, and how fast",
			 denied, (int)(strrchr(denied, '/') - denied), denied);
	else
		complain("no agent of this host answers at %s; start vaccel-agent, give its admin "
			 "socket with --socket, or ask one elsewhere by `vaccel ping ADDRESS`",
			 tried);
}

struct json_object *agent_ask(const char *path)
{
	struct places places;
	char tried[PLACES * (PATH_ROOM + 64)] = "";
	const char *denied = NULL;

	if (path)
		return ask_given(path);
	find_places(&places);
	for (size_t i = 0, used = 0; i < places.nr; i++) {
		struct json_object *document;
		int fd = reach(places.path[i]);

		if (fd < 0) {
			if (errno == EACCES && !denied)
				denied = places.path[i];
			used += (size_t)snprintf(tried + used, sizeof(tried) - used, "%s%s (%s)",
						 used ? " or " : "", places.path[i],
						 strerror(errno));
			continue;
		}
		document = ask_at(places.path[i], fd);
		close(fd);
		return document;
	}
	complain_of_none(tried, denied);
	return NULL;
}

static struct json_object *member(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, type) ? value : NULL;
}

double agent_number(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key, json_type_int);

	if (value)
		return (double)json_object_get_uint64(value);
	return json_object_get_double(member(object, key, json_type_double));
}

const char *agent_text(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key, json_type_string);

	return value ? json_object_get_string(value) : "";
}

struct json_object *agent_list(struct json_object *object, const char *key)
{
	return member(object, key, json_type_array);
}

size_t agent_list_length(struct json_object *object, const char *key)
{
	struct json_object *list = agent_list(object, key);

	return list ? json_object_array_length(list) : 0;
}

static void put_duration(double seconds)
{
	/* What is no time, or more than an age, is another's mistake. */
	unsigned long all = seconds >= 0 && seconds < 4e9 ? (unsigned long)seconds : 0;
	unsigned long minutes = all / 60, hours = minutes / 60;

	if (!minutes)
		printf("%lu s", all);
	else if (!hours)
		printf("%lu min", minutes);
	else if (hours < 48)
		printf("%lu h %lu min", hours, minutes % 60);
	else
		printf("%lu days", hours / 24);
}

void agent_put_summary(struct json_object *document)
{
	terminal_put(STYLE_HEADING, 0, "vaccel-agent ");
	terminal_put(STYLE_HEADING, 0, agent_text(document, "version"));
	printf(", process %.0f, ", agent_number(document, "pid"));
	terminal_put(STYLE_PLAIN, 0, agent_text(document, "state"));
	printf(", up ");
	put_duration(agent_number(document, "uptime_seconds"));
}
