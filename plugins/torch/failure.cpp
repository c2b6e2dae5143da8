// SPDX-License-Identifier: Apache-2.0
/*
 * Torch's exceptions bring a backtrace, of C++ and of TorchScript, around one line
 * that says what is wrong. That line is what is passed on.
 */
#include "torch/failure.h"

#include <new>

#include <c10/util/Exception.h>

#include <vaccel/error.h>

/* TorchScript's traceback comes before the error itself, that of C++ behind it. */
static std::string essence(const std::string &text)
{
	static const std::string prefix = "RuntimeError: ";
	bool script = text.find("Traceback of TorchScript") != std::string::npos;
	size_t first = text.find_first_not_of(" \n"), last = text.find_last_not_of(" \n");
	std::string line;

	if (last == std::string::npos)
		return "an error without words";
	if (script)
		line = text.substr(text.rfind('\n', last) + 1, last - text.rfind('\n', last));
	else
		line = text.substr(first, text.find('\n', first) - first);
	return line.compare(0, prefix.size(), prefix) ? line : line.substr(prefix.size());
}

/* What TorchScript was at: the call that it underlines last. */
static std::string call_in(const std::string &text)
{
	size_t here = text.rfind("<--- HERE"), under, line, at, size;

	if (here == std::string::npos)
		return "";
	under = text.rfind('\n', here) + 1;
	line = under < 2 ? 0 : text.rfind('\n', under - 2) + 1;
	at = text.find('~', under) - under;
	size = text.find_first_not_of('~', under + at) - under - at;
	return line + at < under ? text.substr(line + at, std::min(size, under - 1 - line - at))
				 : "";
}

static std::string words_of(const std::string &text)
{
	std::string call = call_in(text);

	return call.empty() ? essence(text) : essence(text) + " (in " + call.substr(0, 80) + ")";
}

std::string words_of_current()
try {
	throw;
} catch (const c10::Error &error) {
	return words_of(error.what_without_backtrace());
} catch (const std::exception &error) {
	return words_of(error.what());
} catch (...) {
	return "an error of an unknown kind";
}

int failure_of_current(const std::string &more)
try {
	throw;
} catch (const failure &failure) {
	return failure.code;
} catch (const std::bad_alloc &) {
	return vaccel_fail(VACCEL_ENOMEM, "torch: no memory");
} catch (...) {
	std::string words = words_of_current();
	bool memory = words.find("can't allocate memory") != std::string::npos ||
		      words.find("out of memory") != std::string::npos;

	return vaccel_fail(memory ? VACCEL_ENOMEM : VACCEL_EBACKEND, "torch: %.500s%.300s",
			   words.c_str(), more.c_str());
}
