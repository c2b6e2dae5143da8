// SPDX-License-Identifier: Apache-2.0
/*
 * The thread's last error in words. The text lives in thread-local storage, so
 * that a failure in one thread never hides another's; nothing here allocates.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/error.h"
#include "base/util.h"

#define ERROR_TEXT_MAX 1024

_Thread_local int error_code __attribute__((tls_model("initial-exec")));
static _Thread_local char text[ERROR_TEXT_MAX];

const char *vaccel_error_text(void)
{
	return text;
}

#undef vaccel_fail /* which tools/analyzer.h wraps */
int vaccel_fail(int code, const char *format, ...)
{
	char fresh[ERROR_TEXT_MAX];
	va_list args;

	/* A sentence may quote the one before it. */
	va_start(args, format);
	vsnprintf(fresh, sizeof(fresh), format, args);
	va_end(args);
	memcpy(text, fresh, sizeof(text));
	error_code = code;
	vaccel_debug("%s: %s", vaccel_error_name(code), text);
	return code;
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

const char *vaccel_error_name(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unknown error";
}
