import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { childrenOf } from '#dev/cluster';

/** The unit of CPU time in /proc/PID/stat. */
const tickMs = 10;

interface ProcessStat {
  name: string;
  parent: number;
  /** Milliseconds of CPU of the process and of its threads. */
  cpuMs: number;
  /** Of its children that have ended. */
  endedChildrenMs: number;
}

/** undefined when the process has ended. */
function readStat(pid: number): ProcessStat | undefined {
  const text = readOf(pid, 'stat');
  if (text === undefined) return undefined;
  // The name is in brackets and may have spaces; the numbers follow it.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const ms = (index: number): number => Number(fields[index]) * tickMs;
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    parent: Number(fields[1]),
    cpuMs: ms(11) + ms(12),
    endedChildrenMs: ms(13) + ms(14),
  };
}

function readOf(pid: number, file: 'stat' | 'status'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** Milliseconds of CPU that a process has used so far; 0 when it has ended. */
export const cpuMsOf = (pid: number): number => readStat(pid)?.cpuMs ?? 0;

/** Bytes of a process that are in memory, shared ones included; 0 when it has ended. */
export function residentBytesOf(pid: number): number {
  return 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readOf(pid, 'status') ?? '')?.[1] ?? 0);
}

/** Milliseconds of CPU that a process and its children have used so far, those that have ended included. */
export function familyCpuMsOf(pid: number): number {
  const children = childrenOf(pid).reduce((sum, child) => sum + cpuMsOf(child), 0);
  const own = readStat(pid);
  return own === undefined ? 0 : own.cpuMs + own.endedChildrenMs + children;
}

/**
 * The process id of the PostgreSQL server behind a URL, the parent of all of its other processes; undefined when it runs
 * elsewhere or this system does not tell.
 */
export async function findPostgres(url: string): Promise<number | undefined> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = readStat(rows[0]?.pid ?? 0);
    return backend?.name.startsWith('postgres') === true ? backend.parent : undefined;
  } finally {
    await client.end();
  }
}
