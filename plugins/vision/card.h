/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model cards: the model.json beside a model, which says what the model file
 * cannot: its task, how its input is prepared, what its output means.
 */
#ifndef VISION_CARD_H
#define VISION_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The largest model.json that is read, in bytes. */
#define CARD_SIZE_MAX 65536

enum card_task { CARD_CLASSIFY, CARD_DETECT, CARD_SEGMENT, CARD_POSE, CARD_DEPTH, CARD_NR_TASKS };
enum card_layout { CARD_NCHW, CARD_NHWC, CARD_ANY };
enum card_color { CARD_RGB, CARD_BGR };

/**
 * struct card_input - how a picture becomes the input of the model
 * @width: in pixels; 0: the model's own
 * @height: likewise
 * @layout: order of the tensor's dimensions; CARD_ANY: the model's own
 * @color: order of its channels
 * @mean: per channel in that order, subtracted from a sample of 0 to 255
 * @scale: multiplied with the difference
 * @plain: neither was said: models that take bytes get the samples as they are
 */
struct card_input {
	uint32_t width;
	uint32_t height;
	enum card_layout layout;
	enum card_color color;
	float mean[3];
	float scale[3];
	bool plain;
};

/** How the outputs of a model for detection are read. */
enum card_decoder { CARD_SSD, CARD_FASTESTDET, CARD_NR_DECODERS };

/** What the outputs of a model of the decoder "ssd" are; the last may be missing. */
enum card_part { CARD_BOXES, CARD_CLASSES, CARD_SCORES, CARD_COUNT, CARD_NR_PARTS };

/**
 * struct card_output - what the model's outputs mean
 * @softmax: classify: the output is scores, of which probabilities are to be made
 * @decoder: detect: see enum card_decoder
 * @order: detect, "ssd": which output is which part; CARD_NR_PARTS: there is none
 * @nr_parts: how many there are
 * @threshold: detect: the least score that counts; pose: likewise of people, where the model
 *	has one; segment: of a model of one class, what is of it
 * @nms: detect: boxes of a class that share more than this part of their area are one; 1: none
 * @first_label: detect: the line of the labels, counted from 0, that names class 0
 * @layout: segment: order of the output's dimensions; CARD_ANY: as the input's
 */
struct card_output {
	bool softmax;
	enum card_decoder decoder;
	uint8_t order[CARD_NR_PARTS];
	uint8_t nr_parts;
	float threshold;
	float nms;
	uint32_t first_label;
	enum card_layout layout;
};

/**
 * struct card - what a model.json says
 * @task: what the model is for
 * @input: how its input is prepared
 * @output: what its outputs mean
 */
struct card {
	enum card_task task;
	struct card_input input;
	struct card_output output;
};

/**
 * card_init() - the card of a model that has none
 * @card: set to: the model's own sizes and order, RGB, mean 0, scale 1/255, plain, no softmax,
 *	the decoder "ssd" with boxes, classes, scores and count
 * @task: what the model is used for
 */
void card_init(struct card *card, enum card_task task);

/**
 * card_parse() - read a card from the text of a model.json
 * @text: JSON; need not end in NUL
 * @size: its bytes
 * @ret_card: set on success; a key that is missing is as card_init() has it
 *
 * Only "task" must be there. Keys of other names are passed over, so that a
 * newer card works as far as it can.
 *
 * Return: 0; EINVAL, with the key named and what is allowed; ENOMEM.
 */
int card_parse(const char *text, size_t size, struct card *ret_card);

/** card_load() - card_parse() of a file; and the errors of file_read() */
int card_load(const char *path, struct card *ret_card);

/** card_task_name() - "classify" and so on */
const char *card_task_name(enum card_task task);

#endif
