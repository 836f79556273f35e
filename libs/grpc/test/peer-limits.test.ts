import { once } from 'node:events';
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { PeerLimits } from '../src/server/peer-guard.ts';
import type { ServerOptions } from '../src/index.ts';
import { startTestServer, until, type TestServer } from './cluster.ts';
import { frame, openHttp2, statusOf, type Http2Client } from './http2-client.ts';
import { gate, paths, usersBinding } from './services.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(peerLimits: Partial<PeerLimits>, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const target = await startTestServer({ bindings: [usersBinding()], peerLimits, ...options });
  closing.push(() => target.server.stop());
  return target;
}

async function open({ address }: TestServer): Promise<Http2Client> {
  const client = await openHttp2(address);
  closing.push(() => client.close());
  return client;
}

/** The code of the GOAWAY that ends the session. */
function goaway(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => session.once('goaway', resolve));
}

const empty = frame(Buffer.alloc(0));
/** The request is there some time after its beginning. */
async function askInParts({ begin, session }: Http2Client): Promise<string> {
  const stream = begin();
  const answered = statusOf(stream);
  await new Promise((resolve) => session.ping(resolve));
  stream.end(empty);
  return (await answered).code;
}
const ask = async (client: Http2Client): Promise<string> => (await client.send(empty)).code;

async function metric({ metrics }: TestServer, name: string): Promise<number> {
  const line = (await metrics.registry.metrics()).split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** Begins streams and resets them in the same breath. */
function resetAtOnce({ begin, session }: Http2Client, count: number): void {
  for (let begun = 0; begun < count && !session.closed && !session.destroyed; begun += 1) {
    const stream = begin();
    stream.on('error', () => undefined);
    stream.close(constants.NGHTTP2_CANCEL);
  }
}

describe('invariant 10: a connection that does too much', () => {
  it('of beginning streams is told to calm down and ended; the others of its peer stay', async () => {
    const target = await start({ streamsPerSecond: 10 });
    const [hasty, calm] = [await open(target), await open(target)];
    const told = goaway(hasty.session);
    for (let begun = 0; begun < 200 && !hasty.session.destroyed; begun += 1) hasty.begin().on('error', () => undefined).end(empty);
    expect(await told).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await metric(target, 'grpc_server_expelled_connections_total{reason="streams"')).toBe(1);
    expect(await ask(calm)).toBe('0');
  });

  it('of resetting streams is ended, and its peer gets new connections slowly for a while, but keeps what it has', async () => {
    const target = await start({ resetsPerSecond: 50 });
    const [rapid, calm] = [await open(target), await open(target)];
    const told = goaway(rapid.session);
    resetAtOnce(rapid, 500);
    expect(await told).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await metric(target, 'grpc_server_expelled_connections_total{reason="resets"')).toBe(1);
    expect(await metric(target, 'grpc_server_resets_total')).toBeGreaterThan(0);
    const refused = connect(Number(target.address.split(':')[1]), '127.0.0.1');
    refused.on('error', () => undefined);
    await once(refused, 'close');
    expect(await metric(target, 'grpc_server_refused_connections_total{reason="penalty"')).toBe(1);
    expect(await ask(calm)).toBe('0');
    await until(async () => {
      const again = await open(target);
      return !again.session.destroyed && (await ask(again)) === '0';
    });
  });

  it('is not ended when it comes from a trusted proxy, which hands on what many clients do', async () => {
    const target = await start({ streamsPerSecond: 10, resetsPerSecond: 10 }, { trustedProxies: ['127.0.0.0/8'] });
    const proxy = await open(target);
    resetAtOnce(proxy, 500);
    expect(await ask(proxy)).toBe('0');
    expect(proxy.session.destroyed).toBe(false);
  });

  it('of connecting is refused, until it is slower', async () => {
    const target = await start({ connectionsPerPeer: 3, connectionsPerSecond: 1 });
    for (let count = 0; count < 3; count += 1) {
      const { session } = await open(target);
      session.destroy();
      await once(session, 'close');
    }
    const refused = connect(Number(target.address.split(':')[1]), '127.0.0.1');
    refused.on('error', () => undefined);
    await once(refused, 'close');
    expect(await metric(target, 'grpc_server_refused_connections_total{reason="too_fast"')).toBe(1);
    await until(async () => !(await open(target)).session.destroyed);
  });
});

describe('invariant 10: clients that mean no harm', () => {
  it('may cancel more calls than Node by itself would allow, on one connection', async () => {
    const entered: (() => void)[] = [];
    const { promise, open: end } = gate();
    const getMe = async (): Promise<object> => {
      entered.shift()?.();
      await promise;
      return {};
    };
    // As many as there are in the test, since it takes less than a second on a fast machine.
    const target = await start({ resetsPerSecond: 2000 }, { bindings: [usersBinding({ getMe })] });
    const client = await open(target);
    for (let round = 0; round < 15; round += 1) {
      const inside = Array.from({ length: 100 }, () => new Promise<void>((resolve) => entered.push(resolve)));
      const streams: ClientHttp2Stream[] = inside.map(() => client.begin().on('error', () => undefined));
      for (const stream of streams) stream.end(empty);
      await Promise.all(inside);
      const closed = streams.map(async (stream) => once(stream, 'close'));
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      await Promise.all(closed);
    }
    end();
    expect(await ask(client)).toBe('0');
    expect([client.session.destroyed, await metric(target, 'grpc_server_expelled_connections_total')]).toEqual([false, 0]);
  });

  it('are served while somebody holds all the places for requests that have not arrived', async () => {
    const target = await start({}, { capacity: { incompleteRequests: 20, unfinishedCalls: 20, requestMs: 60_000 } });
    const [holder, other] = [await open(target), await open(target)];
    const answers = Array.from({ length: 100 }, () => statusOf(holder.begin()));
    await until(async () => (await metric(target, 'grpc_server_admitted{kind="incomplete"')) === 20);
    for (let count = 0; count < 10; count += 1) expect([await ask(other), await askInParts(other)]).toEqual(['0', '0']);
    // The oldest had to make room.
    expect((await answers[0])?.code).toBe(String(status.RESOURCE_EXHAUSTED));
    expect(holder.session.destroyed).toBe(false);
  });
});

describe('the log of refusals', () => {
  it('tells a hundred of a second one by one and of the others how many they were', async () => {
    const { promise, open: end } = gate();
    let inside = 0;
    const getMe = async (): Promise<object> => {
      inside += 1;
      await promise;
      return {};
    };
    const target = await start({}, { bindings: [usersBinding({ getMe })], capacity: { unfinishedCalls: 1 } });
    const client = await open(target);
    const first = client.send(empty);
    await until(() => inside === 1);
    const codes = await Promise.all(Array.from({ length: 900 }, () => ask(client)));
    expect(new Set(codes)).toEqual(new Set([String(status.RESOURCE_EXHAUSTED)]));
    expect(client.session.destroyed).toBe(false);
    end();
    expect((await first).code).toBe('0');
    const told = (): number => {
      const lines = target.lines.filter(({ reason }) => reason === 'OVERLOADED');
      return lines.reduce((sum, { count }) => sum + (typeof count === 'number' ? count : 1), 0);
    };
    await until(() => told() === 900);
    const [line] = target.lines.filter(({ reason }) => reason === 'OVERLOADED');
    expect(line).toMatchObject({ method: paths.getMe, code: 'RESOURCE_EXHAUSTED', requestId: expect.any(String), traceId: expect.any(String), peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  });
});
