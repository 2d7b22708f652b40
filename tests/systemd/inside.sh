#!/usr/bin/env bash
# Runs as process 1 of new namespaces, makes them a small machine, and becomes its systemd. Started by machine.py:
#
#   inside.sh FOLDER PROGRAM
#
# FOLDER/units has the units. Whatever is written below /etc, /usr, /var, /run and /tmp lies in memory and goes with the
# namespaces.
set -euo pipefail
folder=$1 program=$2

# Until everything stands, nothing that is mounted here may be seen outside.
mount --make-rprivate /
mount -t proc proc /proc
# systemd raises limits of the kernel where it can, and the kernel is everybody's.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

mkdir "$folder/memory"
mount -t tmpfs -o mode=755 memory "$folder/memory"
for covered in /etc /usr /var; do
  layer=$folder/memory$covered
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=$covered,upperdir=$layer/upper,workdir=$layer/work" overlay "$covered"
done

# Devices, without those of the machine.
mount -t tmpfs -o mode=755,dev devices /dev
mkdir /dev/pts /dev/shm
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 ptmx:5:2; do
  IFS=: read -r name major minor <<<"$device"
  mknod -m 666 "/dev/$name" c "$major" "$minor"
done

install -m 755 "$program" /usr/bin/duo-atlassian-sync
# What this host's own systemd is to start is not started here.
mount -t tmpfs -o mode=755 units /etc/systemd/system
mount -t tmpfs -o mode=755 units /usr/lib/systemd/system

mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/story
cp -r "$folder/units" /run/story/units
mount -t tmpfs -o mode=1777 temporary /var/tmp
mount -t tmpfs -o mode=1777 temporary /tmp

# A control group of our own, as the root of all that systemd sees.
group=/sys/fs/cgroup/$DUO_ATLASSIAN_SYNC_STORY
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir "$group"
echo $$ >"$group/cgroup.procs"
# systemd hands secrets to a service by mounts, which travel only where mounts are shared.
# shellcheck disable=SC2016
exec unshare --cgroup bash -c '
  umount /sys/fs/cgroup
  mount -t cgroup2 none /sys/fs/cgroup
  mount --make-rshared /
  exec env -i PATH="$PATH" container=story SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/story/units:/usr/lib/systemd/system \
    SYSTEMD_GENERATOR_PATH=/nonexistent /lib/systemd/systemd --system --unit=multi-user.target \
    --log-target=journal --show-status=no --log-color=no
'
