// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import "unsafe"

// RawTensor is a tensor as operations carry it: its type is a number of the framework
// whose operation it is, its data are bytes without gaps, the last dimension running
// fastest.
type RawTensor struct {
	Type int32
	Dims []int64
	Data []byte
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
