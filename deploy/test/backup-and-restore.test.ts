import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'deploy/backup-and-restore.md'), 'utf8');
const commands = [...page.matchAll(/^( *)```\w*\n([^]*?)^\1```$/gm)].map(([, indent = '', text = '']) =>
  text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
);
const services = ['auth', 'users', 'tasks', 'scheduler'];
const urlOf = (service: string, password: string): string =>
  `postgres://taskflow_${service}:${password}@db.example.net:5432/taskflow_${service}`;

/** Runs the commands of the page in the middle of a rotation; each recorded line is one call of a tool. */
describe('the commands of deploy/backup-and-restore.md', () => {
  let folder: string;
  let calls: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-backup-'));
    for (const name of ['checkout', 'stubs']) mkdirSync(join(folder, name));
    for (const service of services) {
      mkdirSync(join(folder, 'taskflow-secrets', service), { recursive: true });
      writeFileSync(
        join(folder, 'taskflow-secrets', service, 'database-url'),
        `${urlOf(service, 'first')}\n${urlOf(service, 'second')}`,
      );
    }
    // `node` alone is the installed one, which may be Node 20.
    for (const tool of ['pg_dump', 'pg_restore', 'psql', 'npx', 'node']) {
      writeFileSync(
        join(folder, 'stubs', tool),
        `#!/bin/sh\n{ printf '%s ' ${tool} "$@" | tr '\\n' '|'; echo; } >>'${folder}/calls'\n`,
      );
      chmodSync(join(folder, 'stubs', tool), 0o755);
    }
    const env = {
      PATH: `${join(folder, 'stubs')}:${process.env['PATH'] ?? ''}`,
      ADMIN_DATABASE_URL: 'postgres://postgres:x@db.example.net/postgres',
    };
    const { status, stderr } = spawnSync('sh', ['-e', '-c', commands.join('\n')], {
      cwd: join(folder, 'checkout'),
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    calls = readFileSync(join(folder, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((call) => call.trim());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const callsOf = (tool: string): string[] => calls.filter((call) => call.startsWith(`${tool} `));

  it('are for any POSIX shell: no bash 4, which macOS does not have', () => {
    expect(commands.length).toBeGreaterThan(6);
    expect(commands.filter((text) => /\$\{!|\^\^|,,\}|\[\[|<<</.test(text))).toEqual([]);
  });

  it('give PostgreSQL’s tools one URL, the first of a list', () => {
    expect(callsOf('pg_dump')).toEqual(
      ['scheduler', 'tasks', 'users', 'auth'].map(
        (service) => `pg_dump --format=custom --file=${service}.dump ${urlOf(service, 'first')}`,
      ),
    );
    const restore = (service: string): string =>
      `pg_restore --exit-on-error --no-owner --no-privileges --dbname=${urlOf(service, 'first')} ${service}.dump`;
    expect(callsOf('pg_restore')).toEqual([...services, 'tasks'].map(restore));
    expect(callsOf('psql').map((call) => call.split(' ')[1])).toEqual([
      'postgres://postgres:x@db.example.net/postgres',
      urlOf('auth', 'first'),
      ...services.map((service) => urlOf(service, 'first')),
    ]);
  });

  it('run programs that are there, with the pinned Node', () => {
    expect(callsOf('node')).toEqual([]);
    const programs = callsOf('npx').map((call) => /^npx node (\S+)$/.exec(call)?.[1] ?? call);
    const ofServices = (script: string, names: string[]): string[] =>
      names.map((service) => `services/${service}/src/${script}.ts`);
    expect(programs).toEqual([
      'libs/db/bin/provision.ts',
      ...ofServices('migrate', services),
      ...ofServices('after-restore', ['auth', 'tasks', 'scheduler']),
      'libs/db/bin/provision.ts',
    ]);
    expect(programs.filter((program) => !existsSync(join(root, program)))).toEqual([]);
  });
});
