import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { expect, it, describe } from '@jest/globals';
import { enveloped } from '../../../libs/dev/flows/gateway-wire.ts';
import { waitUntil } from '#dev/cluster';
import { bytes, cases, json, labelled, watch, type Hostile } from './hostile-requests.ts';
import { detailOf, outcomeOf, tasks, useGateway, users, violationsOf, type ErrorJson } from './start-gateway.ts';

const mebibyte = 1024 * 1024;
const gateway = useGateway({
  services: ['auth', 'users', 'tasks', 'gateway'],
  env: { TASKFLOW_SHUTDOWN_GRACE_MS: '2000', TASKFLOW_MAX_REQUEST_BYTES: String(8 * mebibyte) },
});

async function send({ path = `${tasks}/CreateTask`, method = 'POST', headers = json, body }: Hostile) {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.token}`, ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

describe('a hostile request', () => {
  it.each(cases)('%s is refused with status, code, reason, fields and call id', async (_name, hostile, ...expected) => {
    const { text, ...answer } = await send(hostile);
    const told = { ...answer, json: JSON.parse(text) as Record<string, unknown> };
    const { details } = told.json as unknown as ErrorJson;
    expect([told.status, outcomeOf(told), ...violationsOf(told)]).toEqual(expected);
    expect(detailOf(details, 'RequestInfo')).toEqual({ requestId: told.headers.get('x-request-id') });
  });

  it.each([
    ['no envelope', watch('{}'), 'invalid_argument/MALFORMED_REQUEST'],
    ['half an envelope', watch(bytes(enveloped('{}').subarray(0, 6))), 'invalid_argument/MALFORMED_REQUEST'],
    [
      'two messages',
      watch(bytes(Buffer.concat([enveloped('{}'), enveloped('{}')]))),
      'invalid_argument/MALFORMED_REQUEST',
    ],
    [
      'an envelope that claims 4 GiB',
      watch(bytes(Buffer.from('00ffffffff7b7d', 'hex'))),
      'invalid_argument/MALFORMED_REQUEST',
    ],
    [
      'a flag without a compression',
      watch(bytes(Buffer.from('01000000027b7d', 'hex'))),
      'invalid_argument/MALFORMED_REQUEST',
    ],
    ['the end of a stream', watch(bytes(Buffer.from('02000000027b7d', 'hex'))), 'invalid_argument/MALFORMED_REQUEST'],
    ['an unknown field', watch(bytes(enveloped('{"x":1}'))), 'invalid_argument/INVALID_FIELD'],
    [
      'an unknown compression',
      watch(bytes(enveloped('{}')), { 'connect-content-encoding': 'zstd' }),
      'unimplemented/UNIMPLEMENTED',
    ],
  ])('to a stream, %s, is refused by the end of the stream', async (_name, hostile, outcome) => {
    const { status, text } = await send(hostile);
    const { error } = JSON.parse(text.slice(5)) as { error: Record<string, unknown> };
    expect([status, outcomeOf({ status: 400, json: error })]).toEqual([200, outcome]);
  });

  it('in gRPC-Web is refused by the trailers', async () => {
    const headers = { 'content-type': 'application/grpc-web+proto', 'grpc-timeout': '5' };
    const { status, text } = await send({ headers, body: bytes(enveloped('')) });
    expect(status).toBe(200);
    expect(text).toMatch(/grpc-status: 3\r\n/);
    expect(text).toMatch(/grpc-status-details-bin: /);
  });

  it.each([
    ['200,000 labels of another type', labelled('1', 200_000)],
    ['5,000 empty labels', labelled('""', 5000)],
  ])('with %s is told the first of them', async (_what, body) => {
    const answer = await gateway.post(`${tasks}/CreateTask`, body, { authorization: `Bearer ${gateway.token}` });
    expect([answer.status, outcomeOf(answer)]).toEqual([400, 'invalid_argument/INVALID_FIELD']);
    expect(JSON.stringify(answer.json).length).toBeLessThan(20_000);
  });

  it('leaves the gateway as it was', async () => {
    expect((await gateway.post(`${users}/GetMe`, {}, { authorization: `Bearer ${gateway.token}` })).status).toBe(200);
  });
});

/** What comes back over a connection until its end. */
async function talk(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const [host = '', port = ''] = gateway.cluster.address('gateway').split(':');
  const socket: Socket = connect(Number(port), host);
  let heard = '';
  socket.on('data', (part: Buffer) => (heard += part.toString())).on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return heard;
}

describe('a hostile connection', () => {
  const head = `POST ${users}/GetMe HTTP/1.1\r\nhost: a\r\n`;

  it.each([
    ['never ends its headers', [head], '408', 'DEADLINE_EXCEEDED'],
    [
      'never ends its request',
      [`${head}authorization: Bearer a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`],
      '504',
      'DEADLINE_EXCEEDED',
    ],
    ['speaks no HTTP', ['hello\r\n\r\n'], '400', 'MALFORMED_REQUEST'],
    ['has a header of 70 KiB', [`${head}x-a: ${'a'.repeat(70 * 1024)}\r\n\r\n`], '431', 'HEADERS_TOO_LARGE'],
    [
      'has 200 headers',
      [`${head}connection: close\r\n${'x-a: 1\r\n'.repeat(200)}content-length: 0\r\n\r\n`],
      '431',
      'HEADERS_TOO_LARGE',
    ],
    [
      'smuggles a second request',
      [
        `${head}connection: close\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
      ],
      '400',
      'MALFORMED_REQUEST',
    ],
  ])('that %s is answered and ended', async (_name, parts, status, reason) => {
    const heard = await talk(...parts);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toContain(reason);
    expect(heard.match(/^HTTP/gm)).toHaveLength(1);
    const [, requestId = 'none'] = /^x-request-id: (\S+)\r$/m.exec(heard) ?? [];
    const line = await waitUntil(
      () =>
        gateway.cluster
          .logs('gateway')
          .split('\n')
          .find((one) => one.includes(requestId)),
      (found) => found !== undefined,
    );
    expect(JSON.parse(line ?? '{}')).toMatchObject({ reason, peer: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) });
  });

  it('that says nothing is ended', async () => {
    expect(await talk('P')).toBe('');
  });

  it('over HTTP/2 that gives up thousands of streams at once is ended, and others are served', async () => {
    const session = connectHttp2(gateway.url);
    session.on('error', () => undefined);
    const ended = new Promise((resolve) => session.once('close', resolve));
    for (let count = 0; count < 5000 && !session.closed; count += 1) {
      const call = session.request({
        ':method': 'POST',
        ':path': `${users}/GetMe`,
        'content-type': 'application/json',
      });
      call.on('error', () => undefined);
      call.close(constants.NGHTTP2_CANCEL);
      if (count % 500 === 0) await immediate();
    }
    await ended;
    expect((await gateway.post(`${users}/GetMe`, {}, { authorization: `Bearer ${gateway.token}` })).status).toBe(200);
  });

  it('over HTTP/2 that never ends its request is told so', async () => {
    const session = connectHttp2(gateway.url);
    const call = session.request({
      ':method': 'POST',
      ':path': `${users}/GetMe`,
      authorization: 'Bearer a',
      'content-type': 'application/json',
    });
    call.write('{');
    let heard = '';
    for await (const part of call) heard += String(part);
    expect(heard).toContain('DEADLINE_EXCEEDED');
    session.close();
  });

  it('over HTTP/2 with 3 MiB of each of 12 requests is told of most that there is no room, and others are served', async () => {
    const session = connectHttp2(gateway.url, { maxSessionMemory: 100 });
    const heard: string[] = [];
    const calls = Array.from({ length: 12 }, () => {
      const call = session.request({
        ':method': 'POST',
        ':path': `${tasks}/CreateTask`,
        authorization: `Bearer ${gateway.token}`,
        'content-type': 'application/json',
      });
      call.on('error', () => undefined).on('data', (part) => heard.push(String(part)));
      call.write(Buffer.alloc(3 * mebibyte, ' '));
      return call;
    });
    await waitUntil(() => heard.length >= 10);
    expect(heard.map((text) => (JSON.parse(text) as { details: unknown[] }).details.length > 0)).not.toContain(false);
    expect(heard.filter((text) => text.includes('OVERLOADED'))).toHaveLength(10);
    expect((await gateway.post(`${users}/GetMe`, {}, { authorization: `Bearer ${gateway.token}` })).status).toBe(200);
    calls.forEach((call) => call.end('{"task":{"title":"Fits"}}'));
    await waitUntil(() => heard.length === 12);
    expect(
      heard.slice(10).map((text) => (JSON.parse(text) as { task: { title: string } }).task?.title ?? text),
    ).toEqual(['Fits', 'Fits']);
    session.close();
  });
});
