import type { EventEmitter } from 'node:events';
import {
  Metadata,
  status,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { toAppError, type AppError } from '#libs/errors';
import type { Logger } from '#libs/runtime';
import { requestIdKey } from '../wire/request-id.ts';
import { textOf } from '../wire/metadata.ts';
import { toStatus } from '../wire/status.ts';
import { openCall, type OpenCall } from './call-context.ts';
import type { BoundMethod, IncomingCall } from '../interceptors/chain.ts';
import type { CallerCertificate } from '../wire/caller-certificate.ts';
import type { OpenCalls } from '../transport/open-calls.ts';

interface MethodHandlerOptions {
  run: (call: IncomingCall) => Promise<void>;
  resolvePeer: (peer: string, forwardedFor: string | undefined) => string;
  /** The client certificate of the connection from this peer (address:port). */
  certificateOf: (peer: string) => CallerCertificate | undefined;
  openCalls: OpenCalls;
  logger: Logger;
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type StreamCall = ServerWritableStream<Buffer, Buffer>;

const identity = (bytes: Buffer): Buffer => bytes;

function headerOf(requestId: string): Metadata {
  const header = new Metadata();
  header.set(requestIdKey, requestId);
  return header;
}

/** Registers a method at grpc-js, which passes its bytes through the chain. */
export function addMethod(server: Server, method: BoundMethod, options: MethodHandlerOptions): void {
  const { path, responseStream } = method.definition;
  // Nothing below should throw. If it does, the client must get an answer and the process must go on.
  const refuse = (error: unknown, answer: (status: Partial<StatusObject>) => void): void => {
    options.logger.error({ err: error, method: path }, 'call could not be answered');
    answer({ code: status.INTERNAL, details: 'internal error' });
  };
  const unary = (call: UnaryCall, callback: sendUnaryData<Buffer>): void => {
    answerUnary(call, callback, { method, options }).catch((error: unknown) => refuse(error, callback));
  };
  const stream = (call: StreamCall): void => {
    answerStream(call, method, options).catch((error: unknown) =>
      refuse(error, (answer) => call.emit('error', answer)),
    );
  };
  const added = responseStream
    ? server.register<Buffer, Buffer>(path, stream, identity, identity, 'serverStream')
    : server.register<Buffer, Buffer>(path, unary, identity, identity, 'unary');
  if (!added) throw new Error(`${path} is bound twice`);
}

function open(
  call: UnaryCall | StreamCall,
  method: BoundMethod,
  { resolvePeer, logger }: MethodHandlerOptions,
): OpenCall {
  const opened = openCall({
    policy: method.policy,
    metadata: call.metadata,
    peer: resolvePeer(call.getPeer(), textOf(call.metadata, 'x-forwarded-for')),
    clientDeadline: Number(call.getDeadline()),
    logger,
  });
  // Fires after successful calls too, but these are closed already.
  (call as EventEmitter).once('cancelled', opened.cancel);
  return opened;
}

/** Runs the chain for one call. Resolves with the error of the call, if any; never rejects. */
async function runCall(
  call: UnaryCall | StreamCall,
  opened: OpenCall,
  { method, options, send }: { method: BoundMethod; options: MethodHandlerOptions; send: IncomingCall['send'] },
): Promise<AppError | undefined> {
  const { context, abort, whenAborted } = opened;
  const endable = { stream: method.definition.responseStream, peer: call.getPeer(), abort };
  options.openCalls.add(endable);
  try {
    const { metadata, request: requestBytes } = call;
    await options.run({
      method,
      policy: method.policy,
      context,
      metadata,
      requestBytes,
      certificate: options.certificateOf(call.getPeer()),
      caller: {},
      request: undefined,
      send,
      abort,
      whenAborted,
    });
    return undefined;
  } catch (error) {
    return toAppError(error);
  } finally {
    opened.close();
    options.openCalls.remove(endable);
  }
}

async function answerUnary(
  call: UnaryCall,
  callback: sendUnaryData<Buffer>,
  { method, options }: { method: BoundMethod; options: MethodHandlerOptions },
): Promise<void> {
  const opened = open(call, method, options);
  const { requestId } = opened.context;
  let answer: Buffer | undefined;
  const send = async (bytes: Buffer): Promise<void> => void (answer = bytes);
  const error = await runCall(call, opened, { method, options, send });
  // Clients retry only answers without headers ("trailers only", gRPC A6).
  if (error?.kind !== 'unavailable') call.sendMetadata(headerOf(requestId));
  if (error === undefined) callback(null, answer);
  else callback(toStatus(error, requestId));
}

/** Writes one message. Resolves when the transport accepts the next one, or when the call has ended. */
function write(call: StreamCall, bytes: Buffer, signal: AbortSignal): Promise<void> {
  if (signal.aborted || call.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      call.off('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    call.once('drain', go);
    signal.addEventListener('abort', go, { once: true });
  });
}

async function answerStream(call: StreamCall, method: BoundMethod, options: MethodHandlerOptions): Promise<void> {
  const opened = open(call, method, options);
  const { requestId, signal } = opened.context;
  let ended = false;
  let headerSent = false;
  const send = async (bytes: Buffer): Promise<void> => {
    if (ended) return;
    if (!headerSent) call.sendMetadata(headerOf(requestId));
    headerSent = true;
    await write(call, bytes, signal);
  };
  const error = await runCall(call, opened, { method, options, send });
  ended = true;
  if (error === undefined) {
    if (!headerSent) call.sendMetadata(headerOf(requestId));
    call.end();
  } else {
    // grpc-js sends an emitted error as the status, after the messages that are already written.
    call.emit('error', toStatus(error, requestId));
  }
}
