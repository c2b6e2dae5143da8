// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"os"
	"testing"

	"vaccel"
)

var background = context.Background()

func open(t testing.TB) *vaccel.Session {
	t.Helper()
	session, err := vaccel.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func TestNoop(t *testing.T) {
	if err := open(t).Run(background, &vaccel.NoopOp{}); err != nil {
		t.Error(err)
	}
}

func TestClassify(t *testing.T) {
	picture, err := os.ReadFile("../../models/digits/images/seven.png")
	if err != nil {
		t.Fatal(err)
	}
	best, err := open(t).Classify(background, picture)
	if err != nil {
		t.Fatal(err)
	}
	if best.Label != "seven" || best.Probability < 0.9 {
		t.Error(best)
	}
}
