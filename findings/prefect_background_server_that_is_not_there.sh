#!/usr/bin/env bash
# Prefect 3.8.8: `prefect server start --background` reports a running server, with exit code 0, when the server ended at once.
#
# Expected: a server that cannot open its database ends the command with an error, as it does without `--background`.
# Seen: "The Prefect server is running in the background", exit code 0; a few seconds later the process is gone, nothing
# answers at the port, and the reason stands nowhere: the output of the server goes to pipes that nobody reads. Its pid file
# stays, so that the next `prefect server start --background` refuses to start: "A server is already running".
# It matters to whoever starts the server from a script or a unit and trusts the exit code.
#
# Prints what each command said; fails if this changes. Needs Python 3.11, 3.12 or 3.13 and a package index.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    prefect==3.8.8 "fastapi<0.151" "sqlalchemy<2.1" 2> /dev/null
prefect="$folder/venv/bin/prefect"
export PREFECT_HOME="$folder/home" NO_COLOR=1
export PREFECT_API_DATABASE_CONNECTION_URL="sqlite+aiosqlite:///$folder/no/such/folder/prefect.db"
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"

start() { # start the server in the background; print the exit code and what it said last
    local code=0 said
    said="$("$prefect" server start --background --host 127.0.0.1 --port "$port" 2>&1)" || code=$?
    echo "exit $code: $(tr '\n' ' ' <<< "$said" | grep -oE '(The Prefect server is running|A server is already running)[^.]*')"
}

first="$(start)"
sleep 20
alive=no
kill -0 "$(cat "$PREFECT_HOME/server.pid")" 2> /dev/null && alive=yes
answers=no
python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/api/health', timeout=5)" 2> /dev/null && answers=yes
second="$(start)"
echo "start, with a database that cannot be opened: $first"
echo "20 seconds later: process alive: $alive, answers: $answers"
echo "start again: $second"
[[ "$first" == "exit 0: The Prefect server is running"* && "$alive" == no && "$answers" == no ]]
[[ "$second" == "exit 1: A server is already running"* ]]
