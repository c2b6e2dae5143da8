// SPDX-License-Identifier: Apache-2.0
/*
 * The thread's last error in words, each thread's its own, so that a failure in
 * one never hides another's. The words are allocated at a thread's first failure:
 * a library with a variable in static thread-local storage, as error_code is, must
 * keep all of that small, or a program cannot dlopen() it.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/utils/str.h>

#include "base/error.h"
#include "base/ready.h"
#include "base/util.h"

#define ERROR_TEXT_MAX 1024

_Thread_local int error_code __attribute__((tls_model("initial-exec")));

static pthread_key_t text_key;
static pthread_once_t text_key_once = PTHREAD_ONCE_INIT;

static void make_text_key(void)
{
	/* Without a key no thread has words, which is still no reason to stop. */
	pthread_key_create(&text_key, free);
}

/* The thread's words, NULL if there is no memory for them. */
static char *text_of_thread(void)
{
	char *text;

	pthread_once(&text_key_once, make_text_key);
	text = pthread_getspecific(text_key);
	if (text)
		return text;
	text = calloc(1, ERROR_TEXT_MAX);
	if (!text || !pthread_setspecific(text_key, text))
		return text;
	free(text);
	return NULL;
}

const char *vaccel_error_text(void)
{
	const char *text = text_of_thread();

	ready_heard();
	return text ? text : "no memory for words";
}

/* clang-format off */
static const struct {
	int code;
	const char *name;
} names[] = {
#define CODE(c) { c, #c }
	CODE(VACCEL_OK), CODE(VACCEL_EINVAL), CODE(VACCEL_ENOMEM), CODE(VACCEL_ENOTSUP),
	CODE(VACCEL_EINPROGRESS), CODE(VACCEL_EBUSY), CODE(VACCEL_EEXIST), CODE(VACCEL_ENOENT),
	CODE(VACCEL_ELIBBAD), CODE(VACCEL_ENODEV), CODE(VACCEL_EIO), CODE(VACCEL_ENOEXEC),
	CODE(VACCEL_ENAMETOOLONG), CODE(VACCEL_EUSERS), CODE(VACCEL_EPERM), CODE(VACCEL_ELOOP),
	CODE(VACCEL_EMLINK), CODE(VACCEL_ENOSPC), CODE(VACCEL_ENOTDIR), CODE(VACCEL_EROFS),
	CODE(VACCEL_EACCES), CODE(VACCEL_EBADF), CODE(VACCEL_EREMOTEIO), CODE(VACCEL_EFAULT),
	CODE(VACCEL_ERANGE), CODE(VACCEL_EAGAIN), CODE(VACCEL_ENOSYS), CODE(VACCEL_ESESS),
	CODE(VACCEL_EBACKEND), CODE(VACCEL_ETIMEDOUT), CODE(VACCEL_EDQUOT), CODE(VACCEL_ECANCELED),
#undef CODE
};
/* clang-format on */

static const char *name_of(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}

const char *vaccel_error_name(int code)
{
	const char *name = name_of(code);

	return name ? name : "unknown error";
}

#undef vaccel_fail /* which tools/analyzer.h wraps */
int vaccel_fail(int code, const char *format, ...)
{
	char fresh[ERROR_TEXT_MAX];
	char *text = text_of_thread();
	va_list args;

	/* A sentence may quote the one before it. */
	va_start(args, format);
	vsnprintf(fresh, sizeof(fresh), format, args);
	va_end(args);
	vaccel_str_make_printable(fresh);
	/* The system's errors, and those of plugins, may be others than ours. */
	if (!name_of(code))
		code = VACCEL_EIO;
	if (text)
		memcpy(text, fresh, sizeof(fresh));
	error_code = code;
	vaccel_debug("%s: %s", vaccel_error_name(code), fresh);
	return code;
}
