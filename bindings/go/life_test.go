// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vaccel"
)

// reopen waits until nothing is left that holds the library.
func reopen(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		err := vaccel.OpenFromEnvironment()
		if err == nil {
			return
		}
		if !errors.Is(err, vaccel.ErrBusy) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestClosed(t *testing.T) {
	session := open(t)
	model := register(t, session, digits)
	if err := model.Close(); err != nil {
		t.Fatal(err)
	}
	if err := session.Run(background, &vaccel.ONNXModelLoadOp{Model: model}); !errors.Is(err, vaccel.ErrInvalid) || !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		session.Close(), session.Run(background, &vaccel.NoopOp{}), session.Update(0),
		session.RunAny(background, nil, nil),
	} {
		if !errors.Is(err, vaccel.ErrSession) {
			t.Error(err)
		}
	}
	other := open(t)
	for _, err := range []error{model.Close(), other.Register(model), other.Unregister(model), other.Sync(model)} {
		if !errors.Is(err, vaccel.ErrInvalid) {
			t.Error(err)
		}
	}
	if session.ID() != 0 || session.Plugin() != "" || model.ID() != 0 || model.Bytes() != nil || other.Has(model) {
		t.Error("something is left")
	}
}

// A library of another version is refused in words, whatever is asked first.
func TestOtherVersion(t *testing.T) {
	if os.Getenv("TEST_OTHER_VERSION") != "" {
		_, noSession := vaccel.NewSession()
		_, noResource := vaccel.NewResource(vaccel.Model, digits)
		for _, err := range []error{
			noSession, noResource, vaccel.Open(vaccel.Config{}), vaccel.OpenFromEnvironment(),
			vaccel.DrawBoxes([]byte{1}, nil, "boxes.png"), vaccel.DrawPoints([]byte{1}, nil, "points.png"),
			vaccel.DrawMask([]byte{1}, &vaccel.Mask{}, "mask.png"), vaccel.DrawDepth([]byte{1}, &vaccel.DepthMap{}, "depth.png"),
		} {
			if !errors.Is(err, vaccel.ErrBadLibrary) || !strings.Contains(err.Error(), "0.8.7") {
				t.Error(err)
			}
		}
		return
	}
	library := t.TempDir() + "/version.so"
	source := `const char *vaccel_version(void) { return "0.8.7"; }`
	compile := exec.Command("cc", "-shared", "-fPIC", "-o", library, "-xc", "-")
	compile.Stdin = strings.NewReader(source)
	if said, err := compile.CombinedOutput(); err != nil {
		t.Skipf("no such library: %v: %s", err, said)
	}
	again := exec.Command(os.Args[0], "-test.run=^TestOtherVersion$")
	again.Env = append(os.Environ(), "TEST_OTHER_VERSION=1", "LD_PRELOAD="+library)
	if said, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// What nobody has opened is as what was closed.
func TestNeverOpened(t *testing.T) {
	var session vaccel.Session
	var model vaccel.Resource
	if err := session.Run(background, &vaccel.NoopOp{}); !errors.Is(err, vaccel.ErrSession) {
		t.Error(err)
	}
	if session.Close() == nil || model.Close() == nil || session.ID() != 0 || session.Register(&model) == nil {
		t.Error("it does as if it were open")
	}
	if err := open(t).Run(background, &vaccel.ONNXModelLoadOp{}); !errors.Is(err, vaccel.ErrInvalid) {
		t.Error(err)
	}
}

func TestCleanupUnderResource(t *testing.T) {
	model, err := vaccel.NewResource(vaccel.Model, digits)
	if err != nil {
		t.Fatal(err)
	}
	reopen(t)
	if err := open(t).Register(model); err == nil {
		t.Error("a resource has survived its library")
	}
	if err := model.Close(); err != nil {
		t.Error(err)
	}
}

// The bytes of a resource go with the library.
func TestCleanupUnderBytes(t *testing.T) {
	data, err := vaccel.NewResourceFromBytes(vaccel.Data, make([]byte, 1<<20), "")
	if err != nil {
		t.Fatal(err)
	}
	reopen(t)
	if left := data.Bytes(); left != nil {
		t.Errorf("%d bytes have survived their library", len(left))
	}
	if err := data.Close(); err != nil {
		t.Error(err)
	}
}

func TestContextThatHasEnded(t *testing.T) {
	session := open(t)
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := session.Run(ctx, &vaccel.NoopOp{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithDeadline(background, time.Unix(0, 0))
	defer cancel()
	if err := session.Run(ctx, &vaccel.NoopOp{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// It ends before anything is copied for it.
	data := make([]byte, 1<<20)
	args := []vaccel.Arg{vaccel.ArgOfBytes(data)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 100; i++ {
		if session.Exec(ctx, "library", "symbol", args, args) == nil || session.RunAny(ctx, args, args) == nil {
			t.Error("it does as if the context had not ended")
		}
	}
	runtime.ReadMemStats(&after)
	if copied := after.TotalAlloc - before.TotalAlloc; copied > 10<<20 {
		t.Errorf("%d bytes were copied for nothing", copied)
	}
}

// The caller leaves, the call goes on, and the session stays as long as that.
func TestContextThatEnds(t *testing.T) {
	session := openWith(t, "mbench")
	began := time.Now()
	ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	err := session.Exec(ctx, "mbench", "mbench", []vaccel.Arg{vaccel.ArgOfString("2000")}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "exec") {
		t.Error(err)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if err := vaccel.OpenFromEnvironment(); !errors.Is(err, vaccel.ErrBusy) && time.Since(began) < 2*time.Second {
		t.Error("the call has ended with its caller:", err)
	}
	reopen(t)
}

// badContext is somebody's own, and not as it should be.
type badContext struct{ context.Context }

func (badContext) Err() error { panic("no error") }

func TestPanics(t *testing.T) {
	session := open(t)
	var none *vaccel.Session
	var nothing *vaccel.ExecOp
	add := vaccel.FPGAVectoraddOp{A: []float32{1}, B: []float32{2}, C: make([]float32, 1)}
	args := []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 1))}
	for _, function := range []func(){
		func() { session.Run(badContext{background}, &add) },
		func() { session.RunAny(badContext{background}, args, args) },
		func() { none.Run(background, &add) },
		func() { none.RunAny(background, args, args) },
		func() { session.Run(background, nothing) },
		func() { vaccel.NewSession(func() vaccel.Option { panic("no option") }()) },
		func() { vaccel.ArgOfCustom(1, badMarshaler{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a panic went astray")
				}
			}()
			function()
		}()
	}
	// What was pinned and not given back would end the process here.
	collect()
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	reopen(t)
}

type badMarshaler struct{}

func (badMarshaler) MarshalBinary() ([]byte, error) { panic("no bytes") }

// Sessions and resources that are forgotten do not stay.
func TestForgotten(t *testing.T) {
	for i := 0; i < 100; i++ {
		session, err := vaccel.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		model, err := vaccel.NewResource(vaccel.Model, digits)
		if err != nil || session.Register(model) != nil {
			t.Fatal(err)
		}
	}
	reopen(t)
}

// collect has all finalizers run of what nobody refers to.
func collect() {
	for i := 0; i < 2; i++ {
		done := make(chan struct{})
		runtime.SetFinalizer(&struct{ done chan struct{} }{done}, func(any) { close(done) })
		runtime.GC()
		<-done
	}
}

// A model that only its session knows is still what pictures are classified by.
func TestForgottenModel(t *testing.T) {
	session := open(t)
	func() {
		model, err := vaccel.NewResource(vaccel.Model, digits)
		if err != nil || session.Register(model) != nil {
			t.Fatal(err)
		}
	}()
	collect()
	best, err := session.Classify(background, read(t, digits+"images/seven.png"))
	offered(t, err)
	if best.Label != "seven" {
		t.Error(best)
	}
}

func TestManyGoroutines(t *testing.T) {
	session := open(t)
	var all sync.WaitGroup
	for i := 0; i < 16; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			own := float32(i)
			ctx := background
			if i%2 == 1 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(background)
				defer cancel()
			}
			for j := 0; j < 100; j++ {
				add := vaccel.FPGAVectoraddOp{A: []float32{own}, B: []float32{float32(j)}, C: make([]float32, 1)}
				if err := session.Run(ctx, &add); err != nil || add.C[0] != own+float32(j) {
					t.Error(add.C, err)
					return
				}
			}
		}()
	}
	all.Wait()
}

// Whoever is late gets an error, whoever was in time gets an answer.
func TestCloseWhileInUse(t *testing.T) {
	for i := 0; i < 50; i++ {
		session := open(t)
		model := register(t, session, digits)
		var all sync.WaitGroup
		for j := 0; j < 4; j++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					add := vaccel.FPGAVectoraddOp{A: []float32{1}, B: []float32{2}, C: make([]float32, 1)}
					if err := session.Run(background, &add); err != nil {
						if !errors.Is(err, vaccel.ErrSession) {
							t.Error(err)
						}
						return
					}
					session.Has(model)
					session.ID()
				}
			}()
		}
		if err := model.Close(); err != nil {
			t.Error(err)
		}
		session.Close()
		all.Wait()
	}
}
