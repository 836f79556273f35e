import { AppError, errorTable, toAppError } from '#libs/errors';
import {
  idsOf,
  maxMessageBytes,
  overloaded,
  textHeader,
  toEvictionError,
  toFailure,
  toStatusCode,
  type CallFailure,
  type ConcurrencyLimiter,
  type Forwarder,
  type Permit,
  type UnreadCall,
} from '#libs/grpc';
import { decodeToJson } from '#libs/json';
import { decompress } from '../protocol/compression.ts';
import { openConversation } from '../protocol/conversation.ts';
import { findDialect, unaryDialect, type Dialect } from '../protocol/dialect.ts';
import { compressedFlag, envelope, headerBytes, openEnvelope } from '../protocol/envelope.ts';
import type { Route } from '../routes.ts';
import { openAnswer, type HttpRequest, type HttpResponse } from './answer.ts';
import { HeadFault, readHead, type CallHead } from './call-head.ts';
import type { Cors } from './cors.ts';
import { checkCredentials, readJson, type Client } from './credentials.ts';
import { readBody } from './read-body.ts';

export interface HandlerOptions {
  routes: ReadonlyMap<string, Route>;
  cors: Cors;
  forwarder: Forwarder;
  limiter: ConcurrencyLimiter;
  resolvePeer: (peer: string, forwardedFor: string | undefined) => string;
  /** Logs and counts a call that is refused before its request is read. */
  record: (call: UnreadCall) => void;
  /** Changes what passes, where a door does. Throws HeadFault for a call that it refuses. */
  adapt?: (exchange: Exchange, head: CallHead) => Adapter;
}

/** What a door changes of one call: messages encoded by protobuf, and headers. */
export interface Adapter {
  request(message: Buffer): Buffer;
  answer(message: Buffer): Buffer;
  /** The headers of the answer, once it has been adapted or the call has failed. */
  headers(failure: CallFailure | undefined): Readonly<Record<string, string>>;
}

const unchanged: Adapter = { request: (message) => message, answer: (message) => message, headers: () => ({}) };

/** One request and how its answer is written. */
export interface Exchange {
  request: HttpRequest;
  response: HttpResponse;
  requestId: string;
  traceId: string;
  /** The address of the client. */
  peer: string;
  /** The address and port of the connection. */
  connection: string;
  headers: Readonly<Record<string, string>>;
}

/** Who answers a request. */
export interface Door {
  isFor(request: HttpRequest): boolean;
  /** Never rejects. */
  handle(request: HttpRequest, response: HttpResponse): Promise<void>;
}

/** Unknown paths of this form are logged, because they show a client that is newer than the server. */
const methodPath = /^\/([a-z]{1,20}\/)?[\w.]{1,100}\/\w{1,100}$/;

export const pathOf = ({ url = '' }: HttpRequest): string => url.split('?', 1)[0] ?? '';

/** The dialect for an error when the head could not be read. */
function dialectOf({ headers }: HttpRequest): Dialect {
  return findDialect(headers['content-type'] ?? '') ?? unaryDialect(false);
}

export function openExchange(request: HttpRequest, response: HttpResponse, options: HandlerOptions): Exchange {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  const connection = `${remoteAddress}:${remotePort}`;
  const ids = idsOf(request.headers);
  return {
    request,
    response,
    ...ids,
    connection,
    peer: options.resolvePeer(connection, textHeader(request.headers['x-forwarded-for'])),
    headers: { ...options.cors.headersFor(request.headers.origin), 'x-request-id': ids.requestId },
  };
}

/** Answers a call that is refused because of its head, or because there is no room for it. */
export async function refuse(exchange: Exchange, fault: HeadFault, options: HandlerOptions): Promise<void> {
  const { request, requestId, traceId, peer } = exchange;
  const path = pathOf(request);
  const route = options.routes.get(path);
  const { error } = fault;
  options.record({
    method: route?.policy.path ?? 'unknown',
    ...(route === undefined && methodPath.test(path) && { path }),
    code: toStatusCode(errorTable[error.kind].code),
    reason: error.reason,
    requestId,
    traceId,
    peer,
    message: error.message,
  });
  const answer = openAnswer(exchange.response, { ...exchange.headers, ...fault.headers });
  const conversation = openConversation({ dialect: dialectOf(request), answer, accepted: '' });
  await conversation.end(toFailure(error, requestId), fault.httpStatus);
}

/** A body that is the message. */
async function unpackBare(body: Buffer, encoding: string): Promise<Buffer> {
  return encoding === 'identity' ? body : decompress(envelope(compressedFlag, body), encoding);
}

/** A body that is one message with its header, which says whether it is compressed. */
async function unpackEnveloped(body: Buffer, encoding: string): Promise<Buffer> {
  const enveloped = openEnvelope(body);
  return enveloped[0] === 0 ? enveloped.subarray(headerBytes) : decompress(enveloped, encoding);
}

/** The message of the request, encoded by protobuf, or what is wrong with its JSON. Throws AppError. */
async function readMessage(
  exchange: Exchange,
  head: CallHead,
  { permit, options }: Pick<Forwarding, 'permit' | 'options'>,
): Promise<Buffer | AppError> {
  const { request } = exchange;
  const { dialect, encoding, queryMessage, route } = head;
  const body = queryMessage ?? (await readBody(request, permit.current));
  const message = await (dialect.name === 'connect' ? unpackBare(body, encoding) : unpackEnveloped(body, encoding));
  if (message.length > maxMessageBytes)
    throw new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the request is too large');
  return dialect.isBinary ? message : readJson(message, route, clientOf(exchange), options);
}

/** The client's name for itself, without what metadata cannot have. */
const userAgentOf = ({ headers }: HttpRequest): string => (headers['user-agent'] ?? '').replaceAll(/[^ -~]/g, '?');

/** What the services are told of the client. */
export const clientOf = ({ request, requestId, peer }: Exchange): Client => ({
  requestId,
  traceParent: textHeader(request.headers['traceparent']),
  client: { authorization: request.headers.authorization, userAgent: userAgentOf(request), peer },
});

/** Passes a call on, and the answer back. */
async function forward(exchange: Exchange, head: CallHead, { permit, options, adapter }: Forwarding): Promise<void> {
  const { request, response } = exchange;
  const { route, dialect, timeoutMs } = head;
  const accepted = textHeader(request.headers[dialect.acceptKey]) ?? '';
  const headers: Record<string, string> = { ...exchange.headers };
  const answer = openAnswer(response, headers);
  const conversation = openConversation({ dialect, answer, accepted });
  const call = options.forwarder.forward({
    ...clientOf(exchange),
    route,
    timeoutMs,
    read: async () => {
      const message = await readMessage(exchange, head, { permit, options });
      if (!permit.current.complete()) throw overloaded();
      return message instanceof AppError ? message : adapter.request(message);
    },
    send: (sent) => {
      const message = adapter.answer(sent);
      Object.assign(headers, adapter.headers(undefined));
      return conversation.send(dialect.isBinary ? message : Buffer.from(decodeToJson(route.method.output, message)));
    },
  });
  permit.abort = call.abort;
  (response as NodeJS.EventEmitter).once('close', call.cancel);
  const failure = await call.end;
  permit.current.release();
  Object.assign(headers, adapter.headers(failure));
  await conversation.end(failure);
}

interface Forwarding {
  permit: { current: Permit; abort: (error: AppError) => void };
  options: HandlerOptions;
  adapter: Adapter;
}

/** Takes a place for the call. Throws HeadFault when there is none. */
function takePlace({ connection }: Exchange, { route, queryMessage }: CallHead, { limiter }: HandlerOptions) {
  const permit = { abort: (_error: AppError): void => undefined };
  const current = limiter.acquire({
    stream: route.responseStream,
    peer: connection,
    whole: queryMessage !== undefined,
    evict: (why) => permit.abort(toEvictionError(why)),
  });
  if (current === undefined) throw new HeadFault(overloaded());
  return Object.assign(permit, { current });
}

/** Answers one HTTP request. Never rejects. */
export async function handleCall(request: HttpRequest, response: HttpResponse, options: HandlerOptions): Promise<void> {
  const exchange = openExchange(request, response, options);
  try {
    if (request.method === 'OPTIONS' && options.cors.isAllowed(request.headers.origin)) {
      const answer = openAnswer(response, exchange.headers);
      answer.begin(204, options.cors.preflight);
      return await answer.end();
    }
    const head = readHead(request, options.routes);
    checkCredentials(head);
    const adapter = options.adapt?.(exchange, head) ?? unchanged;
    await forward(exchange, head, { permit: takePlace(exchange, head, options), options, adapter });
  } catch (error) {
    const fault = error instanceof HeadFault ? error : new HeadFault(toAppError(error));
    await refuse(exchange, fault, options);
  } finally {
    // What the client still sends is of no use; without this HTTP/1.1 could not go on with the connection.
    request.resume();
  }
}
