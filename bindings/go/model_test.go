// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaccel"
)

const models = "../../tests/data/models/"

// Each framework has a model that adds and subtracts.
func TestPair(t *testing.T) {
	type tensors = []vaccel.AnyTensor
	for _, framework := range []struct {
		name, file string
		load       func(*vaccel.Resource) vaccel.Op
		run        func(context.Context, *vaccel.Session, *vaccel.Resource, tensors) (tensors, error)
	}{
		{
			"ONNX", "pair.onnx",
			func(model *vaccel.Resource) vaccel.Op { return &vaccel.ONNXModelLoadOp{Model: model} },
			func(ctx context.Context, s *vaccel.Session, model *vaccel.Resource, in tensors) (tensors, error) {
				return s.RunONNX(ctx, model, in, 2)
			},
		},
		{
			"ONNX by name", "pair.onnx",
			func(model *vaccel.Resource) vaccel.Op { return &vaccel.ONNXModelLoadOp{Model: model} },
			func(ctx context.Context, s *vaccel.Session, model *vaccel.Resource, in tensors) (tensors, error) {
				out, err := s.RunONNXByName(ctx, model, map[string]vaccel.AnyTensor{"b": in[1], "a": in[0]}, "difference", "sum")
				slices.Reverse(out)
				return out, err
			},
		},
		{
			"TF", "pair.pb",
			func(model *vaccel.Resource) vaccel.Op { return &vaccel.TFModelLoadOp{Model: model} },
			func(ctx context.Context, s *vaccel.Session, model *vaccel.Resource, in tensors) (tensors, error) {
				inputs := map[vaccel.TFNode]vaccel.AnyTensor{{Name: "a"}: in[0], {Name: "b"}: in[1]}
				return s.RunTF(ctx, model, inputs, vaccel.TFNode{Name: "sum"}, vaccel.TFNode{Name: "difference"})
			},
		},
		{
			"TFLite", "pair.tflite",
			func(model *vaccel.Resource) vaccel.Op { return &vaccel.TFLiteModelLoadOp{Model: model} },
			func(ctx context.Context, s *vaccel.Session, model *vaccel.Resource, in tensors) (tensors, error) {
				return s.RunTFLite(ctx, model, in, 2)
			},
		},
		{
			"Torch", "pair.pt",
			func(model *vaccel.Resource) vaccel.Op { return &vaccel.TorchModelLoadOp{Model: model} },
			func(ctx context.Context, s *vaccel.Session, model *vaccel.Resource, in tensors) (tensors, error) {
				return s.RunTorch(ctx, model, in, 2)
			},
		},
	} {
		t.Run(framework.name, func(t *testing.T) {
			session := open(t)
			model := register(t, session, models+framework.file)
			offered(t, session.Run(background, framework.load(model)))
			in := tensors{vaccel.NewTensor([]float32{1, 2, 3}, 1, 3), vaccel.NewTensor([]float32{10, 20, 30}, 1, 3)}
			inEveryContext(t, func(t *testing.T, ctx context.Context) {
				out, err := framework.run(ctx, session, model, in)
				if err != nil || len(out) != 2 {
					t.Fatal(out, err)
				}
				for i, wanted := range []string{"[11 22 33]", "[-9 -18 -27]"} {
					tensor, err := vaccel.TensorOf[float32](out[i])
					if err != nil || fmt.Sprint(tensor.Data) != wanted || fmt.Sprint(tensor.Dims) != "[1 3]" {
						t.Error(tensor, err)
					}
				}
			})
			wrong := tensors{vaccel.NewTensor([]int64{1, 2, 3}, 1, 3), in[1]}
			if _, err := framework.run(background, session, model, wrong); err == nil {
				t.Error("integers were taken for floats")
			}
		})
	}
}

func TestTensors(t *testing.T) {
	session := open(t)
	model := register(t, session, models+"kinds.onnx")
	in := []vaccel.AnyTensor{
		vaccel.NewTensor([]int64{1, -2, math.MaxInt64}, 3),
		vaccel.NewTensor([]bool{true, false}, 2),
		vaccel.NewTensor([]float64{0.5}),
	}
	out, err := session.RunONNX(background, model, in, 3)
	offered(t, err)
	for i := range in {
		if fmt.Sprint(in[i]) != fmt.Sprint(out[i]) {
			t.Errorf("%v came back as %v", in[i], out[i])
		}
	}
	if _, err := vaccel.TensorOf[float32](out[0]); !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), "int64") {
		t.Error(err)
	}
}

// What is no tensor, or none of the framework's, is refused before it is sent.
func TestBadTensors(t *testing.T) {
	session := open(t)
	model := register(t, session, models+"pair.pt")
	for words, tensor := range map[string]vaccel.AnyTensor{
		"dimensions [2 3] has 5":                   vaccel.NewTensor(make([]float32, 5), 2, 3),
		"dimensions [-1] has 1":                    vaccel.NewTensor(make([]float32, 1), -1),
		"dimensions [] has 0":                      vaccel.NewTensor[float32](nil),
		"has no tensors of complex64":              vaccel.NewTensor(make([]complex64, 1), 1),
		"tensor 0 is nil":                          (*vaccel.Tensor[float32])(nil),
		"dimensions [4611686018427387904 4] has 0": vaccel.NewTensor[int8](nil, 1<<62, 4),
	} {
		_, err := session.RunTorch(background, model, []vaccel.AnyTensor{tensor}, 1)
		if !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), words) {
			t.Error(err)
		}
	}
	if _, err := session.RunTorch(background, model, []vaccel.AnyTensor{nil}, 1); !errors.Is(err, vaccel.ErrInvalid) {
		t.Error(err)
	}
	for _, outputs := range []int{0, -1} {
		if _, err := session.RunTorch(background, model, nil, outputs); err == nil {
			t.Error("nothing was asked for, and came")
		}
	}
}

// What is found in a picture is drawn on it.
func TestPictures(t *testing.T) {
	gathered := os.Getenv("TEST_MODELS")
	if gathered == "" {
		t.Skip("TEST_MODELS names no directory with a model for each task")
	}
	picture := read(t, digits+"images/seven.png")
	find := func(t *testing.T, task string, draw func(context.Context, *vaccel.Session, string) error) {
		t.Run(task, func(t *testing.T) {
			session := open(t)
			register(t, session, filepath.Join(gathered, task))
			inEveryContext(t, func(t *testing.T, ctx context.Context) {
				path := filepath.Join(t.TempDir(), task+".png")
				offered(t, draw(ctx, session, path))
				file, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				if size, err := png.DecodeConfig(file); err != nil || size.Width < 480 {
					t.Error(size, err)
				}
			})
		})
	}
	find(t, "detect", func(ctx context.Context, s *vaccel.Session, path string) error {
		boxes, err := s.Detect(ctx, picture)
		if err != nil {
			return err
		}
		if len(boxes) == 0 || boxes[0].Label != "car" && boxes[0].Label != "person" {
			t.Error(boxes)
		}
		if err := vaccel.DrawBoxes(picture, []vaccel.Box{{Label: "a\x00b"}}, path); !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
		return vaccel.DrawBoxes(picture, boxes, path)
	})
	find(t, "segment", func(ctx context.Context, s *vaccel.Session, path string) error {
		mask, err := s.Segment(ctx, picture)
		if err != nil {
			return err
		}
		if mask.At(0, 0) != mask.Pixels[0] || mask.Areas[0].Pixels == 0 {
			t.Error(mask)
		}
		if err := vaccel.DrawMask(picture, &vaccel.Mask{Width: 2, Height: 2}, path); !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
		return vaccel.DrawMask(picture, mask, path)
	})
	find(t, "pose", func(ctx context.Context, s *vaccel.Session, path string) error {
		points, err := s.Pose(ctx, picture)
		if err != nil {
			return err
		}
		if len(points) == 0 {
			t.Error(points)
		}
		return vaccel.DrawPoints(picture, points, path)
	})
	find(t, "depth", func(ctx context.Context, s *vaccel.Session, path string) error {
		depth, err := s.Depth(ctx, picture)
		if err != nil {
			return err
		}
		if depth.At(0, 0) != depth.Values[0] {
			t.Error(depth)
		}
		if err := vaccel.DrawDepth(picture, &vaccel.DepthMap{Width: -1, Height: -1, Values: make([]float32, 1)}, path); !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
		return vaccel.DrawDepth(picture, depth, path)
	})
}

// The older operation draws by itself, and tells where.
func TestAnnotatedPicture(t *testing.T) {
	gathered := os.Getenv("TEST_MODELS")
	if gathered == "" {
		t.Skip("TEST_MODELS names no directory with a model for each task")
	}
	session := open(t)
	register(t, session, filepath.Join(gathered, "detect"))
	op := vaccel.ImageDetectOp{Image: read(t, digits+"images/seven.png"), Imgname: make(vaccel.Text, 4096)}
	offered(t, session.Run(background, &op))
	if _, err := os.Stat(op.Imgname.String()); err != nil {
		t.Error(err)
	}
}
