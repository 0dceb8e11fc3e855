#!/usr/bin/env bash
# A real SLURM of two nodes, each with a stand-in GPU, from Debian's packages, for tests: as root, without systemd or
# cgroups. Both nodes are this machine; the second goes by the name of localhost.
#   setup.sh start FOLDER | node FOLDER | stop FOLDER
# `node` starts the first one's daemon, at the start and when it has died. Everything lies in FOLDER, but for one link to it, /etc/slurm/slurm.conf (the
# executor plugin hides SLURM_CONF from jobs); a machine that has a slurm.conf of its own is left alone.
set -euo pipefail
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
conf=$folder/slurm.conf
link=/etc/slurm/slurm.conf
host=$(hostname -s)

stop() {
  for daemon in "$host" localhost slurmctld munged; do
    if [ -s "$folder/$daemon.pid" ]; then
      kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
      rm -f "$folder/$daemon.pid"
    fi
  done
  if [ "$(readlink $link)" = "$conf" ]; then rm $link; fi
}

wait_for() { # until a command succeeds, at most 20 s
  local since=$SECONDS
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS - since > 20)); then
      echo "setup.sh: no success within 20 s: $*; see $folder/log" >&2
      exit 1
    fi
    sleep 0.2
  done
}

node() {
  slurmd -c -f "$conf" -N "$host"
  wait_for sh -c "sinfo --noheader --nodes=$host --format=%T | grep -q idle"
}

install_packages() {
  if command -v slurmctld slurmd sbatch munged >/dev/null; then return; fi
  local policy=/usr/sbin/policy-rc.d
  local ours=
  if [ ! -e $policy ]; then # the packages' own services stay off
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    ours=yes
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
  if [ -n "$ours" ]; then rm $policy; fi
}

start() {
  if [ "$(id -u)" != 0 ]; then
    echo "setup.sh: SLURM's daemons are started as root; run this in a container where you are" >&2
    exit 1
  fi
  if [ -e $link ] && [ "$(readlink $link)" != "$conf" ]; then
    echo "setup.sh: $link is there: this machine has a SLURM already" >&2
    exit 1
  fi
  install_packages
  stop
  mkdir -p "$folder"/{state,spool,log}
  head -c 1024 /dev/urandom >"$folder/munge.key"
  chmod 400 "$folder/munge.key"
  munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --seed-file="$folder/munge.seed" --log-file="$folder/log/munged.log"
  [ -e "$folder/gpu0" ] || mknod "$folder/gpu0" c 1 3 # stands in for /dev/nvidia0; reads and writes as /dev/null
  echo "NodeName=$host,localhost Name=gpu File=$folder/gpu0" >"$folder/gres.conf"
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$folder/cgroup.conf" # nothing uses it; it has to load
  cat >"$conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/%n.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
# finished jobs stay on the books: the test reads them
MinJobAge=86400
SlurmctldTimeout=10
SlurmdTimeout=15
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=16 RealMemory=200000 Gres=gpu:1 State=UNKNOWN
NodeName=localhost NodeHostname=$host NodeAddr=127.0.0.1 Port=16819 CPUs=16 RealMemory=200000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=accelerated Nodes=$host MaxTime=INFINITE State=UP
PartitionName=both Nodes=$host,localhost MaxTime=INFINITE State=UP
CONF
  mkdir -p "$(dirname $link)"
  ln -sfn "$conf" $link
  wait_for munge --socket="$folder/munge.socket" --no-input
  slurmctld -c -f "$conf"
  node
  slurmd -c -f "$conf" -N localhost
  timeout 30 srun --ntasks=1 --gpus=1 true
}

case $action in
  start | node | stop) "$action" ;;
  *)
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
    ;;
esac
