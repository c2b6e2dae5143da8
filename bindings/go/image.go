// SPDX-License-Identifier: Apache-2.0

package vaccel

import (
	"context"
	"fmt"
)

// Classification is what a picture shows: a class of the model, how probable it is, and
// its label.
type Classification = Class

// Classify says what a picture shows: the bytes of a JPEG or PNG file. Its model is the
// first that is registered with the session, or else the default one.
func (s *Session) Classify(ctx context.Context, picture []byte) (Classification, error) {
	best, err := s.ClassifyTop(ctx, picture, 1)
	if err != nil {
		return Classification{}, err
	}
	if len(best) == 0 {
		return Classification{}, &Error{ErrBackend, "image_classify_top: the backend told no class"}
	}
	return best[0], nil
}

// ClassifyTop tells the k most likely classes of a picture, the likeliest first.
func (s *Session) ClassifyTop(ctx context.Context, picture []byte, k int) ([]Classification, error) {
	op := ImageClassifyTopOp{Image: picture, K: uint64(max(k, 0))}
	err := s.Run(ctx, &op)
	return op.Top, err
}

// Detect tells which objects are in a picture, and where, the surest first.
func (s *Session) Detect(ctx context.Context, picture []byte) ([]Box, error) {
	op := ImageDetectBoxesOp{Image: picture}
	err := s.Run(ctx, &op)
	return op.Boxes, err
}

// Pose tells where the joints of the people in a picture are, one person after the other.
func (s *Session) Pose(ctx context.Context, picture []byte) ([]Point, error) {
	op := ImagePosePointsOp{Image: picture}
	err := s.Run(ctx, &op)
	return op.Points, err
}

// Mask is the class of each pixel of a picture, and which classes there are.
type Mask struct {
	Width, Height int
	Pixels        []uint16 // row by row from the top
	Areas         []Area   // the largest first
}

// At returns the class at a place of the mask.
func (m *Mask) At(x, y int) uint16 { return m.Pixels[y*m.Width+x] }

// Segment tells the class of each pixel of a picture.
func (s *Session) Segment(ctx context.Context, picture []byte) (*Mask, error) {
	op := ImageSegmentMaskOp{Image: picture}
	if err := s.Run(ctx, &op); err != nil {
		return nil, err
	}
	mask := &Mask{int(op.Width), int(op.Height), op.Mask, op.Areas}
	if err := checkSize(ErrBackend, "image_segment_mask", mask.Width, mask.Height, len(mask.Pixels)); err != nil {
		return nil, err
	}
	return mask, nil
}

// DepthMap is how far away each pixel of a picture is, as the model counts it.
type DepthMap struct {
	Width, Height int
	Values        []float32 // row by row from the top
}

// At returns the number at a place of the map.
func (d *DepthMap) At(x, y int) float32 { return d.Values[y*d.Width+x] }

// Depth tells how far away each pixel of a picture is.
func (s *Session) Depth(ctx context.Context, picture []byte) (*DepthMap, error) {
	op := ImageDepthMapOp{Image: picture}
	if err := s.Run(ctx, &op); err != nil {
		return nil, err
	}
	depth := &DepthMap{int(op.Width), int(op.Height), op.Depth}
	if err := checkSize(ErrBackend, "image_depth_map", depth.Width, depth.Height, len(depth.Values)); err != nil {
		return nil, err
	}
	return depth, nil
}

// checkSize looks whether there are as many pixels as a picture is said to have.
func checkSize(code Code, what string, width, height, count int) error {
	if width >= 0 && height >= 0 && uint64(width)*uint64(height) == uint64(count) {
		return nil
	}
	return &Error{code, fmt.Sprintf("%s: %d×%d pixels are said to be there, and %d are", what, width, height, count)}
}
