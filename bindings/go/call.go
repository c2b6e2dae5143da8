// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Op is an operation with its arguments: a pointer to one of the structs whose names
// end in Op. [Session.Run] runs it, and what it puts out is in the struct then.
type Op interface {
	operation() *operation
	// lend makes the struct of arguments that C takes.
	lend(c *call) unsafe.Pointer
}

// NewOp makes the operation of a name in `vaccel ops`, such as onnx_model_run. Its
// arguments are members that have their names as the tag "vaccel". It is nil if there is
// no such operation.
func NewOp(name string) Op {
	for _, create := range ops {
		if op := create(); op.operation().name == name {
			return op
		}
	}
	return nil
}

// operation is what this package was built to know of an operation.
type operation struct {
	number uint32
	name   string
	hash   uint64
	found  atomic.Pointer[C.struct_vaccel_op]
}

// find looks the operation up in the library that is there at run time.
func (o *operation) find() (*C.struct_vaccel_op, error) {
	if op := o.found.Load(); op != nil {
		return op, nil
	}
	op := C.op_find(C.uint32_t(o.number), C.uint64_t(o.hash))
	if op == nil {
		return nil, &Error{ErrNotSupported, fmt.Sprintf(
			"%s: the libvaccel that is loaded has no such operation, or describes it otherwise than "+
				"version %s, which this program was built with; build it anew", o.name, Version)}
	}
	o.found.Store(op)
	return op, nil
}

// Text is room for a text, which is cut to fit.
type Text []byte

// String is the text that is there.
func (t Text) String() string {
	text, _, _ := strings.Cut(string(t), "\x00")
	return text
}

// direction says which way an argument travels.
type direction int

const (
	in    direction = 1
	out   direction = 2
	inout direction = in | out
)

// call is what one call of C is lent, and what is to be done when it has returned.
type call struct {
	session  *Session
	function *C.struct_vaccel_op // nil for vaccel_genop()
	args     unsafe.Pointer
	// ended is closed when the context ends; nil if it cannot. The call may outlive its
	// caller then, and works on copies.
	ended <-chan struct{}
	err   error
	pins  runtime.Pinner
	texts []*C.char
	held  []*uses
	// after brings outputs back if keep is true, and frees what C allocated for them.
	after []func(keep bool)
}

// Calls that have ended: what they allocated serves the next ones.
var calls = sync.Pool{New: func() any { return new(call) }}

// newCall begins a call, for end.
func newCall() *call { return calls.Get().(*call) }

// begin begins a call of the session, for end. It looks first whether there is to be one:
// what is lent may be much, and is to be taken back.
func (s *Session) begin(ctx context.Context, name string) (*call, error) {
	ended := ctx.Done()
	if ctx.Err() != nil {
		return nil, contextError(ctx, name)
	}
	if !s.uses.begin() {
		return nil, errSessionClosed
	}
	c := newCall()
	c.session, c.ended = s, ended
	c.held = append(c.held, &s.uses)
	return c, nil
}

// fail notes why the call cannot be made.
func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// end follows the call; keep if its outputs are wanted. The call is another's then.
func (c *call) end(keep bool) {
	for _, after := range c.after {
		after(keep)
	}
	c.pins.Unpin()
	for _, text := range c.texts {
		freeText(text)
	}
	for _, uses := range c.held {
		uses.done()
	}
	clear(c.after)
	clear(c.held)
	c.texts, c.held, c.after = c.texts[:0], c.held[:0], c.after[:0]
	c.session, c.function, c.args, c.ended, c.err = nil, nil, nil, nil, nil
	calls.Put(c)
}

// pin keeps Go memory in its place, which C may then be given pointers to.
func pin[T any](c *call, first *T) *T {
	c.pins.Pin(first)
	return first
}

// lend gives C the elements of a slice: nil if that is nil.
func lend[T any](c *call, elements []T, way direction) unsafe.Pointer {
	if elements == nil {
		return nil
	}
	if len(elements) == 0 {
		return unsafe.Pointer(&C.no_bytes)
	}
	lent := elements
	if c.ended != nil {
		lent = slices.Clone(elements)
		if way&out != 0 {
			c.after = append(c.after, func(keep bool) {
				if keep {
					copy(elements, lent)
				}
			})
		}
	}
	return unsafe.Pointer(pin(c, &lent[0]))
}

// lendOne gives C a place for one value.
func lendOne[T any](c *call, value *T, way direction) unsafe.Pointer {
	return lend(c, unsafe.Slice(value, 1), way)
}

// lendText gives C a text.
func (c *call) lendText(text string) *C.char {
	lent, err := newText(text)
	if err != nil {
		c.fail(err)
		return nil
	}
	c.texts = append(c.texts, lent)
	return lent
}

// lendResource gives C a resource, which stays until the call has ended.
func (c *call) lendResource(resource *Resource) *C.struct_vaccel_resource {
	if resource == nil {
		return nil
	}
	if !resource.uses.begin() {
		c.fail(errResourceClosed)
		return nil
	}
	c.held = append(c.held, &resource.uses)
	return resource.c
}

// lendList gives C a list of structs.
func lendList[T, Theirs any](c *call, items []T, lendItem func(*T, *call) Theirs) (*Theirs, C.size_t) {
	if len(items) == 0 {
		return nil, 0
	}
	lent := make([]Theirs, len(items))
	for i := range items {
		lent[i] = lendItem(&items[i], c)
	}
	return pin(c, &lent[0]), C.size_t(len(lent))
}

// copied is Go memory with what lies in C's.
func copied[T any](from unsafe.Pointer, count C.size_t) []T {
	return slices.Clone(unsafe.Slice((*T)(from), int(count)))
}

// take copies what C allocated, and frees it.
func take[T any](to *[]T, from unsafe.Pointer, count C.size_t, keep bool) {
	if keep {
		*to = copied[T](from, count)
	}
	C.free(from)
}

// takeText does so with a text.
func takeText(to *string, from *C.char, keep bool) {
	if keep {
		*to = C.GoString(from)
	}
	freeText(from)
}

// takeList does so with a list of structs, which is one block with all that they point to.
func takeList[T, Theirs any](to *[]T, from *Theirs, count C.size_t, read func(*T, *Theirs), keep bool) {
	if keep {
		*to = make([]T, int(count))
		for i := range *to {
			read(&(*to)[i], &unsafe.Slice(from, int(count))[i])
		}
	}
	C.free(unsafe.Pointer(from))
}

// Run runs an operation.
//
// After an error that is none of the context's, what the operation puts out may have
// been written to. After one of the context's the operation is as it was.
func (s *Session) Run(ctx context.Context, op Op) error {
	what := op.operation()
	function, err := what.find()
	if err != nil {
		return err
	}
	c, err := s.begin(ctx, what.name)
	if err != nil {
		return err
	}
	c.function = function
	c.lendAll(op)
	return c.perform(ctx, what.name)
}

// lendAll gives C the arguments. An operation that is nil panics, and ends the call.
func (c *call) lendAll(op Op) {
	defer func() {
		if c.args == nil {
			c.end(false)
		}
	}()
	c.args = op.lend(c)
}

// perform makes the call and ends it.
func (c *call) perform(ctx context.Context, name string) error {
	if err := c.err; err != nil {
		c.end(false)
		return err
	}
	if c.ended == nil {
		return c.finish(c.run())
	}
	done := make(chan C.struct_outcome, 1)
	go func() { done <- c.run() }()
	select {
	case outcome := <-done:
		return c.finish(outcome)
	case <-c.ended:
		go func() {
			_ = failure(<-done)
			c.end(false)
		}()
		return contextError(ctx, name)
	}
}

func (c *call) run() C.struct_outcome {
	return C.op_run(c.session.c, c.function, c.args)
}

func (c *call) finish(outcome C.struct_outcome) error {
	// What failed may say so in an output, too; of what C allocates a failure leaves nothing.
	c.end(true)
	return failure(outcome)
}

// contextError is the error of a context that has ended.
func contextError(ctx context.Context, name string) error {
	return fmt.Errorf("vaccel: %s: %w", name, ctx.Err())
}
