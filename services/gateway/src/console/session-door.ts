import { fromBinary, toBinary, type DescMethod } from '@bufbuild/protobuf';
import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { AppError, kindOfCode } from '#libs/errors';
import type { CallFailure } from '#libs/grpc';
import type { HttpRequest } from '../http/answer.ts';
import { HeadFault, type CallHead } from '../http/call-head.ts';
import { createCors } from '../http/cors.ts';
import {
  handleCall,
  pathOf,
  type Adapter,
  type Door,
  type Exchange,
  type HandlerOptions,
} from '../http/handle-call.ts';
import type { Route } from '../routes.ts';
import { assertOwnOrigin, expiredCookie, isSecure, readCookie, writeCookie } from './session-cookie.ts';

/** Before the paths of the methods that begin, renew and end a session. The cookie is sent nowhere else. */
export const sessionPath = '/session';

/** Of messages of auth, as far as the door looks into them. */
interface Tokens {
  refreshToken: string;
  refreshTokenExpireTime?: Timestamp;
}
interface Opened {
  tokens?: Tokens;
  refreshToken?: string;
}

const takesToken = ({ input }: DescMethod): boolean => 'refreshToken' in input.field;

const givesToken = ({ output }: DescMethod): boolean =>
  output.field['tokens']?.message?.typeName === 'taskflow.auth.v1.TokenPair';

/** The methods of the contract that take or give a refresh token, at the door's paths. */
function listSessionRoutes(routes: ReadonlyMap<string, Route>): ReadonlyMap<string, Route> {
  const found = [...routes].filter(([, { method }]) => takesToken(method) || givesToken(method));
  return new Map(found.map(([path, route]) => [`${sessionPath}${path}`, route]));
}

const missing = (): HeadFault =>
  new HeadFault(new AppError('unauthenticated', 'CREDENTIALS_MISSING', 'no session is kept by this browser'));

function decode(schema: DescMethod['input'], message: Buffer): Opened {
  try {
    return fromBinary(schema, message) as Opened;
  } catch (error) {
    throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is no valid protobuf', { cause: error });
  }
}

const encode = (schema: DescMethod['input'], opened: Opened): Buffer =>
  Buffer.from(toBinary(schema, opened as Parameters<typeof toBinary>[1]));

/** The session has ended, as far as auth knows. An outage ends none. */
const isOver = (failure: CallFailure | undefined): boolean =>
  failure !== undefined && kindOfCode(failure.status.code) === 'unauthenticated';

/**
 * Keeps the refresh token from the page: takes it out of the answer into a cookie that no script can read, and puts it
 * back into the request.
 */
function adapt({ request }: Exchange, { route: { method } }: CallHead): Adapter {
  const secure = isSecure(request);
  const kept = takesToken(method) ? readCookie(request) : undefined;
  if (takesToken(method) && kept === undefined) throw missing();
  let cookie: string | undefined;
  return {
    request: (message) => {
      if (kept === undefined) return message;
      return encode(method.input, Object.assign(decode(method.input, message), { refreshToken: kept }));
    },
    answer: (message) => {
      if (!givesToken(method)) {
        cookie = expiredCookie(secure);
        return message;
      }
      const answer = decode(method.output, message);
      if (answer.tokens === undefined) return message;
      const { refreshToken, refreshTokenExpireTime } = answer.tokens;
      const ends = refreshTokenExpireTime === undefined ? Date.now() : timestampMs(refreshTokenExpireTime);
      cookie = writeCookie(refreshToken, { ttlMs: ends - Date.now(), secure });
      answer.tokens.refreshToken = '';
      return encode(method.output, answer);
    },
    headers: (failure): Record<string, string> => {
      if (failure !== undefined) cookie = kept !== undefined && isOver(failure) ? expiredCookie(secure) : undefined;
      return cookie === undefined ? {} : { 'set-cookie': cookie };
    },
  };
}

/**
 * The door for pages of the gateway's own origin, which keep no refresh token. Everything else about these calls is as
 * at the methods' own paths. Nothing is kept here between two requests, so every replica can answer each.
 */
export function openSessionDoor(options: HandlerOptions): Door {
  const own: HandlerOptions = {
    ...options,
    routes: listSessionRoutes(options.routes),
    // Pages of other sites have no business here, whatever sites may call methods.
    cors: createCors([]),
    adapt: (exchange, head) => {
      assertOwnOrigin(exchange.request);
      return adapt(exchange, head);
    },
  };
  return {
    isFor: (request: HttpRequest) => pathOf(request).startsWith(`${sessionPath}/`),
    handle: (request, response) => handleCall(request, response, own),
  };
}
