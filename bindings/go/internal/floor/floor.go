// SPDX-License-Identifier: Apache-2.0

// Package floor does in C what the benchmark does in Go: what the binding is measured
// against.
package floor

/*
#cgo pkg-config: vaccel
#include <vaccel.h>

static void nothing(void)
{
}

static int noops(struct vaccel_session *sess, int times)
{
	int ret = VACCEL_OK;

	for (int i = 0; !ret && i < times; i++)
		ret = vaccel_noop(sess);
	return ret;
}
*/
import "C"

import "fmt"

// Session is a session of C's, which leaves with the process.
type Session struct{ c C.struct_vaccel_session }

// Open opens a session.
func Open() (*Session, error) {
	s := &Session{}
	return s, failure(C.vaccel_session_init(&s.c, 0))
}

// Noops calls vaccel_noop() so many times.
func (s *Session) Noops(times int) error {
	return failure(C.noops(&s.c, C.int(times)))
}

// Empty calls a function of C that does nothing so many times: what cgo itself costs.
func Empty(times int) error {
	for i := 0; i < times; i++ {
		C.nothing()
	}
	return nil
}

func failure(code C.int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("code %d", code)
}
