import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';

const script = fileURLToPath(new URL('./fixture/migrate-notes.ts', import.meta.url));

describe('the migrate command', () => {
  let postgres: TestDatabase;
  beforeAll(async () => {
    postgres = await createDatabase(testPostgresUrl());
  });
  afterAll(() => postgres.drop());

  const run = (url: string) => {
    const { status, stdout } = spawnSync(process.execPath, [script], {
      env: { ...process.env, NOTES_DATABASE_URL: url },
      encoding: 'utf8',
      timeout: 120_000,
    });
    return {
      status,
      lines: stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    };
  };

  it('migrates an empty database, and has nothing to do the second time', () => {
    expect(run(postgres.url)).toMatchObject({
      status: 0,
      lines: [{ level: 'info', migrations: ['0001-notes', '0002-notes-colour'] }],
    });
    expect(run(postgres.url)).toMatchObject({ status: 0, lines: [{ level: 'info', migrations: [] }] });
  });

  it('ends with an exit code and one error line when the server is away', () => {
    const url = new URL(postgres.url);
    url.port = '1';
    const { status, lines } = run(url.href);
    expect(status).toBe(1);
    expect(lines).toMatchObject([{ level: 'error', msg: 'migration failed', err: { code: 'ECONNREFUSED' } }]);
    expect(JSON.stringify(lines)).not.toContain(url.password);
  });

  it('ends with an exit code when the configuration is missing', () => {
    expect(run('')).toMatchObject({
      status: 1,
      lines: [{ level: 'error', faults: ['NOTES_DATABASE_URL: is missing'] }],
    });
  });
});
