// SPDX-License-Identifier: Apache-2.0

package vaccel

import (
	"context"
	"fmt"
)

// Matrix is rows of numbers, the first of each being Stride elements after that of the
// row before.
type Matrix struct {
	Rows, Cols, Stride int
	Data               []float32
}

// NewMatrix makes a matrix of data, row by row without gaps, which it does not copy; nil
// is for zeros.
func NewMatrix(rows, cols int, data []float32) Matrix {
	if data == nil && rows > 0 && cols > 0 {
		data = make([]float32, rows*cols)
	}
	return Matrix{rows, cols, max(cols, 1), data}
}

// At returns an element.
func (m Matrix) At(row, col int) float32 { return m.Data[row*m.Stride+col] }

// Sgemm multiplies matrices: c = alpha a b + beta c. If beta is 0, c is only written.
func (s *Session) Sgemm(ctx context.Context, alpha float32, a, b Matrix, beta float32, c Matrix) error {
	if a.Cols != b.Rows || c.Rows != a.Rows || c.Cols != b.Cols {
		return &Error{ErrInvalid, fmt.Sprintf("blas_sgemm: %d×%d times %d×%d is not %d×%d",
			a.Rows, a.Cols, b.Rows, b.Cols, c.Rows, c.Cols)}
	}
	return s.Run(ctx, &BLASSgemmOp{
		M: int64(c.Rows), N: int64(c.Cols), K: int64(a.Cols), Alpha: alpha, Beta: beta,
		A: a.Data, Lda: int64(a.Stride), B: b.Data, Ldb: int64(b.Stride), C: c.Data, Ldc: int64(c.Stride),
	})
}
