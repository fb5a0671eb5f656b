#!/usr/bin/env bash
# A real Kubernetes of one node on a Debian machine, made of Debian's packages only: for trying the manifests where there
# is neither kind nor an image registry. Needs root. Not for production, and not part of the normal tests.
#
#   cluster.sh build            once: installs packages and compiles the programs of Kubernetes 1.20 (6 minutes, 2.5 GB)
#   cluster.sh api              starts etcd and the API server only, which is enough for dry runs
#   cluster.sh up               starts everything; ready when the node is (20 seconds)
#   cluster.sh import TAR       the images of a docker archive, under the names that it gives them
#   cluster.sh kubectl WORDS…   kubectl with the right to everything
#   cluster.sh route            sends what is meant for Services to their pods; again after pods have changed
#   cluster.sh down             deletes all workloads, ends what `up` started, and puts the machine back
#
# Everything lies in $WIRELENS_KUBERNETES (/var/tmp/wirelens-kubernetes) and listens on loopback. Pods have addresses of
# 10.88.0.0/24. There is no kube-proxy and no cluster DNS: `route` stands for the one, fixed addresses of Services for the other.
# The kubelet sets vm.overcommit_memory and kernel.panic* and adds chains to iptables; `down` undoes both.
set -euo pipefail

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }
home=${WIRELENS_KUBERNETES:-/var/tmp/wirelens-kubernetes}
run=$home/run
runtime=$home/containerd
chain=WIRELENS-SERVICES
settings=(vm.overcommit_memory kernel.panic kernel.panic_on_oops net.ipv4.ip_forward)
mkdir -p "$run" "$runtime"

program() { find "$home/source" \( -path '*/_output/local/bin/linux/*' -o -path '*/_output/local/go/bin/*' \) -name "$1" -type f 2> /dev/null | head -n 1; }
kubectl() { command kubectl "--kubeconfig=$run/kubeconfig" "$@"; }
ctr() { command ctr -a "$runtime/containerd.sock" -n k8s.io "$@"; }

build() {
  export DEBIAN_FRONTEND=noninteractive
  # Debian's etcd would start as a service; what is needed of it is the program.
  local policy=/usr/sbin/policy-rc.d made=false
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; made=true; fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends golang-go rsync dpkg-dev gcc libc6-dev etcd-server containerd runc \
    containernetworking-plugins iptables iproute2 curl openssl > /dev/null
  command -v kubectl > /dev/null || apt-get install -y -qq --no-install-recommends kubernetes-client > /dev/null
  [ $made = false ] || rm -f $policy
  [ -n "$(program kubelet)" ] && return
  sources
  cd "$home/source"/kubernetes-*/
  GOCACHE=$home/go-cache GOPATH=$home/go GO111MODULE=off GOFLAGS=-p=1 nice -n 19 make \
    WHAT="cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet" > "$home/build.log" 2>&1 ||
    { tail -n 5 "$home/build.log" >&2; exit 1; }
}

# The source package, through a list of sources of our own, so that the machine's is not changed.
sources() {
  local source=$home/source file
  mkdir -p "$source/lists/partial" "$source/parts"
  ls -d "$source"/kubernetes-*/ > /dev/null 2>&1 && return
  : > "$source/sources.list"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$file" ] || sed -n '/debian/s/^deb /deb-src /p' "$file" >> "$source/sources.list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    grep -q '^Signed-By:.*debian-archive' "$file" 2> /dev/null || continue
    sed 's/^Types:.*/Types: deb-src/' "$file" > "$source/parts/$(basename "$file")"
  done
  cd "$source"
  local own=(-o "Dir::Etc::SourceList=$source/sources.list" -o "Dir::Etc::SourceParts=$source/parts" -o "Dir::State::Lists=$source/lists")
  apt-get "${own[@]}" update -qq
  apt-get "${own[@]}" source -qq kubernetes
}

# NAME COMMAND…: starts it aside; its output is in NAME.log, its process in NAME.pid
start() {
  local name=$1
  shift
  setsid nice "$@" > "$run/$name.log" 2>&1 < /dev/null &
  echo $! > "$run/$name.pid"
}

# WHAT COMMAND…: waits a minute for it to succeed
await() {
  local what=$1
  shift
  for _ in $(seq 120); do
    if "$@" > /dev/null 2>&1; then return; fi
    sleep 0.5
  done
  echo "$what is not there after a minute; the logs are in $run" >&2
  exit 1
}

healthy() { curl -sk --max-time 2 -H 'Authorization: Bearer admin' https://127.0.0.1:26443/readyz | grep -qx ok; }
ready() { kubectl get node localhost | grep -qw Ready; }

configure() {
  [ -f "$run/accounts.key" ] || openssl genrsa -out "$run/accounts.key" 2048 2> /dev/null
  openssl rsa -in "$run/accounts.key" -pubout -out "$run/accounts.pub" 2> /dev/null
  # Only loopback can reach it.
  echo 'admin,admin,admin,system:masters' > "$run/tokens.csv"
  cat > "$run/kubeconfig" << CONF
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "https://127.0.0.1:26443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: admin}}]
contexts: [{name: local, context: {cluster: local, user: admin}}]
current-context: local
CONF
  # No cgroups of its own, no eviction: it is a guest on this machine.
  cat > "$run/kubelet.yaml" << CONF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
healthzBindAddress: 127.0.0.1
readOnlyPort: 0
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
oomScoreAdj: 0
evictionHard: {memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%"}
imageGCHighThresholdPercent: 100
CONF
  mkdir -p "$home/network"
  cat > "$home/network/10-local.conflist" << CONF
{"cniVersion": "0.4.0", "name": "local", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "$home/addresses",
    "ranges": [[{"subnet": "10.88.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
CONF
  cat > "$runtime/config.toml" << CONF
version = 2
root = "$runtime/root"
state = "$runtime/state"
oom_score = 0
[grpc]
  address = "$runtime/containerd.sock"
[ttrpc]
  address = "$runtime/containerd.ttrpc.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$home/network"
CONF
}

api() {
  [ -n "$(program kube-apiserver)" ] || { echo "not built yet: $0 build" >&2; exit 1; }
  configure
  cd "$run"
  start etcd etcd "--data-dir=$run/etcd" --listen-client-urls=http://127.0.0.1:23790 --advertise-client-urls=http://127.0.0.1:23790 \
    --listen-peer-urls=http://127.0.0.1:23800 --unsafe-no-fsync
  start apiserver "$(program kube-apiserver)" --etcd-servers=http://127.0.0.1:23790 --bind-address=127.0.0.1 --secure-port=26443 \
    --insecure-port=0 "--cert-dir=$run/certificates" --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=accounts.pub --service-account-signing-key-file=accounts.key --token-auth-file=tokens.csv \
    --authorization-mode=Node,RBAC --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true --advertise-address=198.51.100.2
  await "the API server" healthy
}

up() {
  [ -n "$(program kubelet)" ] || { echo "not built yet: $0 build" >&2; exit 1; }
  [ -f "$run/settings" ] || sysctl "${settings[@]}" | tr -d ' ' > "$run/settings"
  # An address of the node's own on a cable that leads nowhere, so that nothing leaves the machine.
  if ! ip link show wl-node > /dev/null 2>&1; then
    ip link add wl-node type veth peer name wl-node-end
    ip address add 198.51.100.2/32 dev wl-node
    ip link set wl-node up
    ip link set wl-node-end up
    # A Service without a pod must not be looked for outside.
    ip route add 10.96.0.0/16 dev wl-node
  fi
  sysctl -qw net.ipv4.ip_forward=1
  api
  start containerd containerd --config "$runtime/config.toml"
  await containerd ctr version
  ctr images ls -q | grep -q '^localhost/pause:1$' || pause
  start controller-manager "$(program kube-controller-manager)" "--kubeconfig=$run/kubeconfig" --bind-address=127.0.0.1 --port=0 \
    --leader-elect=false --service-account-private-key-file=accounts.key "--root-ca-file=$run/certificates/apiserver.crt" \
    --use-service-account-credentials=false
  start scheduler "$(program kube-scheduler)" "--kubeconfig=$run/kubeconfig" --bind-address=127.0.0.1 --port=0 --leader-elect=false
  # Named localhost, because the API server asks the kubelet for logs under the node's name.
  start kubelet "$(program kubelet)" "--config=$run/kubelet.yaml" "--kubeconfig=$run/kubeconfig" --container-runtime=remote \
    "--container-runtime-endpoint=unix://$runtime/containerd.sock" --hostname-override=localhost --node-ip=198.51.100.2 \
    "--root-dir=$home/kubelet" "--cert-dir=$run/kubelet-certificates"
  await "the node" ready
}

# The image that holds a pod's network: a program that only waits.
pause() {
  local folder layer
  folder=$(mktemp -d)
  mkdir "$folder/system"
  printf 'int pause(void); int main(void) { for (;;) pause(); }' | gcc -static -O1 -x c - -o "$folder/system/pause"
  tar -C "$folder/system" -cf "$folder/layer.tar" .
  layer=$(sha256sum "$folder/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$layer" > "$folder/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/pause:1"],"Layers":["layer.tar"]}]' > "$folder/manifest.json"
  tar -C "$folder" -cf "$folder/image.tar" manifest.json config.json layer.tar
  ctr images import "$folder/image.tar" > /dev/null
  rm -rf "$folder"
}

# Service addresses to pods: one rule for each port of each Service that has a ready pod. The first pod takes all.
route() {
  local hook namespace name address port pod
  iptables -t nat -N $chain 2> /dev/null || iptables -t nat -F $chain
  for hook in PREROUTING OUTPUT; do
    iptables -t nat -C $hook -j $chain 2> /dev/null || iptables -t nat -I $hook -j $chain
  done
  kubectl get services -A -o 'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {.spec.clusterIP} {.spec.ports[0].port}{"\n"}{end}' |
    while read -r namespace name address port; do
      pod=$(kubectl -n "$namespace" get endpoints "$name" -o 'jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}')
      case $pod in 10.88.*:*) iptables -t nat -A $chain -p tcp -d "$address" --dport "$port" -j DNAT --to-destination "$pod" ;; esac
    done
}

stop() {
  local process
  process=$(cat "$run/$1.pid" 2> /dev/null) || return 0
  kill "$process" 2> /dev/null || true
  for _ in $(seq 40); do
    kill -0 "$process" 2> /dev/null || break
    sleep 0.25
  done
  kill -9 "$process" 2> /dev/null || true
  rm -f "$run/$1.pid"
}

down() {
  local task mounted table name
  if [ -f "$run/apiserver.pid" ]; then
    kubectl delete daemonsets,deployments,jobs --all -A --timeout=30s > /dev/null 2>&1 || true
    kubectl delete pods --all -A --grace-period=1 --timeout=30s > /dev/null 2>&1 || true
    # The kubelet takes the pods' networks down with them.
    for _ in $(seq 40); do
      [ -n "$(ctr containers ls -q 2> /dev/null)" ] || break
      sleep 0.5
    done
  fi
  for name in kubelet scheduler controller-manager apiserver etcd; do stop $name; done
  for task in $(ctr tasks ls -q 2> /dev/null || true); do ctr tasks kill -s SIGKILL "$task" 2> /dev/null || true; done
  stop containerd
  # What was applied must not come back with the next `up`.
  rm -rf "$run/etcd"
  mount | sed -n "s#.* on \($home/[^ ]*\) type .*#\1#p" | sort -r | while read -r mounted; do umount "$mounted" 2> /dev/null || true; done
  ip link delete wl-node 2> /dev/null || true
  if [ -f "$run/settings" ]; then
    sysctl -q -p "$run/settings" || true
    rm -f "$run/settings"
  fi
  for table in nat filter mangle; do forget $table; done
}

# TABLE: removes the chains that came with the cluster, and the rules that lead to them
forget() {
  local name rule names
  names=$({ iptables -t "$1" -S 2> /dev/null || true; } | sed -n "s/^-N \(KUBE-[^ ]*\|CNI-[^ ]*\|$chain\)\$/\1/p")
  for name in $names; do
    { iptables -t "$1" -S | grep -E -- "-j $name( |\$)" || true; } | sed 's/^-A/-D/' | while read -r rule; do
      eval "iptables -t $1 $rule" 2> /dev/null || true
    done
    iptables -t "$1" -F "$name" 2> /dev/null || true
  done
  for name in $names; do iptables -t "$1" -X "$name" 2> /dev/null || true; done
}

case ${1:-} in
  build | api | up | route | down) "$1" ;;
  import) ctr images import "$2" > /dev/null ;;
  kubectl) shift; kubectl "$@" ;;
  -h | --help | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
