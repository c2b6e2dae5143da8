# SPDX-License-Identifier: Apache-2.0
"""The operations that have a method of their own, by family, and the tensors of each framework."""
