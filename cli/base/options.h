/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and their options, as tables. What is typed is understood by them, and
 * help and completion are made of them; a test compares the manual page.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses */
enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

/* The values of an option that may be given several times. */
enum { TEXTS_MOST = 64 };
struct texts {
	const char *text[TEXTS_MOST];
	size_t nr;
};

/* What was typed. A command reads what its rows fill; the rest has its default. */
struct options {
	char *const *argv; /* all of it, in an order that means the same; ends in NULL */
	bool json;
	const char *model;
	const char *labels;
	const char *output;
	struct texts inputs;
	struct texts fetch;
	const char *picture;
	const char *socket;
	bool once;
	bool brief;
	long interval;
	long count;
	long top;
	long repeat;
	char *const *operands;
	size_t nr_operands;
};

/* What may stand as an operand, for completion. */
enum completes {
	COMPLETES_NOTHING,
	COMPLETES_FILES,
	COMPLETES_COMMANDS,
	COMPLETES_OPERATIONS,
	COMPLETES_WORDS
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_TEXTS, OPTION_NUMBER };

struct option_row {
	const char *name;
	const char *argument; /* what the help calls it; NULL for a flag */
	const char *sentence;
	size_t offset; /* in struct options: of a bool, a const char *, a struct texts or a long */
	long least;    /* a number's bounds */
	long most;
	enum option_kind kind;
	char letter; /* 0 for none */
};

struct command {
	const char *name;
	const char *operands; /* what the help calls them; "" for none */
	size_t least_operands;
	size_t most_operands;
	enum completes completes;
	const char *words; /* that may stand there; NULL for none */
	const char *sentence;
	const char *details; /* NULL for none */
	const struct option_row *rows;
	size_t nr_rows;
	int (*run)(const struct options *options); /* returns the exit status */
};

/* Finds out what a mistyped word may have meant: set @typed, offer the words there are. */
struct guess {
	const char *typed;
	const char *best;
	size_t distance;
};

void guess_offer(struct guess *guess, const char *word);

/* The nearest word offered, or NULL if none is near enough to be meant. */
const char *guess_best(const struct guess *guess);

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

/*
 * Reads argv, whose first word is the command's name, into @options. Says on stderr what
 * is wrong.
 */
enum parsed options_parse(const struct command *command, int argc, char **argv,
			  struct options *options);

/* The help of a command, to stdout. */
void options_help(const struct command *command);

#endif
