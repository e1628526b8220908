"""Backends under one contract."""

import pytest

pytest.register_assert_rewrite("tests.backends.contract", "tests.backends.remote_contract")
