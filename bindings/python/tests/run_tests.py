# SPDX-License-Identifier: Apache-2.0
"""Runs pytest, or tells Meson why not: run_tests.py FILE..."""

import sys

try:
    import pytest
except ImportError:
    print("SKIP: no pytest; `tools/deps test` installs it")
    sys.exit(77)

sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-rs", *sys.argv[1:]]))
