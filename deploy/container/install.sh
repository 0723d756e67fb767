#!/bin/sh
# Installs the source tree in the working directory into a new virtual environment, with exactly the
# versions that requirements.lock names. It names more than is installed, so it is a constraint here,
# and without its hashes: pip 25 would want them of the tree itself, too.
set -eu
target=$1
work=$(mktemp -d)
sed -n 's/^\([A-Za-z0-9._-]*==[^ ;]*\)\( ;[^\\]*\)\{0,1\}.*/\1\2/p' requirements.lock > "$work/versions.txt"
python3 -m venv "$target"
"$target/bin/pip" install --quiet --no-cache-dir --no-compile --constraint "$work/versions.txt" \
    '.[bigquery,video]'
"$target/bin/pip" uninstall --quiet --yes setuptools pip
"$target/bin/python" -m compileall -q "$target/lib"
rm -r "$work"
