import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Server as SocketServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import {
  addHttp2Options,
  clientErrors,
  endsInsideMessage,
  http2ServerOf,
  methodsOf,
  setDecompress,
  streamOf,
  takeStreamListener,
  withoutWrapper,
} from './grpc-js-internals.ts';

/** Before raising it, check each export of grpc-js-internals.ts in the new version, then run all tests of libs/grpc. */
const testedVersion = '1.14.7';

const path = '/test.Echo/Say';
const require = createRequire(import.meta.url);
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const sourceOf = (name: string): string => readFileSync(require.resolve(`@grpc/grpc-js/build/src/${name}.js`), 'utf8');
const identity = (bytes: Buffer): Buffer => bytes;
const echo = ({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => callback(null, request);

it('belong to the pinned and installed version', () => {
  const pinned = readJson(new URL('../../../../package.json', import.meta.url).pathname).dependencies;
  expect(pinned).toMatchObject({ '@grpc/grpc-js': testedVersion });
  expect(readJson(require.resolve('@grpc/grpc-js/package.json')).version).toBe(testedVersion);
});

it('contain the texts that distinguish errors of its client', () => {
  expect(sourceOf('subchannel-call')).toContain(clientErrors.resetWithoutError.replace(/0$/, '${http2Stream.rstCode}'));
  expect(sourceOf('load-balancing-call')).toContain(`'${clientErrors.notStarted} with error '`);
  expect(sourceOf('subchannel-call')).toContain('`Write error: ${error.message}`');
  expect(clientErrors.refused).toMatch(/^Write error: /);
});

it('fail loudly when they are missing', () => {
  expect(() => http2ServerOf({ http2Servers: new Map() } as unknown as Server)).toThrow('HTTP/2 servers elsewhere');
  expect(() => methodsOf({} as Server)).toThrow('methods elsewhere');
});

let seen: ServerInterceptingCallInterface | undefined;
let statuses = 0;
const interceptor: ServerInterceptor = (_method, call) => {
  seen = call;
  setDecompress(call, (message) => Buffer.concat([Buffer.from('unpacked: '), message.subarray(5)]));
  const sendStatus = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    statuses += 1;
    sendStatus(status);
  };
  return withoutWrapper(call);
};

let server: Server;
let sockets: SocketServer;
let client: Client;

beforeEach(async () => {
  statuses = 0;
  server = new Server({ interceptors: [interceptor] });
  server.register(path, echo, identity, identity, 'unary');
  addHttp2Options(server, { maxHeaderListPairs: 99 }, { maxHeaderListSize: 12_345 });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  sockets = createServer((socket: Socket) => injector.injectConnection(socket)).listen(0, '127.0.0.1');
  await once(sockets, 'listening');
  const { port } = sockets.address() as { port: number };
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});

afterEach(() => {
  client.close();
  server.forceShutdown();
  sockets.close();
});

const say = (text: string): Promise<string> =>
  new Promise((resolve, reject) =>
    client.makeUnaryRequest(path, identity, identity, Buffer.from(text), (error, answer) =>
      error === null ? resolve(String(answer)) : reject(error),
    ),
  );

it('are members of a server', async () => {
  expect([...methodsOf(server).keys()]).toEqual([path]);
  const [session] = await Promise.all([once(http2ServerOf(server), 'session'), say('hello')]);
  expect(session[0]).toMatchObject({ localSettings: { maxHeaderListSize: 12_345 } });
});

it('are members of a call, whose own methods are those that are called', async () => {
  expect(await say('hello')).toBe('unpacked: hello');
  expect(statuses).toBe(1);
  if (seen === undefined) throw new Error('no call was intercepted');
  expect(streamOf(seen).constructor.name).toBe('ServerHttp2Stream');
  expect(endsInsideMessage(seen)).toBe(false);
});

it('are the only listener that turns streams into calls', async () => {
  const http2Server = http2ServerOf(server);
  const pass = takeStreamListener(http2Server);
  expect(() => takeStreamListener(http2Server)).toThrow('listener for streams elsewhere');
  let passed = 0;
  http2Server.on('stream', (...event) => {
    passed += 1;
    pass(...(event as unknown as Parameters<typeof pass>));
  });
  expect(await say('hello')).toBe('unpacked: hello');
  expect(passed).toBe(1);
});
