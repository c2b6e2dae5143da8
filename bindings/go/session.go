// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"runtime"
)

// PluginType says which kind of plugin a session prefers. Its bits may be combined.
type PluginType uint32

const (
	CPU        PluginType = C.VACCEL_PLUGIN_CPU
	GPU        PluginType = C.VACCEL_PLUGIN_GPU
	FPGA       PluginType = C.VACCEL_PLUGIN_FPGA
	Software   PluginType = C.VACCEL_PLUGIN_SOFTWARE
	TensorFlow PluginType = C.VACCEL_PLUGIN_TENSORFLOW
	Torch      PluginType = C.VACCEL_PLUGIN_TORCH
	Jetson     PluginType = C.VACCEL_PLUGIN_JETSON
	Generic    PluginType = C.VACCEL_PLUGIN_GENERIC
	Debug      PluginType = C.VACCEL_PLUGIN_DEBUG
	// Remote insists on a plugin that has the work done elsewhere.
	Remote PluginType = C.VACCEL_PLUGIN_REMOTE
)

var errSessionClosed = &Error{ErrSession, "the session is closed; open a new one"}

// Session is what operations are run by.
type Session struct {
	c    *C.struct_vaccel_session
	uses uses
}

// Option is something that NewSession is asked for.
type Option func(*options)

type options struct {
	flags PluginType
}

// WithFlags says which kind of plugin is preferred: the first local one that has one of
// the bits, else the first local one, else a remote one.
func WithFlags(flags PluginType) Option {
	return func(o *options) { o.flags = flags }
}

// NewSession opens a session, for [Session.Close].
func NewSession(wanted ...Option) (*Session, error) {
	var o options
	for _, option := range wanted {
		option(&o)
	}
	if err := mismatch(); err != nil {
		return nil, err
	}
	library.RLock()
	defer library.RUnlock()
	s := &Session{}
	if err := failure(C.session_open(&s.c, C.uint32_t(o.flags))); err != nil {
		return nil, err
	}
	library.sessions.Add(1)
	// A net, for a program that forgets. It would not be one if s were part of a circle. Closing
	// may take a way to an agent, which no other finalizer is to wait for.
	c := s.c
	s.uses.end = func() error { return closeSession(c) }
	runtime.SetFinalizer(s, func(s *Session) { go s.Close() })
	return s, nil
}

func closeSession(c *C.struct_vaccel_session) error {
	library.RLock()
	defer library.RUnlock()
	defer library.sessions.Add(-1)
	return failure(C.session_close(c))
}

// Close closes the session. Calls that run are not disturbed: it ends with the last of
// them. What is done with it later fails with ErrSession.
func (s *Session) Close() error {
	runtime.SetFinalizer(s, nil)
	first, err := s.uses.close()
	if !first {
		return errSessionClosed
	}
	return err
}

// use calls a function with the session open.
func (s *Session) use(function func() C.struct_outcome) error {
	if !s.uses.begin() {
		return errSessionClosed
	}
	defer s.uses.done()
	return failure(function())
}

// look reads something of the session: nothing, if that is closed.
func look[T any](s *Session, function func(c *C.struct_vaccel_session) T) (value T) {
	if s.uses.begin() {
		defer s.uses.done()
		value = function(s.c)
	}
	return value
}

// ID returns the session's number, from 1; 0 if it is closed.
func (s *Session) ID() int64 {
	return look(s, func(c *C.struct_vaccel_session) int64 { return int64(c.id) })
}

// RemoteID returns its number at the agent that does its work, else 0.
func (s *Session) RemoteID() int64 {
	return look(s, func(c *C.struct_vaccel_session) int64 { return int64(c.remote_id) })
}

// IsRemote reports whether its work is done by an agent.
func (s *Session) IsRemote() bool {
	return look(s, func(c *C.struct_vaccel_session) bool { return bool(c.is_virtio) })
}

// Flags returns what it prefers.
func (s *Session) Flags() PluginType {
	return look(s, func(c *C.struct_vaccel_session) PluginType { return PluginType(c.hint) })
}

// Plugin returns the name of the plugin that fits its flags.
func (s *Session) Plugin() string {
	return look(s, func(c *C.struct_vaccel_session) string { return C.GoString(c.plugin.info.name) })
}

// Update changes what it prefers. No resource may be registered with it, and no
// call be running in it.
func (s *Session) Update(flags PluginType) error {
	return s.use(func() C.struct_outcome { return C.session_update(s.c, C.uint32_t(flags)) })
}
