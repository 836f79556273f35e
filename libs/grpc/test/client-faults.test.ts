import { once } from 'node:events';
import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { steadyNow } from '#libs/runtime';
import { metricOf, startTestServer, type LogLine, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { answerOf, frame, openHttp2, type Http2Answer, type Http2Client } from './http2-client.ts';
import { decodeDetails } from './raw-client.ts';
import { paths, usersBinding } from './services.ts';

const healthPath = '/grpc.health.v1.Health/Check';
const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const empty = frame(Buffer.alloc(0));

let target: TestServer;
let client: Http2Client;
/** getUser reports that it was entered, and ends when it is released. */
let entered: PromiseWithResolvers<void>;
let released: PromiseWithResolvers<void>;
const deadlines: number[] = [];

beforeAll(async () => {
  const users = usersBinding({
    getMe: async (_request, call) => {
      deadlines.push(call.deadline - steadyNow());
      return {};
    },
    getUser: async () => {
      entered.resolve();
      await released.promise;
      return {};
    },
  });
  target = await startTestServer({ bindings: [users] });
});
afterAll(() => target.server.stop());
beforeEach(async () => {
  client = await openHttp2(target.address);
  [released, entered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
});
afterEach(() => {
  released.resolve();
  client.close();
  target.lines.length = 0;
  deadlines.length = 0;
});

async function send(headers: OutgoingHttpHeaders, body: Buffer = empty): Promise<Http2Answer> {
  const stream = client.begin({ 'x-request-id': 'faulty-1', ...headers });
  const answered = answerOf(stream);
  // Node itself ends requests of GET, HEAD and DELETE.
  if (!stream.writableEnded) stream.end(body);
  return answered;
}

const metric = (name: string): Promise<number> => metricOf(target, name);
const counted = (method: string, code: string, reason: string): Promise<number> =>
  metric(`grpc_server_handled_total{method="${method}",code="${code}",reason="${reason}"`);

const callLines = (): LogLine[] => target.lines.filter(({ requestId }) => requestId === 'faulty-1');

interface Fault {
  headers?: OutgoingHttpHeaders;
  body?: Buffer;
  code?: keyof typeof status;
  reason?: string;
  method?: string;
  /** The header that ErrorInfo.metadata names. */
  header?: string;
  metadata?: Record<string, string>;
  http?: string;
}

const tooLarge = {
  code: 'RESOURCE_EXHAUSTED',
  reason: 'HEADERS_TOO_LARGE',
  metadata: { maxBytes: '32768', maxCount: '128' },
} as const;

const unimplemented = { code: 'UNIMPLEMENTED', reason: 'UNIMPLEMENTED' } as const;
const requestTooLarge = { code: 'RESOURCE_EXHAUSTED', reason: 'REQUEST_TOO_LARGE' } as const;

/** Sends a faulty call beside another one of the same connection, which must not be disturbed. */
async function expectRefusal({
  headers = {},
  body,
  code = 'INVALID_ARGUMENT',
  reason = 'MALFORMED_REQUEST',
  method = paths.getMe,
  header,
  metadata = header === undefined ? {} : { header },
  http = '200',
}: Fault): Promise<Http2Answer> {
  const undisturbed = answerOf(client.begin({ ':path': paths.getUser }).end(empty));
  await entered.promise;
  const before = await counted(method, code, reason);
  const answer = await send(headers, body);
  expect([
    answer.headers[':status'],
    status[Number(answer.headers['grpc-status'])],
    answer.headers['x-request-id'],
  ]).toEqual([http, code, 'faulty-1']);
  const details = decodeDetails(Buffer.from(answer.headers['grpc-status-details-bin'] ?? '', 'base64'));
  expect(details.ErrorInfo).toEqual({ reason, domain: 'taskflow.dev', metadata });
  expect(details.RequestInfo?.requestId).toBe('faulty-1');
  expect(callLines()).toMatchObject([{ level: 30, method, code, reason }]);
  expect(await counted(method, code, reason)).toBe(before + 1);
  expect(client.session.destroyed).toBe(false);
  released.resolve();
  expect((await undisturbed).headers['grpc-status']).toBe('0');
  return answer;
}

describe('a timeout', () => {
  it.each(['-1S', '1e9S', '123456789S', '', '+1S', '1.5S', '1 S', '1s', '1', 'S', '1S2', '0x1S', '١S', 'Infinity'])(
    'spelled %j is refused as such',
    async (timeout) => {
      await expectRefusal({ headers: { 'grpc-timeout': timeout }, header: 'grpc-timeout' });
    },
  );

  it('given twice is refused', async () => {
    await expectRefusal({ headers: { 'grpc-timeout': ['1S', '2S'] }, header: 'grpc-timeout' });
  });

  it('is checked for health too', async () => {
    await expectRefusal({
      headers: { ':path': healthPath, 'grpc-timeout': '-1S' },
      header: 'grpc-timeout',
      method: healthPath,
    });
  });

  it.each('597H 2147483S 2147484S 3000000S 99999999H 99999999M 99999999S 99999999m 00000010S'.split(' '))(
    'of %s is cut to the deadline of the method',
    async (timeout) => {
      const { headers } = await send({ 'grpc-timeout': timeout });
      expect(headers['grpc-status']).toBe('0');
      expect(deadlines[0]).toBeGreaterThan(4000);
      expect(deadlines[0]).toBeLessThanOrEqual(5000);
    },
  );

  it.each(['99999999n', '1500000u', '2S'])('of %s shortens the deadline', async (timeout) => {
    await send({ 'grpc-timeout': timeout });
    expect(deadlines.every((left) => left <= 2000)).toBe(true);
  });

  it.each(['0S', '1n'])('of %s is over at once', async (timeout) => {
    expect((await send({ 'grpc-timeout': timeout })).headers['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
  });

  it('of 597 hours leaves a stream of health open', async () => {
    const stream = client.begin({ ':path': '/grpc.health.v1.Health/Watch', 'grpc-timeout': '597H' });
    stream.end(empty);
    const [first] = (await once(stream, 'response')) as [Record<string, string>];
    expect(first['grpc-status']).toBeUndefined();
    await once(stream, 'data');
    stream.close(8);
  });
});

describe('an unknown', () => {
  it.each([
    '/taskflow.users.v1.UsersService/NoSuchMethod',
    '/no.such.Service/Method',
    '/',
    '//',
    `/${'x'.repeat(5000)}`,
    '/taskflow.users.v1.UsersService/GetMe?token=1',
    '/taskflow.tasks.v1.TasksService/GetTask',
  ])('method %.60s is UNIMPLEMENTED, and no metric has its name', async (path) => {
    await expectRefusal({ headers: { ':path': path }, ...unimplemented, method: 'unknown' });
    const [line] = callLines();
    expect(line?.['path']).toBe(/^\/[\w.]+\/\w+$/.test(path) ? path : undefined);
    expect(await target.metrics.registry.metrics()).not.toMatch(/NoSuch|no\.such|x{20}|token=/);
  });

  it('method is logged at most a hundred times a second, and counted every time', async () => {
    const before = await counted('unknown', 'UNIMPLEMENTED', 'UNIMPLEMENTED');
    await Promise.all(Array.from({ length: 300 }, () => send({ ':path': '/a.B/C' })));
    expect(await counted('unknown', 'UNIMPLEMENTED', 'UNIMPLEMENTED')).toBe(before + 300);
    const summed = (): number =>
      target.lines.filter(({ msg }) => msg.startsWith('more calls')).reduce((sum, { count }) => sum + Number(count), 0);
    // The sums are logged at the end of the second.
    await waitUntil(() => callLines().length + summed() === 300);
    expect(summed()).toBeGreaterThan(0);
  });

  it('compression is UNIMPLEMENTED, and the answer lists the known ones', async () => {
    const answer = await expectRefusal({
      headers: { 'grpc-encoding': 'br' },
      ...unimplemented,
      metadata: { encodings: 'identity, deflate, gzip' },
    });
    expect(answer.headers['grpc-accept-encoding']).toBe('identity,deflate,gzip');
  });
});

describe('a request that is no gRPC', () => {
  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('but %s gets a text', async (method) => {
    const answer = await expectRefusal({ headers: { ':method': method }, header: ':method', http: '405' });
    expect([answer.headers['allow'], answer.headers['content-type'], answer.body]).toEqual([
      'POST',
      'text/plain; charset=utf-8',
      method === 'HEAD' ? '' : 'gRPC calls are sent by POST\n',
    ]);
  });

  it('and whose client does not read the text is reset', async () => {
    const session = connectHttp2(`http://${target.address}`, { settings: { initialWindowSize: 0 } });
    const { headers, resetCode } = await answerOf(session.request({ ':path': '/' }));
    expect([headers[':status'], resetCode]).toEqual(['405', constants.NGHTTP2_CANCEL]);
    session.destroy();
  });

  it.each(['application/json', 'application/grpc-web', 'application/grpc+json', 'application/grpcx', '', 'text/plain'])(
    'but %j is 415',
    async (type) => {
      const answer = await expectRefusal({ headers: { 'content-type': type }, header: 'content-type', http: '415' });
      expect(answer.body).toContain('application/grpc');
    },
  );

  it.each(['application/grpc+proto', 'application/grpc;charset=utf-8', 'Application/gRPC'])(
    'is not one with %s',
    async (type) => {
      expect((await send({ 'content-type': type })).headers['grpc-status']).toBe('0');
    },
  );

  it('may lack te: trailers, which only matters to proxies', async () => {
    expect((await send({ te: undefined })).headers['grpc-status']).toBe('0');
  });
});

describe('a body', () => {
  const packed = gzipSync('text');
  const faults: [string, Fault][] = [
    ['that is damaged gzip', { headers: { 'grpc-encoding': 'gzip' }, body: frame(packed.subarray(0, -6), true) }],
    ['that is no deflate', { headers: { 'grpc-encoding': 'deflate' }, body: frame(Buffer.from('not packed'), true) }],
    ['that is compressed without grpc-encoding', { body: frame(packed, true) }],
    ['that is compressed by identity', { headers: { 'grpc-encoding': 'identity' }, body: frame(packed, true) }],
    ['with a flag that does not exist', { body: Buffer.from([2, 0, 0, 0, 0]) }],
    ['that ends inside its message', { body: Buffer.from([0, 0, 0, 0, 9, 1]) }],
    ['that ends inside its length', { body: Buffer.from([0, 0, 0]) }],
    ['that goes on after its message', { body: Buffer.concat([empty, Buffer.from([0, 0, 0])]) }],
    ['of two messages', { body: Buffer.concat([empty, empty]) }],
    ['of none', { body: Buffer.alloc(0) }],
    ['beyond the limit', { body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), ...requestTooLarge }],
    [
      'for health that is damaged',
      {
        headers: { ':path': healthPath, 'grpc-encoding': 'gzip' },
        body: frame(Buffer.from('x'), true),
        method: healthPath,
      },
    ],
    [
      'for health beyond the limit',
      {
        headers: { ':path': healthPath },
        body: Buffer.from([0, 0xff, 0, 0, 0]),
        method: healthPath,
        ...requestTooLarge,
      },
    ],
    [
      'for reflection with a wrong flag',
      { headers: { ':path': reflectionPath }, body: frame(packed, true), method: reflectionPath },
    ],
  ];
  it.each(faults)('%s is the fault of its client', async (_name, fault) => {
    await expectRefusal(fault);
  });
});

describe('metadata', () => {
  const faults: [string, OutgoingHttpHeaders, string][] = [
    ['that is not ASCII', { 'x-name': 'é' }, 'x-name'],
    ['that is invalid UTF-8', { 'x-name': Buffer.from([0xc3, 0x28]).toString('latin1') }, 'x-name'],
    ['with a tab', { 'x-name': 'a\tb' }, 'x-name'],
    ['under a name that gRPC does not have', { 'x!name': '1' }, 'x!name'],
    ['that is no base64', { 'x-trace-bin': 'a-b_' }, 'x-trace-bin'],
    ['that is half a byte of base64', { 'x-trace-bin': 'abcde' }, 'x-trace-bin'],
    ['with a second value that is no base64', { 'x-trace-bin': ['YWI', '%%'] }, 'x-trace-bin'],
  ];
  it.each(faults)('%s is refused', async (_name, headers, header) => {
    await expectRefusal({ headers, header });
  });

  it.each(['YWI=', 'YWI', 'YWI, YWJj', ''])('of the bytes %j is taken', async (value) => {
    expect((await send({ 'x-trace-bin': value })).headers['grpc-status']).toBe('0');
  });

  it('of 40 KiB is refused, whether it is one header or many', async () => {
    await expectRefusal({ headers: { 'x-large': 'x'.repeat(40 * 1024) }, ...tooLarge });
    target.lines.length = 0;
    [released, entered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'x'.repeat(400)]));
    await expectRefusal({ headers: many, ...tooLarge });
  });

  it('of 30 KiB is taken', async () => {
    expect((await send({ 'x-large': 'x'.repeat(30 * 1024) })).headers['grpc-status']).toBe('0');
  });

  it('of too many pairs is refused, up to as many as fit into 64 KiB', async () => {
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-${index}`, '']));
    await expectRefusal({ headers: many, ...tooLarge });
  });

  it('of too many bytes is 431 for clients that do not speak gRPC', async () => {
    const headers = { ':method': 'GET', 'x-large': 'x'.repeat(40 * 1024) };
    await expectRefusal({ headers, ...tooLarge, http: '431' });
  });
});

describe('more than 64 KiB of headers', () => {
  const headers = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`x-${index}`, 'x'.repeat(20_000)]));

  it('are more than is advertised', () => {
    expect(client.session.remoteSettings.maxHeaderListSize).toBe(64 * 1024);
    expect(client.session.remoteSettings.maxConcurrentStreams).toBe(1000);
  });

  it('end only their own stream, logged and counted', async () => {
    const undisturbed = answerOf(client.begin({ ':path': paths.getUser }).end(empty));
    await entered.promise;
    const before = await metric('grpc_server_unseen_streams_total');
    // gRPC clients report ENHANCE_YOUR_CALM as RESOURCE_EXHAUSTED.
    expect((await send(headers)).resetCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await waitUntil(async () => (await metric('grpc_server_unseen_streams_total')) === before + 1);
    expect((await send(headers)).resetCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect((await send({})).headers['grpc-status']).toBe('0');
    expect(await metric('grpc_server_unseen_streams_total')).toBe(before + 2);
    expect(target.lines.filter(({ msg }) => msg.startsWith('streams reset'))).toHaveLength(2);
    released.resolve();
    expect((await undisturbed).headers['grpc-status']).toBe('0');
  });

  it.each([
    ['one field', { 'x-large': '~'.repeat(70_000) }, 'protocol'],
    [
      'nine frames and more',
      Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`x-${index}`, '~'.repeat(20_000)])),
      'continuations',
    ],
  ])('in %s end the connection, logged and counted', async (_name, large, reason) => {
    const answer = await send(large);
    expect(answer.headers['grpc-status']).toBeUndefined();
    await waitUntil(async () => (await metric(`grpc_server_broken_connections_total{reason="${reason}"`)) === 1);
    expect(target.lines.find(({ msg }) => msg.startsWith('connection ended'))).toMatchObject({
      level: 40,
      reason,
      peer: '127.0.0.1',
    });
  });

  it('or no HTTP/2 at all are logged too', async () => {
    const socket = connect(Number(target.address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'close');
    await waitUntil(() => target.lines.some(({ reason }) => reason === 'not_http2'));
  });
});
