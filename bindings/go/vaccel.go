// SPDX-License-Identifier: Apache-2.0

// Package vaccel runs whole operations on accelerators that a program cannot reach
// itself: from a container, a virtual machine, another host.
//
// A [Session] is what runs operations. Each operation is a struct, made from the
// library's own description of it, and all are run by [Session.Run]; [Session.Classify]
// and its like are for the common ones:
//
//	session, err := vaccel.NewSession()
//	if err != nil {
//		return err
//	}
//	defer session.Close()
//	best, err := session.Classify(ctx, picture)
//
// Where the work is done, the environment says: VACCEL_PLUGINS and VACCEL_RPC_ADDRESS,
// as for any program of vaccel.
//
// # Contexts
//
// A context that has ended before a call begins ends it at once. When it ends during
// the call, the method returns its error, and the work goes on: no backend can be stopped,
// here or elsewhere, and libvaccel offers no way to try. So that nothing of the caller's is used
// after the method has returned, a call whose context can end works on copies; with
// [context.Background] memory is used where it lies. What bounds the time that an agent is
// waited for is VACCEL_TIMEOUT_MS.
//
// # Goroutines
//
// Sessions and resources may be used by any number of goroutines. Operations, arguments
// and tensors belong to one at a time.
package vaccel

//go:generate go run ./internal/opgen -o ops_gen.go

/*
#cgo pkg-config: vaccel
#include "glue.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Version is that of the library's headers that this program was built with.
const Version = C.VACCEL_VERSION

// LogLevel is what the library's log shows.
type LogLevel int

const (
	LogError LogLevel = C.VACCEL_LOG_ERROR
	LogWarn  LogLevel = C.VACCEL_LOG_WARN
	LogInfo  LogLevel = C.VACCEL_LOG_INFO
	LogDebug LogLevel = C.VACCEL_LOG_DEBUG
)

// Config is what a program may set before it opens sessions.
type Config struct {
	// Plugins to load, with ":" between them: names, files or directories. "" is
	// none, "auto" those of the installation.
	Plugins string
	// LogLevel is LogError unless set.
	LogLevel LogLevel
	// LogFile is where the log goes; "" is standard error.
	LogFile string
	// Profiling measures operations.
	Profiling bool
	// VersionIgnore loads plugins that were built for another version.
	VersionIgnore bool
}

// library guards the library's own life, which nobody may end under an open session. Whoever
// opens or closes sessions and resources holds it for reading.
var library struct {
	sync.RWMutex
	sessions atomic.Int64
}

// mismatch is why the library that is loaded cannot be used, if that is so: its structs
// and functions may not be those of [Version].
var mismatch = sync.OnceValue(func() error {
	loaded := C.GoString(C.vaccel_version())
	if series(loaded) == series(Version) {
		return nil
	}
	return &Error{ErrBadLibrary, fmt.Sprintf(
		"the libvaccel that is loaded is version %s, and this program was built with %s; build it anew, "+
			"or take that library out of LD_LIBRARY_PATH", loaded, Version)}
})

// series is the part of a version in which libraries stand in for each other.
func series(version string) string {
	return version[:max(strings.LastIndexByte(version, '.'), 0)]
}

// alone calls a function while no session is open, and none can be opened.
func alone(function func() C.struct_outcome) error {
	if err := mismatch(); err != nil {
		return err
	}
	library.Lock()
	defer library.Unlock()
	if open := library.sessions.Load(); open > 0 {
		return &Error{ErrBusy, fmt.Sprintf("%d sessions are open; close them first", open)}
	}
	return failure(function())
}

// Open makes the library ready as the program says. Without it the library is ready
// from the start, as the environment says. No session may be open; resources that are end.
func Open(config Config) error {
	level := config.LogLevel
	if level == 0 {
		level = LogError
	}
	plugins, err := newText(config.Plugins)
	if err != nil {
		return err
	}
	defer freeText(plugins)
	var file *C.char
	if config.LogFile != "" {
		if file, err = newText(config.LogFile); err != nil {
			return err
		}
		defer freeText(file)
	}
	return alone(func() C.struct_outcome {
		return C.library_open(plugins, C.int(level), file, C.bool(config.Profiling), C.bool(config.VersionIgnore))
	})
}

// OpenFromEnvironment makes the library ready anew, as the environment says now. No
// session may be open; resources that are end.
func OpenFromEnvironment() error {
	return alone(func() C.struct_outcome { return C.library_open_from_env() })
}

// Close unloads the plugins and ends resources that are left. No session may be open.
// A program need not call it before it exits.
func Close() error {
	return alone(func() C.struct_outcome { return C.library_close() })
}

// newText is text for C, for freeText.
func newText(text string) (*C.char, error) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return nil, &Error{ErrInvalid, fmt.Sprintf("%q has a NUL at %d, where C would end it", text, at)}
	}
	return C.CString(text), nil
}

func freeText(text *C.char) { C.free(unsafe.Pointer(text)) }
