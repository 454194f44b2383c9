#!/bin/sh
# Puts together what the image holds: sh image/rootfs.sh BINARY FOLDER
#
# The binary has to be static: there is no library beside it. On a Debian machine:
#   RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static" cargo build --locked --release --target x86_64-unknown-linux-gnu
set -eu
binary=$1
folder=$2
mkdir -p "$folder/etc/ssl/certs"
cp "$binary" "$folder/punctual"
cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
echo 'punctual:x:65532:65532:punctual:/:/punctual' >"$folder/etc/passwd"
# Which rules are the newest the program itself knows.
if "$binary" --version | grep -q /usr/share/zoneinfo; then
    mkdir -p "$folder/usr/share"
    cp -R /usr/share/zoneinfo "$folder/usr/share/zoneinfo"
fi
