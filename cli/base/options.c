// SPDX-License-Identifier: Apache-2.0
/* Understanding what was typed, by the tables of options.h and getopt_long(). */
#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/terminal.h"

#define ROWS_MOST   8
#define LONGEST_ROW 26
#define USAGE_MAX   128
#define WORD_MOST   63

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be put in, left out or changed to make one word the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MOST + 1];
	size_t length = strlen(b);

	if (length > WORD_MOST || strlen(a) > WORD_MOST)
		return WORD_MOST;
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t changed = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = least_of(changed, row[j] + 1, diagonal + 1);
		}
	}
	return row[length];
}

void guess_offer(struct guess *guess, const char *word)
{
	size_t near = distance(guess->typed, word);

	if (guess->best && near >= guess->distance)
		return;
	guess->best = word;
	guess->distance = near;
}

const char *guess_best(const struct guess *guess)
{
	size_t length = strlen(guess->typed);

	return guess->best && guess->distance <= (length < 6 ? 2 : 3) && guess->distance < length
		       ? guess->best
		       : NULL;
}

static bool set_number(const struct option_row *row, const char *value, long *number)
{
	char *end;
	long read = strtol(value, &end, 10);

	if (end == value || *end || read < row->least || read > row->most) {
		complain("--%s is '%s'; give a whole number from %ld to %ld", row->name, value,
			 row->least, row->most);
		return false;
	}
	*number = read;
	return true;
}

static bool add_text(const struct option_row *row, const char *value, struct texts *texts)
{
	if (texts->nr == TEXTS_MOST) {
		complain("--%s is there more than %d times", row->name, TEXTS_MOST);
		return false;
	}
	texts->text[texts->nr++] = value;
	return true;
}

static bool set_option(const struct option_row *row, const char *value, struct options *options)
{
	void *member = (char *)options + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return true;
	case OPTION_TEXT:
		*(const char **)member = value;
		return true;
	case OPTION_TEXTS:
		return add_text(row, value, member);
	case OPTION_NUMBER:
		return set_number(row, value, member);
	}
	return false;
}

/* Two tables for getopt_long(): a row's value is its place + 1, its letter's the letter. */
static void make_tables(const struct command *command, struct option *names, char *letters)
{
	size_t i;

	assert(command->nr_rows <= ROWS_MOST);
	*letters++ = ':';
	*letters++ = 'h';
	for (i = 0; i < command->nr_rows; i++) {
		const struct option_row *row = &command->rows[i];
		int argument = row->argument ? required_argument : no_argument;

		names[i] = (struct option){row->name, argument, NULL, (int)i + 1};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
	*letters = '\0';
	names[i++] = (struct option){"help", no_argument, NULL, 'h'};
	names[i] = (struct option){0};
}

static const struct option_row *row_of(const struct command *command, int value)
{
	for (size_t i = 0; i < command->nr_rows; i++)
		if (value == (int)i + 1 || value == command->rows[i].letter)
			return &command->rows[i];
	return NULL;
}

/* @typed as it stands there, with its dashes. */
static void complain_of_option(const struct command *command, const char *typed)
{
	struct guess guess = {.typed = typed + strspn(typed, "-")};
	const char *best;

	guess_offer(&guess, "help");
	for (size_t i = 0; i < command->nr_rows; i++)
		guess_offer(&guess, command->rows[i].name);
	best = guess_best(&guess);
	if (best)
		complain("%s has no option '%s'; did you mean '--%s'?", command->name, typed, best);
	else
		complain("%s has no option '%s'; `vaccel help %s` lists them", command->name, typed,
			 command->name);
}

static bool check_operands(const struct command *command, const struct options *options)
{
	if (options->nr_operands < command->least_operands)
		complain("usage: vaccel %s %s; `vaccel help %s` says more", command->name,
			 command->operands, command->name);
	else if (options->nr_operands > command->most_operands)
		complain("%s does not know what to do with '%s'; `vaccel help %s` says what it "
			 "takes",
			 command->name, options->operands[command->most_operands], command->name);
	else
		return true;
	return false;
}

enum parsed options_parse(const struct command *command, int argc, char **argv,
			  struct options *options)
{
	struct option names[ROWS_MOST + 2];
	char letters[2 * ROWS_MOST + 3];
	int value;

	make_tables(command, names, letters);
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		char letter[] = {'-', (char)optopt, '\0'};
		const char *typed = optopt > ROWS_MOST ? letter : argv[optind - 1];

		if (value == 'h')
			return PARSED_HELP;
		if (value == ':') {
			complain("%s needs a value; `vaccel help %s` says which", typed,
				 command->name);
			return PARSED_WRONG;
		}
		if (value == '?') {
			complain_of_option(command, typed);
			return PARSED_WRONG;
		}
		if (!set_option(row_of(command, value), optarg, options))
			return PARSED_WRONG;
	}
	options->operands = argv + optind;
	options->nr_operands = (size_t)(argc - optind);
	return check_operands(command, options) ? PARSED_RUN : PARSED_WRONG;
}

static void help_row(char letter, const char *name, const char *argument, const char *sentence)
{
	char text[LONGEST_ROW + 1], short_form[] = "-x, ";

	short_form[1] = letter;
	snprintf(text, sizeof(text), "  %4s--%s%s%s", letter ? short_form : "", name,
		 argument ? " " : "", argument ? argument : "");
	printf("%-*s", LONGEST_ROW, text);
	terminal_wrap(LONGEST_ROW, sentence);
}

void options_help(const struct command *command)
{
	char usage[USAGE_MAX];

	snprintf(usage, sizeof(usage), "vaccel %s %s [options]", command->name, command->operands);
	printf("usage: ");
	terminal_wrap(strlen("usage: "), usage);
	putchar('\n');
	terminal_wrap(0, command->sentence);
	if (command->details) {
		putchar('\n');
		terminal_wrap(0, command->details);
	}
	putchar('\n');
	for (size_t i = 0; i < command->nr_rows; i++) {
		const struct option_row *row = &command->rows[i];

		help_row(row->letter, row->name, row->argument, row->sentence);
	}
	help_row('h', "help", NULL, "print this and do nothing");
}
