#!/usr/bin/env bash
# Draws the two tokens that the manifests make Secrets of, and with --tls a certificate of the server signed by an
# authority of its own. What is there already stays, so that running it again changes nothing.
# WIRELENS_TLS_NAMES=DNS:…,IP:… adds names to the certificate.
#   tokens.sh [--tls] [--folder COPY]     COPY: a copy of this folder (the one of the script)
set -euo pipefail
umask 077
folder=$(cd "$(dirname "$0")" && pwd)
tls=false
while [ $# -gt 0 ]; do
  case $1 in
    --tls) tls=true ;;
    --folder) folder=$2; shift ;;
    *) sed -n 2,5p "$0" >&2; exit 2 ;;
  esac
  shift
done

for reader in agent reader; do
  file=$folder/tokens/$reader/token
  [ -s "$file" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$file"
done

if [ "$tls" = true ]; then
  server=$folder/components/tls/server authority=$folder/components/tls/authority
  if [ ! -s "$server/tls.crt.pem" ]; then
    mkdir -p "$server" "$authority"
    command -v openssl > /dev/null || { echo "openssl is needed to make a certificate" >&2; exit 1; }
    names=DNS:wirelens-server,DNS:wirelens-server.wirelens,DNS:wirelens-server.wirelens.svc,DNS:wirelens-server.wirelens.svc.cluster.local,DNS:localhost,IP:127.0.0.1
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Wirelens authority" \
      -keyout "$work/authority.key" -out "$authority/ca.crt.pem" 2> /dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=wirelens-server" -keyout "$server/tls.key.pem" -out "$work/server.csr" 2> /dev/null
    # The authority's key is thrown away: it signs this one certificate and nothing after it.
    openssl x509 -req -in "$work/server.csr" -CA "$authority/ca.crt.pem" -CAkey "$work/authority.key" -set_serial 1 -days 3650 \
      -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names${WIRELENS_TLS_NAMES:+,$WIRELENS_TLS_NAMES}") -out "$server/tls.crt.pem" 2> /dev/null
  fi
fi
