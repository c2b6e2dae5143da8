// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel completion: scripts for three shells, made of the table of commands, so
 * that they know every option there is.
 */
#include <stdio.h>
#include <string.h>

#include <vaccel.h>

#include "base/terminal.h"
#include "command.h"

/* A text for inside single quotes, with @quote for one of its own and a \ before any of @escaped.
 */
static void put_escaped(const char *text, const char *quote, const char *escaped)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else if (strchr(escaped, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void put_command_names(void)
{
	for (const struct command *command = commands; command->name; command++)
		printf("%s ", command->name);
}

static void put_operation_names(void)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		printf("%s ", op->name);
}

static void put_words(const struct command *command)
{
	if (command->completes == COMPLETES_COMMANDS)
		put_command_names();
	else if (command->completes == COMPLETES_OPERATIONS)
		put_operation_names();
	else if (command->words)
		fputs(command->words, stdout);
}

static bool has_words(const struct command *command)
{
	return command->words || command->completes == COMPLETES_COMMANDS ||
	       command->completes == COMPLETES_OPERATIONS;
}

/* The options of one kind in both their forms. */
static void bash_options(const struct command *command, enum option_kind kind)
{
	for (size_t i = 0; i < command->nr_rows; i++) {
		const struct option_row *row = &command->rows[i];

		if (row->kind == kind)
			printf("--%s ", row->name);
		if (row->kind == kind && row->letter)
			printf("-%c ", row->letter);
	}
}

static void bash_command(const struct command *command)
{
	printf("\t%s)\n\t\toptions='--help ", command->name);
	for (size_t i = 0; i < command->nr_rows; i++)
		printf("--%s ", command->rows[i].name);
	fputs("'\n\t\twith_file='", stdout);
	bash_options(command, OPTION_TEXT);
	fputs("'\n\t\twith_number='", stdout);
	bash_options(command, OPTION_NUMBER);
	fputs("'\n\t\twords='", stdout);
	put_words(command);
	printf("'\n\t\tfiles=%s\n\t\t;;\n", command->completes == COMPLETES_FILES ? "yes" : "");
}

static void bash(void)
{
	puts("# Completes vaccel in bash.\n"
	     "_vaccel()\n"
	     "{\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
	     "\tlocal options= with_file= with_number= words= files=\n"
	     "\n"
	     "\tCOMPREPLY=()\n"
	     "\tcase ${COMP_WORDS[1]} in");
	for (const struct command *command = commands; command->name; command++)
		bash_command(command);
	fputs("\tesac\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\toptions='--help --version' files= words='",
	      stdout);
	put_command_names();
	puts("'\n"
	     "\tfi\n"
	     "\t# --model=x comes as three words.\n"
	     "\t[[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
	     "\t[[ $current == '=' ]] && current=\n"
	     "\tif [[ $previous == -* && \" $with_number \" == *\" $previous \"* ]]; then\n"
	     "\t\treturn\n"
	     "\telif [[ $previous == -* && \" $with_file \" == *\" $previous \"* ]]; then\n"
	     "\t\twords= files=yes\n"
	     "\telif [[ $current == -* ]]; then\n"
	     "\t\twords=$options files=\n"
	     "\tfi\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	     "\t[[ $files ]] || return\n"
	     "\tcompopt -o filenames 2>/dev/null\n"
	     "\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
	     "}\n"
	     "complete -F _vaccel vaccel");
}

/* An option up to where its argument is named, which is inside the quotes. */
static void zsh_option(const struct option_row *row)
{
	if (row->letter)
		printf("\t\t\t'(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter,
		       row->name);
	else
		printf("\t\t\t'--%s[", row->name);
	put_escaped(row->sentence, "'\\''", "[]\\");
	putchar(']');
	if (row->argument)
		printf(":%s:%s", row->argument, row->kind == OPTION_TEXT ? "_files" : " ");
	puts("' \\");
}

static void zsh_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments \\\n", command->name);
	for (size_t i = 0; i < command->nr_rows; i++)
		zsh_option(&command->rows[i]);
	if (has_words(command)) {
		printf("\t\t\t'%c:operand:(",
		       command->completes == COMPLETES_OPERATIONS ? '*' : '1');
		put_words(command);
		puts(")' \\");
	}
	if (command->completes == COMPLETES_FILES)
		puts("\t\t\t'*:file:_files' \\");
	puts("\t\t\t'(-h --help)'{-h,--help}'[tell how to use it]'\n\t\t;;");
}

static void zsh(void)
{
	puts("#compdef vaccel\n"
	     "_vaccel()\n"
	     "{\n"
	     "\tlocal -a commands\n"
	     "\tcommands=(");
	for (const struct command *command = commands; command->name; command++) {
		printf("\t\t'%s:", command->name);
		put_escaped(command->sentence, "'\\''", "");
		puts("'");
	}
	puts("\t)\n"
	     "\tif ((CURRENT == 2)); then\n"
	     "\t\t_describe command commands\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tshift words\n"
	     "\t((CURRENT--))\n"
	     "\tcase $words[1] in");
	for (const struct command *command = commands; command->name; command++)
		zsh_command(command);
	puts("\tesac\n"
	     "}\n"
	     "# Found by its file name it is called at once; sourced it is only announced.\n"
	     "if [[ $funcstack[1] == _vaccel ]]; then\n"
	     "\t_vaccel \"$@\"\n"
	     "else\n"
	     "\tcompdef _vaccel vaccel\n"
	     "fi");
}

static void fish_begin(const struct command *command)
{
	printf("complete -c vaccel -n '__fish_seen_subcommand_from %s'", command->name);
}

static void fish_command(const struct command *command)
{
	printf("complete -c vaccel -n __fish_use_subcommand -a %s -d '", command->name);
	put_escaped(command->sentence, "\\'", "\\");
	puts("'");
	for (size_t i = 0; i < command->nr_rows; i++) {
		const struct option_row *row = &command->rows[i];

		fish_begin(command);
		printf(" -l %s", row->name);
		if (row->letter)
			printf(" -s %c", row->letter);
		fputs(row->kind == OPTION_FLAG	 ? " -d '"
		      : row->kind == OPTION_TEXT ? " -r -F -d '"
						 : " -x -d '",
		      stdout);
		put_escaped(row->sentence, "\\'", "\\");
		puts("'");
	}
	if (has_words(command)) {
		fish_begin(command);
		fputs(" -a '", stdout);
		put_words(command);
		puts("'");
	}
	if (command->completes == COMPLETES_FILES) {
		fish_begin(command);
		puts(" -F");
	}
}

static void fish(void)
{
	puts("# Completes vaccel in fish.\n"
	     "complete -c vaccel -f\n"
	     "complete -c vaccel -s h -l help -d 'Tell how to use it'\n"
	     "complete -c vaccel -n __fish_use_subcommand -l version -d 'Print the version'");
	for (const struct command *command = commands; command->name; command++)
		fish_command(command);
}

int completion_main(const struct options *options)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	const char *wanted = options->operands[0];

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (!strcmp(wanted, shells[i].name)) {
			shells[i].print();
			return STATUS_OK;
		}
	}
	complain("completion knows bash, zsh and fish, not '%s'", wanted);
	return STATUS_USAGE;
}
