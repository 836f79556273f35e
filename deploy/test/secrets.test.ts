import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign, verify, type webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../secrets.ts');
const services = ['auth', 'users', 'tasks', 'scheduler'];
type Jwk = webcrypto.JsonWebKey & { kid: string };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'taskflow-secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const makeSecrets = (...options: string[]): void =>
  void execFileSync(process.execPath, [script, directory, ...options]);
const read = (path: string): string => readFileSync(join(directory, path), 'utf8');

/** The status and what was said on standard error, line by line; nothing may be printed on standard output. */
function refusal(...args: string[]): { status: number | null; lines: string[]; written: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  return {
    status,
    lines: [...stderr.trimEnd().split('\n'), ...(stdout === '' ? [] : [stdout])],
    written: readdirSync(directory),
  };
}

function contents(): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

describe('secrets.ts', () => {
  it('gives every service a key that all services can verify', () => {
    makeSecrets();
    const text = Buffer.from('signed');
    for (const service of services) {
      const own = JSON.parse(read(`${service}/service-key.json`)) as Jwk;
      const signature = sign(null, text, createPrivateKey({ key: own, format: 'jwk' }));
      for (const reader of services) {
        const { keys } = JSON.parse(read(`${reader}/service-public-keys.json`)) as { keys: Jwk[] };
        expect(keys.map(({ kid }) => kid)).toEqual(services);
        expect(keys.every((key) => key.d === undefined)).toBe(true);
        const key = keys.find(({ kid }) => kid === service);
        expect(verify(null, text, createPublicKey({ key: key ?? {}, format: 'jwk' }), signature)).toBe(true);
      }
    }
  });

  it('gives each service a database role of its own, on the server that is named', () => {
    makeSecrets('--postgres', 'db.internal:6432');
    const urls = services.map((service) => new URL(read(`${service}/database-url`)));
    expect(urls.map(({ username, host, pathname }) => [username, host, pathname])).toEqual(
      services.map((service) => [`taskflow_${service}`, 'db.internal:6432', `/taskflow_${service}`]),
    );
    expect(new Set(urls.map(({ password }) => password)).size).toBe(services.length);
    expect(new URL(read('postgres/admin-database-url')).password).toBe(read('postgres/superuser-password'));
  });

  it('makes keys of 32 bytes', () => {
    makeSecrets();
    const keys = [
      'auth/encryption-key',
      'scheduler/encryption-key',
      ...services.slice(1).map((service) => `${service}/page-token-key`),
    ].map(read);
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([32, 32, 32, 32, 32]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('changes nothing when it runs again, and leaves no unfinished file', () => {
    makeSecrets();
    const first = contents();
    makeSecrets();
    expect(contents()).toEqual(first);
    expect(Object.keys(first).filter((file) => file.endsWith('.unfinished'))).toEqual([]);
  });

  it('adds what is absent, and the public keys follow', () => {
    makeSecrets();
    const before = contents();
    rmSync(join(directory, 'tasks'), { recursive: true });
    makeSecrets();
    const after = contents();
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    expect(read('auth/service-key.json')).toBe(before[join(directory, 'auth/service-key.json')]);
    expect(read('auth/service-public-keys.json')).toBe(read('tasks/service-public-keys.json'));
    expect(read('auth/service-public-keys.json')).not.toBe(before[join(directory, 'auth/service-public-keys.json')]);
  });

  it('keeps private files from other users', () => {
    makeSecrets();
    const readableForAll = Object.keys(contents()).filter((file) => (statSync(file).mode & 0o077) !== 0);
    expect(readableForAll.map((file) => file.replace(`${directory}/`, '')).sort()).toEqual(
      ['postgres/superuser-password', ...services.map((service) => `${service}/service-public-keys.json`)].sort(),
    );
  });

  const wrong: [string, string[], string][] = [
    ['no folder', [], 'say which one folder'],
    ['an empty folder name', [''], 'say which one folder'],
    ['two folders', ['one', 'two'], 'say which one folder'],
    ['a file for a folder', ['a-file'], 'a-file is not a folder'],
    ['an unknown option', ['new', '--nope'], "Unknown option '--nope'"],
    ['a value that is missing', ['new', '--postgres'], "Option '--postgres"],
    ['an option for a value', ['new', '--postgres', '--owner', '1000'], "Option '--postgres' argument is ambiguous"],
    ['a server with a blank', ['new', '--postgres', 'ho st:xx'], '--postgres ho st:xx: must be HOST:PORT'],
    ['a server without a port', ['new', '--postgres', 'db.internal'], '--postgres db.internal: must be HOST:PORT'],
    [
      'a port that is none',
      ['new', '--postgres', 'db.internal:65536'],
      '--postgres db.internal:65536: must be HOST:PORT',
    ],
    ['a server with a path', ['new', '--postgres', 'db:5432/other'], '--postgres db:5432/other: must be HOST:PORT'],
    ['a server with a user', ['new', '--postgres', 'me@db:5432'], '--postgres me@db:5432: must be HOST:PORT'],
    ['an owner that is no number', ['new', '--owner', 'abc'], '--owner abc: must be the number of a user'],
    ['an empty owner', ['new', '--owner', ''], '--owner : must be the number of a user'],
    [
      'an owner that is too large',
      ['new', '--owner', '4294967295'],
      '--owner 4294967295: must be the number of a user',
    ],
    ['an unknown step', ['new', '--rotate', 'all'], '--rotate all: must be next, use or retire'],
  ];
  it.each(wrong)('refuses %s in one line before it writes anything', (_what, args, fault) => {
    writeFileSync(join(directory, 'a-file'), '');
    expect(refusal(...args)).toEqual({
      status: 64,
      lines: [expect.stringContaining(`secrets: ${fault}`), '"npm run secrets -- --help" tells what it takes'],
      written: ['a-file'],
    });
  });

  it('takes the address of a server by name, IPv4 and IPv6', () => {
    for (const postgres of ['DB.internal:6432', '10.0.0.7:5432', '[fd00::7]:5432']) {
      rmSync(join(directory, 'users'), { recursive: true, force: true });
      makeSecrets('--postgres', postgres);
      expect(new URL(read('users/database-url')).host).toBe(postgres);
    }
  });

  it.each(['next', 'use', 'retire'])(
    'does not make secrets when it shall rotate them (%s): where there are none it says so',
    (step) => {
      expect(refusal('absent', '--rotate', step)).toEqual({
        status: 1,
        lines: [expect.stringMatching(/^secrets: there are no secrets in absent;/)],
        written: [],
      });
      writeFileSync(join(directory, 'a-file'), '');
      expect(refusal('.', '--rotate', step)).toEqual({
        status: 1,
        lines: [expect.stringMatching(/^secrets: there are no secrets in \.;/)],
        written: ['a-file'],
      });
    },
  );

  it('does not rotate a set from which something is gone, and names it', () => {
    makeSecrets();
    rmSync(join(directory, 'tasks/page-token-key'));
    const before = contents();
    expect(refusal(directory, '--rotate', 'next')).toMatchObject({
      status: 1,
      lines: [expect.stringContaining(`${directory} lacks tasks/page-token-key;`)],
    });
    expect(contents()).toEqual(before);
  });

  it('rotates the set of an earlier release, which has no lists of service keys, and leaves the administrator out', () => {
    makeSecrets();
    for (const service of services) rmSync(join(directory, service, 'service-keys'));
    rmSync(join(directory, 'postgres'), { recursive: true });
    makeSecrets('--rotate', 'next');
    expect(read('tasks/service-keys').split('\n')).toEqual([read('tasks/service-key.json'), expect.any(String)]);
    expect(readdirSync(directory).sort()).toEqual([...services].sort());
  });

  it('refuses a step that the one before does not allow, and changes nothing', () => {
    makeSecrets();
    const first = contents();
    const why = (step: string): string[] => {
      const { status, lines } = refusal(directory, '--rotate', step);
      return [String(status), ...lines];
    };
    expect(why('use')).toEqual([
      '1',
      expect.stringMatching(/^secrets: .*has no next value that is known yet: --rotate next comes first$/),
    ]);
    expect(contents()).toEqual(first);
    makeSecrets('--rotate', 'next');
    const known = contents();
    expect(why('retire')).toEqual([
      '1',
      expect.stringMatching(/^secrets: .*the next value is not in use yet: --rotate use comes first$/),
    ]);
    expect(contents()).toEqual(known);
    // As after a `next` that was cut off between its two files.
    const list = join(directory, 'scheduler/page-token-key');
    rmSync(list);
    writeFileSync(list, first[list] ?? '');
    expect(why('use')).toEqual(['1', expect.stringContaining('scheduler/page-token-key has no next value')]);
    makeSecrets('--rotate', 'next');
    expect(contents()).toEqual(known);
    makeSecrets('--rotate', 'use');
    makeSecrets('--rotate', 'retire');
    expect(why('use')[0]).toBe('1');
  });

  it('replaces secrets in three steps, each of which may be repeated: known, used, and the old ones gone', () => {
    makeSecrets();
    const lists = [
      'auth/encryption-key',
      'scheduler/encryption-key',
      'tasks/page-token-key',
      'users/database-url',
      'tasks/service-keys',
    ];
    const valuesOf = () => lists.map((path) => read(path).trim().split('\n'));
    const kidsOfTasks = () =>
      (JSON.parse(read('users/service-public-keys.json')) as { keys: Jwk[] }).keys.flatMap(({ kid }) =>
        kid.split('.')[0] === 'tasks' ? [kid] : [],
      );
    const own = () => (JSON.parse(read('tasks/service-key.json')) as Jwk).kid;
    const old = valuesOf();
    for (let time = 0; time < 2; time += 1) makeSecrets('--rotate', 'next');
    const known = valuesOf();
    expect(known.map((values) => [values.length, values[0]])).toEqual(old.map((values) => [2, values[0]]));
    expect([own(), kidsOfTasks()]).toEqual(['tasks', ['tasks', expect.stringMatching(/^tasks\.[0-9a-f]{12}$/)]]);
    expect(spawnSync(process.execPath, [script, directory, '--rotate', 'retire']).status).toBe(1);
    for (let time = 0; time < 2; time += 1) makeSecrets('--rotate', 'use');
    expect(valuesOf()).toEqual(known.map((values) => values.toReversed()));
    expect([own(), kidsOfTasks().length]).toEqual([kidsOfTasks()[0], 2]);
    for (let time = 0; time < 2; time += 1) makeSecrets('--rotate', 'retire');
    expect(valuesOf()).toEqual(known.map((values) => values.slice(1)));
    expect(kidsOfTasks()).toEqual([own()]);
    expect(new URL(read('users/database-url')).username).toBe('taskflow_users');
    expect(readdirSync(directory, { recursive: true }).filter((name) => String(name).endsWith('.next'))).toEqual([]);
  });
});
