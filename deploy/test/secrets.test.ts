import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign, verify, type webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
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

const makeSecrets = (...options: string[]): void => void execFileSync(process.execPath, [script, directory, ...options]);
const read = (path: string): string => readFileSync(join(directory, path), 'utf8');

function contents(): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]));
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
    const keys = ['auth/encryption-key', 'scheduler/encryption-key', ...services.slice(1).map((service) => `${service}/page-token-key`)].map(read);
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

  it('asks for a directory', () => {
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining('usage: secrets.ts DIRECTORY') });
  });
});
