import { expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { createLogger } from './logger.ts';

function record(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  log(createLogger({ service: 'test', level: 'info', destination }));
  return text;
}

it('never writes passwords, tokens or hashes, at the top or one level down', () => {
  const text = record((logger) => {
    logger.info(
      { password: 'CANARY1', refreshToken: 'CANARY2', request: { accessToken: 'CANARY3', passwordHash: 'CANARY4' } },
      'sent',
    );
    logger.info({ metadata: { authorization: 'Bearer CANARY5' } }, 'sent');
  });
  expect(text).not.toContain('CANARY');
  expect(text).toContain('[redacted]');
});

it('writes of an error only type, code, first line and stack, since drivers append statements with values', () => {
  const error = Object.assign(new Error('insert failed\ninsert into accounts values (CANARY)'), {
    code: '23505',
    query: 'CANARY',
  });
  const text = record((logger) => logger.error({ err: new Error('outer', { cause: error }) }, 'failed'));
  expect(text).not.toContain('CANARY');
  expect(JSON.parse(text)).toMatchObject({
    msg: 'failed',
    err: { message: 'outer', cause: { message: 'insert failed', code: '23505' } },
  });
});
