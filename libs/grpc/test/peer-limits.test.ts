import { once } from 'node:events';
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { PeerLimits } from '../src/transport/peer-guard.ts';
import type { ServerOptions } from '../src/index.ts';
import { metricOf, startTestServer, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { frame, openHttp2, statusOf, type Http2Client } from './http2-client.ts';
import { paths, usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

async function start(peerLimits: Partial<PeerLimits>, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const target = await startTestServer({ bindings: [usersBinding()], peerLimits, ...options });
  afterTest(() => target.server.stop());
  return target;
}

async function open({ address }: TestServer): Promise<Http2Client> {
  const client = await openHttp2(address);
  afterTest(() => client.close());
  return client;
}

/** The code of the GOAWAY that ends the session. */
function goaway(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => session.once('goaway', resolve));
}

const empty = frame(Buffer.alloc(0));
/** Sends the request some time after its headers. */
async function askInParts({ begin, session }: Http2Client): Promise<string> {
  const stream = begin();
  const answered = statusOf(stream);
  await new Promise((resolve) => session.ping(resolve));
  stream.end(empty);
  return (await answered).code;
}
const ask = async (client: Http2Client): Promise<string> => (await client.send(empty)).code;

/** Opens a connection that the server closes at once. */
async function expectRefusedConnection({ address }: TestServer): Promise<void> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1').on('error', () => undefined);
  await once(socket, 'close');
}

/** Begins streams and resets them at once. */
function resetAtOnce({ begin, session }: Http2Client, count: number): void {
  for (let begun = 0; begun < count && !session.closed && !session.destroyed; begun += 1) {
    const stream = begin();
    stream.on('error', () => undefined);
    stream.close(constants.NGHTTP2_CANCEL);
  }
}

describe('invariant 10: a client beyond a limit', () => {
  it('for streams loses the connection with ENHANCE_YOUR_CALM; other connections of its peer stay', async () => {
    const target = await start({ streamsPerSecond: 10 });
    const [hasty, calm] = [await open(target), await open(target)];
    const ended = goaway(hasty.session);
    for (let begun = 0; begun < 200 && !hasty.session.destroyed; begun += 1)
      hasty
        .begin()
        .on('error', () => undefined)
        .end(empty);
    expect(await ended).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await metricOf(target, 'grpc_server_disconnected_connections_total{reason="streams"')).toBe(1);
    expect(await ask(calm)).toBe('0');
  });

  it('for resets loses the connection; its peer keeps the others and gets new ones slowly', async () => {
    const target = await start({ resetsPerSecond: 50 });
    const [rapid, calm] = [await open(target), await open(target)];
    const ended = goaway(rapid.session);
    resetAtOnce(rapid, 500);
    expect(await ended).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await metricOf(target, 'grpc_server_disconnected_connections_total{reason="resets"')).toBe(1);
    expect(await metricOf(target, 'grpc_server_resets_total')).toBeGreaterThan(0);
    await expectRefusedConnection(target);
    expect(await metricOf(target, 'grpc_server_refused_connections_total{reason="throttled"')).toBe(1);
    expect(await ask(calm)).toBe('0');
    await waitUntil(async () => {
      const again = await open(target);
      return !again.session.destroyed && (await ask(again)) === '0';
    });
  });

  it('keeps the connection when it is a trusted proxy, which carries the calls of many clients', async () => {
    const target = await start({ streamsPerSecond: 10, resetsPerSecond: 10 }, { trustedProxies: ['127.0.0.0/8'] });
    const proxy = await open(target);
    resetAtOnce(proxy, 500);
    expect(await ask(proxy)).toBe('0');
    expect(proxy.session.destroyed).toBe(false);
  });

  it('for new connections is refused until it is slower', async () => {
    const target = await start({ connectionsPerPeer: 3, connectionsPerSecond: 1 });
    for (let count = 0; count < 3; count += 1) {
      const { session } = await open(target);
      session.destroy();
      await once(session, 'close');
    }
    await expectRefusedConnection(target);
    expect(await metricOf(target, 'grpc_server_refused_connections_total{reason="too_fast"')).toBe(1);
    await waitUntil(async () => !(await open(target)).session.destroyed);
  });
});

describe('invariant 10: well-behaved clients', () => {
  it('may cancel more calls of one connection than Node allows by default', async () => {
    const entered: (() => void)[] = [];
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const getMe = async (): Promise<object> => {
      entered.shift()?.();
      await promise;
      return {};
    };
    // The limit fits all resets of the test, which takes less than a second on a fast machine.
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
    expect([client.session.destroyed, await metricOf(target, 'grpc_server_disconnected_connections_total')]).toEqual([
      false,
      0,
    ]);
  });

  it('are served while another client uses all places for incomplete requests', async () => {
    const target = await start({}, { capacity: { incompleteRequests: 20, unfinishedCalls: 20, requestMs: 60_000 } });
    const [holder, other] = [await open(target), await open(target)];
    const answers = Array.from({ length: 100 }, () => statusOf(holder.begin()));
    await waitUntil(async () => (await metricOf(target, 'grpc_server_admitted{kind="incomplete"')) === 20);
    for (let count = 0; count < 10; count += 1) expect([await ask(other), await askInParts(other)]).toEqual(['0', '0']);
    // The oldest was evicted.
    expect((await answers[0])?.code).toBe(String(status.RESOURCE_EXHAUSTED));
    expect(holder.session.destroyed).toBe(false);
  });
});

describe('the log of refusals', () => {
  it('has a hundred refusals of a second, and counts of the others', async () => {
    const { promise, resolve: end } = Promise.withResolvers<void>();
    let inside = 0;
    const getMe = async (): Promise<object> => {
      inside += 1;
      await promise;
      return {};
    };
    const target = await start({}, { bindings: [usersBinding({ getMe })], capacity: { unfinishedCalls: 1 } });
    const client = await open(target);
    const first = client.send(empty);
    await waitUntil(() => inside === 1);
    const codes = await Promise.all(Array.from({ length: 900 }, () => ask(client)));
    expect(new Set(codes)).toEqual(new Set([String(status.RESOURCE_EXHAUSTED)]));
    expect(client.session.destroyed).toBe(false);
    end();
    expect((await first).code).toBe('0');
    const logged = (): number => {
      const lines = target.lines.filter(({ reason }) => reason === 'OVERLOADED');
      return lines.reduce((sum, { count }) => sum + (typeof count === 'number' ? count : 1), 0);
    };
    await waitUntil(() => logged() === 900);
    const [line] = target.lines.filter(({ reason }) => reason === 'OVERLOADED');
    expect(line).toMatchObject({
      method: paths.getMe,
      code: 'RESOURCE_EXHAUSTED',
      requestId: expect.any(String),
      traceId: expect.any(String),
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
  });
});
