// SPDX-License-Identifier: Apache-2.0
/* What agent.yaml may say, and the words for what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "agent/config/config.h"
#include "agent/config/guess.h"
#include "agent/config/schema.h"
#include "agent/config/units.h"

static struct config *parse(const char *text)
{
	struct config *config = NULL;

	if (config_parse("x", text, strlen(text), &config))
		fail_msg("%s: %s", text, vaccel_error_text());
	return config;
}

static void assert_refused(const char *text, const char *words)
{
	struct config *config = NULL;

	if (config_parse("x", text, strlen(text), &config) != VACCEL_EINVAL)
		fail_msg("taken though wrong: %s", text);
	assert_null(config);
	if (!strstr(vaccel_error_text(), words))
		fail_msg("%s: says '%s', not '%s'", text, vaccel_error_text(), words);
}

static void test_nothing_said_is_the_default(void **state)
{
	static const char *const texts[] = {
		"",   "# a remark\n",	 "---\n",	   "---\n{}\n...\n# a remark\n",
		"{}", "listeners: []\n", "policies: {}\n", "models: {}\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config *config = parse(texts[i]);
		const struct listener_config *listener = config->listeners;
		const struct policy *policy = config_policy(config, "default");

		assert_int_equal(config->nr_listeners, 1);
		assert_string_equal(listener->address.text, "unix:///run/vaccel/agent.sock");
		assert_null(listener->tenant);
		assert_int_equal(listener->mode, 0660);
		assert_ptr_equal(listener->policy, policy);
		assert_int_equal(config->nr_policies, 1);
		assert_int_equal(policy->sessions, default_policy.sessions);
		assert_int_equal(policy->worker_idle_ms, 300000);
		assert_int_equal(policy->exec_libraries.count, 0);
		assert_null(config->admin_socket);
		assert_int_equal(config->admin_mode, 0600);
		assert_null(config->metrics.carrier);
		assert_int_equal(config->log.level, VACCEL_LOG_INFO);
		assert_int_equal(config->log.format, LOG_TEXT);
		assert_int_equal(config->drain_ms, 30000);
		config_unref(config);
	}
}

#define HASH "0123456789abcdefABCDEF0123456789abcdefABCDEF01234567890123456789"

static void expect_gold(const struct policy *gold)
{
	assert_int_equal(gold->ops.count, 2);
	assert_string_equal(gold->ops.at[1], "exec");
	assert_string_equal(gold->plugins.at[1], "/p/libx.so");
	assert_int_equal(gold->exec_libraries.count, 2);
	assert_string_equal(gold->exec_uploads.at[0], "any");
	assert_string_equal(gold->exec_uploads.at[1], HASH);
	assert_int_equal(gold->sessions, 1);
	assert_int_equal(gold->connections, 2);
	assert_true(gold->memory == UINT64_C(3) << 30);
	assert_int_equal(gold->content, 4 << 20);
	assert_int_equal(gold->payload, 5 << 10);
	assert_int_equal(gold->calls, 6);
	assert_int_equal(gold->queue, 0);
	assert_int_equal(gold->deadline_ms, 60000);
	assert_int_equal(gold->idle_timeout_ms, 7200000);
	assert_int_equal(gold->worker_idle_ms, 0);
	assert_int_equal(gold->spin, 7);
}

static void test_all_that_can_be_said(void **state)
{
	struct config *config =
		parse("listeners:\n"
		      "  - {address: 'unix:///a.sock', mode: 0600, policy: gold}\n"
		      "  - {address: 'tcp://10.0.0.1:4444', tenant: build-1.x_Y, insecure: yes}\n"
		      "  - {address: 'tls://[::1]:1', cert: /c, key: /k, client_ca: /ca}\n"
		      "  - {address: 'tls://h:2', tenant: t, cert: /c, key: /k, token_file: /t}\n"
		      "  - {address: 'vsock-uds:///v.sock:2048', tenant: vm, token_file: /t}\n"
		      "policies:\n"
		      "  gold:\n"
		      "    ops: [noop, exec]\n"
		      "    plugins: [noop, /p/libx.so]\n"
		      "    exec_libraries: [/l/liba.so, /l/libb.so]\n"
		      "    exec_uploads:\n"
		      "      - any\n"
		      "      - " HASH "\n"
		      "    sessions: 1\n"
		      "    connections: 2\n"
		      "    memory: 3GiB\n"
		      "    content: 4 MiB\n"
		      "    payload: 5KiB\n"
		      "    calls: 6\n"
		      "    queue: 0\n"
		      "    deadline: 1min\n"
		      "    idle_timeout: 2h\n"
		      "    worker_idle: 0\n"
		      "    spin: 7\n"
		      "  default: {calls: 9}\n"
		      "models: {path: /models, memory: 1TiB, preload: [classify]}\n"
		      "admin: {socket: /admin.sock, mode: '0660'}\n"
		      "metrics: {address: 9464}\n"
		      "log: {level: debug, format: json}\n"
		      "drain: 500ms\n");
	const struct policy *gold = config_policy(config, "gold");

	assert_int_equal(config->nr_listeners, 5);
	assert_int_equal(config->listeners[0].mode, 0600);
	assert_ptr_equal(config->listeners[0].policy, gold);
	assert_string_equal(config->listeners[1].tenant, "build-1.x_Y");
	assert_true(config->listeners[1].insecure);
	assert_string_equal(config->listeners[2].client_ca.path, "/ca");
	assert_string_equal(config->listeners[3].token_file.path, "/t");
	expect_gold(gold);
	assert_int_equal(config_policy(config, "default")->calls, 9);
	assert_null(config_policy(config, "silver"));
	assert_string_equal(config->models.path, "/models");
	assert_true(config->models.memory == UINT64_C(1) << 40);
	assert_string_equal(config->models.preload.at[0], "classify");
	assert_string_equal(config->admin_socket, "/admin.sock");
	assert_int_equal(config->admin_mode, 0660);
	assert_string_equal(config->metrics.text, "tcp://127.0.0.1:9464");
	assert_int_equal(config->log.level, VACCEL_LOG_DEBUG);
	assert_int_equal(config->log.format, LOG_JSON);
	assert_int_equal(config->drain_ms, 500);
	config_unref(config);
}

static void test_metrics_and_log_levels(void **state)
{
	struct config *config = parse("metrics: {address: '[::]:80'}\nlog: {level: 2}\n");

	assert_string_equal(config->metrics.text, "tcp://[::]:80");
	assert_int_equal(config->log.level, VACCEL_LOG_WARN);
	config_unref(config);
}

#define UNIX "{address: 'unix:///a'}"

/* The longest path of a socket file. */
#define TEN	"0123456789"
#define LONGEST "/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0"

/* A document, and what is said of it. */
static const char *const wrong[][2] = {
	{"listeners: {", "x:2: did not find"},
	{"hello", "keys with values must follow"},
	{"[a, b]", "keys with values must follow"},
	{"listeners: [}", "x:1: did not find"},
	{"\x01", "x:1: control characters"},
	{"drain: 1s\n---\nlistner: []", "x:2: another document begins here"},
	{"---\n---\ndrain: 1s", "x:2: another document begins here"},
	{"drain: 1s\n---\n[", "x:4: did not find"},
	{"{[a]: b}", "a key must be text"},
	{"listner: []", "listner: there is no such key; did you mean 'listeners'?"},
	{"quux: 1", "quux: there is no such key"},
	{"admin: {sokcet: /x}", "admin.sokcet: there is no such key; did you mean 'socket'?"},
	{"policies: {a: {memroy: 1}}",
	 "policies.a.memroy: there is no such key; did you mean 'memory'?"},
	{"policies: {a: {spin: 1, spin: 2}}", "policies.a.spin: is there twice"},
	{"policies: {a: {}, a: {}}", "policies.a: is there twice"},
	{"policies: [a]", "policies: keys with values must follow"},
	{"policies: {a: 1}", "policies.a: keys with values must follow"},
	{"policies: {a: }", "policies.a: keys with values must follow"},
	{"policies: {[a]: {}}", "policies: a key must be text"},
	{"policies: {a: {ops: noop}}", "policies.a.ops: a list must follow, as in [one, two]"},
	{"policies: {a: {ops: [[noop]]}}", "policies.a.ops[0]: one value must follow"},
	{"policies: {a: {spin: [1]}}", "policies.a.spin: one value must follow"},
	{"listeners: {address: 'unix:///a'}", "listeners: a list must follow"},
	{"drain: &x 1s\nlog: {level: *x}", "log.level: '1s' is none of"},
	{"drain: *x", "undefined alias"},

	{"policies: {a/b: {}}", "policies.a/b: 'a/b' is no name"},
	{"policies: {.a: {}}", "policies..a: '.a' is no name"},
	{"policies: {a: {ops: [nop]}}",
	 "policies.a.ops[0]: there is no operation 'nop'; did you mean 'noop'?"},
	{"policies: {a: {ops: [fpga_vadd]}}",
	 "there is no operation 'fpga_vadd'; did you mean 'fpga_vectoradd'?"},
	{"policies: {a: {ops: [vaccel_sgemm]}}",
	 "there is no operation 'vaccel_sgemm'; did you mean 'blas_sgemm'?"},
	{"policies: {a: {ops: [noop, xyzzyxyzzy]}}",
	 "policies.a.ops[1]: there is no operation 'xyzzyxyzzy'; `vaccel ops` lists them"},
	{"policies: {a: {ops: []}}", "policies.a.ops: nothing at all would be of no use; leave"},
	{"policies: {a: {plugins: []}}", "policies.a.plugins: nothing at all would be of no use"},
	{"policies: {a: {plugins: ['']}}", "policies.a.plugins[0]: this is no name"},
	{"policies: {a: {exec_libraries: [liba.so]}}",
	 "policies.a.exec_libraries[0]: 'liba.so' is no path"},
	{"policies: {a: {exec_uploads: [all]}}",
	 "policies.a.exec_uploads[0]: 'all' is neither 'any' nor"},
	{"policies: {a: {exec_uploads: [" HASH "0]}}", "is neither 'any' nor"},
	{"policies: {a: {sessions: 0}}", "policies.a.sessions: nothing at all is no limit"},
	{"policies: {a: {memory: 0}}", "policies.a.memory: nothing at all is no limit"},
	{"policies: {a: {calls: many}}",
	 "policies.a.calls: 'many' is no number; write for example 16"},
	{"policies: {a: {calls: -1}}", "policies.a.calls: '-1' is no number"},
	{"policies: {a: {calls: 5s}}",
	 "policies.a.calls: '5s' is no whole number; write for example 16"},
	{"policies: {a: {calls: 4294967296}}",
	 "policies.a.calls: '4294967296' is too much; the most is 4294967295"},
	{"policies: {a: {calls: 249}}",
	 "policies.a.calls: 249 at once are too many; the most is 248"},
	{"policies: {a: {memory: 99999999999999999999}}", "is no number"},
	{"policies: {a: {memory: 16777216TiB}}", "is too much; the most is 16777215TiB"},
	{"policies: {a: {memory: 4GB}}", "write for example 512MiB or 4GiB"},
	{"policies: {a: {deadline: 30}}", "write for example 500ms, 30s, 5min or 1h"},
	{"policies: {a: {deadline: 2000h}}", "'2000h' is too much; the most is 1193h"},

	{"listeners: [{tenant: a}]", "listeners[0]: a listener needs an address"},
	{"listeners: [{address: 'unixx:///a'}]",
	 "listeners[0].address: 'unixx:///a' is no address"},
	{"listeners: [{address: 'unix:///a', tenant: a b}]",
	 "listeners[0].tenant: 'a b' is no name"},
	{"listeners: [{address: 'unix:///a', tenant: uid-7}]",
	 "listeners[0].tenant: names of the form uid-N are those of users"},
	{"listeners: [{address: 'unix:///a', mode: 888}]",
	 "listeners[0].mode: '888' is no mode; write for example 0660"},
	{"listeners: [{address: 'unix:///a', mode: 1777}]", "'1777' is no mode"},
	{"listeners: [{address: 'unix:///a', insecure: maybe}]",
	 "listeners[0].insecure: 'maybe' is neither true nor false"},
	{"listeners: [{address: 'unix:///a', policy: defualt}]",
	 "listeners[0].policy: there is no policy 'defualt'; did you mean 'default'?"},
	{"listeners: [{address: 'unix:///a', policy: gold}]",
	 "listeners[0].policy: there is no policy 'gold'; describe it below 'policies'"},
	{"listeners: [{address: 'unix:///a', token_file: /t}]",
	 "listeners[0].token_file: a token is nobody's in particular"},
	{"listeners: [{address: 'unix:///a', cert: /c}]",
	 "listeners[0].cert: this is for listeners of tls:// only"},
	{"listeners: [{address: 'tcp://127.0.0.1:1', tenant: a, mode: 0600}]",
	 "listeners[0].mode: this is for listeners with a socket file only"},
	{"listeners: [{address: 'unix:///a', insecure: false}]",
	 "listeners[0].insecure: this is for listeners of tcp:// and tls:// only"},
	{"listeners: [{address: 'tcp://127.0.0.1:1'}]",
	 "listeners[0]: nothing says who connects to 'tcp://127.0.0.1:1'; give it a 'tenant'"},
	{"listeners: [{address: 'vsock://3:1'}]", "nothing says who connects"},
	{"listeners: [{address: 'vsock-uds:///v:1'}]", "nothing says who connects"},
	{"listeners: [{address: 'vhost-user:///v'}]", "nothing says who connects"},
	{"listeners: [{address: 'virtio:///dev/accel0', tenant: a}]",
	 "listeners[0].address: virtio:///dev/accel0 is for programs in a virtual machine; its agent "
	 "listens at vhost-user:///PATH"},
	{"listeners: [{address: 'blk:', tenant: a}]", "listens at vhost-user-blk:///PATH"},
	{"listeners: [{address: 'vhost-user:///v', tenant: a}, "
	 "{address: 'vhost-user-blk:///v', tenant: a}]",
	 "listeners[1].address: its socket file is that of 'vhost-user:///v'; give it another path"},
	{"listeners: [{address: 'tcp://127.0.0.1:1', tenant: a}, "
	 "{address: 'tls://127.0.0.1:1', tenant: a, cert: /c, key: /k, insecure: true}]",
	 "listeners[1].address: its port is that of 'tcp://127.0.0.1:1'; give it another"},
	{"listeners: [{address: 'vsock-uds:///v:1', tenant: a}, {address: 'unix:///v_1'}]",
	 "listeners[1].address: its socket file is that of 'vsock-uds:///v:1'"},
	{"listeners: [" UNIX ", {address: 'vsock-uds:///v:1', tenant: a}]\nadmin: {socket: /v_1}",
	 "listeners[1].address: its socket file is that of admin.socket; give it another path"},
	{"listeners: [{address: 'tcp://127.0.0.1:1', tenant: a}]\nmetrics: {address: 1}",
	 "listeners[0].address: its port is that of metrics.address; give it another"},
	{"listeners: [{address: 'unix:" LONGEST "1'}]",
	 "listeners[0].address: the socket file '/0123456789"},
	{"listeners: [{address: 'unix:" LONGEST "1'}]", "has a longer path than the 102 bytes"},
	{"admin: {socket: " LONGEST "1}", "admin.socket: the socket file '/0123456789"},
	{"listeners: [{address: 'tcp://0.0.0.0:1', tenant: a}]",
	 "listeners[0].address: 'tcp://0.0.0.0:1' is open to the network, unencrypted"},
	{"listeners: [{address: 'tcp://[::]:1', tenant: a}]", "is open to the network"},
	{"listeners: [{address: 'tcp://example:1', tenant: a}]", "is open to the network"},
	{"listeners: [{address: 'tcp://128.0.0.1:1', tenant: a, insecure: no}]",
	 "is open to the network"},
	{"listeners: [{address: 'tcp://127.0.0.1:1', tenant: a, key: /k}]",
	 "listeners[0].key: this is for listeners of tls:// only"},
	{"listeners: [{address: 'tls://h:1', tenant: a}]", "needs 'cert' and 'key'"},
	{"listeners: [{address: 'tls://h:1', cert: /c, key: /k}]", "give it a 'client_ca'"},
	{"listeners: [{address: 'tls://h:1', cert: /c, key: /k, tenant: a}]",
	 "listeners[0]: anybody could connect"},
	{"listeners: [{address: 'tls://h:1', cert: c, key: /k, client_ca: /c}]",
	 "listeners[0].cert: 'c' is no path"},
	{"listeners: [" UNIX ", " UNIX "]", "listeners[1].address: 'unix:///a' is there twice"},
	{"listeners: [" UNIX ", {address: 'unix:///b', policy: p}]\npolicies: {p: {}}",
	 "listeners[1]: its tenants are those of 'unix:///a', but its policy is another"},
	{"listeners: [{address: 'unix:///a', tenant: t}, {address: 'unix:///b', tenant: t, "
	 "policy: p}]\npolicies: {p: {}}",
	 "a tenant has one"},

	{"models: {path: models}", "models.path: 'models' is no path"},
	{"models: {preload: [a]}", "models.preload: models are preloaded from 'path'"},
	{"models: {path: /m, preload: [a/b, ../x]}",
	 "models.preload[1]: '../x' is no name of a model below 'path'"},
	{"models: {path: /m, preload: [a/..]}", "models.preload[0]: 'a/..' is no name"},
	{"models: {path: /m, preload: [/x]}", "models.preload[0]: '/x' is no name"},
	{"models: {path: /m, preload: ['']}", "models.preload[0]: '' is no name"},
	{"models: {memory: x}", "models.memory: 'x' is no number"},
	{"admin: {socket: a.sock}", "admin.socket: 'a.sock' is no path"},
	{"admin: {mode: rw}", "admin.mode: 'rw' is no mode"},
	{"metrics: {address: here}", "metrics.address: 'here' is neither PORT nor HOST:PORT"},
	{"log: {level: loud}", "log.level: 'loud' is none of error, warning, info and debug"},
	{"log: {level: 0}", "log.level"},
	{"log: {level: 5}", "log.level"},
	{"log: {format: xml}", "log.format: 'xml' is neither text nor json"},
	{"drain: soon", "drain: 'soon' is no number"},
};

static void test_mistakes_are_told_by_their_key(void **state)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(wrong[i][0], wrong[i][1]);
}

static void test_tenants_may_share_a_policy(void **state)
{
	config_unref(parse("listeners: [" UNIX ", {address: 'unix:///b'}, {address: 'unix:///c', "
			   "tenant: t, policy: p}, {address: 'unix:///d', tenant: u}]\n"
			   "policies: {p: {}}"));
}

static void test_places_that_nothing_else_has(void **state)
{
	config_unref(parse("listeners: [{address: 'unix:" LONGEST "'}, "
			   "{address: 'tcp://127.0.0.1:0', tenant: t}]\n"
			   "admin: {socket: /a}\nmetrics: {address: '127.0.0.1:0'}"));
}

static void test_a_file_is_told_by_its_line(void **state)
{
	static const char text[] = "listeners:\n"
				   "  - address: unix:///a\n"
				   "policies:\n"
				   "  gold:\n"
				   "    calls: 4\n"
				   "    memory: lots\n";
	char path[] = "/tmp/vaccel-test-XXXXXX";
	char words[256];
	int fd = mkstemp(path);
	struct config *config;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_load(path, &config), VACCEL_EINVAL);
	snprintf(words, sizeof(words), "%s:6: policies.gold.memory: 'lots' is no number", path);
	assert_ptr_equal(strstr(vaccel_error_text(), words), vaccel_error_text());
	/* A key that is not there is of the line of what it would be in. */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "\n\nlisteners:\n  - tenant: a\n", 26, 0), 26);
	assert_int_equal(config_load(path, &config), VACCEL_EINVAL);
	snprintf(words, sizeof(words), "%s:4: listeners[0]: a listener needs", path);
	assert_ptr_equal(strstr(vaccel_error_text(), words), vaccel_error_text());
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(config_load(path, &config), VACCEL_OK);
	config_unref(config);
	close(fd);
	unlink(path);
	assert_int_equal(config_load(path, &config), VACCEL_ENOENT);
}

static void test_names(void **state)
{
	char longest[] = "123456789.123456789.123456789.123456789.123456789.123456789.123";

	assert_int_equal(strlen(longest), 63);
	assert_true(name_is_valid(longest));
	assert_true(name_is_valid("-"));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid("."));
	assert_false(name_is_valid(".."));
	assert_false(name_is_valid("a/b"));
	assert_false(name_is_valid("a\n"));
	assert_false(name_is_valid("\xc3\xa4"));
	assert_false(name_is_valid("1123456789.123456789.123456789.123456789.123456789.123456789.12"
				   "3"));
	assert_true(name_is_of_user("uid-0"));
	assert_false(name_is_of_user("uid0"));
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		enum unit unit;
		uint64_t number;
	} rows[] = {
		{"0", UNIT_TIME, 0},
		{"0", UNIT_BYTES, 0},
		{"7B", UNIT_BYTES, 7},
		{"1kib", UNIT_BYTES, 1024},
		{"2 MiB", UNIT_BYTES, 2 << 20},
		{"1min", UNIT_TIME, 60000},
		{"250ms", UNIT_TIME, 250},
		{"1H", UNIT_TIME, 3600000},
		{"18446744073709551615", UNIT_COUNT, UINT64_MAX},
		{"007", UNIT_COUNT, 7},
	};
	static const char *const not_counts[] = {
		"", " 1", "+1", "-1", "1 2", "0x10", "1e3", "1.5", "18446744073709551616"};
	uint64_t number;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(number_parse(rows[i].text, rows[i].unit, UINT64_MAX, &number),
				 VACCEL_OK);
		assert_true(number == rows[i].number);
	}
	for (size_t i = 0; i < sizeof(not_counts) / sizeof(not_counts[0]); i++)
		assert_int_equal(number_parse(not_counts[i], UNIT_COUNT, UINT64_MAX, &number),
				 VACCEL_EINVAL);
	/* Four of what? */
	assert_int_equal(number_parse("4", UNIT_BYTES, UINT64_MAX, &number), VACCEL_EINVAL);
}

static void test_guesses(void **state)
{
	static const char *const words[] = {"memory", "models", "payload", "queue"};
	static const char *const rows[][2] = {
		{"memroy", "memory"},
		{"mem", "memory"},
		{"model", "models"},
		{"paylaod", "payload"},
		{"xyz", NULL},
		{"", NULL},
		{"a-word-that-is-longer-than-any-key-could-ever-be", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guess guess = {.typed = rows[i][0]};

		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			guess_offer(&guess, words[j]);
		if (rows[i][1])
			assert_string_equal(guess.best, rows[i][1]);
		else
			assert_null(guess.best);
	}
}

/* The fields of a section of the manual; a key with a value of its own is a section, too. */
static const cyaml_schema_field_t *fields_of(const char *section)
{
	const cyaml_schema_field_t *field = config_fields;

	if (!strcmp(section, "policies"))
		return policy_fields;
	while (field->key && strcmp(field->key, section))
		field++;
	if (field->value.type == CYAML_SEQUENCE)
		return field->value.sequence.entry->mapping.fields;
	return field->value.type == CYAML_MAPPING ? field->value.mapping.fields : field;
}

static size_t count_fields(const char *section)
{
	const cyaml_schema_field_t *fields = fields_of(section);
	size_t count = 0;

	if (!strcmp(fields->key, section))
		return 1;
	while (fields[count].key)
		count++;
	return count;
}

/* "Default: 4GiB." is the default of a number; others are told in words. */
static void check_default(const char *key, const char *text)
{
	uint64_t number;

#define CHECK(name, unit, member)                                                   \
	if (!strcmp(key, #name)) {                                                  \
		assert_int_equal(number_parse(text, unit, UINT64_MAX, &number), 0); \
		if (number != default_policy.member)                                \
			fail_msg("default of %s", key);                             \
	}
	POLICY_NUMBERS(CHECK)
#undef CHECK
}

/* The manual has each key where the schema has it, in its order, and the defaults of policies. */
static void test_the_manual_has_every_key(void **state)
{
	const cyaml_schema_field_t *next = NULL;
	FILE *manual = fopen(MANUAL, "r");
	char line[512], section[64] = "", key[64] = "", value[64];
	size_t sections = 0, keys = 0, wanted = 0;

	assert_non_null(manual);
	while (fgets(line, sizeof(line), manual)) {
		if (sscanf(line, ".Ss %63s", section) == 1) {
			assert_string_equal(config_fields[sections++].key, section);
			next = fields_of(section);
			wanted += count_fields(section);
		} else if (next && sscanf(line, ".It Ic %63s", key) == 1) {
			assert_string_equal((next++)->key, key);
			keys++;
		} else if (sscanf(line, "Default: %63[A-Za-z0-9]", value) == 1 &&
			   !strcmp(section, "policies")) {
			check_default(key, value);
		} else if (!strncmp(line, ".Sh", 3)) {
			next = NULL;
		}
	}
	fclose(manual);
	assert_null(config_fields[sections].key);
	assert_int_equal(keys, wanted);
}

static void test_the_example_is_right(void **state)
{
	struct config *config;

	if (config_load(EXAMPLE, &config))
		fail_msg("%s", vaccel_error_text());
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_said_is_the_default),
		cmocka_unit_test(test_all_that_can_be_said),
		cmocka_unit_test(test_metrics_and_log_levels),
		cmocka_unit_test(test_mistakes_are_told_by_their_key),
		cmocka_unit_test(test_tenants_may_share_a_policy),
		cmocka_unit_test(test_places_that_nothing_else_has),
		cmocka_unit_test(test_a_file_is_told_by_its_line),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_the_manual_has_every_key),
		cmocka_unit_test(test_the_example_is_right),
	};

	/* As for a service, whoever runs the test. */
	setenv("RUNTIME_DIRECTORY", "/run/vaccel", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
