import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type ConfigError } from './config.ts';
import { envTypes } from './env-types.ts';

const shape = {
  PORT: envTypes.port(50051),
  DATABASE_URL: envTypes.url('postgres:'),
  KEY: envTypes.keys32(),
};

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(shape, env);
  } catch (error) {
    return (error as ConfigError).faults;
  }
  return [];
}

describe('a secret that is being replaced', () => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const lines = keys.map((key) => key.toString('base64')).join('\n');

  it('is a list, the newest first', () => {
    expect(loadConfig({ KEY: shape.KEY }, { KEY: `${lines}\n` }).KEY).toEqual(keys);
    const urls = { URLS: envTypes.databaseUrls() };
    expect(loadConfig(urls, { URLS: 'postgres://a:new@b/c postgres://a:old@b/c' }).URLS).toEqual([
      'postgres://a:new@b/c',
      'postgres://a:old@b/c',
    ]);
  });

  it('has no key twice, and no URL of another database', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://a@b/c', KEY: `${lines} ${lines}` })).toEqual([
      'KEY: names a key twice',
    ]);
    expect(() =>
      loadConfig({ URLS: envTypes.databaseUrls() }, { URLS: 'postgres://a:1@b/c postgres://a:2@b/d' }),
    ).toThrow('URLS: must be URLs that differ in the password only');
  });
});

describe('loadConfig', () => {
  it('reads every entry, with defaults where nothing is given', () => {
    const key = Buffer.alloc(32, 7);
    const config = loadConfig(shape, { DATABASE_URL: 'postgres://a@b/c', KEY: key.toString('base64') });
    expect(config).toEqual({ PORT: 50051, DATABASE_URL: 'postgres://a@b/c', KEY: [key] });
  });

  it('reports all faults at once and never the values', () => {
    const faults = faultsOf({ PORT: '70000', KEY: 'hunter2' });
    expect(faults).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'DATABASE_URL: is missing',
      'KEY: must be 32 bytes in base64, or several such keys, the newest first',
    ]);
  });

  it('takes a key in either alphabet, and none with a stray character in it', () => {
    const key = Buffer.alloc(32, 0xfb);
    const read = (KEY: string) => loadConfig(shape, { DATABASE_URL: 'postgres://a@b/c', KEY }).KEY;
    expect([read(key.toString('base64')), read(key.toString('base64url'))]).toEqual([[key], [key]]);
    const text = key.toString('base64');
    for (const bad of [`${text.slice(0, 9)}!${text.slice(9)}`, text.slice(0, -1), text.replaceAll('+', '-')]) {
      expect(faultsOf({ DATABASE_URL: 'postgres://a@b/c', KEY: bad })).toEqual([
        'KEY: must be 32 bytes in base64, or several such keys, the newest first',
      ]);
    }
  });

  it('reads an entry from the file that NAME_FILE names', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'taskflow-config-')), 'url');
    writeFileSync(file, 'postgres://x@y/z\n');
    const config = loadConfig({ DATABASE_URL: shape.DATABASE_URL }, { DATABASE_URL_FILE: file });
    expect(config.DATABASE_URL).toBe('postgres://x@y/z');
  });

  it('names a file that cannot be read', () => {
    expect(faultsOf({ DATABASE_URL_FILE: '/nonexistent/url', KEY: Buffer.alloc(32).toString('base64') })).toEqual([
      'DATABASE_URL_FILE: cannot be read (ENOENT)',
    ]);
  });
});
