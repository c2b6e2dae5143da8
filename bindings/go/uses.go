// SPDX-License-Identifier: Apache-2.0

package vaccel

import "sync/atomic"

// uses counts who is using what may be closed at any time. What begins after the close
// is refused; the last user ends it, be that a call or the close itself. The zero value
// is of what was never opened.
type uses struct {
	state atomic.Int64 // how many there are, and closedBit
	end   func() error // what the last one does, once
}

const closedBit = 1 << 62

// begin counts a user in; false if it is closed.
func (u *uses) begin() bool {
	for {
		now := u.state.Load()
		if now&closedBit != 0 || u.end == nil {
			return false
		}
		if u.state.CompareAndSwap(now, now+1) {
			return true
		}
	}
}

// done counts a user out.
func (u *uses) done() {
	if u.state.Add(-1) == closedBit {
		// Nobody is left whom an error could be told.
		_ = u.end()
	}
}

// close closes it; false if it was closed before.
func (u *uses) close() (bool, error) {
	for {
		now := u.state.Load()
		if now&closedBit != 0 || u.end == nil {
			return false, nil
		}
		if !u.state.CompareAndSwap(now, now|closedBit) {
			continue
		}
		if now == 0 {
			return true, u.end()
		}
		return true, nil
	}
}
