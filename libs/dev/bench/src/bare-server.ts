import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { runWorker } from './worker-process.ts';

interface Method {
  path: string;
  requestDeserialize: (value: Buffer) => object;
  responseSerialize: (value: never) => Buffer;
}

type RequestOf<M> = M extends { requestDeserialize: (value: Buffer) => infer Req } ? Req : never;
type ResponseOf<M> = M extends { responseDeserialize: (value: Buffer) => infer Res } ? Res : never;

/** Some of a service's methods. `header` gives a value of the call's metadata, '' when there is none. */
export type BareHandlers<D> = {
  [M in keyof D]?: (
    request: RequestOf<D[M]>,
    header: (name: string) => string,
  ) => Promise<ResponseOf<D[M]>> | ResponseOf<D[M]>;
};

type Handler = (request: object, header: (name: string) => string) => unknown;

function toCall(handler: Handler): UntypedHandleCall {
  const handle = (call: ServerUnaryCall<object, object>, done: sendUnaryData<object>): void => {
    const header = (name: string): string => String(call.metadata.get(name)[0] ?? '');
    const answer = handler(call.request, header);
    if (!(answer instanceof Promise)) return done(null, answer as object);
    answer.then(
      (response: object) => done(null, response),
      (error: Error) => done({ code: 13, details: error.message }),
    );
  };
  return handle as UntypedHandleCall;
}

/** Nothing but grpc-js: the generated codecs and the given handlers. Resolves to the port. */
export async function startBareServer<D extends object>(definition: D, handlers: BareHandlers<D>): Promise<number> {
  const server = new Server();
  for (const [name, handler] of Object.entries(handlers) as [string, Handler][]) {
    const { path, requestDeserialize, responseSerialize } = (definition as Record<string, Method>)[name] as Method;
    server.register(path, toCall(handler) as never, responseSerialize as never, requestDeserialize as never, 'unary');
  }
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

/**
 * The whole of a server process that `startServerProcess` started: `start` makes the server from the settings and resolves
 * to its port.
 */
export function runServerProcess<S>(start: (settings: S) => Promise<number>): void {
  runWorker({ start, cpuMs: ownCpuMs });
}

/** Milliseconds of CPU that this process has used so far. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
