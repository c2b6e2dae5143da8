// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"reflect"
	"testing"

	"vaccel"
)

// names are those of all operations that are without effect on this machine.
var names = []string{
	"noop", "image_classify", "image_classify_top", "image_detect_boxes", "image_segment_mask", "image_pose_points",
	"image_depth_map", "tf_model_run", "tflite_model_run", "torch_model_run", "torch_sgemm", "onnx_model_run",
	"blas_sgemm", "fpga_arraycopy", "fpga_mmult", "fpga_parallel", "fpga_vectoradd", "minmax", "opencv",
}

// source gives values out of the bytes of an input, and zeros when these are used up.
type source struct{ data []byte }

func (s *source) next(size int) uint64 {
	value := uint64(0)
	for i := 0; i < size && len(s.data) > 0; i++ {
		value, s.data = value<<8|uint64(s.data[0]), s.data[1:]
	}
	return value
}

// fill gives an argument any value of its type.
func (s *source) fill(to reflect.Value, model *vaccel.Resource) {
	switch to.Kind() {
	case reflect.Slice:
		if number := int(s.next(1) % 8); number < 7 {
			to.Set(reflect.MakeSlice(to.Type(), number, number))
			for i := 0; i < number; i++ {
				s.fill(to.Index(i), model)
			}
		}
	case reflect.Struct:
		for i := 0; i < to.NumField(); i++ {
			s.fill(to.Field(i), model)
		}
	case reflect.String:
		to.SetString(string([]byte{byte(s.next(1)), byte(s.next(1))}))
	case reflect.Pointer:
		if s.next(1)%2 == 0 {
			to.Set(reflect.ValueOf(model))
		}
	case reflect.Float32, reflect.Float64:
		to.SetFloat(float64(int8(s.next(1))))
	default:
		s.number(to)
	}
}

// number gives an integer any value, mostly a small one.
func (s *source) number(to reflect.Value) {
	small := s.next(1)%4 > 0
	switch {
	case to.CanInt() && small:
		to.SetInt(int64(int8(s.next(1))))
	case to.CanInt():
		to.SetInt(int64(s.next(int(to.Type().Size()))))
	case small:
		to.SetUint(s.next(1))
	default:
		to.SetUint(s.next(int(to.Type().Size())))
	}
}

// FuzzRun runs operations with any arguments: they work or fail in words.
func FuzzRun(f *testing.F) {
	for i := range names {
		f.Add([]byte{byte(i), 3, 0, 1, 2, 3, 3, 4, 5, 6, 0, 0})
	}
	session := openWith(f, "cpu:noop")
	model := register(f, session, digits)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := source{data}
		op := vaccel.NewOp(names[int(s.next(1))%len(names)])
		s.fill(reflect.ValueOf(op).Elem(), model)
		if err := session.Run(background, op); err != nil && err.Error() == "vaccel: " {
			t.Error("an error without words")
		}
	})
}
