// SPDX-License-Identifier: Apache-2.0

package vaccel_test

import (
	"context"
	"testing"

	"vaccel"
)

func BenchmarkNoop(b *testing.B) {
	session := open(b)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := session.Run(background, &vaccel.NoopOp{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNoopWithContext(b *testing.B) {
	session := open(b)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := session.Run(ctx, &vaccel.NoopOp{}); err != nil {
			b.Fatal(err)
		}
	}
}
