#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: `--dist loadgroup` ignores `@pytest.mark.xdist_group`, without a word.
#
# Expected: all tests of one group run in one process, as xdist's documentation says of `--dist loadgroup`.
# Seen: the group's tests run in both processes. xdist appends "@GROUP" to `Item._nodeid` and reads it back from
# `Item.nodeid`; this pytest keeps the id elsewhere, so that the group is lost. Nothing warns.
# With pytest 9.0.2 and the same xdist, the group runs in one process.
# It matters where a group shares something slow or exclusive, such as one server for all tests of a folder.
#
# Prints one line for each pytest; fails if this changes. Needs Python 3.11 or later and a package index.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tests"
cat > "$folder/tests/test_group.py" << 'PYTHON'
import os, pathlib, time
import pytest

@pytest.mark.xdist_group("server")
@pytest.mark.parametrize("number", range(8))
def test_of_the_group(number):
    time.sleep(0.1)
    pathlib.Path(os.environ["SEEN"], os.environ["PYTEST_XDIST_WORKER"]).touch()
PYTHON

processes() { # the number of processes that ran tests of the group, with a version of pytest
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0 2> /dev/null
    mkdir "$folder/seen-$1"
    (cd "$folder/tests" && SEEN="$folder/seen-$1" "$folder/$1/bin/pytest" -q -n 2 --dist loadgroup > /dev/null)
    find "$folder/seen-$1" -type f | wc -l | tr -d ' '
}

old="$(processes 9.0.2)" new="$(processes 9.2.0)"
echo "pytest 9.0.2: the group ran in $old process(es)"
echo "pytest 9.2.0: the group ran in $new process(es)"
[[ "$old" == 1 && "$new" == 2 ]]
