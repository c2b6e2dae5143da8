// SPDX-License-Identifier: Apache-2.0
/*
 * What must hold between the keys of a configuration: who is let in by what, and that
 * each tenant has one policy.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/op.h>

#include "agent/base/stats.h"
#include "agent/config/convert.h"
#include "agent/config/guess.h"
#include "base/util.h"
#include "transport/carrier.h"

#define HEX_OF_SHA256 64

bool name_is_valid(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t length = strspn(name, allowed);

	return length && !name[length] && length < TENANT_NAME_MAX && name[0] != '.';
}

bool name_is_of_user(const char *name)
{
	return !strncmp(name, "uid-", 4);
}

/* Policies */

/* Without the list all is permitted, which who writes an empty one does not mean. */
static int check_some(struct document *document, const struct place *place)
{
	const yaml_node_t *list = document_find(document, place);

	if (!list || list->data.sequence.items.top > list->data.sequence.items.start)
		return VACCEL_OK;
	return document_fail(document, place,
			     "nothing at all would be of no use; leave the key out to permit all");
}

/* The operation whose name it is, or that of its function; else one with a name like it, or NULL.
 */
static const char *nearest_op(const char *name)
{
	struct guess guess = {.typed = name};
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++) {
		if (!strcmp(op->name, name) || !strcmp(op->symbol, name) ||
		    !strcmp(op->symbol + strlen("vaccel_"), name))
			return op->name;
		guess_offer(&guess, op->name);
	}
	return guess.best;
}

static int check_ops(struct document *document, const struct place *place,
		     const struct names *names)
{
	for (unsigned int i = 0; i < names->count; i++) {
		const char *nearest = nearest_op(names->at[i]);

		if (!nearest)
			return document_fail(document, AT_INDEX(place, i),
					     "there is no operation '%s'; `vaccel ops` lists them",
					     names->at[i]);
		if (strcmp(nearest, names->at[i]))
			return document_fail(document, AT_INDEX(place, i),
					     "there is no operation '%s'; did you mean '%s'?",
					     names->at[i], nearest);
	}
	return VACCEL_OK;
}

static int check_paths(struct document *document, const struct place *place,
		       const struct names *names)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (names->at[i][0] != '/')
			return document_fail(document, AT_INDEX(place, i),
					     "'%s' is no path; write it whole, from '/' on",
					     names->at[i]);
	return VACCEL_OK;
}

static bool is_hash(const char *text)
{
	return strlen(text) == HEX_OF_SHA256 &&
	       strspn(text, "0123456789abcdefABCDEF") == HEX_OF_SHA256;
}

static int check_uploads(struct document *document, const struct place *place,
			 const struct names *names)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (strcmp(names->at[i], "any") && !is_hash(names->at[i]))
			return document_fail(document, AT_INDEX(place, i),
					     "'%s' is neither 'any' nor what sha256sum says of a "
					     "library, 64 digits in hex",
					     names->at[i]);
	return VACCEL_OK;
}

static int check_not_empty(struct document *document, const struct place *place,
			   const struct names *names)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!names->at[i][0])
			return document_fail(document, AT_INDEX(place, i), "this is no name");
	return VACCEL_OK;
}

/*
 * Limits of which nothing would leave a tenant without any use of the agent; and more calls than
 * that would leave no thread to read what comes meanwhile.
 */
static int check_limits(struct document *document, const struct place *place,
			const struct policy *policy)
{
	const struct {
		const char *key;
		uint64_t value;
	} limits[] = {
		{"sessions", policy->sessions}, {"connections", policy->connections},
		{"memory", policy->memory},	{"content", policy->content},
		{"payload", policy->payload},	{"calls", policy->calls},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (!limits[i].value)
			return document_fail(document, AT(place, limits[i].key),
					     "nothing at all is no limit to work with; write more");
	if (policy->calls > CALLS_MAX)
		return document_fail(document, AT(place, "calls"),
				     "%" PRIu32 " at once are too many; the most is %d",
				     policy->calls, CALLS_MAX);
	return VACCEL_OK;
}

static int check_policy(struct document *document, const struct policy *policy)
{
	const struct place *place = AT(AT(NULL, "policies"), policy->name);
	int ret = check_some(document, AT(place, "ops"));

	if (!ret)
		ret = check_some(document, AT(place, "plugins"));
	if (!ret)
		ret = check_ops(document, AT(place, "ops"), &policy->ops);
	if (!ret)
		ret = check_not_empty(document, AT(place, "plugins"), &policy->plugins);
	if (!ret)
		ret = check_paths(document, AT(place, "exec_libraries"), &policy->exec_libraries);
	if (!ret)
		ret = check_uploads(document, AT(place, "exec_uploads"), &policy->exec_uploads);
	return ret ? ret : check_limits(document, place, policy);
}

/* Listeners */

static bool is_carrier(const struct listener_config *listener, const char *scheme)
{
	return !strcmp(listener->address.carrier->scheme, scheme);
}

/* As far as the address itself says; what a name stands for may change. */
static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return !strcmp(host, "localhost");
}

static int check_files(struct document *document, const struct place *place,
		       const struct listener_config *listener)
{
	const struct {
		const char *key;
		const char *path;
		bool is_tls;
	} files[] = {
		{"cert", listener->cert.path, true},
		{"key", listener->key.path, true},
		{"client_ca", listener->client_ca.path, true},
		{"token_file", listener->token_file.path, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].path && files[i].is_tls && !is_carrier(listener, "tls"))
			return document_fail(document, AT(place, files[i].key),
					     "this is for listeners of tls:// only");
		if (files[i].path && files[i].path[0] != '/')
			return document_fail(document, AT(place, files[i].key),
					     "'%s' is no path; write it whole, from '/' on",
					     files[i].path);
	}
	return VACCEL_OK;
}

/* Keys that would change nothing there, though somebody counts on it. */
static int check_use(struct document *document, const struct place *place,
		     const struct listener_config *listener)
{
	char file[ADDRESS_FILE_ROOM];

	if (document_find(document, AT(place, "mode")) && !address_file(&listener->address, file))
		return document_fail(document, AT(place, "mode"),
				     "this is for listeners with a socket file only");
	if (document_find(document, AT(place, "insecure")) && !is_carrier(listener, "tcp") &&
	    !is_carrier(listener, "tls"))
		return document_fail(document, AT(place, "insecure"),
				     "this is for listeners of tcp:// and tls:// only");
	return VACCEL_OK;
}

/* How what is unsafe is permitted: of a file, or of an option. */
static const char *insecurely(const struct document *document)
{
	return document->has_lines ? "write 'insecure: true'" : "add ',insecure=true' to it";
}

static int check_tls(struct document *document, const struct place *place,
		     const struct listener_config *listener)
{
	if (!listener->cert.path || !listener->key.path)
		return document_fail(document, place,
				     "a listener of tls:// needs 'cert' and 'key'");
	if (!listener->tenant && !listener->client_ca.path)
		return document_fail(document, place,
				     "give it a 'client_ca', whose certificates name tenants, or a "
				     "'tenant'");
	if (!listener->client_ca.path && !listener->token_file.path && !listener->insecure)
		return document_fail(document, place,
				     "anybody could connect; give it a 'client_ca' or a "
				     "'token_file', or %s if that is meant",
				     insecurely(document));
	return VACCEL_OK;
}

static int check_tcp(struct document *document, const struct place *place,
		     const struct listener_config *listener)
{
	if (listener->insecure || is_loopback(listener->address.host))
		return VACCEL_OK;
	return document_fail(document, AT(place, "address"),
			     "'%s' is open to the network, unencrypted; use tls://, or %s if that "
			     "is meant",
			     listener->address.text, insecurely(document));
}

static int check_tenant(struct document *document, const struct place *place,
			const struct listener_config *listener)
{
	if (listener->tenant && name_is_of_user(listener->tenant))
		return document_fail(document, AT(place, "tenant"),
				     "names of the form uid-N are those of users; take another");
	if (!listener->tenant && !is_carrier(listener, "unix") && !is_carrier(listener, "tls"))
		return document_fail(document, place,
				     "nothing says who connects to '%s'; give it a 'tenant'",
				     listener->address.text);
	if (!listener->tenant && listener->token_file.path)
		return document_fail(
			document, AT(place, "token_file"),
			"a token is nobody's in particular; give the listener a 'tenant'");
	return VACCEL_OK;
}

/* Some addresses are for programs alone. Who listens says so, at once. */
static int check_carrier(struct document *document, const struct place *place,
			 const struct listener_config *listener)
{
	int fd;

	if (listener->address.carrier->accept)
		return VACCEL_OK;
	address_listen(&listener->address, 0, &fd);
	return document_fail(document, AT(place, "address"), "%s", vaccel_error_text());
}

static int check_socket_file(struct document *document, const struct place *place, const char *file)
{
	if (!unix_check_path(file))
		return VACCEL_OK;
	return document_fail(document, place, "%s", vaccel_error_text());
}

static int check_address(struct document *document, const struct place *place,
			 const struct config *config, const struct address *address)
{
	char file[ADDRESS_FILE_ROOM];
	bool has_file = address_file(address, file);
	int ret = has_file ? check_socket_file(document, place, file) : VACCEL_OK;

	if (!ret && has_file && config->admin_socket && !strcmp(file, config->admin_socket))
		return document_fail(document, place,
				     "its socket file is that of admin.socket; give it another "
				     "path");
	if (!ret && config->metrics.port && address_is_same(&config->metrics, address))
		return document_fail(document, place,
				     "its port is that of metrics.address; give it another");
	return ret;
}

static int check_listener(struct document *document, const struct place *place,
			  const struct config *config, const struct listener_config *listener)
{
	int ret = check_carrier(document, place, listener);

	if (!ret)
		ret = check_address(document, AT(place, "address"), config, &listener->address);
	if (!ret)
		ret = check_tenant(document, place, listener);
	if (!ret)
		ret = check_files(document, place, listener);
	if (!ret)
		ret = check_use(document, place, listener);
	if (!ret && is_carrier(listener, "tls"))
		ret = check_tls(document, place, listener);
	if (!ret && is_carrier(listener, "tcp"))
		ret = check_tcp(document, place, listener);
	return ret;
}

/* Whether both may bring the same tenant, as far as can be known beforehand. */
static bool share_tenants(const struct listener_config *one, const struct listener_config *other)
{
	if (one->tenant && other->tenant)
		return !strcmp(one->tenant, other->tenant);
	return !one->tenant && !other->tenant && one->address.carrier == other->address.carrier;
}

static bool share_socket_file(const struct address *one, const struct address *other)
{
	char file[ADDRESS_FILE_ROOM], other_file[ADDRESS_FILE_ROOM];

	return address_file(one, file) && address_file(other, other_file) &&
	       !strcmp(file, other_file);
}

static int check_pair(struct document *document, const struct config *config, unsigned int first,
		      unsigned int second)
{
	const struct place *place = AT_INDEX(AT(NULL, "listeners"), second);
	const struct listener_config *one = &config->listeners[first];
	const struct listener_config *other = &config->listeners[second];

	if (!strcmp(one->address.text, other->address.text))
		return document_fail(document, AT(place, "address"), "'%s' is there twice",
				     one->address.text);
	if (share_socket_file(&one->address, &other->address))
		return document_fail(document, AT(place, "address"),
				     "its socket file is that of '%s'; give it another path",
				     one->address.text);
	if (address_is_same(&one->address, &other->address))
		return document_fail(document, AT(place, "address"),
				     "its port is that of '%s'; give it another",
				     one->address.text);
	if (share_tenants(one, other) && one->policy != other->policy)
		return document_fail(document, place,
				     "its tenants are those of '%s', but its policy is another; a "
				     "tenant has one: give one of them a 'tenant' of its own",
				     one->address.text);
	return VACCEL_OK;
}

static int check_absolute(struct document *document, const struct place *place, const char *path)
{
	if (!path || path[0] == '/')
		return VACCEL_OK;
	return document_fail(document, place, "'%s' is no path; write it whole, from '/' on", path);
}

/* Whether no part of it leads up or elsewhere. */
static bool is_below(const char *name)
{
	if (!*name || *name == '/')
		return false;
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strcspn(part, "/") == 2 && !strncmp(part, "..", 2))
			return false;
	}
	return true;
}

static int check_models(struct document *document, const struct models *models)
{
	const struct place *place = AT(NULL, "models");

	if (models->preload.count && !models->path)
		return document_fail(document, AT(place, "preload"),
				     "models are preloaded from 'path', which is not given");
	for (unsigned int i = 0; i < models->preload.count; i++)
		if (!is_below(models->preload.at[i]))
			return document_fail(document, AT_INDEX(AT(place, "preload"), i),
					     "'%s' is no name of a model below 'path'",
					     models->preload.at[i]);
	return check_absolute(document, AT(place, "path"), models->path);
}

static int check_admin(struct document *document, const char *socket)
{
	const struct place *place = AT(AT(NULL, "admin"), "socket");
	int ret = check_absolute(document, place, socket);

	return ret || !socket ? ret : check_socket_file(document, place, socket);
}

int config_check_rules(struct document *document, const struct config *config)
{
	int ret = check_models(document, &config->models);

	if (!ret)
		ret = check_admin(document, config->admin_socket);
	for (unsigned int i = 0; !ret && i < config->nr_policies; i++)
		ret = check_policy(document, &config->policies[i]);
	for (unsigned int i = 0; !ret && i < config->nr_listeners; i++) {
		ret = check_listener(document, AT_INDEX(AT(NULL, "listeners"), i), config,
				     &config->listeners[i]);
		for (unsigned int j = 0; !ret && j < i; j++)
			ret = check_pair(document, config, j, i);
	}
	return ret;
}
