// SPDX-License-Identifier: Apache-2.0
/* The C API from C++14: what must be closed is held by an object, a failure is an exception. */
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <vaccel.h>

static void check(int ret)
{
	if (ret != VACCEL_OK)
		throw std::runtime_error(std::string(vaccel_error_name(ret)) + ": " +
					 vaccel_error_text());
}

class Session
{
      public:
	Session()
	{
		check(vaccel_session_init(&session, 0));
	}
	~Session()
	{
		vaccel_session_release(&session);
	}
	Session(const Session &) = delete;
	Session &operator=(const Session &) = delete;

	std::vector<float> add(std::vector<float> a, std::vector<float> b)
	{
		std::vector<float> sum(a.size());

		check(vaccel_fpga_vadd(&session, a.data(), b.data(), sum.data(), a.size(),
				       b.size()));
		return sum;
	}

      private:
	vaccel_session session;
};

int main(int argc, char **)
{
	if (argc != 1) {
		std::fprintf(stderr, "usage: vadd\n");
		return 2;
	}
	try {
		for (float value : Session().add({1, 2, 3}, {10, 20, 30}))
			std::printf("%g\n", static_cast<double>(value));
	} catch (const std::exception &error) {
		std::fprintf(stderr, "%s\n", error.what());
		return 1;
	}
	return 0;
}
