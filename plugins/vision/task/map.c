// SPDX-License-Identifier: Apache-2.0
#include "vision/task/map.h"

bool map_of(size_t nr_dims, const int64_t *dims, enum card_layout layout, struct map *ret_map)
{
	struct map map = {.channels = 1, .pixel_step = 1};

	/* The first of three and more counts pictures: one. */
	if (nr_dims > 2 && (dims[0] == 1 || dims[0] < 0)) {
		dims++;
		nr_dims--;
	}
	if (nr_dims == 2) {
		map.height = dims[0];
		map.width = dims[1];
	} else if (nr_dims == 3 && layout == CARD_NHWC) {
		map.height = dims[0];
		map.width = dims[1];
		map.channels = dims[2];
	} else if (nr_dims == 3) {
		map.channels = dims[0];
		map.height = dims[1];
		map.width = dims[2];
	} else {
		return false;
	}
	if (!map.height || !map.width || !map.channels || map.height > UINT16_MAX ||
	    map.width > UINT16_MAX || map.channels > UINT16_MAX + 1)
		return false;
	map.channel_step = 1;
	if (layout == CARD_NHWC)
		map.pixel_step = (size_t)map.channels;
	else
		map.channel_step = (size_t)(map.height * map.width);
	*ret_map = map;
	return true;
}
