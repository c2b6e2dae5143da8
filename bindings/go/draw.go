// SPDX-License-Identifier: Apache-2.0

package vaccel

/*
#include "glue.h"
*/
import "C"

import "unsafe"

// DrawBoxes draws what [Session.Detect] found on the picture: a PNG at path. Drawing is done
// by this process, wherever the operation ran; a file that is there is replaced.
func DrawBoxes(picture []byte, boxes []Box, path string) error {
	c := newCall()
	list, count := lendList(c, boxes, (*Box).lend)
	return c.draw(picture, path, func(img unsafe.Pointer, size C.size_t, file *C.char) C.struct_outcome {
		return C.draw_boxes(img, size, list, count, file)
	})
}

// DrawMask colours the picture by what [Session.Segment] found, with a legend.
func DrawMask(picture []byte, mask *Mask, path string) error {
	if err := checkSize(ErrInvalid, "draw_mask", mask.Width, mask.Height, len(mask.Pixels)); err != nil {
		return err
	}
	c := newCall()
	lent := C.struct_vaccel_mask{
		width: C.uint32_t(mask.Width), height: C.uint32_t(mask.Height),
		pixels: (*C.uint16_t)(lend(c, mask.Pixels, in)),
	}
	lent.areas, lent.nr_areas = lendList(c, mask.Areas, (*Area).lend)
	return c.draw(picture, path, func(img unsafe.Pointer, size C.size_t, file *C.char) C.struct_outcome {
		return C.draw_mask(img, size, &lent, file)
	})
}

// DrawPoints draws the joints that [Session.Pose] found, and limbs between them.
func DrawPoints(picture []byte, points []Point, path string) error {
	c := newCall()
	list, count := lendList(c, points, (*Point).lend)
	return c.draw(picture, path, func(img unsafe.Pointer, size C.size_t, file *C.char) C.struct_outcome {
		return C.draw_points(img, size, list, count, file)
	})
}

// DrawDepth colours the picture by what [Session.Depth] found, with a scale.
func DrawDepth(picture []byte, depth *DepthMap, path string) error {
	if err := checkSize(ErrInvalid, "draw_depth", depth.Width, depth.Height, len(depth.Values)); err != nil {
		return err
	}
	c := newCall()
	lent := C.struct_vaccel_depth{
		width: C.uint32_t(depth.Width), height: C.uint32_t(depth.Height),
		values: (*C.float)(lend(c, depth.Values, in)),
	}
	return c.draw(picture, path, func(img unsafe.Pointer, size C.size_t, file *C.char) C.struct_outcome {
		return C.draw_depth(img, size, &lent, file)
	})
}

// draw ends a call that has been lent what to draw, with one of the functions that do it.
func (c *call) draw(picture []byte, path string, function func(img unsafe.Pointer, size C.size_t, file *C.char) C.struct_outcome) error {
	defer c.end(false)
	if err := mismatch(); err != nil {
		return err
	}
	img, file := lend(c, picture, in), c.lendText(path)
	if c.err != nil {
		return c.err
	}
	return failure(function(img, C.size_t(len(picture)), file))
}
