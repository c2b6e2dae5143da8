// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel-agent: the host's daemon. The program that is started is the supervisor;
 * it starts itself again as a worker, the front or the monitor, by a name that no
 * command line has.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>
#include <vaccel/version.h>

#include "agent/base/environment.h"
#include "agent/base/log.h"
#include "agent/config/arguments.h"
#include "agent/front/front.h"
#include "agent/monitor/monitor.h"
#include "agent/supervisor/check.h"
#include "agent/supervisor/supervisor.h"
#include "agent/worker/worker.h"
#include "base/ready.h"
#include "base/util.h"

#define WRONG_USE 2

/* Workers bootstrap with their policy's plugins; the supervisor loads none. */
const char vaccel_program_bootstraps;

static const char help[] =
	"usage: vaccel-agent [-a ADDRESS[,KEY=VALUE...]]... [options]\n"
	"       vaccel-agent --config FILE [options]\n"
	"\n"
	"Runs the operations of programs that use vaccel elsewhere: in VMs, containers, on other\n"
	"hosts.\n"
	"\n"
	"  -a, --server-address ADDRESS  listen there; tenant=NAME and other keys of a listener may\n"
	"                                follow. By default at agent.sock in the directory for\n"
	"                                run-time files, /run/vaccel for root, where programs look\n"
	"  -c, --config FILE             do what the file says, see vaccel-agent.yaml(5)\n"
	"      --check-config            tell whether that makes sense, and do nothing\n"
	"      --vaccel-config SETTINGS  plugins=NAME:NAME,log_level=1 to 4\n"
	"      --runtime-dir DIRECTORY   where run-time files go\n"
	"  -h, --help                    show this\n"
	"  -V, --version                 show the version\n"
	"\n"
	"Addresses are unix:///PATH, tcp://HOST:PORT, tls://HOST:PORT, vsock://CID:PORT,\n"
	"vsock-uds:///PATH:PORT, and of devices for virtual machines vhost-user:///PATH and\n"
	"vhost-user-blk:///PATH.\n";

struct arguments {
	char **listeners;
	size_t nr_listeners;
	const char *file;
	const char *vaccel;
	const char *base;
	bool check;
};

/* Its exit status if this is a child of the supervisor; else -1. */
static int run_as_child(const char *name)
{
	static const char mark[] = "vaccel-agent: ";
	static const struct {
		const char *role;
		int (*main)(void);
	} roles[] = {{"worker ", worker_main}, {"front", front_main}, {"monitor", monitor_main}};

	if (strncmp(name, mark, strlen(mark)))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strncmp(name + strlen(mark), roles[i].role, strlen(roles[i].role)))
			return roles[i].main();
	return EXIT_FAILURE;
}

static int complain(const char *words)
{
	fprintf(stderr, "vaccel-agent: %s\n", words);
	return WRONG_USE;
}

/* An option that has one value. */
static int take_once(const char **at, const char *option)
{
	if (*at) {
		fprintf(stderr, "vaccel-agent: %s is there twice; write all that it says in one\n",
			option);
		return WRONG_USE;
	}
	*at = optarg;
	return -1;
}

enum { CHECK = 256, VACCEL, BASE };

/* An exit status, or -1 to go on; so does parse(). */
static int take_option(int option, struct arguments *arguments)
{
	switch (option) {
	case 'a':
		arguments->listeners[arguments->nr_listeners++] = optarg;
		return -1;
	case 'c':
		return take_once(&arguments->file, "--config");
	case CHECK:
		arguments->check = true;
		return -1;
	case VACCEL:
		return take_once(&arguments->vaccel, "--vaccel-config");
	case BASE:
		return take_once(&arguments->base, "--runtime-dir");
	case 'h':
		fputs(help, stdout);
		return EXIT_SUCCESS;
	case 'V':
		puts("vaccel-agent " VACCEL_VERSION);
		return EXIT_SUCCESS;
	default:
		return complain("--help tells of all options");
	}
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"server-address", required_argument, NULL, 'a'},
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, CHECK},
		{"vaccel-config", required_argument, NULL, VACCEL},
		{"runtime-dir", required_argument, NULL, BASE},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{},
	};
	int option, status = -1;

	while (status < 0 && (option = getopt_long(argc, argv, "a:c:hV", options, NULL)) >= 0)
		status = take_option(option, arguments);
	if (status >= 0)
		return status;
	if (optind < argc)
		return complain("an argument without its option means nothing; give an address as "
				"-a ADDRESS; --help tells of all options");
	if (arguments->file && (arguments->nr_listeners || arguments->vaccel))
		return complain("with --config all else is said in the file");
	if (arguments->base && arguments->base[0] != '/')
		return complain("--runtime-dir takes a whole path, from '/' on");
	return -1;
}

static int base_of(const struct arguments *arguments, char **ret_base)
{
	if (!arguments->base)
		return environment_directory(ret_base);
	*ret_base = strdup(arguments->base);
	return *ret_base ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
}

static int run(const struct arguments *arguments, struct config *config)
{
	_cleanup_(freep) char *base = NULL;
	int ret = base_of(arguments, &base);

	if (!ret)
		ret = supervisor_run(config, arguments->file, base);
	if (ret)
		log_line(VACCEL_LOG_ERROR, NULL, "%s", vaccel_error_text());
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Also what is only doubtful is said, such as a certificate that has expired. */
static int check(const struct arguments *arguments, const struct config *config)
{
	struct vaccel_config loud = {.log_level = VACCEL_LOG_WARN};
	_cleanup_(freep) char *base = NULL;

	if (vaccel_bootstrap_with_config(&loud) || base_of(arguments, &base) ||
	    check_config(config, base))
		return complain(vaccel_error_text());
	printf("%s: ok\n", arguments->file ? arguments->file : "command line");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	_cleanup_(freep) char **listeners = calloc((size_t)argc + 1, sizeof(*listeners));
	struct arguments arguments = {.listeners = listeners};
	struct config *config;
	int status = run_as_child(argc ? argv[0] : "");

	if (status < 0)
		status = listeners ? parse(argc, argv, &arguments) : EXIT_FAILURE;
	if (status >= 0)
		return status;
	if (arguments.file ? config_load(arguments.file, &config)
			   : config_from_arguments(listeners, arguments.nr_listeners,
						   arguments.vaccel, &config))
		return complain(vaccel_error_text());
	if (!arguments.check)
		return run(&arguments, config);
	status = check(&arguments, config);
	config_unref(config);
	return status;
}
