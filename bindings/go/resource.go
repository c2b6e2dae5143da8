// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// ResourceType says what a resource is.
type ResourceType int

const (
	// Library is a shared library with functions to run.
	Library ResourceType = C.VACCEL_RESOURCE_LIB
	Data    ResourceType = C.VACCEL_RESOURCE_DATA
	Model   ResourceType = C.VACCEL_RESOURCE_MODEL
)

var errResourceClosed = &Error{ErrInvalid, "the resource is closed; make a new one"}

// Resource is a library, data or a model that operations use. It is made once and
// registered with each session that is to use it.
type Resource struct {
	c       *C.struct_vaccel_resource
	bytes   unsafe.Pointer // malloc'd, and borrowed by c; nil if it is from paths
	content sync.RWMutex   // guards what lies there
	uses    uses
}

// NewResource makes a resource from files, which keep their order, from a directory or
// from a URL with the scheme http, https or file. They are read when it is first registered.
func NewResource(kind ResourceType, paths ...string) (*Resource, error) {
	texts := make([]*C.char, len(paths))
	for i, path := range paths {
		text, err := newText(path)
		if err != nil {
			return nil, err
		}
		defer freeText(text)
		texts[i] = text
	}
	return openResource(nil, func(ret **C.struct_vaccel_resource) C.struct_outcome {
		return C.resource_from_paths(ret, unsafe.SliceData(texts), C.size_t(len(texts)), C.vaccel_resource_type_t(kind))
	})
}

// NewResourceFromBytes makes a resource from bytes, which it copies. It is called name,
// or after its type if name is "".
func NewResourceFromBytes(kind ResourceType, data []byte, name string) (*Resource, error) {
	var file *C.char
	if name != "" {
		text, err := newText(name)
		if err != nil {
			return nil, err
		}
		defer freeText(text)
		file = text
	}
	bytes := C.CBytes(data)
	return openResource(bytes, func(ret **C.struct_vaccel_resource) C.struct_outcome {
		return C.resource_from_bytes(ret, bytes, C.size_t(len(data)), C.vaccel_resource_type_t(kind), file)
	})
}

func openResource(bytes unsafe.Pointer, open func(ret **C.struct_vaccel_resource) C.struct_outcome) (*Resource, error) {
	library.RLock()
	defer library.RUnlock()
	r := &Resource{bytes: bytes}
	err := mismatch()
	if err == nil {
		err = failure(open(&r.c))
	}
	if err != nil {
		C.free(bytes)
		return nil, err
	}
	c := r.c
	r.uses.end = func() error { return closeResource(c, bytes) }
	runtime.SetFinalizer(r, (*Resource).forgotten)
	return r, nil
}

// forgotten closes a resource that nobody refers to, unless a session has it: operations
// on pictures find their model there. It is asked again then, when memory is collected.
func (r *Resource) forgotten() {
	if r.isRegistered() {
		runtime.SetFinalizer(r, (*Resource).forgotten)
		return
	}
	go r.Close()
}

func (r *Resource) isRegistered() bool {
	library.RLock()
	defer library.RUnlock()
	return C.vaccel_resource_refcount(r.c) > 0
}

func closeResource(c *C.struct_vaccel_resource, bytes unsafe.Pointer) error {
	library.RLock()
	defer library.RUnlock()
	defer C.free(bytes)
	return failure(C.resource_close(c))
}

// Close unregisters the resource everywhere and frees it. Calls that use it are not
// disturbed: it ends with the last of them.
func (r *Resource) Close() error {
	runtime.SetFinalizer(r, nil)
	first, err := r.uses.close()
	if !first {
		return errResourceClosed
	}
	return err
}

// ID returns the resource's number, from 1; 0 if it is closed.
func (r *Resource) ID() int64 {
	if !r.uses.begin() {
		return 0
	}
	defer r.uses.done()
	return int64(r.c.id)
}

// RemoteID returns its number at the agent that does a session's work, else 0.
func (r *Resource) RemoteID() int64 {
	if !r.uses.begin() {
		return 0
	}
	defer r.uses.done()
	return int64(r.c.remote_id)
}

// Bytes returns a copy of the bytes of a resource that was made from bytes; nil for another,
// and for one that is closed or has ended with the library.
// [Session.Sync] brings them up to date.
func (r *Resource) Bytes() []byte {
	if !r.uses.begin() {
		return nil
	}
	defer r.uses.done()
	if r.bytes == nil {
		return nil
	}
	r.content.RLock()
	defer r.content.RUnlock()
	// The library may have ended, and what it knew of the resource with it.
	library.RLock()
	defer library.RUnlock()
	if C.vaccel_resource_refcount(r.c) < 0 {
		return nil
	}
	blob := *r.c.blobs
	return copied[byte](unsafe.Pointer(blob.data), blob.size)
}

// with calls a function with session and resource open.
func (s *Session) with(r *Resource, function func() C.struct_outcome) error {
	if !r.uses.begin() {
		return errResourceClosed
	}
	defer r.uses.done()
	return s.use(function)
}

// Register lets the session use a resource. Files are looked up, and URLs fetched, the
// first time.
func (s *Session) Register(r *Resource) error {
	return s.with(r, func() C.struct_outcome { return C.resource_register(r.c, s.c) })
}

// Unregister ends the session's use of a resource, which stays.
func (s *Session) Unregister(r *Resource) error {
	return s.with(r, func() C.struct_outcome { return C.resource_unregister(r.c, s.c) })
}

// Sync brings back what operations of the session changed in a resource that was made
// from bytes, for [Resource.Bytes].
func (s *Session) Sync(r *Resource) error {
	r.content.Lock()
	defer r.content.Unlock()
	return s.with(r, func() C.struct_outcome { return C.resource_sync(r.c, s.c) })
}

// Has reports whether a resource is registered with the session.
func (s *Session) Has(r *Resource) bool {
	if !r.uses.begin() {
		return false
	}
	defer r.uses.done()
	return look(s, func(c *C.struct_vaccel_session) bool {
		return bool(C.vaccel_session_has_resource(c, r.c))
	})
}
