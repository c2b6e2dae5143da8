// SPDX-License-Identifier: Apache-2.0
/*
 * The agent's environment. It reads variables as libvaccel does, by knobs; a child
 * gets those that its work depends on and no others, for they may hold secrets of
 * the service.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "agent/base/environment.h"
#include "base/util.h"

static const struct vaccel_knob variables[] = {
	[NOTIFY_SOCKET] = {"NOTIFY_SOCKET", NULL, "where systemd wants to hear of the service"},
	[LISTEN_PID] = {"LISTEN_PID", NULL, "whom the sockets from systemd are for"},
	[LISTEN_FDS] = {"LISTEN_FDS", NULL, "number of sockets from systemd"},
	[LISTEN_FDNAMES] = {"LISTEN_FDNAMES", NULL, "their names, ':' between them"},
	[RUNTIME_DIRECTORY] = {"RUNTIME_DIRECTORY", NULL, "systemd's directory for run-time files"},
	[XDG_RUNTIME_DIR] = {"XDG_RUNTIME_DIR", NULL, "the user's directory for run-time files"},
	[TMPDIR] = {"TMPDIR", "/tmp", "directory for temporary files"},
	[GLIBC_TUNABLES] = {"GLIBC_TUNABLES", NULL, "the C library's settings for children"},
};

/* What a child keeps: a name, or with '*' all that begin so. */
static const char *const kept[] = {
	"VACCEL_*",	 "CUDA_*",	    "NVIDIA_*",	    "OMP_*",	    "OPENBLAS_*",
	"ORT_*",	 "OCL_*",	    "LC_*",	    "LANG",	    "TZ",
	"PATH",		 "LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
	"UBSAN_OPTIONS", "GLIBC_TUNABLES",
};

/* Where each would end up in the other's place; TMPDIR for backends' own files. */
static const char *const ours[] = {"XDG_RUNTIME_DIR", "TMPDIR", "HOME"};

/* The worker bootstraps with its policy's plugins. */
static const char without_bootstrap[] = "VACCEL_BOOTSTRAP_ENABLED=0";

/* malloc() asks for them (glibc 2.35 and newer): a model reads all of its weights in each call. */
static const char with_huge_pages[] = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";

const char *environment_text(enum variable variable)
{
	const char *text = vaccel_knob_text(&variables[variable]);

	return text && *text ? text : NULL;
}

int environment_directory(char **ret_path)
{
	const char *of_service = environment_text(RUNTIME_DIRECTORY);
	const char *of_user = environment_text(XDG_RUNTIME_DIR);
	char *path = NULL;
	int length;

	if (of_service)
		/* systemd may name several. */
		length = asprintf(&path, "%.*s", (int)strcspn(of_service, ":"), of_service);
	else if (geteuid() == 0)
		length = asprintf(&path, SYSTEM_DIRECTORY);
	else if (of_user)
		length = asprintf(&path, "%s/vaccel", of_user);
	else
		length = asprintf(&path, "%s/vaccel-%u", environment_text(TMPDIR),
				  (unsigned int)geteuid());
	if (length < 0)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	*ret_path = path;
	return VACCEL_OK;
}

static bool is_kept(const char *assignment)
{
	size_t name = strcspn(assignment, "=");

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		size_t length = strcspn(kept[i], "*");

		if (!strncmp(assignment, kept[i], length) &&
		    (kept[i][length] ? name >= length : name == length))
			return strncmp(assignment, without_bootstrap, name + 1) != 0;
	}
	return false;
}

char **environment_of_child(const char *directory)
{
	size_t count = ARRAY_SIZE(ours) + 3;
	size_t size = sizeof(without_bootstrap) + sizeof(with_huge_pages);
	char **list, **next;
	char *text;

	for (char **at = environ; *at; at++, count++)
		size += strlen(*at) + 1;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		size += strlen(ours[i]) + strlen(directory) + 2;
	list = next = malloc(count * sizeof(*list) + size);
	if (!list) {
		vaccel_fail(VACCEL_ENOMEM, "no memory for the environment of a child");
		return NULL;
	}
	text = (char *)(list + count);
	for (char **at = environ; *at; at++) {
		if (!is_kept(*at))
			continue;
		*next++ = text;
		text = stpcpy(text, *at) + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		*next++ = text;
		text += sprintf(text, "%s=%s", ours[i], directory) + 1;
	}
	*next++ = text;
	text = stpcpy(text, without_bootstrap) + 1;
	if (!environment_text(GLIBC_TUNABLES))
		*next++ = strcpy(text, with_huge_pages);
	*next = NULL;
	return list;
}
