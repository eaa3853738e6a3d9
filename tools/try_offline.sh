#!/usr/bin/env bash
# Install from a folder of `make offline`, and run the notebooks, where there is no network but the loopback: in a network
# namespace of its own, from the checkout in the folder, with nothing of the user's own.
#     tools/try_offline.sh FOLDER [what make is to do; by default a quick run]
set -euo pipefail
folder=$(realpath "$1")
shift
[[ $# -gt 0 ]] || set -- run PARAMS=params/quick.yaml

python=${PYTHON:-$(python3 -c 'import sys; print(sys.executable)')}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/home" "$scratch/a clôned place"
tar -C "$scratch/a clôned place" -xf "$folder/lifeboat.tar.gz"
cd "$scratch/a clôned place/lifeboat"
unshare --net --uts --map-root-user env -i HOME="$scratch/home" PATH="$PATH" LANG=C.UTF-8 bash -euc '
    ip link set lo up
    hostname a-name-that-nobody-knows
    [[ $(ip -o link | wc -l) = 1 ]]
    exec make "$@"
' make "$@" OFFLINE="$folder" PYTHON="$python"
