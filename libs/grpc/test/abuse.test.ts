import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { UsersServiceService } from '#contract/users/v1/users';
import { toMilliseconds } from '#libs/runtime';
import { openStub } from '#dev/stubs';
import { bind, type ServiceBinding } from '../src/index.ts';
import type { Capacity } from '../src/transport/concurrency-limiter.ts';
import type { PeerLimits } from '../src/transport/peer-guard.ts';
import { HealthService } from '../../contract/src/gen/grpc/health/v1/health.ts';
import { bearer, metricOf, startTestServer, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { frame, openHttp2, statusOf, type Http2Client } from './http2-client.ts';
import { RawClient } from './raw-client.ts';
import { paths, usersBinding } from './services.ts';

const mebibyte = 1024 * 1024;
const capacity: Partial<Capacity> = {
  unfinishedCalls: 20,
  incompleteRequests: 20,
  requestMs: 3000,
};
const peerLimits: Partial<PeerLimits> = { connectionsPerPeer: 100, connectionsPerSecond: 10_000 };
let target: TestServer;
let raw: RawClient;
let handle: () => Promise<void>;
let produced = 0;
const clients: Http2Client[] = [];

/** Sends answers as fast as they are accepted, and ignores its signal. */
async function* endlessly(): AsyncGenerator<{ text: string }> {
  for (;;) {
    produced += 1;
    yield { text: 'x'.repeat(64 * 1024) };
  }
}

beforeEach(async () => {
  handle = async () => undefined;
  target = await startTestServer({
    bindings: [usersBinding({ getMe: async () => (await handle(), {}) })],
    capacity,
    peerLimits,
  });
  raw = new RawClient(target.address);
  clients.length = 0;
});
afterEach(async () => {
  clients.forEach((client) => client.close());
  raw.close();
  await target.server.stop();
});

async function attacker(): Promise<Http2Client> {
  const client = await openHttp2(target.address);
  clients.push(client);
  return client;
}

/** Calls on another connection. */
const call = async () => raw.call(paths.getMe, Buffer.alloc(0), { metadata: await bearer() });
const ask = async (): Promise<number> => (await call()).code;
const untilServed = (): Promise<boolean> => waitUntil(async () => (await ask()) === status.OK);

async function health(): Promise<string | undefined> {
  const client = openStub(HealthService, target.address);
  return client
    .check({ service: '' })
    .then(({ status }) => status)
    .finally(() => client.close());
}

const admitted = (kind: 'calls' | 'incomplete'): Promise<number> =>
  metricOf(target, `grpc_server_admitted{kind="${kind}"`);
const untilIdle = (): Promise<boolean> =>
  waitUntil(async () => (await admitted('calls')) + (await admitted('incomplete')) === 0);

describe('invariant 9: beyond its capacity', () => {
  it('a server refuses at once with the time to wait, finishes its running calls, and its health answers', async () => {
    const { promise, resolve: open } = Promise.withResolvers<void>();
    let inside = 0;
    handle = async () => {
      inside += 1;
      await promise;
    };
    const begun = Array.from({ length: 20 }, () => ask());
    await waitUntil(() => inside === 20);
    const refused = await Promise.all(Array.from({ length: 80 }, call));
    for (const { outcome, details } of refused) {
      expect(outcome).toEqual(['RESOURCE_EXHAUSTED', 'OVERLOADED']);
      expect(toMilliseconds(details.RetryInfo?.retryDelay ?? { seconds: 0n, nanos: 0 })).toBeGreaterThanOrEqual(500);
      expect(details.RequestInfo?.requestId).toMatch(/./);
    }
    expect(inside).toBe(20);
    expect(await health()).toContain('SERVING');
    open();
    expect(new Set(await Promise.all(begun))).toEqual(new Set([status.OK]));
    expect(await ask()).toBe(status.OK);
    expect(target.lines.filter(({ reason }) => reason === 'OVERLOADED')).toHaveLength(80);
    const series = `grpc_server_handled_total{method="${paths.getMe}",code="RESOURCE_EXHAUSTED",reason="OVERLOADED"`;
    expect(await metricOf(target, series)).toBe(80);
  });
});

describe('invariant 10: the limits of a server', () => {
  it('are advertised to clients, for the streams of a connection', async () => {
    const { session } = await attacker();
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1000);
  });

  it('close connections beyond the limit of a peer, and accept others when some have ended', async () => {
    // The client above has the first.
    expect(await ask()).toBe(status.OK);
    const open = await Promise.all(Array.from({ length: 99 }, attacker));
    expect(open.every(({ session }) => !session.closed)).toBe(true);
    const tooMany = connect(Number(target.address.split(':')[1]), '127.0.0.1');
    tooMany.on('error', () => undefined);
    await once(tooMany, 'close');
    expect(await ask()).toBe(status.OK);
    const [first] = open;
    first?.close();
    let again = await attacker();
    while (again.session.closed || again.session.destroyed) again = await attacker();
    expect((await again.send(frame(Buffer.alloc(0)))).code).toBe('0');
  });
});

describe('invariant 10: others are served in spite of', () => {
  it('20 000 streams that never send their request, all of which are refused or end', async () => {
    const attackers = await Promise.all(Array.from({ length: 20 }, attacker));
    const outcomes = new Map<string, number>();
    await Promise.all(
      attackers.map(async (client) => {
        const streams = Array.from({ length: 1000 }, () => statusOf(client.begin()));
        for (const { code } of await Promise.all(streams)) outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      }),
    );
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(new Set(outcomes.keys())).toEqual(
      new Set([String(status.RESOURCE_EXHAUSTED), String(status.DEADLINE_EXCEEDED)]),
    );
    await untilIdle();
    expect(await ask()).toBe(status.OK);
  }, 120_000);

  it('10 000 streams that are reset at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { begin, session } = await attacker();
      for (let count = 0; count < 1000 && !session.destroyed && !session.closed; count += 1) {
        const stream = begin();
        stream.on('error', () => undefined);
        stream.close(8);
      }
    }
    await untilServed();
    await untilIdle();
  });

  it('a flood of pings', async () => {
    const { session } = await attacker();
    for (let count = 0; count < 20_000; count += 1) session.ping(() => undefined);
    await untilServed();
    expect(await health()).toContain('SERVING');
  });

  it('10 000 mutated frames', async () => {
    const port = Number(target.address.split(':')[1]);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let state = 1;
    const random = (below: number): number =>
      (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) % below;
    const mutated = (): Buffer => {
      const body = Buffer.from(Array.from({ length: random(40) }, () => random(256)));
      const length = random(10) === 0 ? random(0xffffff) : body.length;
      return Buffer.concat([
        Buffer.from([length >> 16, (length >> 8) & 255, length & 255, random(12), random(256), 0, 0, 0, random(4)]),
        body,
      ]);
    };
    for (let round = 0; round < 25; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => undefined);
          socket.end(Buffer.concat([preface, settings, ...Array.from({ length: 20 }, mutated)]));
          socket.resume();
          await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 200))]);
          socket.destroy();
        }),
      );
    }
    await untilServed();
    await untilIdle();
  });

  it('compressed messages that unpack to 64 MiB', async () => {
    const bomb = frame(gzipSync(Buffer.alloc(64 * 1024 * 1024)), true);
    const { send } = await attacker();
    for (let round = 0; round < 10; round += 1) {
      expect((await send(bomb, { 'grpc-encoding': 'gzip' })).code).toBe(String(status.RESOURCE_EXHAUSTED));
    }
    expect(await ask()).toBe(status.OK);
  });

  it('messages of 5 MiB', async () => {
    const { send } = await attacker();
    const large = frame(Buffer.alloc(5 * 1024 * 1024));
    for (let round = 0; round < 10; round += 1)
      expect((await send(large)).code).toBe(String(status.RESOURCE_EXHAUSTED));
    expect(await ask()).toBe(status.OK);
  });

  it('20 messages of 3 MiB that all but end, of which as many are kept as there is room for', async () => {
    // However slow the machine is, none is late.
    const roomy = await startTestServer({
      bindings: [usersBinding({ getMe: async () => ({}) })],
      capacity: { requestBytes: 8 * mebibyte, requestMs: 100_000 },
    });
    const bytes = (): Promise<number> => metricOf(roomy, 'grpc_server_admitted{kind="bytes"');
    const { begin, close } = await openHttp2(roomy.address);
    const large = frame(Buffer.alloc(3 * mebibyte)).subarray(0, -1);
    const codes: string[] = [];
    const streams = Array.from({ length: 20 }, () => {
      const stream = begin();
      void statusOf(stream).then(({ code }) => codes.push(code));
      stream.write(large);
      return stream;
    });
    await waitUntil(() => codes.length >= 18);
    expect([codes.length, new Set(codes)]).toEqual([18, new Set([String(status.RESOURCE_EXHAUSTED)])]);
    expect(await bytes()).toBe(2 * large.length);
    const other = new RawClient(roomy.address);
    expect((await other.call(paths.getMe, Buffer.alloc(0), { metadata: await bearer() })).code).toBe(status.OK);
    // What remains is served, and what is done holds nothing any more.
    streams.forEach((stream) => stream.end(Buffer.alloc(1)));
    await waitUntil(() => codes.length === 20);
    expect(codes.slice(18)).not.toContain(String(status.RESOURCE_EXHAUSTED));
    await waitUntil(async () => (await bytes()) === 0);
    close();
    other.close();
    await roomy.server.stop();
  });

  it('a client that requests much and reads nothing', async () => {
    const slow = await startTestServer({ bindings: [streamingUsers()] });
    const reader = await openHttp2(slow.address);
    produced = 0;
    const stream = reader.begin({ ':path': paths.getMe });
    stream.on('error', () => undefined);
    stream.pause();
    stream.end(frame(Buffer.alloc(0)));
    await waitUntil(() => produced > 0);
    for (let count = 0; count < 50; count += 1) expect(await ask()).toBe(status.OK);
    // The stream stops when the window of the connection and its buffers are full.
    const before = produced;
    for (let count = 0; count < 50; count += 1) await ask();
    expect([produced, produced < 50]).toEqual([before, true]);
    reader.close();
    await slow.server.stop();
  });
});

/** GetMe as a stream of answers. */
function streamingUsers(): ServiceBinding {
  const getMe = {
    ...UsersServiceService.getMe,
    responseStream: true,
    responseSerialize: ({ text }: { text: string }) => Buffer.from(text),
  } as const;
  return bind({ getMe }, { getMe: endlessly });
}
