// SPDX-License-Identifier: Apache-2.0
/* The tenant that a certificate names, or that it names none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "transport/tls_ssl.h"

struct names {
	const char *common[2];
	int size; /* of the first; -1: up to its end */
	const char *alternative;
};

static X509 *certificate_of(const struct names *names)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_NAME_new();

	assert_non_null(certificate);
	assert_non_null(subject);
	for (int i = 0; i < 2 && names->common[i]; i++)
		assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
							    (const void *)names->common[i],
							    i ? -1 : names->size, -1, 0),
				 1);
	assert_int_equal(X509_set_subject_name(certificate, subject), 1);
	X509_NAME_free(subject);
	if (names->alternative) {
		X509_EXTENSION *extension =
			X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names->alternative);

		assert_non_null(extension);
		assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
		X509_EXTENSION_free(extension);
	}
	return certificate;
}

static void check(struct names names, const char *expected)
{
	char name[TLS_NAME_MAX] = "unset";
	X509 *certificate = certificate_of(&names);

	assert_int_equal(tls_certificate_name(certificate, name), expected != NULL);
	assert_string_equal(name, expected ? expected : "unset");
	X509_free(certificate);
}

static void test_fit(void **state)
{
	check((struct names){{"acme"}, -1, NULL}, "acme");
	check((struct names){{"A.b_c-9"}, -1, NULL}, "A.b_c-9");
	check((struct names){{"uid"}, -1, NULL}, "uid");
	check((struct names){{"uidfoo"}, -1, NULL}, "uidfoo");
	check((struct names){{NULL}, -1, "DNS:one.example,DNS:other"}, "one.example");
	check((struct names){{NULL}, -1, "IP:127.0.0.1,DNS:host"}, "host");
	/* The subject is what counts. */
	check((struct names){{"acme"}, -1, "DNS:other"}, "acme");
}

static void test_unfit(void **state)
{
	static const char *const unfit[] = {"uid-0", "uid-", ".hidden", "-a",	      "_a", "a/b",
					    "../a",  "a b",  "a\n",	"b\xc3\xa4r", "a*"};

	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		check((struct names){{unfit[i]}, -1, NULL}, NULL);
	check((struct names){{"root\0.example"}, 13, NULL}, NULL);
	check((struct names){{"one", "other"}, -1, NULL}, NULL);
	check((struct names){{NULL}, -1, NULL}, NULL);
	check((struct names){{NULL}, -1, "IP:127.0.0.1"}, NULL);
	check((struct names){{NULL}, -1, "DNS:*.example"}, NULL);
	/* Not even if another name would do. */
	check((struct names){{"uid-0"}, -1, "DNS:acme"}, NULL);
}

static void test_length(void **state)
{
	char name[TLS_NAME_MAX + 1];
	char alternative[sizeof(name) + 4] = "DNS:";

	memset(name, 'x', sizeof(name));
	name[TLS_NAME_MAX - 1] = '\0';
	check((struct names){{NULL}, -1, strcat(alternative, name)}, name);
	check((struct names){{NULL}, -1, strcat(alternative, "x")}, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
