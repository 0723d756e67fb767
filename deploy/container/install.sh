#!/bin/sh
# Installs the source tree in the working directory into a new virtual environment. Everything comes by
# the hash that requirements.lock names; it names more than is installed, so it is a constraint here.
set -eu
target=$1
dist=$(mktemp -d)
python3 -m venv "$target"
"$target/bin/pip" wheel --quiet --no-deps --wheel-dir "$dist" .
wheel=$(ls "$dist"/*.whl)
echo "engarde-daemon[bigquery,video] @ file://$wheel --hash=sha256:$(sha256sum "$wheel" | cut -c1-64)" \
    > "$dist/wanted.txt"
"$target/bin/pip" install --quiet --no-cache-dir --no-compile --only-binary :all: \
    --requirement "$dist/wanted.txt" --constraint requirements.lock
"$target/bin/pip" uninstall --quiet --yes setuptools pip
"$target/bin/python" -m compileall -q "$target/lib"
rm -r "$dist"
