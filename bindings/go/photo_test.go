// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// photographs are data beside the repository: real models and pictures, and what was found in these.
const photographs = "../../../shared/data/"

// expected is what reference implementations found with a model, by picture.
func expected[T any](t *testing.T, model string) map[string]T {
	content, err := os.ReadFile(photographs + "expected.json")
	if err != nil {
		t.Skip("there are no photographs: ", err)
	}
	var all struct{ Results map[string]json.RawMessage }
	var found map[string]T
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all.Results[model], &found); err != nil || len(found) == 0 {
		t.Fatal(model, err)
	}
	return found
}

func near(a, b float32) bool { return math.Abs(float64(a-b)) < 0.02 }

func TestClassifyPhotographs(t *testing.T) {
	type class struct {
		Index uint32
		Label string
		P     float32
	}
	pictures := expected[[]class](t, "onnx/mobilenet_v2_1.0_224_u8w")
	directory := filepath.Join(t.TempDir(), "mobilenet")
	if said, err := exec.Command("../../tools/mobilenet", photographs, directory).Output(); err != nil || len(said) == 0 {
		t.Fatalf("%s %v", said, err)
	}
	session := open(t)
	register(t, session, directory)
	for name, classes := range pictures {
		best, err := session.Classify(background, read(t, photographs+"images/"+name))
		offered(t, err)
		// Two classes may be as likely, but for the arithmetic.
		if best.Label != classes[0].Label && !near(classes[0].P, classes[1].P) || !near(best.Probability, classes[0].P) {
			t.Errorf("%s: %v, and not %v", name, best, classes[0])
		}
	}
}

func TestDetectInPhotographs(t *testing.T) {
	type box struct {
		Label string
		Score float32
		Edges [4]float32 `json:"box_x0_y0_x1_y1"`
	}
	pictures := expected[[]box](t, "onnx/FastestDet (352x352 NCHW BGR/255; nms 0.45, thr 0.65)")
	directory := t.TempDir()
	for name, content := range map[string][]byte{
		"model.onnx": read(t, photographs+"models/onnx/FastestDet.onnx"),
		"labels.txt": read(t, photographs+"labels/coco80.names"),
		"model.json": []byte(`{"task": "detect", "input": {"color": "BGR"}, "output": {"decoder": "fastestdet"}}`),
	} {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	session := open(t)
	register(t, session, directory)
	sizes := map[string][2]float32{"street_fastestdet_3.jpg": {500, 335}, "airplane_1.jpg": {427, 640}}
	for name, boxes := range pictures {
		found, err := session.Detect(background, read(t, photographs+"images/"+name))
		offered(t, err)
		if len(found) != len(boxes) {
			t.Fatalf("%s: %v, and not %v", name, found, boxes)
		}
		width, height := sizes[name][0], sizes[name][1]
		for i, wanted := range boxes {
			got := found[i]
			edges := [4]float32{got.Left / width, got.Top / height, got.Right / width, got.Bottom / height}
			right := got.Label == wanted.Label && near(got.Score, wanted.Score)
			for side := range edges {
				right = right && near(edges[side], wanted.Edges[side])
			}
			if !right {
				t.Errorf("%s: %v, and not %v", name, got, wanted)
			}
		}
	}
}
