// Plain JavaScript without dependencies: boot.mjs uses this file before anything is installed, on any Node from 20 on.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

function linuxStartTime(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name may contain spaces and parentheses, so fields are counted after its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  // A zombie has ended; in a container its new parent may never collect it.
  if (state === 'Z' || state === 'X') return undefined;
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${bootId}:${fields[19]}`;
}

function portableStartTime(pid) {
  const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}

export function startTimeOf(pid) {
  try {
    return process.platform === 'linux' ? linuxStartTime(pid) : portableStartTime(pid);
  } catch {
    return undefined;
  }
}

function readHolder(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'));
    return typeof holder?.pid === 'number' ? holder : undefined;
  } catch {
    return undefined;
  }
}

const isAlive = (holder) => holder !== undefined && startTimeOf(holder.pid) === holder.startTime;

function place(draft, path) {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (error.code !== 'EPERM' && error.code !== 'ENOTSUP' && error.code !== 'EOPNOTSUPP') throw error;
  }
  // A file system without hard links.
  try {
    writeFileSync(path, readFileSync(draft), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function removeStale(path) {
  const aside = `${path}.stale-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Somebody may have replaced the stale lock between our look and our move: give a live one back.
  if (isAlive(readHolder(aside))) place(aside, path);
  rmSync(aside, { force: true });
}

export function tryLock(path) {
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      if (place(draft, path)) return { release: () => releaseLock(path, own) };
      const holder = readHolder(path);
      if (isAlive(holder)) return { holder };
      removeStale(path);
    }
    throw new Error(`the lock ${path} keeps changing hands; try again`);
  } finally {
    rmSync(draft, { force: true });
  }
}

function releaseLock(path, own) {
  const holder = readHolder(path);
  if (holder?.pid === own.pid && holder.startTime === own.startTime) rmSync(path, { force: true });
}
