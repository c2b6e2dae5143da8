// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import (
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// Float16 is the bits of a half-precision number.
type Float16 uint16

// BFloat16 is the bits of a float32 without its lower half.
type BFloat16 uint16

// Element is what a tensor may be made of.
type Element interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		bool | complex64 | complex128 | Float16 | BFloat16
}

// Tensor is an array of any number of dimensions, the last one running fastest.
type Tensor[T Element] struct {
	Dims []int64
	Data []T
}

// NewTensor makes a tensor of data, which it does not copy. Without dims it is a scalar.
func NewTensor[T Element](data []T, dims ...int64) *Tensor[T] {
	return &Tensor[T]{dims, data}
}

// AnyTensor is a *[Tensor] of any element, or a *[RawTensor] where Go has no such
// element.
type AnyTensor interface {
	raw(framework) (RawTensor, error)
}

// TensorOf is a tensor whose elements are known to be of one type.
func TensorOf[T Element](tensor AnyTensor) (*Tensor[T], error) {
	if typed, ok := tensor.(*Tensor[T]); ok {
		return typed, nil
	}
	return nil, &Error{ErrInvalid, fmt.Sprintf("the tensor is a %T; ask for that", tensor)}
}

// RawTensor is a tensor as operations carry it: its type is a number of the framework
// whose operation it is, its data are bytes without gaps.
type RawTensor struct {
	Type int32
	Dims []int64
	Data []byte
}

// framework says whose numbers stand for types.
type framework int

const (
	onnx framework = iota
	tf
	tflite
	torch
	frameworks
)

// element is how frameworks see a type of Go.
type element struct {
	numbers [frameworks]int32 // 0 where a framework has no such type
	size    int
	typed   func(RawTensor) AnyTensor
}

func elementOf[T Element](onnx, tf, tflite, torch int32) element {
	return element{
		numbers: [frameworks]int32{onnx, tf, tflite, torch},
		size:    int(unsafe.Sizeof(*new(T))),
		typed: func(raw RawTensor) AnyTensor {
			first := (*T)(unsafe.Pointer(unsafe.SliceData(raw.Data)))
			return &Tensor[T]{raw.Dims, unsafe.Slice(first, len(raw.Data)/int(unsafe.Sizeof(*first)))}
		},
	}
}

var elements = map[reflect.Type]element{
	reflect.TypeFor[float32]():    elementOf[float32](C.VACCEL_TENSOR_FLOAT, C.VACCEL_TF_FLOAT, C.VACCEL_TFLITE_FLOAT32, C.VACCEL_TORCH_FLOAT),
	reflect.TypeFor[float64]():    elementOf[float64](C.VACCEL_TENSOR_DOUBLE, C.VACCEL_TF_DOUBLE, C.VACCEL_TFLITE_FLOAT64, C.VACCEL_TORCH_DOUBLE),
	reflect.TypeFor[int8]():       elementOf[int8](C.VACCEL_TENSOR_INT8, C.VACCEL_TF_INT8, C.VACCEL_TFLITE_INT8, C.VACCEL_TORCH_CHAR),
	reflect.TypeFor[int16]():      elementOf[int16](C.VACCEL_TENSOR_INT16, C.VACCEL_TF_INT16, C.VACCEL_TFLITE_INT16, C.VACCEL_TORCH_SHORT),
	reflect.TypeFor[int32]():      elementOf[int32](C.VACCEL_TENSOR_INT32, C.VACCEL_TF_INT32, C.VACCEL_TFLITE_INT32, C.VACCEL_TORCH_INT),
	reflect.TypeFor[int64]():      elementOf[int64](C.VACCEL_TENSOR_INT64, C.VACCEL_TF_INT64, C.VACCEL_TFLITE_INT64, C.VACCEL_TORCH_LONG),
	reflect.TypeFor[uint8]():      elementOf[uint8](C.VACCEL_TENSOR_UINT8, C.VACCEL_TF_UINT8, C.VACCEL_TFLITE_UINT8, C.VACCEL_TORCH_BYTE),
	reflect.TypeFor[uint16]():     elementOf[uint16](C.VACCEL_TENSOR_UINT16, C.VACCEL_TF_UINT16, C.VACCEL_TFLITE_UINT16, 0),
	reflect.TypeFor[uint32]():     elementOf[uint32](C.VACCEL_TENSOR_UINT32, C.VACCEL_TF_UINT32, C.VACCEL_TFLITE_UINT32, 0),
	reflect.TypeFor[uint64]():     elementOf[uint64](C.VACCEL_TENSOR_UINT64, C.VACCEL_TF_UINT64, C.VACCEL_TFLITE_UINT64, 0),
	reflect.TypeFor[bool]():       elementOf[bool](C.VACCEL_TENSOR_BOOL, C.VACCEL_TF_BOOL, C.VACCEL_TFLITE_BOOL, C.VACCEL_TORCH_BOOL),
	reflect.TypeFor[complex64]():  elementOf[complex64](C.VACCEL_TENSOR_COMPLEX64, C.VACCEL_TF_COMPLEX64, C.VACCEL_TFLITE_COMPLEX64, 0),
	reflect.TypeFor[complex128](): elementOf[complex128](C.VACCEL_TENSOR_COMPLEX128, C.VACCEL_TF_COMPLEX128, C.VACCEL_TFLITE_COMPLEX128, 0),
	reflect.TypeFor[Float16]():    elementOf[Float16](C.VACCEL_TENSOR_FLOAT16, C.VACCEL_TF_HALF, C.VACCEL_TFLITE_FLOAT16, C.VACCEL_TORCH_HALF),
	reflect.TypeFor[BFloat16]():   elementOf[BFloat16](C.VACCEL_TENSOR_BFLOAT16, C.VACCEL_TF_BFLOAT16, 0, C.VACCEL_TORCH_BFLOAT16),
}

// count is how many elements there are; -1 if that is no number.
func count(dims []int64) int64 {
	number := int64(1)
	for _, dim := range dims {
		if dim < 0 || (dim > 0 && number > math.MaxInt64/dim) {
			return -1
		}
		number *= dim
	}
	return number
}

func (t *Tensor[T]) raw(f framework) (RawTensor, error) {
	number := elements[reflect.TypeFor[T]()].numbers[f]
	if number == 0 {
		return RawTensor{}, &Error{ErrInvalid, fmt.Sprintf("the framework has no tensors of %T", *new(T))}
	}
	if wanted := count(t.Dims); wanted != int64(len(t.Data)) {
		return RawTensor{}, &Error{ErrInvalid, fmt.Sprintf("a tensor of dimensions %v has %d elements", t.Dims, len(t.Data))}
	}
	return RawTensor{number, t.Dims, bytesOf(t.Data)}, nil
}

func (t *RawTensor) raw(framework) (RawTensor, error) { return *t, nil }

// typed is a tensor that a framework has made, as one of Go.
func (t RawTensor) typed(f framework) (AnyTensor, error) {
	if t.Type == 0 { // which numbers take for none
		return &t, nil
	}
	for kind, element := range elements {
		if element.numbers[f] != t.Type {
			continue
		}
		wanted := count(t.Dims)
		if wanted < 0 || wanted > math.MaxInt64/int64(element.size) || wanted*int64(element.size) != int64(len(t.Data)) {
			return nil, &Error{ErrBackend, fmt.Sprintf(
				"the backend made a tensor of %v %v that has %d bytes", t.Dims, kind, len(t.Data))}
		}
		if kind.Kind() == reflect.Bool {
			// A bool of Go is 0 or 1, whatever others take for true.
			for i, b := range t.Data {
				t.Data[i] = min(b, 1)
			}
		}
		return element.typed(t), nil
	}
	return &t, nil
}

// rawTensors are tensors for a framework.
func rawTensors(tensors []AnyTensor, f framework) ([]RawTensor, error) {
	raw := make([]RawTensor, len(tensors))
	for i, tensor := range tensors {
		if tensor == nil || reflect.ValueOf(tensor).IsNil() {
			return nil, &Error{ErrInvalid, fmt.Sprintf("tensor %d is nil", i)}
		}
		var err error
		if raw[i], err = tensor.raw(f); err != nil {
			return nil, fmt.Errorf("tensor %d: %w", i, err)
		}
	}
	return raw, nil
}

// typedTensors are tensors of a framework.
func typedTensors(raw []RawTensor, f framework) ([]AnyTensor, error) {
	tensors := make([]AnyTensor, len(raw))
	for i := range raw {
		var err error
		if tensors[i], err = raw[i].typed(f); err != nil {
			return nil, err
		}
	}
	return tensors, nil
}

// lendTensors gives C tensors.
func (c *call) lendTensors(tensors []RawTensor) (*C.struct_vaccel_tensor, C.size_t) {
	if len(tensors) == 0 {
		return nil, 0
	}
	lent := make([]C.struct_vaccel_tensor, len(tensors))
	for i, tensor := range tensors {
		lent[i] = C.struct_vaccel_tensor{
			data: lend(c, tensor.Data, in), size: C.size_t(len(tensor.Data)),
			dims: (*C.int64_t)(lend(c, tensor.Dims, in)), nr_dims: C.size_t(len(tensor.Dims)),
			data_type: C.int32_t(tensor.Type),
		}
	}
	return pin(c, &lent[0]), C.size_t(len(lent))
}

// lendTensorRoom gives C room for tensors, which it makes itself.
func (c *call) lendTensorRoom(tensors []RawTensor) (*C.struct_vaccel_tensor, C.size_t) {
	if len(tensors) == 0 {
		return nil, 0
	}
	room := make([]C.struct_vaccel_tensor, len(tensors))
	c.after = append(c.after, func(keep bool) {
		for i := range room {
			if keep {
				tensors[i] = RawTensor{
					Type: int32(room[i].data_type),
					Dims: copied[int64](unsafe.Pointer(room[i].dims), room[i].nr_dims),
					Data: copied[byte](room[i].data, room[i].size),
				}
			}
			C.vaccel_tensor_release(&room[i])
		}
	})
	return pin(c, &room[0]), C.size_t(len(room))
}
