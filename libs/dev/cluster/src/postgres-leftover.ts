import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { stopSteps } from './guard.ts';
import { commandLineOf, refOf, stopProcess } from './processes.ts';

interface Login {
  readonly superuser: string;
  readonly password: string;
}

/**
 * Deals with a postmaster.pid that an earlier run left: stops the server when it is really the one of this data folder,
 * and removes the file when its pid belongs to nobody or to somebody else (PostgreSQL itself would refuse to start then).
 */
export async function stopLeftoverPostgres(data: string, login: Login, report: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const lines = readLines(pidFile);
  if (lines === undefined) return;
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (Number.isInteger(pid) && pid > 1 && (await serves(data, { pid, port, login }))) {
    report('stopping the PostgreSQL that an earlier run left running');
    await stopProcess(refOf(pid), stopSteps.postgres);
  }
  rmSync(pidFile, { force: true });
}

function readLines(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A frozen or starting server does not answer, so its command line counts as well as its answer. */
async function serves(
  data: string,
  { pid, port, login }: { pid: number; port: number; login: Login },
): Promise<boolean> {
  const commandLine = commandLineOf(pid);
  if (commandLine === '') return false;
  if (commandLine.includes('postgres') && commandLine.includes(data)) return true;
  return (await dataFolderServedAt(port, login)) === data;
}

async function dataFolderServedAt(port: number, { superuser, password }: Login): Promise<string | undefined> {
  if (!Number.isInteger(port)) return undefined;
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: superuser,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 3_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}
