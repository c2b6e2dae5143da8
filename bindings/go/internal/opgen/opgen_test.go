// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestUpToDate(t *testing.T) {
	command := os.Getenv("TEST_COMMAND")
	if command == "" {
		t.Skip("TEST_COMMAND names no vaccel")
	}
	listed, err := list(command, "")
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := Generate(listed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../ops_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, wanted) {
		t.Error("ops_gen.go is not what the table of operations makes of it; run `go generate` in bindings/go")
	}
}

func TestGenerate(t *testing.T) {
	made, err := Generate([]byte(`[{"number": 90, "name": "scale_all", "sentence": "multiply values", "hash": "1f", "args": [
		{"name": "type", "dir": "IN", "kind": "ONE", "type": "f32", "marks": [], "sentence": "by what"},
		{"name": "samples", "dir": "IN", "kind": "LIST", "type": "sample", "marks": [], "sentence": "the values", "item": [
			{"name": "values", "kind": "SPAN", "type": "u16", "sentence": "some"},
			{"name": "id", "kind": "ONE", "type": "u8", "sentence": "whose"}]},
		{"name": "scaled", "dir": "OUT", "kind": "SPAN", "type": "f64", "marks": ["GROWS"], "sentence": "the products"}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(made)), " ")
	for _, part := range []string{
		"type ScaleAllOp struct { Type float32 `vaccel:\"type\"` // by what Samples []Sample",
		"operation{number: 90, name: \"scale_all\", hash: 0x1f}",
		"args._type = C.float(o.Type)",
		"to.values.data, to.values.count = (*C.uint16_t)(lend(c, item.Values, in)), C.size_t(len(item.Values))",
		"take(&o.Scaled, unsafe.Pointer(args.scaled.data), args.scaled.count, keep)",
		"func() Op { return new(ScaleAllOp) }",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, made)
		}
	}
}

func TestWhatIsUnknown(t *testing.T) {
	for words, listed := range map[string]string{
		"for SPAN quark":        `[{"name": "a", "args": [{"name": "x", "dir": "IN", "kind": "SPAN", "type": "quark"}]}]`,
		"for HEAP i32":          `[{"name": "a", "args": [{"name": "x", "dir": "IN", "kind": "HEAP", "type": "i32"}]}]`,
		"to lend OUT LIST":      `[{"name": "a", "args": [{"name": "x", "dir": "OUT", "kind": "LIST", "type": "b", "item": []}]}]`,
		"x of a":                `[{"name": "a", "args": [{"name": "x", "dir": "IN", "kind": "LIST", "type": "b", "item": [{"name": "y", "kind": "LIST", "type": "c"}]}]}]`,
		"invalid character 'v'": `vaccel: no such command`,
	} {
		if _, err := Generate([]byte(listed)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in %v", words, err)
		}
	}
}
