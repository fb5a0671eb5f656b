#!/usr/bin/env bash
# Builds deploy/Dockerfile with buildah where no image registry can be reached: the bases are made of Debian packages.
# For checks on a Debian machine as root; who has a registry needs nothing but `docker build`.
#
#   images.sh bases            once: localhost/wirelens-build-base, -runtime-base and -demo (nginx and curl)
#   images.sh build            localhost/wirelens:0.1.0 from the working tree
#   images.sh archive NAME TAR writes an image as a docker archive
#   images.sh podman WORDS…    podman with the settings used here
#
# Everything lies in $WIRELENS_CONTAINERS (/var/tmp/wirelens-containers); nothing of the machine's own podman is touched.
# Needs buildah, podman, runc and debootstrap, and Debian's archive and npm's packages to be reachable.
set -euo pipefail

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }
home=${WIRELENS_CONTAINERS:-/var/tmp/wirelens-containers}
repository=$(cd "$(dirname "$0")/../.." && pwd)
image=localhost/wirelens:$(sed -n 's/^  "version": "\(.*\)",/\1/p' "$repository/package.json")
mkdir -p "$home/storage" "$home/run" "$home/tmp"

# runc and cgroupfs: crun refuses hybrid cgroups, and there may be no systemd to ask. The limits are those that a
# container manager without CAP_SYS_RESOURCE may set. Files instead of a journal, which may not be there.
cat > "$home/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
cat > "$home/storage.conf" << CONF
[storage]
driver = "overlay"
graphroot = "$home/storage"
runroot = "$home/run"
CONF
export CONTAINERS_CONF=$home/containers.conf CONTAINERS_STORAGE_CONF=$home/storage.conf TMPDIR=$home/tmp BUILDAH_ISOLATION=oci

has() { podman image exists "$1"; }

# NAME FOLDER CHANGE…: a folder as an image of one layer
import() {
  local name=$1 folder=$2 changes=() change
  shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$folder" -c . | podman import --quiet "${changes[@]}" - "$name" > /dev/null
}

# PACKAGE…: a Debian system in $root
system() {
  root=$(mktemp -d "$home/tmp/root-XXXXXX")
  local words=(--variant=minbase)
  [ $# -eq 0 ] || words+=("--include=$(IFS=,; echo "$*")")
  if ! debootstrap "${words[@]}" bookworm "$root" > "$home/debootstrap.log" 2>&1; then
    tail -n 5 "$home/debootstrap.log" >&2
    exit 1
  fi
  # As the slim images do.
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/usr/share/{doc,man,locale,info}/*
}

bases() {
  if ! has localhost/wirelens-runtime-base; then
    system
    import localhost/wirelens-runtime-base "$root" 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    # The same with this machine's Node, npm and certificates: what node:20-bookworm-slim has.
    cp -L "$(command -v node)" "$root/usr/local/bin/node"
    mkdir -p "$root/usr/local/lib/node_modules"
    cp -r "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    local environment=('ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
      cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/machine-certificates.crt"
      environment+=('ENV NODE_EXTRA_CA_CERTS=/etc/machine-certificates.crt')
    fi
    import localhost/wirelens-build-base "$root" "${environment[@]}"
    rm -rf "$root"
  fi
  if ! has localhost/wirelens-demo; then
    system nginx-light curl
    # Debian's own page has no fixed size; this one has.
    echo 'hello from the demo' > "$root/var/www/html/index.html"
    import localhost/wirelens-demo:1 "$root" 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    podman tag localhost/wirelens-demo:1 localhost/wirelens-demo:latest
    rm -rf "$root"
  fi
}

build() {
  buildah bud --quiet --network=host --pull-never --format docker \
    --build-arg BUILD_BASE=localhost/wirelens-build-base --build-arg RUNTIME_BASE=localhost/wirelens-runtime-base \
    -f "$repository/deploy/Dockerfile" -t "$image" "$repository"
}

case ${1:-} in
  bases) bases ;;
  build) bases; build ;;
  archive) rm -f "$3"; podman save --quiet --format docker-archive -o "$3" "$2" ;;
  podman) shift; exec podman "$@" ;;
  -h | --help | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
