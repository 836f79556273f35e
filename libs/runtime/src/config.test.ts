import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type ConfigError } from './config.ts';
import { envTypes } from './env-types.ts';

const shape = {
  PORT: envTypes.port(50051),
  DATABASE_URL: envTypes.url('postgres:'),
  KEY: envTypes.key32(),
};

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(shape, env);
  } catch (error) {
    return (error as ConfigError).faults;
  }
  return [];
}

describe('loadConfig', () => {
  it('reads every entry, with defaults where nothing is given', () => {
    const key = Buffer.alloc(32, 7);
    const config = loadConfig(shape, { DATABASE_URL: 'postgres://a@b/c', KEY: key.toString('base64') });
    expect(config).toEqual({ PORT: 50051, DATABASE_URL: 'postgres://a@b/c', KEY: key });
  });

  it('reports all faults at once and never the values', () => {
    const faults = faultsOf({ PORT: '70000', KEY: 'hunter2' });
    expect(faults).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'DATABASE_URL: is missing',
      'KEY: must be 32 bytes in base64',
    ]);
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
