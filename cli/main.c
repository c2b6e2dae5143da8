// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel: the command. It uses what is installed, as any program does: the
 * headers and libvaccel. Here is the table of its commands, and the way to them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <vaccel.h>

#include "base/terminal.h"
#include "command.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS(table)	.rows = (table), .nr_rows = COUNT_OF(table)
#define NUMBER_MOST	1000000
#define NAME_WIDTH	14

static int help_main(const struct options *options);
static int version_main(const struct options *options);

#define FILLS(member) .offset = offsetof(struct options, member)
#define ROW_JSON                                                      \
	{                                                             \
		.name = "json", FILLS(json), .sentence = "print JSON" \
	}

static const struct option_row json_only[] = {
	ROW_JSON,
};

#define ROW_MODEL(without_it)                                                                   \
	{                                                                                       \
		.letter = 'm', .name = "model", .argument = "MODEL", .kind = OPTION_TEXT,       \
		FILLS(model),                                                                   \
		.sentence =                                                                     \
			"a model's file, or a directory with model.onnx or model.tflite, "      \
			"labels.txt and model.json; without it, the default model, " without_it \
	}

static const struct option_row look_rows[] = {
	ROW_MODEL("if one was put there, as none for this comes with vaccel"),
	{
		.letter = 'o',
		.name = "output",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		FILLS(output),
		.sentence = "draw what was found on the picture, and write that PNG",
	},
	ROW_JSON,
};

static const struct option_row classify_rows[] = {
	ROW_MODEL("of which the one that comes with vaccel knows written digits"),
	{
		.letter = 'l',
		.name = "labels",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		FILLS(labels),
		.sentence = "names of the classes, one in a line, instead of the model's",
	},
	{
		.letter = 'k',
		.name = "top",
		.argument = "NUMBER",
		.kind = OPTION_NUMBER,
		FILLS(top),
		.least = 1,
		.most = NUMBER_MOST,
		.sentence = "how many classes to tell; 5 if not given",
	},
	{
		.letter = 'n',
		.name = "repeat",
		.argument = "NUMBER",
		.kind = OPTION_NUMBER,
		FILLS(repeat),
		.least = 1,
		.most = NUMBER_MOST,
		.sentence = "classify each picture so often, and tell how long it took",
	},
	ROW_JSON,
};

static const struct option_row run_rows[] = {
	{
		.letter = 'i',
		.name = "input",
		.argument = "[NAME=]FILE",
		.kind = OPTION_TEXTS,
		FILLS(inputs),
		.sentence = "an input: a file .npy, and the model's name for it, or its number "
			    "from 0; without, the next one. For each input one",
	},
	{
		.letter = 'f',
		.name = "fetch",
		.argument = "NAME",
		.kind = OPTION_TEXTS,
		FILLS(fetch),
		.sentence = "an output to fetch (ONNX, TensorFlow); without, all of them",
	},
	{
		.letter = 'o',
		.name = "output",
		.argument = "DIR",
		.kind = OPTION_TEXT,
		FILLS(output),
		.sentence = "write each output into this directory, as NAME.npy",
	},
	ROW_JSON,
};

static const struct option_row bench_rows[] = {
	{
		.letter = 'p',
		.name = "picture",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		FILLS(picture),
		.sentence = "what to classify instead of our own picture",
	},
	{
		.name = "brief",
		FILLS(brief),
		.sentence =
			"measure a moment only: whether all works, not how fast (not call, infer, sgemm)",
	},
	ROW_JSON,
};

#define ROW_SOCKET                                                                          \
	{                                                                                   \
		.letter = 's', .name = "socket", .argument = "PATH", .kind = OPTION_TEXT,   \
		FILLS(socket),                                                              \
		.sentence = "the agent's admin socket, if it is not where it usually lies", \
	}

static const struct option_row top_rows[] = {
	{
		.name = "once",
		FILLS(once),
		.sentence = "print one table and end, as where the output is no terminal",
	},
	{
		.letter = 'i',
		.name = "interval",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		FILLS(interval),
		.least = 1,
		.most = NUMBER_MOST,
		.sentence = "time from one table to the next, which rates are of; 1 if not given",
	},
	ROW_SOCKET,
	ROW_JSON,
};

static const struct option_row ping_rows[] = {
	{
		.letter = 'n',
		.name = "count",
		.argument = "NUMBER",
		.kind = OPTION_NUMBER,
		FILLS(count),
		.least = 1,
		.most = NUMBER_MOST,
		.sentence = "how many round trips to measure; 1000 if not given",
	},
	ROW_SOCKET,
	ROW_JSON,
};

const struct command commands[] = {
	{
		.name = "info",
		.operands = "",
		.sentence = "Tell what this installation offers: plugins, operations, devices.",
		.details = "Plugins that are loaded only when needed are loaded now, to hear what "
			   "devices and providers they found.",
		ROWS(json_only),
		.run = info_main,
	},
	{
		.name = "ops",
		.operands = "[NAME...]",
		.most_operands = INT_MAX,
		.completes = COMPLETES_OPERATIONS,
		.sentence = "List the operations, or tell the arguments of some.",
		ROWS(json_only),
		.run = ops_main,
	},
	{
		.name = "plugins",
		.operands = "[show FILE...]",
		.most_operands = INT_MAX,
		.completes = COMPLETES_FILES,
		.words = "show",
		.sentence = "List the plugins at hand, or load some and show all they say of "
			    "themselves.",
		.details = "FILE is a path, a file name, or a name such as onnx.",
		ROWS(json_only),
		.run = plugins_main,
	},
	{
		.name = "config",
		.operands = "",
		.sentence = "List every setting, its value, and where that comes from.",
		.details = "Settings are variables of the environment. Those of plugins are known "
			   "once a plugin can be loaded.",
		ROWS(json_only),
		.run = config_main,
	},
	{
		.name = "classify",
		.operands = "IMAGE...",
		.least_operands = 1,
		.most_operands = INT_MAX,
		.completes = COMPLETES_FILES,
		.sentence = "Say what JPEG and PNG pictures show.",
		.details = "A picture that cannot be read does not stop the others; the exit "
			   "status is then 1.",
		ROWS(classify_rows),
		.run = classify_main,
	},
	{
		.name = "detect",
		.operands = "IMAGE",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_FILES,
		.sentence = "Say which objects are in a picture, and where.",
		.details = "Where: pixels from the left and the top, of one corner and of the "
			   "other.",
		ROWS(look_rows),
		.run = detect_main,
	},
	{
		.name = "segment",
		.operands = "IMAGE",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_FILES,
		.sentence = "Say how much of a picture is what.",
		ROWS(look_rows),
		.run = segment_main,
	},
	{
		.name = "pose",
		.operands = "IMAGE",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_FILES,
		.sentence = "Say where the joints of the people in a picture are.",
		.details = "Where: pixels from the left and the top. Joints of which the model "
			   "is less than 20 % sure are in the JSON only.",
		ROWS(look_rows),
		.run = pose_main,
	},
	{
		.name = "depth",
		.operands = "IMAGE",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_FILES,
		.sentence = "Say how far away what is in a picture is.",
		.details = "What the numbers mean is the model's affair: metres, or what is "
			   "larger where it is nearer.",
		ROWS(look_rows),
		.run = depth_main,
	},
	{
		.name = "run",
		.operands = "MODEL",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_FILES,
		.sentence = "Run a model on arrays of NumPy.",
		.details = "MODEL is a file or a directory of ONNX, TensorFlow Lite, TensorFlow "
			   "or TorchScript; its name or its first bytes say which. Without --fetch "
			   "the model is run more than once, to find how many outputs it has, each "
			   "time as if for the first time.",
		ROWS(run_rows),
		.run = run_main,
	},
	{
		.name = "bench",
		.operands = "SUITE [MODEL...]",
		.least_operands = 1,
		.most_operands = INT_MAX,
		.completes = COMPLETES_FILES,
		.words = "call infer sgemm tf tflite torch rpc vm",
		.sentence = "Measure what vaccel adds to the work itself.",
		.details =
			"The suite call measures operations that do nothing, infer measures "
			"classification with the models given, or with our own, sgemm products of "
			"matrices, tf, tflite and torch runs of such files, rpc calls and classification "
			"through an agent that it starts, vm calls out of the virtual machine that it is "
			"run in. Each row stands beside its limit, which is "
			"measured in turns with it.",
		ROWS(bench_rows),
		.run = bench_main,
	},
	{
		.name = "ping",
		.operands = "[ADDRESS]",
		.most_operands = 1,
		.sentence = "Say whether an agent answers, and how fast.",
		.details = "With an address, or VACCEL_RPC_ADDRESS, it measures round trips of an "
			   "operation that does nothing. Of several addresses, with ',' between "
			   "them, each is asked; it fails if none of them answers. Without either "
			   "it does so by a virtual machine's device, and where there is none it "
			   "asks the agent of this host on its admin socket, which is for root and "
			   "the agent's user.",
		ROWS(ping_rows),
		.run = ping_main,
	},
	{
		.name = "top",
		.operands = "",
		.sentence = "Show what the tenants of this host's agent do.",
		.details = "The agent is asked on its admin socket, which is for root and the "
			   "agent's user. On a terminal the table is drawn anew until Ctrl-C.",
		ROWS(top_rows),
		.run = top_main,
	},
	{
		.name = "doctor",
		.operands = "",
		.sentence = "Look for what is wrong with this set-up, and say what to do.",
		.details = "The exit status is 0 if all is well, 1 if something is wrong.",
		ROWS(json_only),
		.run = doctor_main,
	},
	{
		.name = "completion",
		.operands = "SHELL",
		.least_operands = 1,
		.most_operands = 1,
		.completes = COMPLETES_WORDS,
		.words = "bash zsh fish",
		.sentence = "Print a script that completes vaccel's commands and options in bash, "
			    "zsh or fish.",
		.details = "For bash: eval \"$(vaccel completion bash)\"",
		.run = completion_main,
	},
	{
		.name = "help",
		.operands = "[COMMAND]",
		.most_operands = 1,
		.completes = COMPLETES_COMMANDS,
		.sentence = "Tell how to use a command.",
		.run = help_main,
	},
	{
		.name = "version",
		.operands = "",
		.sentence = "Print the version.",
		.run = version_main,
	},
	{.name = NULL},
};

static const struct command *find_command(const char *name)
{
	struct guess guess = {.typed = name};
	const char *best;

	for (const struct command *command = commands; command->name; command++) {
		if (!strcmp(name, command->name))
			return command;
		guess_offer(&guess, command->name);
	}
	best = guess_best(&guess);
	if (best)
		complain("there is no command '%s'; did you mean '%s'?", name, best);
	else
		complain("there is no command '%s'; `vaccel help` lists them", name);
	return NULL;
}

static void list_commands(void)
{
	puts("usage: vaccel COMMAND [options]\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("  ");
		terminal_put(STYLE_HEADING, NAME_WIDTH - 2, command->name);
		terminal_wrap(NAME_WIDTH, command->sentence);
	}
	putchar('\n');
	terminal_wrap(0, "`vaccel help COMMAND` tells more of each, vaccel(7) of everything.");
}

static int help_main(const struct options *options)
{
	const struct command *command;

	if (!options->nr_operands) {
		list_commands();
		return STATUS_OK;
	}
	command = find_command(options->operands[0]);
	if (!command)
		return STATUS_USAGE;
	options_help(command);
	return STATUS_OK;
}

static int version_main(const struct options *options)
{
	(void)options;
	puts("vaccel " VACCEL_VERSION);
	return STATUS_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options options = {
		.argv = argv, .top = 5, .repeat = 1, .interval = 1, .count = 1000};

	switch (options_parse(command, argc - 1, argv + 1, &options)) {
	case PARSED_RUN:
		return command->run(&options);
	case PARSED_HELP:
		options_help(command);
		return STATUS_OK;
	case PARSED_WRONG:
		break;
	}
	return STATUS_USAGE;
}

/* The forms of these two that every program has. */
static const char *command_meant(const char *typed)
{
	if (!strcmp(typed, "--help") || !strcmp(typed, "-h"))
		return "help";
	if (!strcmp(typed, "--version") || !strcmp(typed, "-V"))
		return "version";
	return typed;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int status;

	if (argc < 2) {
		complain("which command? `vaccel help` lists them");
		return STATUS_USAGE;
	}
	command = find_command(command_meant(argv[1]));
	if (!command)
		return STATUS_USAGE;
	status = run(command, argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to the standard output");
		return STATUS_FAILED;
	}
	return status;
}
