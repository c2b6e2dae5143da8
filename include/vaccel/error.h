/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error codes and the words that go with them.
 *
 * Every function returns VACCEL_OK or a positive VACCEL_E* code unless it says
 * otherwise. Codes have the value of the errno of the same name, so that
 * strerror() reads them; vaccel_error_text() says what happened in this case.
 */
#ifndef VACCEL_ERROR_H
#define VACCEL_ERROR_H

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	VACCEL_OK = 0,
	VACCEL_EINVAL = EINVAL,
	VACCEL_ENOMEM = ENOMEM,
	VACCEL_ENOTSUP = ENOTSUP,
	VACCEL_EINPROGRESS = EINPROGRESS,
	VACCEL_EBUSY = EBUSY,
	VACCEL_EEXIST = EEXIST,
	VACCEL_ENOENT = ENOENT,
	VACCEL_ELIBBAD = ELIBBAD,
	VACCEL_ENODEV = ENODEV,
	VACCEL_EIO = EIO,
	VACCEL_ENOEXEC = ENOEXEC,
	VACCEL_ENAMETOOLONG = ENAMETOOLONG,
	VACCEL_EUSERS = EUSERS,
	VACCEL_EPERM = EPERM,
	VACCEL_ELOOP = ELOOP,
	VACCEL_EMLINK = EMLINK,
	VACCEL_ENOSPC = ENOSPC,
	VACCEL_ENOTDIR = ENOTDIR,
	VACCEL_EROFS = EROFS,
	VACCEL_EACCES = EACCES,
	VACCEL_EBADF = EBADF,
	VACCEL_EREMOTEIO = EREMOTEIO,
	VACCEL_EFAULT = EFAULT,
	VACCEL_ERANGE = ERANGE,
	VACCEL_EAGAIN = EAGAIN,
	VACCEL_ENOSYS = ENOSYS,
	/** The session is gone: never there, closed, or lost with its agent. */
	VACCEL_ESESS = ECONNRESET,
	/** The backend, or the function it ran, reported a failure. */
	VACCEL_EBACKEND = EPROTO,
	VACCEL_ETIMEDOUT = ETIMEDOUT,
	VACCEL_EDQUOT = EDQUOT,
	VACCEL_ECANCELED = ECANCELED
};

/**
 * vaccel_error_text() - the calling thread's last error, in words
 *
 * For a call that ran elsewhere these are the host's words.
 *
 * Return: a sentence, valid until this thread's next failing call; "" if the
 * thread has seen no error. Never NULL.
 */
const char *vaccel_error_text(void);

/**
 * vaccel_error_name() - the name of a code
 * @code: a VACCEL_E* code
 *
 * Return: "VACCEL_EINVAL" and the like; "unknown error" for any other number.
 */
const char *vaccel_error_name(int code);

/**
 * vaccel_fail() - report an error: keep its words with the thread, pass the code on
 * @code: the code to return; VACCEL_EIO is taken for an errno that is none of ours
 * @format: printf format of a sentence saying what is wrong and what to do; what
 *          is not printable in it becomes '?', see vaccel_str_make_printable()
 *
 * Called once, by the code that first knows of the error; callers above pass
 * the code on unchanged. Meant for the library and for plugins.
 *
 * Return: @code, or VACCEL_EIO.
 */
int vaccel_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

#ifdef __cplusplus
}
#endif

#endif
