// SPDX-License-Identifier: Apache-2.0

package vaccel

import (
	"errors"
	"slices"
	"testing"
	"unsafe"
)

// What a call with a context that can end is lent is none of the caller's.
func TestApart(t *testing.T) {
	for _, keep := range []bool{false, true} {
		read, written, both := []int32{1, 2}, []int32{3, 4}, []int32{5, 6}
		c := &call{ended: make(chan struct{})}
		lent := func(elements []int32, way direction) []int32 {
			there := unsafe.Slice((*int32)(lend(c, elements, way)), len(elements))
			if &there[0] == &elements[0] {
				t.Error("the caller's own memory is lent")
			}
			return there
		}
		copies := [][]int32{lent(read, in), lent(written, out), lent(both, inout)}
		if !slices.Equal(copies[0], read) || !slices.Equal(copies[1], written) || !slices.Equal(copies[2], both) {
			t.Error(copies)
		}
		for _, copied := range copies {
			copied[0] = 9
		}
		c.end(keep)
		want := [][]int32{{1, 2}, {3, 4}, {5, 6}}
		if keep {
			want = [][]int32{{1, 2}, {9, 4}, {9, 6}}
		}
		if !slices.Equal(read, want[0]) || !slices.Equal(written, want[1]) || !slices.Equal(both, want[2]) {
			t.Error(keep, read, written, both)
		}
	}
}

// zero is a value of what a function returns.
func zero[T any](func(*call) T) (value T) { return value }

// A failure tells in its outputs what it can, and leaves nothing else there.
func TestFailedApart(t *testing.T) {
	c := &call{ended: make(chan struct{})}
	status, tensors := uint8(0), []RawTensor{{Type: 1, Data: []byte{1}}}
	*(*uint8)(lendOne(c, &status, out)) = 3
	c.lendTensorRoom(tensors)
	outcome := zero((*call).run)
	outcome.code = 22
	if err := c.finish(outcome); !errors.Is(err, ErrInvalid) || status != 3 || tensors[0].Data != nil {
		t.Error(err, status, tensors)
	}
}

// A number that is no type of the framework's is not one that it has not.
func TestTensorOfNoType(t *testing.T) {
	for f := range frameworks {
		for _, number := range []int32{0, -1, 1000} {
			if made, err := (RawTensor{number, []int64{2}, []byte{1, 2}}).typed(f); err != nil {
				t.Error(f, number, err)
			} else if _, ok := made.(*RawTensor); !ok {
				t.Errorf("%d: %d is a %T", f, number, made)
			}
		}
	}
}

func TestLend(t *testing.T) {
	c := new(call)
	defer c.end(false)
	values := []int32{1}
	if lend(c, values, in) != unsafe.Pointer(&values[0]) {
		t.Error("memory is copied that could be lent")
	}
	if lend[int32](c, nil, in) != nil || lend(c, []int32{}, in) == nil {
		t.Error("nothing and no elements are not what they are in C")
	}
}

// The last user ends it, once.
func TestUses(t *testing.T) {
	ended := 0
	u := uses{end: func() error { ended++; return nil }}
	for i := 0; i < 2; i++ {
		if !u.begin() {
			t.Fatal("it is not open")
		}
	}
	if first, err := u.close(); !first || err != nil || ended != 0 {
		t.Error("it is not closed, or has ended under its users")
	}
	if first, _ := u.close(); first || u.begin() {
		t.Error("it is open again")
	}
	u.done()
	if ended != 0 {
		t.Error("it has ended under its last user")
	}
	u.done()
	if ended != 1 {
		t.Error("it has not ended")
	}
}
