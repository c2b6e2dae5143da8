// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Code says what kind of error it was. Its numbers are those of errno, so that
// errors.Is also finds a syscall.Errno and what that stands for: ErrNotFound, for one,
// is fs.ErrNotExist.
type Code int

// The codes are errors themselves, to be looked for with errors.Is.
const (
	ErrInvalid      Code = C.VACCEL_EINVAL
	ErrNoMemory     Code = C.VACCEL_ENOMEM
	ErrNotSupported Code = C.VACCEL_ENOTSUP
	ErrInProgress   Code = C.VACCEL_EINPROGRESS
	ErrBusy         Code = C.VACCEL_EBUSY
	ErrExists       Code = C.VACCEL_EEXIST
	ErrNotFound     Code = C.VACCEL_ENOENT
	ErrBadLibrary   Code = C.VACCEL_ELIBBAD
	ErrNoDevice     Code = C.VACCEL_ENODEV
	ErrIO           Code = C.VACCEL_EIO
	ErrNotLibrary   Code = C.VACCEL_ENOEXEC
	ErrNameTooLong  Code = C.VACCEL_ENAMETOOLONG
	ErrTooManyUsers Code = C.VACCEL_EUSERS
	ErrPermission   Code = C.VACCEL_EPERM
	ErrLoop         Code = C.VACCEL_ELOOP
	ErrTooManyLinks Code = C.VACCEL_EMLINK
	ErrNoSpace      Code = C.VACCEL_ENOSPC
	ErrNotDirectory Code = C.VACCEL_ENOTDIR
	ErrReadOnly     Code = C.VACCEL_EROFS
	ErrAccess       Code = C.VACCEL_EACCES
	ErrBadHandle    Code = C.VACCEL_EBADF
	ErrRemote       Code = C.VACCEL_EREMOTEIO
	ErrFault        Code = C.VACCEL_EFAULT
	ErrRange        Code = C.VACCEL_ERANGE
	ErrAgain        Code = C.VACCEL_EAGAIN
	ErrNoFunction   Code = C.VACCEL_ENOSYS
	// ErrSession: the session is gone, closed or lost with its agent.
	ErrSession Code = C.VACCEL_ESESS
	// ErrBackend: the backend, or the function it ran, reported a failure.
	ErrBackend  Code = C.VACCEL_EBACKEND
	ErrTimedOut Code = C.VACCEL_ETIMEDOUT
	ErrQuota    Code = C.VACCEL_EDQUOT
	ErrCanceled Code = C.VACCEL_ECANCELED
)

// String returns the code's name in C, such as VACCEL_EINVAL.
func (c Code) String() string {
	return C.GoString(C.vaccel_error_name(C.int(c)))
}

func (c Code) Error() string {
	return c.String() + ": " + syscall.Errno(c).Error()
}

// Is reports whether target is the errno of that number, or what it stands for.
func (c Code) Is(target error) bool {
	errno := syscall.Errno(c)
	return target == errno || errno.Is(target)
}

// Timeout reports whether the time for a call has run out, as it does for a net.Error.
func (c Code) Timeout() bool { return c == ErrTimedOut }

// Error is what functions of this package return of libvaccel's errors, and their own.
type Error struct {
	Code Code
	// Words say what is wrong and what to do. For a call that ran elsewhere they are
	// the host's.
	Words string
}

func (e *Error) Error() string { return "vaccel: " + e.Words }

// Unwrap returns the code, for errors.Is.
func (e *Error) Unwrap() error { return e.Code }

// failure makes an error of a call's outcome, whose words it frees; nil if it went well.
func failure(outcome C.struct_outcome) error {
	if outcome.code == 0 {
		return nil
	}
	code, words := Code(outcome.code), C.GoString(outcome.words)
	C.free(unsafe.Pointer(outcome.words))
	if words == "" {
		words = code.Error()
	}
	return &Error{code, words}
}
