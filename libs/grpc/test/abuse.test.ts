import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { UsersServiceService } from '#contract/users/v1/users';
import { bind, type ServiceBinding } from '../src/index.ts';
import type { Capacity } from '../src/server/admission.ts';
import type { PeerLimits } from '../src/server/peer-guard.ts';
import { HealthService } from '../../contract/src/gen/grpc/health/v1/health.ts';
import { startTestServer, userToken, type TestServer } from './cluster.ts';
import { frame, openHttp2, statusOf, type Http2Client } from './http2-client.ts';
import { RawClient } from './raw-client.ts';
import { gate, paths, usersBinding } from './services.ts';

const capacity: Partial<Capacity> = { unfinishedCalls: 20, incompleteRequests: 20, requestMs: 3000 };
const peerLimits: Partial<PeerLimits> = { connectionsPerPeer: 100, connectionsPerSecond: 10_000 };
let target: TestServer;
let raw: RawClient;
let handle: () => Promise<void>;
let produced = 0;
const clients: Http2Client[] = [];

/** Sends answers as fast as they are taken, and does not look whether anybody is still there. */
async function* endlessly(): AsyncGenerator<{ text: string }> {
  for (;;) {
    produced += 1;
    yield { text: 'x'.repeat(64 * 1024) };
  }
}

beforeEach(async () => {
  handle = async () => undefined;
  target = await startTestServer({ bindings: [usersBinding({ getMe: async () => (await handle(), {}) })], capacity, peerLimits });
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

/** Somebody else, on another connection. */
async function ask(): Promise<number> {
  return (await raw.call(paths.getMe, Buffer.alloc(0), { metadata: { authorization: `Bearer ${await userToken()}` } })).code;
}

async function untilServed(): Promise<void> {
  while ((await ask()) !== status.OK) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function health(): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  const answer = await raw.call(path, requestSerialize({ service: '' }));
  return responseDeserialize(answer.bytes ?? Buffer.alloc(0)).status;
}

async function admitted(kind: 'calls' | 'incomplete'): Promise<number> {
  const text = await target.metrics.registry.metrics();
  return Number(new RegExp(`grpc_server_admitted\\{kind="${kind}",service="users"\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

async function untilNobodyIsIn(): Promise<void> {
  while ((await admitted('calls')) + (await admitted('incomplete')) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('invariant 9: beyond its capacity', () => {
  it('a server refuses at once and says when to come back, finishes what it has begun, and its health answers', async () => {
    const { promise, open } = gate();
    let inside = 0;
    handle = async () => {
      inside += 1;
      await promise;
    };
    const begun = Array.from({ length: 20 }, () => ask());
    while (inside < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    const metadata = { authorization: `Bearer ${await userToken()}` };
    const refused = await Promise.all(Array.from({ length: 80 }, () => raw.call(paths.getMe, Buffer.alloc(0), { metadata })));
    for (const { code, details } of refused) {
      expect([status[code], details.ErrorInfo?.reason]).toEqual(['RESOURCE_EXHAUSTED', 'OVERLOADED']);
      expect(Number(details.RetryInfo?.retryDelay?.seconds) * 1000 + (details.RetryInfo?.retryDelay?.nanos ?? 0) / 1e6).toBeGreaterThanOrEqual(500);
      expect(details.RequestInfo?.requestId).toMatch(/./);
    }
    expect(inside).toBe(20);
    expect(await health()).toContain('SERVING');
    open();
    expect(new Set(await Promise.all(begun))).toEqual(new Set([status.OK]));
    expect(await ask()).toBe(status.OK);
    expect(target.lines.filter(({ reason }) => reason === 'OVERLOADED')).toHaveLength(80);
    expect(await target.metrics.registry.metrics()).toMatch(/grpc_server_handled_total\{method="[^"]*GetMe",code="RESOURCE_EXHAUSTED",reason="OVERLOADED",service="users"\} 80/);
  });
});

describe('invariant 10: the limits of a server', () => {
  it('tell a client how many streams it may have on a connection', async () => {
    const { session } = await attacker();
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1000);
  });

  it('close connections beyond those that one peer may have, and take others when some have ended', async () => {
    // One is that of the client that asks.
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
  it('20 000 streams that never send their request, of which no more than the capacity are held, and not for long', async () => {
    const attackers = await Promise.all(Array.from({ length: 20 }, attacker));
    const outcomes = new Map<string, number>();
    await Promise.all(
      attackers.map(async (client) => {
        const streams = Array.from({ length: 1000 }, () => statusOf(client.begin()));
        for (const { code } of await Promise.all(streams)) outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      }),
    );
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(new Set(outcomes.keys())).toEqual(new Set([String(status.RESOURCE_EXHAUSTED), String(status.DEADLINE_EXCEEDED)]));
    await untilNobodyIsIn();
    expect(await ask()).toBe(status.OK);
  }, 120_000);

  it('10 000 streams that are reset as soon as they have begun', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { begin, session } = await attacker();
      for (let count = 0; count < 1000 && !session.destroyed && !session.closed; count += 1) {
        const stream = begin();
        stream.on('error', () => undefined);
        stream.close(8);
      }
    }
    await untilServed();
    await untilNobodyIsIn();
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
    const random = (below: number): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) % below;
    const mutated = (): Buffer => {
      const body = Buffer.from(Array.from({ length: random(40) }, () => random(256)));
      const length = random(10) === 0 ? random(0xffffff) : body.length;
      return Buffer.concat([Buffer.from([length >> 16, (length >> 8) & 255, length & 255, random(12), random(256), 0, 0, 0, random(4)]), body]);
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
    await untilNobodyIsIn();
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
    for (let round = 0; round < 10; round += 1) expect((await send(large)).code).toBe(String(status.RESOURCE_EXHAUSTED));
    expect(await ask()).toBe(status.OK);
  });

  it('somebody who asks for much and reads nothing', async () => {
    const slow = await startTestServer({ bindings: [streamingUsers()] });
    const reader = await openHttp2(slow.address);
    produced = 0;
    const stream = reader.begin({ ':path': paths.getMe });
    stream.on('error', () => undefined);
    stream.pause();
    stream.end(frame(Buffer.alloc(0)));
    while (produced === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let count = 0; count < 50; count += 1) expect(await ask()).toBe(status.OK);
    // What the window of the connection and the buffers of the stream hold, and then nothing more.
    const before = produced;
    for (let count = 0; count < 50; count += 1) await ask();
    expect([produced, produced < 50]).toEqual([before, true]);
    reader.close();
    reader.close();
    await slow.server.stop();
  });
});

/** GetMe as a stream of answers. */
function streamingUsers(): ServiceBinding {
  const getMe = { ...UsersServiceService.getMe, responseStream: true, responseSerialize: ({ text }: { text: string }) => Buffer.from(text) } as const;
  return bind({ getMe }, { getMe: endlessly });
}
