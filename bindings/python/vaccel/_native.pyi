# SPDX-License-Identifier: Apache-2.0
# What cffi compiles. Its types are C's, which Python's types cannot tell apart.
from typing import Any

ffi: Any
lib: Any
