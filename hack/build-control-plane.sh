#!/usr/bin/env bash
# Builds a real Kubernetes control plane for the real tier: etcd, kube-apiserver, kube-controller-manager and kubectl.
#
#   hack/build-control-plane.sh [DIR]     DIR defaults to target/control-plane/bin
#
# Everything is compiled from Go modules, so only Go (1.24 or newer) and a Go module proxy are needed. The first build
# takes some minutes on two cores; a DIR that already holds the wanted versions is left alone. Point KUBEBUILDER_ASSETS
# at DIR afterwards. Exit codes: 0 built or already there, 3 Go is missing or too old, other: the build failed.
set -euo pipefail

kubernetes=${K8S_VERSION:-v1.34.4}
etcd=${ETCD_VERSION:-v3.6.16}
dir=$(realpath -m "${1:-target/control-plane/bin}")
stamp="kubernetes $kubernetes etcd $etcd"

if [[ -f $dir/VERSION && $(cat "$dir/VERSION") == "$stamp" ]]; then
  echo "control plane: $stamp is already in $dir"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "control plane: Go is not installed, so the real API servers cannot be built here" >&2
  exit 3
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dir"

# k8s.io/kubernetes replaces its staging modules by local folders, which does not work for a main module outside of
# its repository: replace each by the version that was published with it.
cd "$work"
printf 'module controlplane\n\ngo 1.24\n' >go.mod
source=$(go mod download -json "k8s.io/kubernetes@$kubernetes" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
{
  printf 'module controlplane\n\ngo 1.24\n\ngodebug default=go1.24\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$kubernetes"
  sed -n 's#^\t\(k8s.io/[a-z-]*\) => ./staging.*#\1#p' "$source/go.mod" | while read -r module; do
    printf '\t%s => %s v0.%s\n' "$module" "$module" "${kubernetes#v1.}"
  done
  printf ')\n'
} >go.mod
components="kube-apiserver kube-controller-manager kubectl"
{
  printf '//go:build tools\n\npackage tools\n\nimport (\n'
  for component in $components; do printf '\t_ "k8s.io/kubernetes/cmd/%s"\n' "$component"; done
  printf ')\n'
} >tools.go
go mod tidy -e >/dev/null 2>&1 || true # -e: test-only dependencies of the staging modules may be missing
for component in $components; do
  echo "control plane: building $component $kubernetes"
  go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes" -o "$dir/$component" "k8s.io/kubernetes/cmd/$component"
done

mkdir etcd && cd etcd
printf 'module etcdtool\n\ngo 1.24\n' >go.mod
go get "go.etcd.io/etcd/server/v3@$etcd" >/dev/null 2>&1
echo "control plane: building etcd $etcd"
go build -ldflags '-s -w' -o "$dir/etcd" go.etcd.io/etcd/server/v3
echo "$stamp" >"$dir/VERSION"
echo "control plane: $stamp is in $dir"
