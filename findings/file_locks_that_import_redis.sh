#!/usr/bin/env bash
# portalocker 4.4.2: `import portalocker` imports redis wherever redis is installed, though nothing asks for a lock in Redis.
#
# Expected: a library of file locks imports its optional backend when that is used.
# Seen: with redis installed beside it, as Prefect has it, `import portalocker` loads the whole client of redis (asyncio and ssl
# with it): some hundred modules more. A command that locks one file pays for that each time it starts.
#
# Prints how many modules each import loads; fails if this changes. Needs Python 3.11 or later and a package index.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

modules() { # the modules that `import portalocker` loads, and whether redis is among them, with some packages installed
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}" 2> /dev/null
    "$folder/$1/bin/python" -c "
import sys
before = set(sys.modules)
import portalocker
loaded = set(sys.modules) - before
print(len(loaded), 'redis' in loaded)"
}

alone="$(modules alone portalocker==4.4.2)" beside="$(modules beside portalocker==4.4.2 redis==8.1.0)"
echo "portalocker alone: modules loaded, redis among them: $alone"
echo "with redis installed: $beside"
[[ "$alone" == *False && "$beside" == *True ]] && ((${beside% *} > ${alone% *} + 50))
