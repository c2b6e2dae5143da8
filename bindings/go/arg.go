// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"encoding"
	"unsafe"
)

// ArgType says what an argument holds.
type ArgType int

const (
	ArgRaw ArgType = iota
	ArgInt8
	ArgInt8Array
	ArgInt16
	ArgInt16Array
	ArgInt32
	ArgInt32Array
	ArgInt64
	ArgInt64Array
	ArgUint8
	ArgUint8Array
	ArgUint16
	ArgUint16Array
	ArgUint32
	ArgUint32Array
	ArgUint64
	ArgUint64Array
	ArgFloat32
	ArgFloat32Array
	ArgFloat64
	ArgFloat64Array
	ArgBool
	ArgBoolArray
	ArgChar
	ArgCharArray
	ArgUchar
	ArgUcharArray
	ArgString
	ArgBuffer
	ArgCustom
)

// String returns the type's name, such as INT8_ARRAY.
func (t ArgType) String() string {
	return C.GoString(C.vaccel_arg_type_to_base_str(C.vaccel_arg_type_t(t)))
}

// Arg is a typed piece of memory, for functions that are run by exec and their like.
// One that is written to is shortened to what was used of it.
type Arg struct {
	Type     ArgType
	Data     []byte
	CustomID uint32 // the program's own type number, for ArgCustom
}

// Scalar is what may be in an argument.
type Scalar interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | bool
}

// argType is the type of one such value; that of an array of them is the next one.
func argType[T Scalar]() ArgType {
	var value T
	switch any(value).(type) {
	case int8:
		return ArgInt8
	case int16:
		return ArgInt16
	case int32:
		return ArgInt32
	case int64:
		return ArgInt64
	case uint8:
		return ArgUint8
	case uint16:
		return ArgUint16
	case uint32:
		return ArgUint32
	case uint64:
		return ArgUint64
	case float32:
		return ArgFloat32
	case float64:
		return ArgFloat64
	default:
		return ArgBool
	}
}

// ArgOf is an argument of one value, where it lies: what the operation writes is there.
func ArgOf[T Scalar](value *T) Arg {
	return Arg{Type: argType[T](), Data: bytesOf(unsafe.Slice(value, 1))}
}

// ArgOfSlice is an argument of the elements of a slice, where they lie.
func ArgOfSlice[T Scalar](values []T) Arg {
	return Arg{Type: argType[T]() + 1, Data: bytesOf(values)}
}

// ArgOfString is a text, with the NUL that C wants after it.
func ArgOfString(text string) Arg {
	return Arg{Type: ArgString, Data: append([]byte(text), 0)}
}

// ArgOfBytes is a buffer, where it lies.
func ArgOfBytes(data []byte) Arg {
	return Arg{Type: ArgBuffer, Data: data}
}

// ArgOfCustom is a value of the program's own, in the form that it gives itself.
func ArgOfCustom(id uint32, value encoding.BinaryMarshaler) (Arg, error) {
	data, err := value.MarshalBinary()
	return Arg{Type: ArgCustom, Data: data, CustomID: id}, err
}

// bytesOf is the memory of a slice.
func bytesOf[T any](values []T) []byte {
	var value T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), uintptr(len(values))*unsafe.Sizeof(value))
}

// lendArgs gives C arguments, and shortens those that were written to.
func (c *call) lendArgs(args []Arg, way direction) (*C.struct_vaccel_arg, C.size_t) {
	if len(args) == 0 {
		return nil, 0
	}
	lent := make([]C.struct_vaccel_arg, len(args))
	for i, arg := range args {
		lent[i] = C.struct_vaccel_arg{
			buf: lend(c, arg.Data, way), size: C.size_t(len(arg.Data)),
			_type: C.vaccel_arg_type_t(arg.Type), custom_type_id: C.uint32_t(arg.CustomID),
		}
	}
	if way&out != 0 {
		c.after = append(c.after, func(keep bool) {
			for i := range lent {
				if keep {
					args[i].Data = args[i].Data[:min(int(lent[i].size), len(args[i].Data))]
				}
			}
		})
	}
	return pin(c, &lent[0]), C.size_t(len(lent))
}

// Exec runs a function of a library that lies where the work is done.
func (s *Session) Exec(ctx context.Context, library, symbol string, read, write []Arg) error {
	return s.Run(ctx, &ExecOp{Library: library, Symbol: symbol, Read: read, Write: write})
}

// ExecWithResource runs a function of a library that the program brings: a resource of
// type [Library], registered with the session, the libraries that it needs before it.
func (s *Session) ExecWithResource(ctx context.Context, library *Resource, symbol string, read, write []Arg) error {
	return s.Run(ctx, &ExecWithResourceOp{Library: library, Symbol: symbol, Read: read, Write: write})
}

// RunAny runs an operation by its number and a list of arguments, as vaccel_genop() does:
// the first one to read is the number, an uint8 or an uint32. It is for programs that
// learn at run time which operations there are.
func (s *Session) RunAny(ctx context.Context, read, write []Arg) error {
	c, err := s.begin(ctx, "genop")
	if err != nil {
		return err
	}
	args := new(C.struct_any_args)
	args.read, args.nr_read = c.lendArgs(read, in)
	args.write, args.nr_write = c.lendArgs(write, inout)
	c.args = unsafe.Pointer(args)
	return c.perform(ctx, "genop")
}
