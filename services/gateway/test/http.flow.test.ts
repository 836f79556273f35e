import { once } from 'node:events';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { tasks, useGateway, users } from './start-gateway.ts';

const gateway = useGateway({ services: ['auth', 'users', 'gateway'] });
const getMe = `${users}/GetMe`;
const read = `${getMe}?connect=v1&encoding=json&message=%7B%7D`;
const signedIn = () => ({ authorization: `Bearer ${gateway.token}` });

interface Heard {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function parse(text: string): Heard {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  const [first = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line) => line.split(/: (.*)/s, 2).map((part) => part.toLowerCase()));
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(pairs) as Heard['headers'], body };
}

/** Sends lines of HTTP/1.1 as they are, and reads until the connection ends. */
async function send(...lines: readonly string[]): Promise<Heard> {
  const [host = '', port = ''] = gateway.cluster.address('gateway').split(':');
  const socket = connect(Number(port), host);
  let heard = '';
  socket.on('data', (part: Buffer) => (heard += part.toString())).on('error', () => undefined);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'close');
  return parse(heard);
}

async function sendHttp2(headers: OutgoingHttpHeaders | string[]): Promise<Heard> {
  // Node would send no header twice that may be there once.
  const session = connectHttp2(gateway.url, { strictSingleValueFields: false } as object);
  const call = session.request(headers as OutgoingHttpHeaders, { endStream: true });
  let answer: Record<string, unknown> = {};
  call.on('response', (received) => (answer = received));
  let body = '';
  for await (const part of call) body += String(part);
  session.close();
  return { status: Number(answer[':status']), headers: answer as Heard['headers'], body };
}

const closing = ['host: a', 'connection: close'];
const token = () => `authorization: Bearer ${gateway.token}`;

describe('every answer has an id', () => {
  it.each([
    ['without a host', [`GET ${read} HTTP/1.1`, 'connection: close'], 400],
    ['with an expectation', [`POST ${getMe} HTTP/1.1`, ...closing, 'expect: a miracle'], 417],
    ['through a proxy', ['CONNECT example.com:443 HTTP/1.1', ...closing], 405],
    ['that is no HTTP', ['hello'], 400],
    ['with a header of 70 KiB', [`GET ${read} HTTP/1.1`, `x-a: ${'a'.repeat(70 * 1024)}`], 431],
    ['of another version', [`GET ${read} HTTP/9.9`, ...closing], 400],
  ])('to a request %s', async (_what, lines, status) => {
    const { headers, ...answer } = await send(...lines);
    expect([answer.status, headers['content-type']]).toEqual([status, 'application/json']);
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('to an expectation and a tunnel over HTTP/2', async () => {
    const expectation = await sendHttp2({ ':method': 'POST', ':path': getMe, expect: 'a miracle' });
    const tunnel = await sendHttp2({ ':method': 'CONNECT', ':authority': 'example.com:443' });
    expect([expectation.status, tunnel.status]).toEqual([417, 501]);
    for (const { headers } of [expectation, tunnel]) expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what may be there once', () => {
  it.each([
    ['authorization', ['authorization: Bearer other']],
    ['content-type', ['content-type: application/json', 'Content-Type: application/proto']],
    ['connect-timeout-ms', ['connect-timeout-ms: 1000', 'connect-timeout-ms: 2000']],
  ])('is refused when it is there twice: %s', async (name, lines) => {
    const { status, body } = await send(`GET ${read} HTTP/1.1`, ...closing, token(), ...lines);
    expect(status).toBe(400);
    expect(body).toContain(`${name} is there twice`);
  });

  it('is refused over HTTP/2, too', async () => {
    const { status } = await sendHttp2([
      ...[':method', 'GET', ':path', read, ':scheme', 'http', ':authority', 'a'],
      ...['authorization', 'Bearer a', 'authorization', 'Bearer b'],
    ]);
    expect(status).toBe(400);
  });
});

describe('how a request may be written', () => {
  const post = (headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer> = '{}') =>
    fetch(`${gateway.url}${getMe}`, { method: 'POST', headers: { ...signedIn(), ...headers }, body });

  it.each([
    'application/json; charset=utf-8',
    'application/json;charset="utf-8"',
    'Application/JSON; Charset=UTF-8',
    'application/json ; charset = "UTF-8"',
  ])('as %s', async (contentType) => {
    expect((await post({ 'content-type': contentType })).status).toBe(200);
  });

  it('compressed, with capitals and in several members', async () => {
    const members = Buffer.concat([gzipSync('{'), gzipSync(`${' '.repeat(1000)}`), gzipSync('}')]);
    const headers = { 'content-type': 'application/json', 'content-encoding': 'GZIP' };
    expect((await post(headers, new Uint8Array(members))).status).toBe(200);
  });
});

describe('HEAD', () => {
  it('of a read has the status and headers of GET, and no body', async () => {
    const ask = (method: string) => fetch(`${gateway.url}${read}`, { method, headers: signedIn() });
    const [head, get] = [await ask('HEAD'), await ask('GET')];
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'application/json', '']);
    expect([get.status, get.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { status, body } = await sendHttp2({ ':method': 'HEAD', ':path': read, ...signedIn() });
    expect([status, body]).toEqual([200, '']);
  });

  it('of a change is refused as GET is', async () => {
    const response = await fetch(`${gateway.url}${tasks}/CreateTask`, { method: 'HEAD', headers: signedIn() });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('the status of HTTP', () => {
  it('of a call without a valid token is 401, and says what is wanted', async () => {
    const { status, headers } = await fetch(`${gateway.url}${read}`);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('of what the gateway does not know is that of Connect for UNIMPLEMENTED', async () => {
    expect((await gateway.post('/taskflow.tasks.v1.TasksService/DropTasks', {})).status).toBe(501);
    const headers = { 'content-type': 'application/json', 'content-encoding': 'br' };
    const packed = await fetch(`${gateway.url}${getMe}`, { method: 'POST', headers, body: '{}' });
    expect([packed.status, packed.headers.get('accept-encoding')]).toEqual([501, 'gzip']);
  });
});
