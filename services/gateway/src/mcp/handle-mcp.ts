import { createMcpHandler } from '@modelcontextprotocol/server';
import { createConnection } from '#client/connection';
import { TaskFlowError } from '#client/index';
import { AppError, errorTable, toAppError } from '#libs/errors';
import { findSizeFault, overloaded, textHeader, toEvictionError, toStatusCode, type Permit } from '#libs/grpc';
import {
  askAccess,
  checkParams,
  createMcpServer,
  MessageFault,
  readMessage,
  type Access,
  type Caller,
  type RpcMessage,
  type ServedRequest,
} from '#libs/mcp';
import { openAnswer, type Answer, type HttpRequest, type HttpResponse } from '../http/answer.ts';
import { HeadFault, readAuthorization } from '../http/call-head.ts';
import { assertTokenFor, tokenInvalid } from '../http/credentials.ts';
import { clientOf, openExchange, refuse, type Exchange, type HandlerOptions } from '../http/handle-call.ts';
import { readBody } from '../http/read-body.ts';
import { clientTransport } from './client-transport.ts';

export interface McpOptions extends HandlerOptions {
  version: string;
  count: (served: ServedRequest) => void;
  onFault: (error: unknown) => void;
}

/** What the pages of allowed sites may send beyond what calls have. */
const ownHeaders = ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'last-event-id'];

/** Browsers name the site of a page. Programs do not, and may pass. */
function checkOrigin({ headers: { origin } }: HttpRequest, { cors }: McpOptions): void {
  if (origin === undefined || cors.isAllowed(origin)) return;
  throw new HeadFault(new AppError('permission_denied', 'ORIGIN_NOT_ALLOWED', 'pages of this site may not call'), 403);
}

function checkHead(request: HttpRequest): void {
  const { method, headers } = request;
  const sizeFault = findSizeFault(request);
  if (sizeFault !== undefined) throw new HeadFault(sizeFault.error, sizeFault.httpStatus);
  if (method !== 'POST') {
    const error = new AppError('unimplemented', 'UNIMPLEMENTED', 'there are no streams and no sessions; use POST');
    throw new HeadFault(error, 405, { allow: 'POST' });
  }
  if ((textHeader(headers['content-encoding']) ?? 'identity') !== 'identity')
    throw new HeadFault(new AppError('unimplemented', 'UNIMPLEMENTED', 'the request must not be compressed'), 415);
  if (readAuthorization(request) === undefined) {
    const message = 'the header "authorization" is missing: Bearer and a personal token';
    throw unauthenticated(new AppError('unauthenticated', 'CREDENTIALS_MISSING', message));
  }
}

const unauthenticated = (error: AppError): HeadFault => new HeadFault(error, 401, { 'www-authenticate': 'Bearer' });

function toHeadFault(error: unknown): HeadFault {
  if (error instanceof HeadFault) return error;
  const told = toAppError(error);
  return told.kind === 'unauthenticated' ? unauthenticated(told) : new HeadFault(told);
}

/** These begin a conversation: what is wrong with the token is told by HTTP, where clients look for it. */
const beginnings = ['initialize', 'server/discover', 'tools/list', 'resources/list', 'resources/templates/list'];

async function checkToken(caller: Caller, { method }: RpcMessage): Promise<Access | undefined> {
  if (!beginnings.some((name) => name === method)) return undefined;
  try {
    return await askAccess(caller);
  } catch (error) {
    // Any other error is told in the answer.
    if (!(error instanceof TaskFlowError) || error.code !== 'UNAUTHENTICATED') return undefined;
    throw unauthenticated(tokenInvalid(error));
  }
}

function callerOf(exchange: Exchange, options: McpOptions): Caller {
  const { requestId } = exchange;
  const transport = clientTransport({ ...options, ...clientOf(exchange) });
  const platform = { open: () => transport, close: () => undefined };
  // The forwarder repeats what may be repeated.
  const connection = createConnection(platform, { address: 'http://gateway.invalid' }, { maxAttempts: 1 });
  return { connection, callId: requestId, onFault: options.onFault };
}

function toWebRequest({ request }: Exchange, body: Buffer, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(':') && value !== undefined) headers.set(name, String(value));
  return new Request('http://gateway.invalid/mcp', {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
    signal,
  });
}

async function send(answer: Answer, { status, headers, body }: Response): Promise<void> {
  answer.begin(status, Object.fromEntries(headers));
  if (body !== null) for await (const part of body) await answer.write(part);
  await answer.end();
}

/** Serves one message. Nothing is kept between two, so every replica can answer each. */
async function serve(exchange: Exchange, options: McpOptions, permit: Permit): Promise<void> {
  const body = await readBody(exchange.request, permit);
  if (!permit.complete()) throw overloaded();
  await assertTokenFor(body.length, clientOf(exchange), options);
  const message = readMessage(body);
  const gone = new AbortController();
  (exchange.response as NodeJS.EventEmitter).once('close', () => gone.abort());
  const caller = callerOf(exchange, options);
  const access = await checkToken(caller, message);
  checkParams(message);
  const { version, count: record } = options;
  // There is nothing to subscribe to: tools change with the token and the release only.
  const handler = createMcpHandler(() => createMcpServer({ ...caller, version, access, record }), {
    maxSubscriptions: 0,
    onerror: () => undefined,
  });
  const response = await handler.fetch(toWebRequest(exchange, body, gone.signal), { parsedBody: message });
  await send(openAnswer(exchange.response, exchange.headers), response);
}

/** Takes the place of a call for as long as the message is served. */
async function serveInPlace(exchange: Exchange, options: McpOptions): Promise<void> {
  const evicted = Promise.withResolvers<never>();
  const permit = options.limiter.acquire({
    stream: false,
    peer: exchange.connection,
    whole: false,
    evict: (why) => evicted.reject(toEvictionError(why)),
  });
  if (permit === undefined) throw overloaded();
  try {
    await Promise.race([serve(exchange, options, permit), evicted.promise]);
  } finally {
    permit.release();
  }
}

function preflight(exchange: Exchange, { cors }: McpOptions): Promise<void> {
  const allowed = cors.preflight['access-control-allow-headers'] ?? '';
  const answer = openAnswer(exchange.response, exchange.headers);
  answer.begin(204, {
    ...cors.preflight,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': [allowed, ...ownHeaders].join(', '),
  });
  return answer.end();
}

/** A message that breaks the protocol is answered in the protocol's own form. */
function refuseMessage(exchange: Exchange, fault: MessageFault, { record }: McpOptions): Promise<void> {
  const { requestId, traceId, peer } = exchange;
  const code = toStatusCode(errorTable.invalid_argument.code);
  record({ method: 'unknown', code, reason: 'MALFORMED_REQUEST', message: fault.message, requestId, traceId, peer });
  const answer = openAnswer(exchange.response, exchange.headers);
  answer.begin(fault.httpStatus, { 'content-type': 'application/json' });
  return answer.end(Buffer.from(fault.toAnswer(requestId)));
}

/** Answers one HTTP request of an agent. Never rejects. */
export async function handleMcp(request: HttpRequest, response: HttpResponse, options: McpOptions): Promise<void> {
  const exchange = openExchange(request, response, options);
  try {
    checkOrigin(request, options);
    if (request.method === 'OPTIONS') return await preflight(exchange, options);
    checkHead(request);
    await serveInPlace(exchange, options);
  } catch (error) {
    if (error instanceof MessageFault) return await refuseMessage(exchange, error, options);
    if (!(error instanceof HeadFault || error instanceof AppError)) options.onFault(error);
    await refuse(exchange, toHeadFault(error), options);
  } finally {
    request.resume();
  }
}
