import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { commandLineOf } from './processes.ts';

/** Who has a TCP port of this machine. */
export interface PortHolder {
  /** Somebody waits there for connections; else the port is this side of a connection to somewhere else. */
  readonly listens: boolean;
  /** undefined when the process belongs to another user, or the system does not show it. */
  readonly pid: number | undefined;
}

interface Socket {
  readonly listens: boolean;
  readonly inode: string;
}

/** The sockets of the kernel's table that have the port on their own side. */
function socketsOf(table: string, port: number): Socket[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  // The second field is the own address, the fourth the state (0A = it listens), the tenth the socket's number.
  return rows
    .filter((row) => row[1]?.endsWith(suffix))
    .map((row) => ({ listens: row[3] === '0A', inode: row[9] ?? '' }));
}

function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function pidOfSocket(inode: string): number | undefined {
  const isOurs = (pid: string): boolean => {
    const folder = `/proc/${pid}/fd`;
    return readOr(() => readdirSync(folder), []).some(
      (fd) => readOr(() => readlinkSync(`${folder}/${fd}`), '') === `socket:[${inode}]`,
    );
  };
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isOurs(name));
  return found === undefined ? undefined : Number(found);
}

function findOnLinux(port: number): PortHolder | undefined {
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    socketsOf(
      readOr(() => readFileSync(path, 'utf8'), ''),
      port,
    ),
  );
  // A closed connection may keep the port too, for a minute and without a process; one that a process holds says more.
  const holders = sockets.map(({ listens, inode }) => ({ listens, pid: pidOfSocket(inode) }));
  const rank = ({ listens, pid }: PortHolder): number => (listens ? 2 : 0) + (pid === undefined ? 0 : 1);
  return holders.sort((a, b) => rank(b) - rank(a))[0];
}

function findByLsof(port: number): PortHolder | undefined {
  const list = (...state: string[]): string =>
    readOr(() => execFileSync('lsof', ['-nP', `-iTCP:${port}`, ...state, '-t'], { encoding: 'utf8' }), '');
  const [listener, other] = [list('-sTCP:LISTEN'), list()].map((text) => Number.parseInt(text, 10));
  const pid = listener || other;
  return pid ? { listens: Boolean(listener), pid } : undefined;
}

/** Undefined when nobody has it, or when this system does not tell. */
export function findPortHolder(port: number): PortHolder | undefined {
  return process.platform === 'linux' ? findOnLinux(port) : findByLsof(port);
}

/** For a person: which program it is. */
export function describePortHolder({ listens, pid }: PortHolder): string {
  const program = pid === undefined ? 'a program of somebody else' : `process ${pid} (${commandLineOf(pid).trim()})`;
  return listens ? `${program} listens there` : `it is this side of a connection of ${program}`;
}
