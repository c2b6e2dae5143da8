/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between exceptions and codes: inside the plugin errors are thrown, and guarded() is where they
 * end.
 */
#ifndef TORCH_FAILURE_H
#define TORCH_FAILURE_H

#include <string>
#include <utility>

/** struct failure - thrown with what vaccel_fail() returned */
struct failure {
	int code;
};

/** failure_of_current() - the code of the exception that is being handled, with its words and
 * @more */
int failure_of_current(const std::string &more = "");

/** words_of_current() - what torch says in the exception that is being handled, in one line */
std::string words_of_current();

/** guarded() - call @work; VACCEL_OK, or the code of what it throws */
template <typename Work> int guarded(Work &&work)
{
	try {
		std::forward<Work>(work)();
		return 0;
	} catch (...) {
		return failure_of_current();
	}
}

#endif
