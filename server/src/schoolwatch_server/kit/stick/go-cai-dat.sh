#!/bin/sh
# Removes the SchoolWatch agent: sudo sh go-cai-dat.sh [--delete-data]
set -eu
SCHOOLWATCH_ACTION=uninstall exec sh "$(dirname "$0")/cai-dat.sh" "$@"
