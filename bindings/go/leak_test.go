// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"vaccel"
)

var leakCalls = flag.Int("leak-calls", 100000, "how many calls of each kind are made to find a leak")

// raced: the race detector keeps memory of its own for what was.
var raced bool

// resident is how many KiB of memory this process has.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	var pages, present int
	if _, err := fmt.Sscan(string(read(t, "/proc/self/statm")), &pages, &present); err != nil {
		t.Fatal(err)
	}
	return present * os.Getpagesize() / 1024
}

// TestLeaks makes very many calls, good and bad, and looks at what is left of them.
func TestLeaks(t *testing.T) {
	if raced {
		t.Skip("the race detector uses more and more memory")
	}
	session := openWith(t, "cpu:noop")
	model := register(t, session, digits)
	canEnd, cancel := context.WithCancel(background)
	defer cancel()
	picture := make([]byte, 1000)
	tensor := []vaccel.AnyTensor{vaccel.NewTensor(make([]float32, 100), 100)}
	for name, call := range map[string]func(ctx context.Context) error{
		"noop":    func(ctx context.Context) error { return session.Run(ctx, &vaccel.NoopOp{}) },
		"a list":  func(ctx context.Context) error { _, err := session.ClassifyTop(ctx, picture, 3); return err },
		"spans":   func(ctx context.Context) error { _, err := session.Segment(ctx, picture); return err },
		"tensors": func(ctx context.Context) error { _, err := session.RunONNX(ctx, model, tensor, 1); return err },
		"texts":   func(ctx context.Context) error { return session.Run(ctx, &vaccel.TFModelLoadOp{Model: model}) },
		"arguments": func(ctx context.Context) error {
			return session.Exec(ctx, "library", "symbol", []vaccel.Arg{vaccel.ArgOfBytes(picture)}, []vaccel.Arg{vaccel.ArgOfBytes(make([]byte, 1000))})
		},
		"failures": func(ctx context.Context) error {
			if session.Run(ctx, &vaccel.FPGAVectoraddOp{A: []float32{1}}) == nil {
				return fmt.Errorf("it did not fail")
			}
			return nil
		},
		"sessions and resources": func(context.Context) error {
			other, err := vaccel.NewSession()
			if err != nil {
				return err
			}
			defer other.Close()
			data, err := vaccel.NewResourceFromBytes(vaccel.Data, picture, "")
			if err != nil {
				return err
			}
			defer data.Close()
			return other.Register(data)
		},
	} {
		t.Run(name, func(t *testing.T) {
			many := func(times int) {
				for i := 0; i < times; i++ {
					ctx := background
					if i%16 == 0 {
						ctx = canEnd
					}
					if err := call(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			// What is kept for reuse is there after these.
			many(*leakCalls / 4)
			before := resident(t)
			many(*leakCalls)
			// The smallest block of malloc() is 32 bytes: one left by each call shows.
			if grown := resident(t) - before; grown > max(2048, *leakCalls*16/1024) {
				t.Errorf("%d calls have left %d KiB", *leakCalls, grown)
			} else {
				t.Logf("%d calls have left %d KiB", *leakCalls, grown)
			}
		})
	}
}
