import { AppError } from '#libs/errors';
import { findSizeFault, parseTimeout, textHeader } from '#libs/grpc';
import { encodings } from '../protocol/compression.ts';
import { findDialect, unaryDialect, type Dialect } from '../protocol/dialect.ts';
import type { Route } from '../routes.ts';
import type { HttpRequest } from './answer.ts';

/** What is known of a call before its message is read. */
export interface CallHead {
  route: Route;
  dialect: Dialect;
  /** undefined: the client sets none. */
  timeoutMs: number | undefined;
  /** How the message is compressed. */
  encoding: string;
  /** Of a GET: the message from the query, as it came. */
  queryMessage: Buffer | undefined;
  authorization: string | undefined;
}

/** A call that is refused because of its head. */
export class HeadFault extends Error {
  override readonly name = 'HeadFault';
  readonly error: AppError;
  /** For clients that read the status of HTTP; by default that of the error's code. */
  readonly httpStatus: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: AppError, httpStatus?: number, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.error = error;
    this.httpStatus = httpStatus;
    this.headers = headers;
  }
}

const malformed = (header: string, message: string): AppError =>
  new AppError('invalid_argument', 'MALFORMED_REQUEST', message, { details: { metadata: { header } } });

const printable = /^[ -~]*$/;

function findRoute(path: string, routes: ReadonlyMap<string, Route>): Route {
  const route = routes.get(path);
  if (route !== undefined) return route;
  throw new HeadFault(new AppError('unimplemented', 'UNIMPLEMENTED', 'the server has no such service or method'));
}

/** What may be there once. Node keeps the first of some and joins others, so two sides may see different calls. */
const singular = new Set([
  ...['host', 'authorization', 'content-type', 'content-encoding', 'expect', 'connect-protocol-version'],
  ...['connect-content-encoding', 'grpc-encoding', 'connect-timeout-ms', 'grpc-timeout'],
]);

function checkHeaders({ headers, rawHeaders, httpVersion }: HttpRequest): void {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (seen.has(name)) throw new HeadFault(malformed(name, `${name} is there twice`));
    if (singular.has(name)) seen.add(name);
  }
  if (httpVersion === '1.1' && headers.host === undefined) throw new HeadFault(malformed('host', 'there is no host'));
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    throw new HeadFault(malformed('expect', 'the only expectation that is known is 100-continue'), 417);
}

function checkVerb({ method }: HttpRequest, { isRead, responseStream }: Route): void {
  const allowed = isRead && !responseStream ? ['POST', 'GET', 'HEAD'] : ['POST'];
  if (allowed.includes(method ?? '')) return;
  const error = malformed(':method', `this method is called by ${allowed.join(' or ')}`);
  throw new HeadFault(error, 405, { allow: allowed.join(', ') });
}

const typesOf = ({ responseStream }: Route): string[] => [
  ...(responseStream
    ? ['application/connect+json', 'application/connect+proto']
    : ['application/json', 'application/proto']),
  'application/grpc-web+proto',
  'application/grpc-web+json',
];

function readDialect(request: HttpRequest, route: Route): Dialect {
  const dialect = findDialect(request.headers['content-type'] ?? '');
  const wanted = route.responseStream ? 'connect-stream' : 'connect';
  if (dialect !== undefined && ['grpc-web', wanted].includes(dialect.name)) return dialect;
  throw new HeadFault(malformed('content-type', `content-type must be one of ${typesOf(route).join(', ')}`), 415);
}

const parsers: Record<Dialect['timeoutKey'], { parse: (text: string) => number | undefined; rule: string }> = {
  'connect-timeout-ms': {
    parse: (text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined),
    rule: 'one to ten digits',
  },
  'grpc-timeout': { parse: parseTimeout, rule: 'one to eight digits and a unit: H, M, S, m, u or n' },
};

function readTimeout({ headers }: HttpRequest, { timeoutKey }: Dialect): number | undefined {
  const text = textHeader(headers[timeoutKey]);
  if (text === undefined) return undefined;
  const { parse, rule } = parsers[timeoutKey];
  const timeoutMs = parse(text);
  if (timeoutMs === undefined) throw new HeadFault(malformed(timeoutKey, `${timeoutKey} must be ${rule}`));
  return timeoutMs;
}

/** As everywhere in HTTP, capitals do not matter. */
function checkEncoding(text: string): string {
  const encoding = text.toLowerCase();
  if (encodings.some((known) => known === encoding)) return encoding;
  const known = encodings.join(', ');
  const error = new AppError('unimplemented', 'UNIMPLEMENTED', `requests may be compressed by ${known}`, {
    details: { metadata: { encodings: known } },
  });
  throw new HeadFault(error, undefined, { 'accept-encoding': 'gzip' });
}

function checkVersion(name: string, version: string | null | undefined, expected: string): void {
  if (version === null || version === undefined || version === expected) return;
  throw new HeadFault(malformed(name, `${name} must be ${expected}`));
}

/** Throws HeadFault for what metadata cannot have. */
export function readAuthorization({ headers }: HttpRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined || printable.test(authorization)) return authorization;
  throw new HeadFault(malformed('authorization', 'the value of a header is not printable ASCII'));
}

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function readQueryMessage(query: URLSearchParams): Buffer {
  const message = query.get('message');
  if (message === null) throw new HeadFault(malformed('message', 'the query has no message'));
  if (query.get('base64') !== '1') return Buffer.from(message);
  if (!base64.test(message)) throw new HeadFault(malformed('message', 'the message is not base64'));
  return Buffer.from(message, 'base64');
}

function checkQuery(query: URLSearchParams): void {
  for (const name of ['connect', 'encoding', 'compression', 'base64', 'message'])
    if (query.getAll(name).length > 1) throw new HeadFault(malformed(name, `the query has ${name} twice`));
}

/** What POST says in headers, GET says in the query. */
function readQuery(query: URLSearchParams): Pick<CallHead, 'dialect' | 'encoding' | 'queryMessage'> {
  checkQuery(query);
  checkVersion('connect', query.get('connect'), 'v1');
  const format = query.get('encoding');
  if (format !== 'json' && format !== 'proto')
    throw new HeadFault(malformed('encoding', 'encoding must be json or proto'), 415);
  return {
    dialect: unaryDialect(format === 'proto'),
    encoding: checkEncoding(query.get('compression') ?? 'identity'),
    queryMessage: readQueryMessage(query),
  };
}

function readHeaders(request: HttpRequest, route: Route): Pick<CallHead, 'dialect' | 'encoding' | 'queryMessage'> {
  const dialect = readDialect(request, route);
  checkVersion('connect-protocol-version', textHeader(request.headers['connect-protocol-version']), '1');
  const encoding = checkEncoding(textHeader(request.headers[dialect.encodingKey]) ?? 'identity');
  return { dialect, encoding, queryMessage: undefined };
}

/** Throws HeadFault. */
export function readHead(request: HttpRequest, routes: ReadonlyMap<string, Route>): CallHead {
  const sizeFault = findSizeFault(request);
  if (sizeFault !== undefined) throw new HeadFault(sizeFault.error, sizeFault.httpStatus);
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
  checkHeaders(request);
  const route = findRoute(path, routes);
  checkVerb(request, route);
  const format = request.method === 'POST' ? readHeaders(request, route) : readQuery(new URLSearchParams(query));
  return {
    route,
    ...format,
    timeoutMs: readTimeout(request, format.dialect),
    authorization: readAuthorization(request),
  };
}
