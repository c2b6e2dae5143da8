// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"vaccel"
)

// begin opens a session for an example; what it returns ends it. The plugin noop answers
// any operation, without doing it.
func begin(plugins string) (*vaccel.Session, func()) {
	if err := vaccel.Open(vaccel.Config{Plugins: plugins}); err != nil {
		log.Fatal(err)
	}
	session, err := vaccel.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	return session, func() {
		session.Close()
		vaccel.OpenFromEnvironment()
	}
}

// beginWith does so with a resource.
func beginWith(kind vaccel.ResourceType) (*vaccel.Session, *vaccel.Resource, func()) {
	session, end := begin("noop")
	resource, err := vaccel.NewResource(kind, "../../models/digits/model.onnx")
	if err == nil {
		err = session.Register(resource)
	}
	if err != nil {
		log.Fatal(err)
	}
	return session, resource, func() {
		resource.Close()
		end()
	}
}

func picture() []byte {
	picture, err := os.ReadFile("../../models/digits/images/seven.png")
	if err != nil {
		log.Fatal(err)
	}
	return picture
}

func Example() {
	// Without this line the environment says which plugins there are.
	if err := vaccel.Open(vaccel.Config{Plugins: "noop"}); err != nil {
		log.Fatal(err)
	}
	session, err := vaccel.NewSession(vaccel.WithFlags(vaccel.GPU))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	best, err := session.Classify(ctx, picture())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f%% %s\n", 100*best.Probability, best.Label)
	// Output: 100% This is a dummy classification tag!
}

func ExampleError() {
	_, err := vaccel.NewResource(vaccel.Model, "/no/such/model.onnx")
	fmt.Println(errors.Is(err, vaccel.ErrInvalid))
	fmt.Println(err)
	// Output:
	// true
	// vaccel: there is no '/no/such/model.onnx': No such file or directory
}

func ExampleSession_Run() {
	session, end := begin("cpu")
	defer end()
	add := vaccel.FPGAVectoraddOp{A: []float32{1, 2, 3}, B: []float32{10, 20, 30}, C: make([]float32, 3)}
	err := session.Run(context.Background(), &add)
	fmt.Println(add.C, err)
	// Output: [11 22 33] <nil>
}

func ExampleSession_RunAny() {
	session, end := begin("cpu")
	defer end()
	number, sums := uint8(21), make([]float32, 2)
	read := []vaccel.Arg{vaccel.ArgOf(&number), vaccel.ArgOfSlice([]float32{1, 2}), vaccel.ArgOfSlice([]float32{3, 4})}
	err := session.RunAny(context.Background(), read, []vaccel.Arg{vaccel.ArgOfSlice(sums)})
	fmt.Println(sums, err)
	// Output: [4 6] <nil>
}

func ExampleSession_Sgemm() {
	session, end := begin("cpu")
	defer end()
	a := vaccel.NewMatrix(2, 3, []float32{1, 2, 3, 4, 5, 6})
	b := vaccel.NewMatrix(3, 1, []float32{1, 0, -1})
	c := vaccel.NewMatrix(2, 1, nil)
	err := session.Sgemm(context.Background(), 1, a, b, 0, c)
	fmt.Println(c.Data, err)
	// Output: [-2 -2] <nil>
}

func ExampleSession_Exec() {
	session, end := begin("noop")
	defer end()
	// A library of one's own has int mean(struct vaccel_arg *read, size_t nr_read, …).
	var mean float64
	err := session.Exec(context.Background(), "libmine.so", "mean",
		[]vaccel.Arg{vaccel.ArgOfSlice([]float64{1.5, 2.5})}, []vaccel.Arg{vaccel.ArgOf(&mean)})
	fmt.Println(mean, err)
	// Output: 0 <nil>
}

func ExampleSession_RunONNX() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	pixels := vaccel.NewTensor(make([]float32, 3*8*8), 1, 3, 8, 8)
	outputs, err := session.RunONNX(context.Background(), model, []vaccel.AnyTensor{pixels}, 1)
	if err != nil {
		log.Fatal(err)
	}
	scores, err := vaccel.TensorOf[float32](outputs[0])
	// The plugin noop gives its input back.
	fmt.Println(scores.Dims, err)
	// Output: [1 3 8 8] <nil>
}

func ExampleSession_RunTF() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	inputs := map[vaccel.TFNode]vaccel.AnyTensor{{Name: "x"}: vaccel.NewTensor([]float32{1, 2}, 2)}
	outputs, err := session.RunTF(context.Background(), model, inputs, vaccel.TFNode{Name: "y"})
	if err != nil {
		log.Fatal(err)
	}
	switch y := outputs[0].(type) {
	case *vaccel.Tensor[float32]:
		fmt.Println("floats", y.Data)
	case *vaccel.Tensor[int64]:
		fmt.Println("integers", y.Data)
	}
	// Output: floats [1 2]
}

func ExampleSession_RunTFLite() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	input := vaccel.NewTensor([]uint8{1, 2, 3, 4}, 2, 2)
	outputs, err := session.RunTFLite(context.Background(), model, []vaccel.AnyTensor{input}, 1)
	fmt.Println(outputs[0], err)
	// Output: &{[2 2] [1 2 3 4]} <nil>
}

func ExampleSession_RunTorch() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	input := vaccel.NewTensor([]float64{0.5}) // a scalar
	outputs, err := session.RunTorch(context.Background(), model, []vaccel.AnyTensor{vaccel.NewTensor([]int32{7}, 1), input}, 2)
	fmt.Println(outputs[0], err)
	// Output: &{[1] [7]} <nil>
}

// Each operation as it is in `vaccel ops`.

func ExampleNoopOp() {
	session, end := begin("noop")
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.NoopOp{}))
	// Output: <nil>
}

func ExampleExecOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ExecOp{
		Library: "libmine.so", Symbol: "function",
		Read:  []vaccel.Arg{vaccel.ArgOfBytes([]byte("copied"))},
		Write: []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 6))},
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(string(op.Write[0].Data), err)
	// Output: copied <nil>
}

func ExampleExecWithResourceOp() {
	session, library, end := beginWith(vaccel.Library)
	defer end()
	op := vaccel.ExecWithResourceOp{
		Library: library, Symbol: "function",
		Read:  []vaccel.Arg{vaccel.ArgOfString("text")},
		Write: []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 5))},
	}
	err := session.Run(context.Background(), &op)
	fmt.Printf("%q %v\n", op.Write[0].Data, err)
	// Output: "text\x00" <nil>
}

func ExampleImageClassifyOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageClassifyOp{Image: picture(), Text: make(vaccel.Text, 100)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Text, err)
	// Output: This is a dummy classification tag! <nil>
}

func ExampleImageDetectOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageDetectOp{Image: picture(), Imgname: make(vaccel.Text, 4096)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Imgname, err)
	// Output: This is a dummy imgname! <nil>
}

func ExampleImageSegmentOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageSegmentOp{Image: picture(), Imgname: make(vaccel.Text, 4096)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Imgname, err)
	// Output: This is a dummy imgname! <nil>
}

func ExampleImagePoseOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImagePoseOp{Image: picture(), Imgname: make(vaccel.Text, 4096)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Imgname, err)
	// Output: This is a dummy imgname! <nil>
}

func ExampleImageDepthOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageDepthOp{Image: picture(), Imgname: make(vaccel.Text, 4096)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Imgname, err)
	// Output: This is a dummy imgname! <nil>
}

func ExampleTFModelLoadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	op := vaccel.TFModelLoadOp{Model: model}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Status, err)
	// Output: 0 <nil>
}

func ExampleTFModelUnloadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	op := vaccel.TFModelUnloadOp{Model: model}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Status, err)
	// Output: 0 <nil>
}

func ExampleTFModelRunOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	const floats = 1 // TF_FLOAT
	op := vaccel.TFModelRunOp{
		Model:   model,
		InNodes: []vaccel.TFNode{{Name: "x"}}, OutNodes: []vaccel.TFNode{{Name: "y", ID: 0}},
		In:  []vaccel.RawTensor{{Type: floats, Dims: []int64{1}, Data: make([]byte, 4)}},
		Out: make([]vaccel.RawTensor, 1),
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out[0].Dims, op.Status, err)
	// Output: [1] 0 <nil>
}

func ExampleTFLiteModelLoadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.TFLiteModelLoadOp{Model: model}))
	// Output: <nil>
}

func ExampleTFLiteModelUnloadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.TFLiteModelUnloadOp{Model: model}))
	// Output: <nil>
}

func ExampleTFLiteModelRunOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	const bytes = 3 // kTfLiteUInt8
	op := vaccel.TFLiteModelRunOp{
		Model: model,
		In:    []vaccel.RawTensor{{Type: bytes, Dims: []int64{2}, Data: []byte{1, 2}}},
		Out:   make([]vaccel.RawTensor, 1),
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out[0].Data, op.Status, err)
	// Output: [1 2] 0 <nil>
}

func ExampleTorchModelLoadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.TorchModelLoadOp{Model: model}))
	// Output: <nil>
}

func ExampleTorchModelRunOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	const bytes = 1 // VACCEL_TORCH_BYTE
	op := vaccel.TorchModelRunOp{
		Model: model,
		In:    []vaccel.RawTensor{{Type: bytes, Dims: []int64{2}, Data: []byte{1, 2}}},
		Out:   make([]vaccel.RawTensor, 1),
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out[0].Data, err)
	// Output: [1 2] <nil>
}

func ExampleTorchSgemmOp() {
	session, end := begin("noop")
	defer end()
	const floats = 7 // VACCEL_TORCH_FLOAT
	one := vaccel.RawTensor{Type: floats, Dims: []int64{1, 1}, Data: make([]byte, 4)}
	op := vaccel.TorchSgemmOp{In: []vaccel.RawTensor{one, one, one}, M: 1, N: 1, K: 1, Out: make([]vaccel.RawTensor, 1)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out[0].Dims, err)
	// Output: [1 1] <nil>
}

func ExampleBLASSgemmOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.BLASSgemmOp{
		M: 1, N: 1, K: 2, Alpha: 1,
		A: []float32{1, 2}, Lda: 2, B: []float32{3, 4}, Ldb: 1, C: make([]float32, 1), Ldc: 1,
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.C, err)
	// Output: [11] <nil>
}

func ExampleFPGAArraycopyOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.FPGAArraycopyOp{A: []int32{1, 2, 3}, Out: make([]int32, 3)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out, err)
	// Output: [1 2 3] <nil>
}

func ExampleFPGAMmultOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.FPGAMmultOp{A: []float32{1, 2, 3, 4}, B: []float32{0, 1, 1, 0}, C: make([]float32, 4)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.C, err)
	// Output: [2 1 4 3] <nil>
}

func ExampleFPGAParallelOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.FPGAParallelOp{
		A: []float32{1, 2}, B: []float32{3, 4}, Sum: make([]float32, 2), Product: make([]float32, 2),
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Sum, op.Product, err)
	// Output: [4 6] [3 8] <nil>
}

func ExampleFPGAVectoraddOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.FPGAVectoraddOp{A: []float32{1, 2}, B: []float32{3, 4}, C: make([]float32, 2)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.C, err)
	// Output: [4 6] <nil>
}

func ExampleMinmaxOp() {
	session, end := begin("cpu")
	defer end()
	op := vaccel.MinmaxOp{Samples: []float64{5, -70, 2, 100}, N: 4, Low: -10, High: 10, Out: make([]float64, 4)}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Min, op.Max, err)
	// Output: 2 5 <nil>
}

func ExampleOpenCVOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.OpenCVOp{Read: []vaccel.Arg{vaccel.ArgOfBytes([]byte{1})}, Write: []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 1))}}
	fmt.Println(session.Run(context.Background(), &op))
	// Output: <nil>
}

func ExampleONNXModelLoadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.ONNXModelLoadOp{Model: model}))
	// Output: <nil>
}

func ExampleONNXModelUnloadOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	fmt.Println(session.Run(context.Background(), &vaccel.ONNXModelUnloadOp{Model: model}))
	// Output: <nil>
}

func ExampleONNXModelRunOp() {
	session, model, end := beginWith(vaccel.Model)
	defer end()
	const float8 = 17 // FLOAT8E4M3FN, for which Go has no type
	op := vaccel.ONNXModelRunOp{
		Model:   model,
		InNames: []vaccel.ONNXName{{Name: "x"}}, OutNames: []vaccel.ONNXName{{Name: "y"}},
		In:  []vaccel.RawTensor{{Type: float8, Dims: []int64{3}, Data: []byte{1, 2, 3}}},
		Out: make([]vaccel.RawTensor, 1),
	}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Out[0], err)
	// Output: {17 [3] [1 2 3]} <nil>
}

func ExampleImageClassifyTopOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageClassifyTopOp{Image: picture(), K: 3}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Top, err)
	// Output: [{0 1 This is a dummy classification tag!}] <nil>
}

func ExampleImageDetectBoxesOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageDetectBoxesOp{Image: picture()}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Boxes, err)
	// Output: [{0 1 0 0 1 1 This is a dummy classification tag!}] <nil>
}

func ExampleImageSegmentMaskOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageSegmentMaskOp{Image: picture()}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Width, op.Height, op.Mask, op.Areas, err)
	// Output: 1 1 [0] [{0 1 This is a dummy classification tag!}] <nil>
}

func ExampleImagePosePointsOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImagePosePointsOp{Image: picture()}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Points, err)
	// Output: [{0 0 0 0 1 This is a dummy classification tag!}] <nil>
}

func ExampleImageDepthMapOp() {
	session, end := begin("noop")
	defer end()
	op := vaccel.ImageDepthMapOp{Image: picture()}
	err := session.Run(context.Background(), &op)
	fmt.Println(op.Width, op.Height, op.Depth, err)
	// Output: 1 1 [0] <nil>
}
