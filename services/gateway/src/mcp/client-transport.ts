import { create, fromBinary, isMessage, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import type { Forwarder } from '#libs/grpc';
import type { Client } from '../http/credentials.ts';
import { toConnectError } from '../protocol/error-json.ts';
import type { Route } from '../routes.ts';

/** Whose calls they are, and by which names the logs know them. */
export interface CallsOf extends Client {
  routes: ReadonlyMap<string, Route>;
  forwarder: Forwarder;
}

/** A way for the client package within this process: its calls are passed on like those that come over HTTP. */
export function clientTransport({ routes, forwarder, ...call }: CallsOf): Transport {
  return {
    unary: async (method, ...[signal, timeoutMs, , input]) => {
      const route = routes.get(`/${method.parent.typeName}/${method.name}`);
      if (route === undefined) throw new ConnectError(`${method.name} is not for people`, Code.Unimplemented);
      const request = isMessage(input, method.input) ? input : create(method.input, input);
      const parts: Buffer[] = [];
      const running = forwarder.forward({
        ...call,
        route,
        timeoutMs,
        read: async () => Buffer.from(toBinary(method.input, request)),
        send: async (message) => void parts.push(message),
      });
      signal?.addEventListener('abort', running.cancel);
      if (signal?.aborted === true) running.cancel();
      const failure = await running.end.finally(() => signal?.removeEventListener('abort', running.cancel));
      if (failure !== undefined) throw toConnectError(failure.status);
      return {
        stream: false,
        service: method.parent,
        method,
        header: new Headers(),
        trailer: new Headers(),
        message: fromBinary(method.output, Buffer.concat(parts)),
      };
    },
    stream: async (method) => {
      throw new ConnectError(`${method.name} is a stream`, Code.Unimplemented);
    },
  };
}
