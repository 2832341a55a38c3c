#!/bin/sh
# Installs what sandboxes are built with: bubblewrap, nftables, iproute2 and util-linux, by the machine's own package
# manager. Run as root. Does nothing where all of it is there, so that it may be run again and in images.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=
for program in bwrap nft ip unshare setpriv; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
# BusyBox has an unshare and an ip of its own, which lack what is needed.
if [ -e /etc/alpine-release ] && ! { apk info -e iproute2 && apk info -e util-linux-misc; } >/dev/null 2>&1; then
  missing="$missing iproute2"
fi
if [ -z "$missing" ]; then
  echo "everything is installed"
  exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
  echo "error: missing:$missing; run this script as root to install them" >&2
  exit 1
fi

if command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends bubblewrap nftables iproute2 util-linux
elif command -v dnf >/dev/null 2>&1; then
  dnf install -q -y bubblewrap nftables iproute util-linux
elif command -v apk >/dev/null 2>&1; then
  apk add --no-progress bubblewrap nftables iproute2 util-linux util-linux-misc setpriv
elif command -v pacman >/dev/null 2>&1; then
  pacman -Sy --noconfirm --needed bubblewrap nftables iproute2 util-linux
else
  echo "error: no known package manager; install bubblewrap, nftables, iproute2 and util-linux by hand" >&2
  exit 1
fi

for program in bwrap nft ip unshare setpriv; do
  command -v "$program" >/dev/null 2>&1 || { echo "error: $program is still missing" >&2; exit 1; }
done
echo "everything is installed"
