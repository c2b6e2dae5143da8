// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"vaccel"
)

const digits = "../../models/digits/"

var background = context.Background()

func open(t testing.TB, options ...vaccel.Option) *vaccel.Session {
	t.Helper()
	session, err := vaccel.NewSession(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// openWith opens a session of a library with these plugins, until the test ends.
func openWith(t testing.TB, plugins string) *vaccel.Session {
	t.Helper()
	if err := vaccel.Open(vaccel.Config{Plugins: plugins}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := vaccel.OpenFromEnvironment(); err != nil {
			t.Error(err)
		}
	})
	return open(t)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// register makes a model and registers it, until the test ends.
func register(t testing.TB, session *vaccel.Session, paths ...string) *vaccel.Resource {
	t.Helper()
	model, err := vaccel.NewResource(vaccel.Model, paths...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	if err := session.Register(model); err != nil {
		t.Fatal(err)
	}
	return model
}

// offered skips a test if nobody here does what it is about.
func offered(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, vaccel.ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inEveryContext runs a test without and with a context that can end.
func inEveryContext(t *testing.T, test func(t *testing.T, ctx context.Context)) {
	t.Run("lent", func(t *testing.T) { test(t, background) })
	t.Run("apart", func(t *testing.T) {
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		test(t, ctx)
	})
}

func TestClassify(t *testing.T) {
	session := open(t)
	register(t, session, digits)
	picture := read(t, digits+"images/seven.png")
	inEveryContext(t, func(t *testing.T, ctx context.Context) {
		best, err := session.Classify(ctx, picture)
		offered(t, err)
		if best.Label != "seven" || best.Probability < 0.99 {
			t.Error(best)
		}
		top, err := session.ClassifyTop(ctx, picture, 3)
		if err != nil || len(top) != 3 || top[0] != best {
			t.Error(top, err)
		}
		op := vaccel.ImageClassifyOp{Image: picture, Text: make(vaccel.Text, 12)}
		if err := session.Run(ctx, &op); err != nil || !strings.HasPrefix(op.Text.String(), "99.") || len(op.Text.String()) != 11 {
			t.Errorf("%q %v", op.Text, err)
		}
	})
}

func TestArrays(t *testing.T) {
	session := open(t)
	inEveryContext(t, func(t *testing.T, ctx context.Context) {
		add := vaccel.FPGAVectoraddOp{A: []float32{1, 2, 3}, B: []float32{10, 20, 30}, C: make([]float32, 3)}
		if err := session.Run(ctx, &add); err != nil || fmt.Sprint(add.C) != "[11 22 33]" {
			t.Error(add.C, err)
		}
		between := vaccel.MinmaxOp{Samples: []float64{5, -7, 2, 100}, N: 4, Low: -10, High: 10, Out: make([]float64, 4)}
		if err := session.Run(ctx, &between); err != nil || between.Min != -7 || between.Max != 5 {
			t.Error(between, err)
		}
		c := vaccel.NewMatrix(2, 2, []float32{1, 1, 1, 1})
		err := session.Sgemm(ctx, 1, vaccel.NewMatrix(2, 1, []float32{1, 2}), vaccel.NewMatrix(1, 2, []float32{3, 4}), 10, c)
		if err != nil || fmt.Sprint(c.Data) != "[13 14 16 18]" || c.At(1, 0) != 16 {
			t.Error(c, err)
		}
		err = session.Sgemm(ctx, 1, vaccel.NewMatrix(2, 3, nil), vaccel.NewMatrix(2, 3, nil), 0, c)
		if !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), "2×3 times 2×3 is not 2×2") {
			t.Error(err)
		}
	})
}

func TestExec(t *testing.T) {
	functions := os.Getenv("TEST_FUNCTIONS")
	if functions == "" {
		t.Skip("TEST_FUNCTIONS names no libfunctions.so")
	}
	session := open(t)
	inEveryContext(t, func(t *testing.T, ctx context.Context) {
		var mean float64
		samples := vaccel.ArgOfSlice([]float64{1.5, 2.5, 3, 5})
		err := session.Exec(ctx, functions, "mean", []vaccel.Arg{samples}, []vaccel.Arg{vaccel.ArgOf(&mean)})
		offered(t, err)
		if mean != 3 {
			t.Error(mean)
		}
		room := []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 100))}
		err = session.Exec(ctx, functions, "upper", []vaccel.Arg{vaccel.ArgOfString("loud")}, room)
		if err != nil || string(room[0].Data) != "LOUD\x00" {
			t.Errorf("%q %v", room[0].Data, err)
		}

		library, err := vaccel.NewResource(vaccel.Library, functions)
		if err != nil {
			t.Fatal(err)
		}
		defer library.Close()
		mean = 0
		run := func() error {
			return session.ExecWithResource(ctx, library, "mean", []vaccel.Arg{samples}, []vaccel.Arg{vaccel.ArgOf(&mean)})
		}
		if err := run(); !errors.Is(err, vaccel.ErrPermission) {
			t.Error("not registered:", err)
		}
		if err := session.Register(library); err != nil {
			t.Fatal(err)
		}
		if err := run(); err != nil || mean != 3 {
			t.Error(mean, err)
		}
		if !session.Has(library) || session.Unregister(library) != nil || session.Has(library) {
			t.Error("it is not as it is said to be")
		}
	})
}

func TestAnyOperation(t *testing.T) {
	session := open(t)
	inEveryContext(t, func(t *testing.T, ctx context.Context) {
		number := uint8(21)
		sum := make([]float32, 2)
		err := session.RunAny(ctx,
			[]vaccel.Arg{vaccel.ArgOf(&number), vaccel.ArgOfSlice([]float32{1, 2}), vaccel.ArgOfSlice([]float32{3, 4})},
			[]vaccel.Arg{vaccel.ArgOfSlice(sum)})
		if err != nil || sum[0] != 4 || sum[1] != 6 {
			t.Error(sum, err)
		}
		if err := session.RunAny(ctx, nil, nil); !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
	})
}

func TestErrors(t *testing.T) {
	session := open(t)
	_, err := session.Classify(background, []byte("no picture"))
	var failure *vaccel.Error
	if !errors.As(err, &failure) || failure.Words == "" || failure.Code == 0 {
		t.Errorf("%#v", err)
	}
	_, err = vaccel.NewResource(vaccel.Model, "/no/such/model")
	if !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), "/no/such/model") {
		t.Error(err)
	}
	if !errors.Is(vaccel.ErrNotFound, fs.ErrNotExist) || !errors.Is(vaccel.ErrPermission, syscall.EPERM) ||
		errors.Is(vaccel.ErrNotFound, vaccel.ErrInvalid) || !errors.Is(vaccel.ErrNotSupported, errors.ErrUnsupported) {
		t.Error("codes are not the errno of their number")
	}
	if !vaccel.ErrTimedOut.Timeout() || vaccel.ErrSession.String() != "VACCEL_ESESS" {
		t.Error(vaccel.ErrSession)
	}
}

// What C would take for the end of a text is refused before it.
func TestTextsWithNUL(t *testing.T) {
	session := open(t)
	for _, err := range []error{
		session.Exec(background, "a\x00b", "f", nil, nil),
		vaccel.Open(vaccel.Config{Plugins: "a\x00b"}),
		func() error { _, err := vaccel.NewResource(vaccel.Data, "vaccel_test.go", "a\x00b"); return err }(),
		func() error { _, err := vaccel.NewResourceFromBytes(vaccel.Data, []byte{1}, "a\x00b"); return err }(),
	} {
		if !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), "NUL") {
			t.Error(err)
		}
	}
}

// The words of an error are those of the call that failed, whatever other goroutines do.
func TestWordsAreOwn(t *testing.T) {
	session := open(t)
	var all sync.WaitGroup
	for i := 0; i < 16; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := 0; j < 200; j++ {
				name := fmt.Sprintf("/no/such/%d-%d", i, j)
				if _, err := vaccel.NewResource(vaccel.Data, name); err == nil || !strings.Contains(err.Error(), name) {
					t.Error(name, err)
					return
				}
				if err := session.Run(background, &vaccel.NoopOp{}); err != nil && !errors.Is(err, vaccel.ErrNotSupported) {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
}

func TestResourceOfBytes(t *testing.T) {
	session := open(t)
	content := read(t, digits+"model.onnx")
	model, err := vaccel.NewResourceFromBytes(vaccel.Model, content, "model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	if err := session.Register(model); err != nil {
		t.Fatal(err)
	}
	if err := session.Sync(model); err != nil || !bytes.Equal(model.Bytes(), content) {
		t.Error(err)
	}
	if model.ID() < 1 || (session.IsRemote() && model.RemoteID() < 1) {
		t.Error(model.ID(), model.RemoteID())
	}
	for _, bad := range [][]byte{nil, {}} {
		if _, err := vaccel.NewResourceFromBytes(vaccel.Model, bad, ""); !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
	}
	if _, err := vaccel.NewResource(vaccel.Model); !errors.Is(err, vaccel.ErrInvalid) {
		t.Error(err)
	}
	if register(t, session, digits).Bytes() != nil {
		t.Error("a resource from paths has bytes of its own")
	}
}

func TestSession(t *testing.T) {
	session := openWith(t, "noop:cpu")
	if session.ID() < 1 || session.IsRemote() || session.RemoteID() != 0 || session.Flags() != 0 || session.Plugin() != "noop" {
		t.Error(session.ID(), session.IsRemote(), session.RemoteID(), session.Flags(), session.Plugin())
	}
	if err := session.Update(vaccel.CPU); err != nil || session.Plugin() != "cpu" || session.Flags() != vaccel.CPU {
		t.Error(err, session.Plugin())
	}
	if other := open(t, vaccel.WithFlags(vaccel.Debug)); other.Plugin() != "noop" {
		t.Error(other.Plugin())
	}
	if _, err := vaccel.NewSession(vaccel.WithFlags(vaccel.Remote)); !errors.Is(err, vaccel.ErrNotSupported) {
		t.Error(err)
	}
	if err := vaccel.Open(vaccel.Config{}); !errors.Is(err, vaccel.ErrBusy) {
		t.Error("the library was taken away from a session:", err)
	}
}

func TestBadConfiguration(t *testing.T) {
	defer vaccel.OpenFromEnvironment()
	if err := vaccel.Open(vaccel.Config{Plugins: "no-such-plugin"}); !errors.Is(err, vaccel.ErrNotFound) {
		t.Error(err)
	}
	if err := vaccel.Open(vaccel.Config{LogLevel: 17}); !errors.Is(err, vaccel.ErrInvalid) {
		t.Error(err)
	}
	if err := vaccel.Close(); err != nil {
		t.Error(err)
	}
	if _, err := vaccel.NewSession(); !errors.Is(err, vaccel.ErrSession) {
		t.Error(err)
	}
}

func TestNewOp(t *testing.T) {
	if _, ok := vaccel.NewOp("onnx_model_run").(*vaccel.ONNXModelRunOp); !ok || vaccel.NewOp("no such") != nil {
		t.Error("operations are not found by their names")
	}
}

func TestEveryOperationHasAnExample(t *testing.T) {
	examples := string(read(t, "example_test.go"))
	for _, found := range regexp.MustCompile(`(?m)^type (\w+Op) struct`).FindAllStringSubmatch(string(read(t, "ops_gen.go")), -1) {
		if !strings.Contains(examples, "func Example"+found[1]+"()") {
			t.Error("there is none of", found[1])
		}
	}
}
