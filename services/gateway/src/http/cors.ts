import { cors } from '@connectrpc/connect';

/** Which headers let the pages of an origin call from a browser. */
export interface Cors {
  /** The headers of every answer to the origin. */
  headersFor(origin: string | undefined): Readonly<Record<string, string>>;
  /** The further headers of the answer to a browser that asks first. */
  readonly preflight: Readonly<Record<string, string>>;
  isAllowed(origin: string | undefined): boolean;
}

const ownRequestHeaders = ['authorization', 'x-request-id', 'traceparent'];
const ownAnswerHeaders = ['x-request-id', 'retry-after'];

/** How long a browser may remember the answer, in seconds. Browsers have limits of their own. */
const maxAge = '7200';

/** No origin is allowed unless it is listed. There are no cookies, so credentials need no permission. */
export function createCors(origins: readonly string[]): Cors {
  const isAllowed = (origin: string | undefined): boolean =>
    origin !== undefined && (origins.includes('*') || origins.includes(origin));
  return {
    isAllowed,
    headersFor: (origin = ''): Readonly<Record<string, string>> => {
      if (origins.length === 0) return {};
      if (!isAllowed(origin)) return { vary: 'origin' };
      return {
        vary: 'origin',
        'access-control-allow-origin': origin,
        'access-control-expose-headers': [...cors.exposedHeaders, ...ownAnswerHeaders].join(', '),
      };
    },
    preflight: {
      'access-control-allow-methods': cors.allowedMethods.join(', '),
      'access-control-allow-headers': [...cors.allowedHeaders, ...ownRequestHeaders].join(', '),
      'access-control-max-age': maxAge,
    },
  };
}
