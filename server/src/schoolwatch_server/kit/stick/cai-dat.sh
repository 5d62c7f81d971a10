#!/bin/sh
# Installs the SchoolWatch agent from this stick: sudo sh cai-dat.sh
# Removes it: sudo sh go-cai-dat.sh.  It needs no network and asks nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)

stop() { # file of texts
    cat "$here/schoolwatch/loi/$1.txt" >&2
    exit 2
}

[ "$(uname -s)" = Linux ] || stop khong-phai-linux
case $(uname -m) in
x86_64 | aarch64) ;;
*) stop may-32-bit ;;
esac
[ "$(id -u)" = 0 ] || stop can-quyen-linux

python=''
for name in /usr/bin/python3 /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13 /usr/bin/python3.14 \
    /usr/local/bin/python3; do
    if [ -x "$name" ] && "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || stop thieu-python

exec "$python" -I -B "$here/schoolwatch/cai_dat.py" "${SCHOOLWATCH_ACTION:-install}" "$@"
