import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { GetMeResponse, GetUserRequest, UpdateUserRequest } from '#contract/users/v1/users';
import { AppError, invalidFields } from '#libs/errors';
import { currentContext, steadyNow, type CallContext } from '#libs/runtime';
import { metricOf, startTestServer, userToken, type LogLine, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { openHttp2 } from './http2-client.ts';
import { RawClient } from './raw-client.ts';
import { paths, usersBinding } from './services.ts';

type Behaviour = (call: CallContext, userId: string) => Promise<void>;

let target: TestServer;
let raw: RawClient;
let behaviour: Behaviour = async () => undefined;
let token: string;

beforeAll(async () => {
  const users = usersBinding({
    getMe: async (_request, call) => {
      await behaviour(call, '');
      return GetMeResponse.fromPartial({ user: { id: call.actor.kind } });
    },
    getUser: async ({ userId }, call) => {
      await behaviour(call, userId);
      return {};
    },
  });
  target = await startTestServer({ bindings: [users], trustedProxies: ['127.0.0.0/8'] });
  raw = new RawClient(target.address);
  token = await userToken();
});
afterAll(async () => {
  raw.close();
  await target.server.stop();
});
afterEach(() => {
  behaviour = async () => undefined;
  target.lines.length = 0;
});

interface AskOptions {
  path?: string;
  bytes?: Uint8Array;
  metadata?: Record<string, string>;
  deadlineMs?: number;
}
const ask = ({ path = paths.getMe, bytes = Buffer.alloc(0), metadata = {}, deadlineMs }: AskOptions = {}) =>
  raw.call(path, bytes, { metadata: { authorization: `Bearer ${token}`, ...metadata }, deadlineMs });
const failing = (error: unknown) => () => Promise.reject(error);
const callLines = (): LogLine[] => target.lines.filter((line) => line.msg.startsWith('call ended'));

describe('the request id', () => {
  it('is taken from the client, seen by the handler and sent back in the header', async () => {
    let seen = '';
    behaviour = async () => void (seen = currentContext()?.requestId ?? '');
    const answer = await ask({ metadata: { 'x-request-id': 'abc_1.2-3' } });
    expect([answer.code, seen, answer.header['x-request-id']]).toEqual([status.OK, 'abc_1.2-3', 'abc_1.2-3']);
  });

  it.each(['', 'a b', 'x'.repeat(129), 'a,b', '"', 'tfr_misplaced', 'eyJhbGciOiJFZERTQSJ9.e30.c2ln'])(
    'is made anew instead of %j',
    async (offered) => {
      const answer = await ask({ metadata: { 'x-request-id': offered } });
      expect(answer.header['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('stands in RequestInfo, in the trailer and in the log line of a refused call', async () => {
    const answer = await ask({ metadata: { 'x-request-id': 'refused-1', authorization: 'Bearer nonsense' } });
    expect(answer.details).toEqual({
      ErrorInfo: { reason: 'TOKEN_INVALID', domain: 'taskflow.dev', metadata: {} },
      RequestInfo: { requestId: 'refused-1', servingData: '' },
    });
    expect(answer.trailer['x-request-id']).toBe('refused-1');
    const line = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID', requestId: 'refused-1', peer: '127.0.0.1' };
    expect(callLines()).toMatchObject([{ method: paths.getMe, ...line }]);
  });
});

describe('observation', () => {
  it('writes one line for a call, with user and trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    let inside = '';
    behaviour = async (call) => void (inside = call.traceParent);
    await ask({ metadata: { traceparent, 'x-request-id': 'observed-1' } });
    const ids = { userId: 'user-1', requestId: 'observed-1', traceId: '0af7651916cd43dd8448eb211c80319c' };
    expect(callLines()).toMatchObject([{ level: 30, method: paths.getMe, code: 'OK', ...ids }]);
    expect(inside).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
  });

  it('starts a new trace when the one offered is damaged', async () => {
    let inside = '';
    behaviour = async (call) => void (inside = call.traceParent);
    await ask({ metadata: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } });
    expect(inside).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('counts refused calls by code and reason', async () => {
    await ask({ metadata: { authorization: 'Bearer counted' } });
    const series = `grpc_server_handled_total{method="${paths.getMe}",code="UNAUTHENTICATED",reason="TOKEN_INVALID"`;
    expect(await metricOf(target, series)).toBeGreaterThanOrEqual(1);
  });

  it('takes the peer from x-forwarded-for only behind a trusted proxy', async () => {
    let peer = '';
    behaviour = async (call) => void (peer = call.peer);
    await ask({ metadata: { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' } });
    expect(peer).toBe('198.51.100.7');
  });
});

describe('errors', () => {
  it('carry their details', async () => {
    behaviour = failing(invalidFields([{ field: 'user_id', description: 'must be a UUID' }]));
    const answer = await ask();
    expect([status[answer.code], answer.message]).toEqual(['INVALID_ARGUMENT', 'invalid: user_id']);
    expect(answer.details.BadRequest?.fieldViolations).toMatchObject([
      { field: 'user_id', description: 'must be a UUID' },
    ]);
  });

  it('count the violations that do not fit into the header', async () => {
    const fields = Array.from({ length: 1000 }, (_, index) => `task_ids[${index}]`);
    behaviour = failing(invalidFields(fields.map((field) => ({ field, description: 'must be a UUID' }))));
    const { code, details } = await ask();
    const violations = details.BadRequest?.fieldViolations ?? [];
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(violations.at(-1)?.description).toBe(`and ${1000 - (violations.length - 1)} more`);
  });

  it.each([
    ['an Error', new Error('SELECT secret FROM hidden')],
    ['a text', 'SELECT secret FROM hidden'],
    ['nothing', undefined],
    ['an object that looks like a gRPC status', { code: 5, details: 'secret' }],
  ])('thrown as %s are INTERNAL without their cause, which is logged', async (_name, thrown) => {
    behaviour = failing(thrown);
    const answer = await ask();
    expect([...answer.outcome, answer.message]).toEqual(['INTERNAL', 'INTERNAL', 'internal error']);
    expect(callLines()).toMatchObject([{ level: 50, code: 'INTERNAL' }]);
  });

  it('with half a surrogate pair in the message reach the client', async () => {
    behaviour = failing(new AppError('not_found', 'USER_NOT_FOUND', 'no \ud800 user'));
    expect((await ask()).message).toBe('no \ufffd user');
  });

  it('that may be retried have no headers, so that clients retry', async () => {
    const details = { retryAfterMs: 1500 };
    behaviour = failing(new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'no database', { details }));
    const answer = await ask({ metadata: { 'x-request-id': 'retry-1' } });
    expect(answer.header).toEqual({});
    expect(answer.trailer['x-request-id']).toBe('retry-1');
    expect(answer.details.RetryInfo).toEqual({ retryDelay: { seconds: 1n, nanos: 500_000_000 } });
  });
});

describe('undecodable requests', () => {
  const good = Buffer.from(GetUserRequest.encode({ userId: 'grüße' }).finish());
  it.each([
    ['a truncated string', good.subarray(0, -1)],
    ['invalid UTF-8', Buffer.from([0x0a, 0x02, 0xc3, 0x28])],
    ['a zero tag', Buffer.concat([good, Buffer.from([0, 1, 2])])],
    ['an unfinished varint', Buffer.from([0xff])],
    ['noise', Buffer.from('this is not protobuf')],
  ])('with %s are INVALID_ARGUMENT, with details and a log line', async (_name, bytes) => {
    const answer = await ask({ path: paths.getUser, bytes });
    expect(answer.outcome).toEqual(['INVALID_ARGUMENT', 'MALFORMED_REQUEST']);
    expect(callLines()).toMatchObject([{ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST', userId: 'user-1' }]);
  });

  it('are detected in nested messages too, where a wrong length would swallow the next fields', async () => {
    const bytes = Buffer.from(
      UpdateUserRequest.encode(
        UpdateUserRequest.fromPartial({ user: { id: 'me', displayName: 'Ann' }, updateMask: ['display_name'] }),
      ).finish(),
    );
    const valid = await ask({ path: paths.updateUser, bytes });
    const lengthOfName = bytes.indexOf('Ann') - 1;
    bytes[lengthOfName] = 5;
    const damaged = await ask({ path: paths.updateUser, bytes });
    expect([status[valid.code], damaged.details.ErrorInfo?.reason]).toEqual(['OK', 'MALFORMED_REQUEST']);
  });

  it('differ from valid ones with fields that this version does not know', async () => {
    let seen = '';
    behaviour = async (_call, userId) => void (seen = userId);
    const unknownField = Buffer.from([0x98, 0x06, 0x01]);
    expect((await ask({ path: paths.getUser, bytes: Buffer.concat([good, unknownField]) })).code).toBe(status.OK);
    expect(seen).toBe('grüße');
  });

  it('invariant 10: beyond 4 MiB are RESOURCE_EXHAUSTED, with details and a log line', async () => {
    const answer = await ask({
      path: paths.getUser,
      bytes: Buffer.alloc(4 * 1024 * 1024 + 1),
      metadata: { 'x-request-id': 'large-1' },
    });
    expect(answer.outcome).toEqual(['RESOURCE_EXHAUSTED', 'REQUEST_TOO_LARGE']);
    expect(answer.details.RequestInfo?.requestId).toBe('large-1');
    expect(callLines()).toMatchObject([{ code: 'RESOURCE_EXHAUSTED', requestId: 'large-1' }]);
  });
});

describe('a request that is cancelled before it is complete', () => {
  it('is logged', async () => {
    const { session, begin } = await openHttp2(target.address);
    const stream = begin({ 'x-request-id': 'half-1' });
    stream.write(Buffer.from([0, 0, 0]));
    await new Promise((resolve) => session.ping(resolve));
    stream.close(8);
    await once(stream, 'close');
    await waitUntil(() => callLines().length > 0);
    // grpc-js cannot distinguish an aborted request from one that ends too early.
    expect(callLines()).toMatchObject([{ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST', requestId: 'half-1' }]);
    session.destroy();
  });
});

describe('the deadline', () => {
  it('of the contract applies to a call without one', async () => {
    const deadlines: number[] = [];
    behaviour = async (call) => void deadlines.push(call.deadline - 5000);
    const before = steadyNow();
    await ask();
    expect(deadlines[0]).toBeGreaterThanOrEqual(before);
    expect(deadlines[0]).toBeLessThanOrEqual(steadyNow());
  });

  it('of the client applies when it is shorter, not when it is longer', async () => {
    const left: number[] = [];
    behaviour = async (call) => void left.push(call.deadline - steadyNow());
    await ask({ deadlineMs: 1000 });
    await ask({ deadlineMs: 3_600_000 });
    expect(left[0]).toBeLessThanOrEqual(1000);
    expect(left[1]).toBeLessThanOrEqual(5000);
  });

  it('is answered with details even when the handler hangs, and its signal fires', async () => {
    const { promise, resolve: open } = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    behaviour = (call) => ((signal = call.signal), promise);
    // The client has no deadline of its own.
    const answer = await ask({ metadata: { 'grpc-timeout': '300m' } });
    expect(answer.outcome).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    expect(signal?.aborted).toBe(true);
    expect(callLines()).toMatchObject([{ level: 40, code: 'DEADLINE_EXCEEDED' }]);
    // The result of the handler is ignored.
    open();
  });

  it('replaces the error of a handler that it interrupts', async () => {
    behaviour = (call) =>
      new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(new Error('interrupted'))));
    const answer = await ask({ metadata: { 'grpc-timeout': '200m' } });
    expect(answer.outcome).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });
});

describe('a caller that cancels', () => {
  it('aborts the signal of its call, and the call is logged as cancelled', async () => {
    const entered = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    behaviour = (call) => {
      signal = call.signal;
      entered.resolve();
      return new Promise(() => undefined);
    };
    const { call } = raw.start(paths.getMe, Buffer.alloc(0), { metadata: { authorization: `Bearer ${token}` } });
    await entered.promise;
    call.cancel();
    await waitUntil(() => callLines().length > 0);
    expect(signal?.aborted).toBe(true);
    expect(callLines()).toMatchObject([{ level: 30, code: 'CANCELLED', reason: 'CANCELLED' }]);
  });
});

describe('a request without a message', () => {
  it('is INVALID_ARGUMENT with details', async () => {
    const { session, begin } = await openHttp2(target.address);
    const stream = begin();
    stream.end();
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    expect(Number(headers['grpc-status'])).toBe(status.INVALID_ARGUMENT);
    expect(headers['grpc-status-details-bin']).toBeDefined();
    session.destroy();
  });
});
