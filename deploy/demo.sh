#!/usr/bin/env bash
# Wirelens in one command: server, an agent on every node, nginx and curl as traffic, and the question who asked what.
#
#   demo.sh full       a kind cluster, the image, everything applied, and what the agents have seen (the default)
#   demo.sh build      the image only
#   demo.sh deploy     apply to the cluster that is there, wait, and show
#   demo.sh restart    build again, load it, restart server and agents
#   demo.sh query [words of wirelens query]     ask again; without words: the last requests of the curl pod
#   demo.sh local      server and agent on this machine, without Kubernetes; needs root and `npm run build`
#   demo.sh delete     remove the kind cluster
#
# Environment: WIRELENS_CLUSTER (wirelens) name of the kind cluster; WIRELENS_DOCKER (docker, or podman).
set -euo pipefail

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }
repository=$(cd "$(dirname "$0")/.." && pwd)
cluster=${WIRELENS_CLUSTER:-wirelens}
docker=${WIRELENS_DOCKER:-docker}
image=localhost/wirelens:$(sed -n 's/^  "version": "\(.*\)",/\1/p' "$repository/package.json")
overlay=$repository/deploy/kubernetes/overlays/kind

say() { echo "-- $*" >&2; }
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" > /dev/null || { echo "$tool is needed for this and is not installed" >&2; exit 1; }
  done
}
kubectl() { command kubectl --context "kind-$cluster" "$@"; }

build() {
  need "$docker"
  say "building $image"
  "$docker" build -f "$repository/deploy/Dockerfile" -t "$image" "$repository"
}

create() {
  need kind
  kind get clusters 2> /dev/null | grep -qx "$cluster" || kind create cluster --name "$cluster" --wait 120s
}

load() {
  say "loading $image into the cluster"
  if [ "$docker" = docker ]; then
    kind load docker-image "$image" --name "$cluster"
  else
    local archive
    archive=$(mktemp)
    "$docker" save "$image" -o "$archive"
    kind load image-archive "$archive" --name "$cluster"
    rm -f "$archive"
  fi
}

deploy() {
  need kubectl
  "$repository/deploy/kubernetes/tokens.sh"
  kubectl apply -k "$overlay"
  say "waiting for server, agents and the demo"
  kubectl -n wirelens rollout status deployment/wirelens-server --timeout=180s
  kubectl -n wirelens rollout status daemonset/wirelens-agent --timeout=180s
  kubectl -n demo rollout status deployment/demo-nginx --timeout=180s
  kubectl -n demo rollout status deployment/demo-curl --timeout=180s
  sleep 5
  query
}

restart() {
  build
  load
  kubectl -n wirelens rollout restart deployment/wirelens-server daemonset/wirelens-agent
  kubectl -n wirelens rollout status deployment/wirelens-server --timeout=180s
  kubectl -n wirelens rollout status daemonset/wirelens-agent --timeout=180s
}

# In the server's pod, where the readers' token is.
query() {
  need kubectl
  local words=("$@")
  if [ ${#words[@]} -eq 0 ]; then
    words=(--ip "$(kubectl -n demo get pod -l app=demo-curl -o 'jsonpath={.items[0].status.podIP}')" --limit 20)
    say "wirelens query ${words[*]}"
  fi
  kubectl -n wirelens exec deployment/wirelens-server -- wirelens query --server http://127.0.0.1:8080 \
    --token-file /run/secrets/wirelens/reader-token "${words[@]}"
}

# Everything on loopback and in a folder that is gone afterwards.
local_demo() {
  need node curl
  [ "$(id -u)" = 0 ] || { echo "capturing needs root: sudo $0 local" >&2; exit 1; }
  [ -e "$repository/dist/cli/main.js" ] || { echo "not built yet: npm run build" >&2; exit 1; }
  folder=$(mktemp -d)
  processes=()
  trap 'kill "${processes[@]}" 2> /dev/null || true; wait 2> /dev/null || true; rm -rf "$folder"' EXIT
  local wirelens=$repository/bin/wirelens.js who address
  for who in agent reader; do (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$folder/$who-token"); done

  say "a web server, the Wirelens server, and an agent on the loopback interface"
  node -e 'require("node:http").createServer((request, answer) => {
    setTimeout(() => { answer.statusCode = request.url === "/missing" ? 404 : 200; answer.end("hello\n"); }, request.url === "/slow" ? 300 : 0);
  }).listen(0, "127.0.0.1", function () { console.log(`http://127.0.0.1:${this.address().port}`); })' > "$folder/web" &
  processes+=($!)
  node "$wirelens" server --listen 127.0.0.1:0 --data "$folder/data" --agent-token-file "$folder/agent-token" \
    --reader-token-file "$folder/reader-token" 2> "$folder/server.log" &
  processes+=($!)
  for _ in $(seq 100); do
    address=$(grep -o 'http://127\.0\.0\.1:[0-9]*' "$folder/server.log" | head -n 1) && [ -n "$address" ] && break
    sleep 0.1
  done
  [ -n "$address" ] || { cat "$folder/server.log" >&2; exit 1; }
  node "$wirelens" agent -i lo --server "$address" --token-file "$folder/agent-token" --spool "$folder/spool" \
    --status-listen none --port "$(sed 's/.*://' "$folder/web")" 2> "$folder/agent.log" &
  processes+=($!)
  local ask=(node "$wirelens" query --server "$address" --token-file "$folder/reader-token")
  for _ in $(seq 100); do
    ! "${ask[@]}" --agents --format json 2> /dev/null | grep -q agent || break
    sleep 0.1
  done

  say "curl asks for three pages"
  local page
  for page in / /slow /missing; do curl -sS -o /dev/null "$(cat "$folder/web")$page"; done
  for _ in $(seq 50); do
    [ "$("${ask[@]}" --ip 127.0.0.1 --format json 2> /dev/null | wc -l)" -lt 3 ] || break
    sleep 0.1
  done
  say "wirelens query --server $address --ip 127.0.0.1"
  "${ask[@]}" --ip 127.0.0.1
}

case ${1:-full} in
  full) need kind kubectl "$docker"; build; create; load; deploy ;;
  build) build ;;
  deploy) deploy ;;
  restart) restart ;;
  query) shift; query "$@" ;;
  local) local_demo ;;
  delete) need kind; kind delete cluster --name "$cluster" ;;
  -h | --help | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
