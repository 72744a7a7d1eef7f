#!/bin/sh
# Writes each .txt from the .in file beside it, with the hashes of every
# platform's wheels. Versions stay as they are, unless UPGRADE is set.
set -eu
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install pip-tools==7.5.2
for name in requirements downloads wheel tests quality; do
    only=$([ "$name" = downloads ] && sed -n 's/==.*//p' downloads.in || true)
    [ -n "${UPGRADE-}" ] || cp "$name.txt" "$folder"
    "$folder/venv/bin/pip-compile" --quiet --generate-hashes --no-header --no-annotate --strip-extras \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        --output-file "$folder/$name.txt" "$name.in"
    {
        echo "# Written by \`make requirements\` from $name.in; do not edit."
        # Of the downloads, only the packages that are named are wanted.
        awk -v only="$only" '
            /^[a-z]/ { split($1, part, "=="); keep = only == "" || index("\n" only "\n", "\n" part[1] "\n") }
            keep' "$folder/$name.txt"
    } > "$name.txt"
done
