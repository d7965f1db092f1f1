#!/bin/sh
# Before `make setup` fetches anything: is everything there that pip cannot bring? Names what is missing, with the line
# that installs it on Debian and Ubuntu, and stops. The sizes were measured with the versions of constraints.txt.
set -eu

python="${PYTHON:-python3}"
packages=""
problems=0

missing() { # what is missing, the package that brings it
    printf 'missing: %s\n' "$1" >&2
    packages="$packages $2"
    problems=1
}

if ! command -v "$python" >/dev/null 2>&1; then
    missing "$python (Python 3.11 or newer)" "python3 python3-venv"
else
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        printf 'missing: Python 3.11 or newer; %s is %s. Name another one: make setup PYTHON=python3.12\n' \
            "$python" "$("$python" -c 'import platform; print(platform.python_version())')" >&2
        problems=1
    fi
    "$python" -c 'import venv, ensurepip' 2>/dev/null || missing "the Python modules venv and ensurepip" python3-venv
    if [ "$(uname -s)" = Linux ]; then # what OpenCV's wheel takes from the system
        loads() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }
        loads libGL.so.1 || missing "libGL.so.1 (OpenCV needs it)" libgl1
        loads libgthread-2.0.so.0 || missing "libgthread-2.0.so.0 (OpenCV needs it)" libglib2.0-0
    fi
fi

free_mib="$(df -Pm . | awk 'NR == 2 { print $4 }')"
if [ -n "${LIGHT:-}" ]; then
    needed_mib=2048 disk_mib=1000 download_mb=300
else
    needed_mib=4096 disk_mib=2400 download_mb=665
fi
if [ "$free_mib" -lt "$needed_mib" ]; then
    printf 'missing: disk; %s MiB are free here, the environment takes about %s MiB and its download %s\n' \
        "$free_mib" "$disk_mib" "$download_mb" >&2
    problems=1
fi

if [ -n "$packages" ]; then
    printf 'install it with: sudo apt-get install --no-install-recommends%s\n' "$packages" >&2
fi
[ "$problems" -eq 0 ] || exit 1

if [ -n "${LIGHT:-}" ]; then
    echo "About $download_mb MB will be fetched into .venv (1 GB on disk); torch, and with it training, is left out."
    exit 0
fi
cat <<END
About $download_mb MB will be fetched into .venv (2.4 GB on disk), 190 MB of it torch for the CPU.
END
if [ "$(uname -s)" = Linux ]; then
    cat <<END
On Linux the public package index has torch with CUDA only: 2.7 GB instead of 190 MB, and 8 GB on disk. Without an
NVIDIA GPU, let pip find the CPU wheel of torch that PyTorch publishes: set PIP_FIND_LINKS to a folder that holds it.
END
    if [ "$free_mib" -lt 12288 ]; then
        printf 'Only %s MiB are free here: enough with the CPU wheel, hardly with CUDA.\n' "$free_mib"
    fi
fi
