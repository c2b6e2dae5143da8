/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out: each allocation of ours fails in turn, and nothing leaks. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nomem.h"
#include "support.h"
#include "vision/labels.h"
#include "vision/preprocess.h"
#include "vision/scratch.h"

/* Decoded, upright and resized pixels, and tables: none kept from call to call. */
static int prepare(const struct bytes *file)
{
	struct preprocess_scratch scratch = {0};
	struct card card;
	int err;

	card_init(&card, CARD_CLASSIFY);
	card.input.width = 4;
	card.input.height = 4;
	err = picture_prepare(file->data, file->size, &(struct picture_limits){1000}, &card.input,
			      &scratch);
	preprocess_scratch_release(&scratch);
	return err;
}

static void a_turned_picture(void **state)
{
	struct bytes file = load_bytes("exif_6.jpg");

	(void)state;
	NOMEM_SWEEP(prepare(&file));
	free(file.data);
}

static void labels_of_a_text(void **state)
{
	struct labels labels = {0};

	(void)state;
	NOMEM_SWEEP(labels_parse("a\nb\n", 4, &labels));
	assert_int_equal(labels.count, 2);
	labels_release(&labels);
}

/* The file is large enough for its buffer to grow. */
static void labels_of_a_file(void **state)
{
	struct labels labels = {0};
	char lines[6000];
	char *path;

	(void)state;
	memset(lines, '\n', sizeof(lines));
	path = write_temporary(lines, sizeof(lines));
	NOMEM_SWEEP(labels_load(path, &labels));
	assert_int_equal(labels.count, sizeof(lines));
	labels_release(&labels);
	unlink(path);
	free(path);
}

/* Where nothing has so many bytes, no fewer are asked for. */
static void more_bytes_than_there_are(void **state)
{
	(void)state;
	assert_int_equal(bytes_of(3, 4, 5), 17);
	assert_int_equal(bytes_of(0, SIZE_MAX, 5), 5);
	assert_true(bytes_of(SIZE_MAX / 3, 4, 0) == SIZE_MAX);
	assert_true(bytes_of(SIZE_MAX / 4, 4, 4) == SIZE_MAX);
	assert_true(bytes_of(1, 1, SIZE_MAX) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turned_picture),
		cmocka_unit_test(labels_of_a_text),
		cmocka_unit_test(labels_of_a_file),
		cmocka_unit_test(more_bytes_than_there_are),
	};

	return cmocka_run_group_tests_name("vision/memory", tests, NULL, NULL);
}
