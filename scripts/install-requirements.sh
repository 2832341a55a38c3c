#!/bin/sh
# Installs what sandboxes are built with (bubblewrap, nftables, iproute2, util-linux, hostname) and the one library that
# Node wants and a bare system lacks (libatomic), by the machine's own package manager. Run as root. Does nothing where all
# of it is there, so that it may be run again and in images.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
programs="bwrap nft ip unshare nsenter setpriv mount hostname"

missing() {
  for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || printf ' %s' "$program"
  done
  ldconfig -p 2>/dev/null | grep -q 'libatomic\.so\.1 ' || printf ' libatomic'
}

if [ -e /etc/alpine-release ]; then
  echo "error: Alpine's C library (musl) can't run the Node that OpenShell brings; use a distribution with glibc" >&2
  exit 1
fi
lacking=$(missing)
if [ -z "$lacking" ]; then
  echo "everything is installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "error: missing:$lacking; run this script as root to install them" >&2
  exit 1
fi

if command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends bubblewrap nftables iproute2 util-linux mount hostname libatomic1
elif command -v dnf >/dev/null 2>&1; then
  dnf install -q -y bubblewrap nftables iproute util-linux hostname libatomic
elif command -v pacman >/dev/null 2>&1; then
  pacman -Sy --noconfirm --needed bubblewrap nftables iproute2 util-linux inetutils gcc-libs
else
  echo "error: no known package manager; install by hand what is missing:$lacking" >&2
  exit 1
fi

lacking=$(missing)
if [ -n "$lacking" ]; then
  echo "error: still missing:$lacking" >&2
  exit 1
fi
echo "everything is installed"
