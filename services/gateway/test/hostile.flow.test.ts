import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, it, describe } from '@jest/globals';
import { enveloped } from '../../../libs/dev/flows/gateway-wire.ts';
import { detailOf, outcomeOf, tasks, useGateway, users, violationsOf, type ErrorJson } from './start-gateway.ts';

const gateway = useGateway({
  services: ['auth', 'users', 'tasks', 'gateway'],
  env: { TASKFLOW_SHUTDOWN_GRACE_MS: '2000' },
});

interface Hostile {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

const bytes = (data: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(data);
const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'application/connect+json' };
const proto = { 'content-type': 'application/proto' };
const deep = `{"task":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
const unended = `{"task":"${'\\"'.repeat(1_500_000)}`;
const bomb = (): Uint8Array<ArrayBuffer> => bytes(gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 }));
const labelled = (label: string, count: number): string => `{"task":{"labels":[${Array(count).fill(label).join()}]}}`;
const create = (text: string): Hostile => ({ body: text });
const watch = (body: string | Uint8Array<ArrayBuffer>, headers = {}): Hostile => ({
  path: `${tasks}/WatchTasks`,
  headers: { ...stream, ...headers },
  body,
});
const query = (text: string): Hostile => ({ path: `${users}/GetMe?${text}`, method: 'GET', headers: {} });

/** By default sent to CreateTask by POST as JSON: what it is, the status of HTTP, code and reason, and the fields. */
const cases: readonly (readonly [string, Hostile, number, string, ...string[]])[] = [
  ['no body', { body: '' }, 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['no JSON', create('title=a'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['half a JSON', create('{"task":{"title":"a"'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['a string of 3 MB without an end', create(unended), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['more than one JSON', create('{}{}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an array', create('[]'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['null', create('null'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['a number', create('1'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['NaN', create('{"task":NaN}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['comments', create('{/* */}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'invalid UTF-8',
    { body: bytes(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22])) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['JSON that is nested too deeply', create(deep), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an unknown field', create('{"tsak":{}}'), 400, 'invalid_argument/INVALID_FIELD', 'tsak'],
  ['an unknown field inside', create('{"task":{"titel":"a"}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.titel'],
  ['__proto__', create('{"__proto__":{"task":{}}}'), 400, 'invalid_argument/INVALID_FIELD', '__proto__'],
  ['a field twice', create('{"requestId":"a","requestId":"b"}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  [
    'a field twice inside',
    create('{"task":{"title":"a","title":"b"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.title',
  ],
  [
    'both names of a field',
    create('{"requestId":"a","request_id":"b"}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'request_id',
  ],
  ['a number for text', create('{"task":{"title":1}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.title'],
  ['text for an object', create('{"task":"a"}'), 400, 'invalid_argument/INVALID_FIELD', 'task'],
  ['an object for text', create('{"requestId":{}}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  ['text for a boolean', create('{"validateOnly":"true"}'), 400, 'invalid_argument/INVALID_FIELD', 'validate_only'],
  ['half a surrogate pair', create('{"requestId":"\\ud800"}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  [
    'an unknown enum',
    create('{"task":{"priority":"URGENT!"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.priority',
  ],
  [
    'an enum out of range',
    create('{"task":{"priority":4294967296}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.priority',
  ],
  ['no time', create('{"task":{"dueTime":"tomorrow"}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.due_time'],
  [
    'a time that no calendar has',
    create('{"task":{"dueTime":"2030-13-41T00:00:00Z"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.due_time',
  ],
  [
    'everything at once',
    create('{"task":{"title":1,"dueTime":2,"x":3},"requestId":4}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.title',
    'task.due_time',
    'task.x',
    'request_id',
  ],
  [
    'a number out of range',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":2147483648}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'a fraction for a whole number',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":1.5}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'text in a list of text',
    { path: `${tasks}/BatchGetTasks`, body: '{"taskIds":["a",1]}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'task_ids[1]',
  ],
  [
    'a body of 5 MiB',
    create(`{"requestId":"${'a'.repeat(5 * 1024 * 1024)}"}`),
    429,
    'resource_exhausted/REQUEST_TOO_LARGE',
  ],
  [
    '64 MiB in 64 KiB',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: bomb() },
    429,
    'resource_exhausted/REQUEST_TOO_LARGE',
  ],
  [
    'damaged gzip',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'an unknown compression',
    { headers: { ...json, 'content-encoding': 'br' }, body: '{}' },
    415,
    'unimplemented/UNIMPLEMENTED',
  ],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['text', { headers: { 'content-type': 'text/plain' }, body: '{}' }, 415, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'plain gRPC',
    { headers: { 'content-type': 'application/grpc' }, body: '{}' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'JSON for a method that answers with a stream',
    { path: `${tasks}/WatchTasks`, body: '{}' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'another version of Connect',
    { headers: { ...json, 'connect-protocol-version': '2' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a deadline that is no number',
    { headers: { ...json, 'connect-timeout-ms': '1s' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a negative deadline',
    { headers: { ...json, 'connect-timeout-ms': '-1' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a deadline of eleven digits',
    { headers: { ...json, 'connect-timeout-ms': '12345678901' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'protobuf that is none',
    { headers: proto, body: bytes(Buffer.from('ffffff', 'hex')) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'protobuf with invalid UTF-8',
    { headers: proto, body: bytes(Buffer.from('1202c328', 'hex')) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['an unknown method', { path: `${tasks}/DropTasks`, body: '{}' }, 404, 'unimplemented/UNIMPLEMENTED'],
  [
    'an internal method',
    { path: '/taskflow.tasks.v1.InternalTasksService/PullEvents', body: '{}' },
    404,
    'unimplemented/UNIMPLEMENTED',
  ],
  ['health', { path: '/grpc.health.v1.Health/Check', body: '{}' }, 404, 'unimplemented/UNIMPLEMENTED'],
  ['a path upwards', { path: '/..%2f..%2fetc/passwd', body: '{}' }, 404, 'unimplemented/UNIMPLEMENTED'],
  [
    'GET of a change',
    { path: `${tasks}/CreateTask?encoding=json&message={}`, method: 'GET', headers: {} },
    405,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['PUT', { method: 'PUT', headers: json, body: '{}' }, 405, 'invalid_argument/MALFORMED_REQUEST'],
  ['DELETE', { method: 'DELETE', headers: json }, 405, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'OPTIONS without CORS',
    { method: 'OPTIONS', headers: { origin: 'https://a.example.com' } },
    405,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['GET without a message', query('encoding=json'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET without an encoding', query('message={}'), 415, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET of what is no base64', query('encoding=json&base64=1&message=%21'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET of another version', query('connect=v9&encoding=json&message={}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an empty token', { headers: { ...json, authorization: '' }, body: '{}' }, 401, 'unauthenticated/TOKEN_INVALID'],
  [
    'a token of another kind',
    { headers: { ...json, authorization: 'Basic YTpi' }, body: '{}' },
    401,
    'unauthenticated/TOKEN_INVALID',
  ],
];

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
      [`${head}content-type: application/json\r\ncontent-length: 9\r\n\r\n{`],
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
    const call = session.request({ ':method': 'POST', ':path': `${users}/GetMe`, 'content-type': 'application/json' });
    call.write('{');
    let heard = '';
    for await (const part of call) heard += String(part);
    expect(heard).toContain('DEADLINE_EXCEEDED');
    session.close();
  });
});
