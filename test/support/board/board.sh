#!/usr/bin/env bash
# An ARM64 Linux "board" behind a real sshd, emulated by qemu-user: its shell, its tools and its Node are ARM64 programs.
# For tests; needs root, Debian, and qemu-user-static, openssh-server, openssh-client, iproute2.
#
#   board.sh build ROOT              makes the board's file system (some seconds, 40 MB of downloads through apt)
#   board.sh up ROOT STATE PORT      starts a board whose own things lie in STATE; several may run on one ROOT
#   board.sh down STATE              ends it, with everything that runs on it; up again is a reboot: STATE/home stays
#
# STATE/home  what the board's user has; with HOME_SIZE set (such as 64m) it is a disk of that size in memory instead
# STATE/bin   /usr/local/bin         STATE/sys   /sys         STATE/cpuinfo   /proc/cpuinfo
# STATE/files what stands in for files of the root, by their paths
#
# The processor is a Cortex-A76 where these do not name another: BOARD_CPU as qemu calls it, BOARD_PART and BOARD_FEATURES as
# /proc/cpuinfo has them.
set -euo pipefail

build() {
  local root=$1 work
  work=$(mktemp -d)
  mkdir -p "$work"/lists/partial "$work"/archives/partial
  : >"$work/status"
  # The mirror that this machine's own apt uses.
  local mirror suite
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -1)
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
  local apt=(
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64
    -o "Dir::State=$work" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Cache::archives=$work/archives" -o "Dir::Etc::sourcelist=$work/sources.list"
    -o Dir::Etc::sourceparts=- -o Acquire::Languages=none -o APT::Sandbox::User=root
  )
  "${apt[@]}" update
  (
    cd "$work/archives"
    "${apt[@]}" download libc6 libc-bin libstdc++6 libgcc-s1 bash libtinfo6 coreutils libselinux1 libpcre2-8-0 libacl1 \
      libattr1 libgmp10 tar gzip grep sed mawk procps libproc2-0 libncursesw6 libsystemd0 libcap2 liblzma5 libzstd1 liblz4-1 \
      libgcrypt20 libgpg-error0
  )
  # Of its own: several files of tests may make it at once.
  local partial
  partial=$(mktemp -d "$root.partial-XXXXXX")
  for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$partial"; done
  rm -rf "$work" "$partial"/usr/share/{doc,man,locale,info,lintian}
  ln -sf bash "$partial/bin/sh"
  ln -sf mawk "$partial/usr/bin/awk"
  mkdir -p "$partial"/{proc,sys,dev,run,root,home/bench,etc,usr/local/bin}
  mkdir -p -m 1777 "$partial/tmp"
  chmod 755 "$partial"
  printf 'root:x:0:0:root:/root:/bin/bash\nbench:x:1500:1500::/home/bench:/bin/bash\n' >"$partial/etc/passwd"
  printf 'root:x:0:\nbench:x:1500:\n' >"$partial/etc/group"
  # Whoever comes first has made it for all.
  mv -T "$partial" "$root" 2>/dev/null || { [ -x "$root/bin/bash" ] && rm -rf "$partial"; }
}

state() {
  local state=$1 core
  local features=${BOARD_FEATURES:-fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp}
  mkdir -p "$state"/{home,bin,sys/devices/system/cpu,files,keys}
  chmod 755 "$state" "$state"/{home,bin,sys,files}
  chown 1500:1500 "$state/home"
  # ONNX Runtime reads these when it is loaded; with those of the machine below it would take the board for an x86.
  if [ ! -e "$state/cpuinfo" ]; then
    for core in 0 1 2 3; do
      printf 'processor\t: %d\nBogoMIPS\t: 108.00\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: %s\nCPU revision\t: 1\n\n' \
        "$core" "$features" "${BOARD_PART:-0xd0b}"
    done >"$state/cpuinfo"
    echo 0-3 | tee "$state/sys/devices/system/cpu/possible" >"$state/sys/devices/system/cpu/present"
  fi
  local key
  for key in host client; do
    [ -e "$state/keys/$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$key of a test" -f "$state/keys/$key"
  done
}

up() {
  local root=$1 state=$2 port=$3
  state "$state"
  # One for all boards of this machine, and it stays: qemu runs ARM64 programs, also inside another root (flag F).
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] ||
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
  # QEMU_CPU: with what qemu emulates by default ONNX Runtime is ten times slower yet.
  cat >"$state/sshd_config" <<END
Port $port
ListenAddress 127.0.0.1
HostKey $state/keys/host
AuthorizedKeysFile $state/keys/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers bench
ChrootDirectory /srv
SetEnv QEMU_CPU=${BOARD_CPU:-cortex-a76}
MaxStartups 100
END
  rm -f "$state/sshd.log"
  # Everything of the board ends with this process, the mounts go with their namespace.
  setsid unshare -mpf --kill-child bash -euc '
    root=$1 state=$2 size=$3
    mount --make-rprivate /
    mount -t proc proc /proc
    mount --bind "$root" /srv
    mount -t proc proc /srv/proc
    mount --bind "$state/cpuinfo" /srv/proc/cpuinfo
    mount --rbind /dev /srv/dev
    mount --bind "$state/sys" /srv/sys
    mount --bind "$state/bin" /srv/usr/local/bin
    mount -t tmpfs -o mode=1777 tmpfs /srv/tmp
    if [ -n "$size" ]; then mount -t tmpfs -o "size=$size,uid=1500,gid=1500,mode=755" tmpfs /srv/home/bench
    else mount --bind "$state/home" /srv/home/bench; fi
    (cd "$state/files" && find . -type f) | while read -r file; do mount --bind "$state/files/$file" "/srv/$file"; done
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir /run/sshd
    { cat /etc/passwd; echo "bench:*:1500:1500::/home/bench:/bin/bash"; } >/run/passwd
    mount --bind /run/passwd /etc/passwd
    exec /usr/sbin/sshd -D -f "$state/sshd_config" -E "$state/sshd.log"
  ' board "$root" "$state" "${HOME_SIZE:-}" </dev/null >"$state/up.log" 2>&1 &
  echo $! >"$state/pid"
  for _ in $(seq 100); do
    grep -q 'Server listening' "$state/sshd.log" 2>/dev/null && return
    sleep 0.05
  done
  cat "$state/up.log" "$state/sshd.log" >&2
  return 1
}

down() {
  # unshare ignores SIGTERM; its child, the first process of the board's namespace, takes all others with it.
  [ -e "$1/pid" ] || return 0
  local pid
  pid=$(cat "$1/pid")
  rm -f "$1/pid"
  kill -KILL "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    pgrep -g "$pid" >/dev/null || return 0
    sleep 0.05
  done
}

"$@"
