import type { Context } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { AppError, type ErrorKind } from '#libs/errors';
import type { Logger } from '#libs/runtime';
import { page } from './pages.ts';

interface Refusal {
  status: 401 | 403 | 413 | 500 | 503;
  reason: string;
  message: string;
}

const statuses: Partial<Record<ErrorKind, Refusal['status']>> = {
  unauthenticated: 401,
  permission_denied: 403,
  unavailable: 503,
};

/** The public part of an error; an unexpected error shows nothing. */
export function toRefusal(error: Error, logger: Logger): Refusal {
  if (error instanceof AppError) {
    const status = statuses[error.kind];
    if (status !== undefined) return { status, reason: error.reason, message: error.message };
  }
  if (error instanceof HTTPException && error.status === 413)
    return { status: 413, reason: 'TOO_LARGE', message: 'this is no token' };
  if (error instanceof HTTPException && error.status === 504)
    return { status: 503, reason: 'QUEUE_UNAVAILABLE', message: 'the job queue does not answer in time' };
  logger.error({ err: error }, 'the board failed');
  return { status: 500, reason: 'INTERNAL', message: 'internal error' };
}

const headersOf: Partial<Record<Refusal['status'], Record<string, string>>> = {
  401: { 'www-authenticate': 'Bearer' },
  503: { 'retry-after': '1' },
};

/** A form may help against these. */
const signInHelps = (status: number): boolean => status === 401 || status === 403;

function toPage({ status, message }: Refusal, signInPath: string) {
  const form = html`<form method="post" action="${signInPath}">
    <label
      >An administrator's access token<input type="password" name="token" autocomplete="off" required autofocus
    /></label>
    <button>Sign in</button>
  </form>`;
  return page(
    html`<p role="alert">${message}</p>
      ${signInHelps(status) ? form : ''}`,
  );
}

/** Answers with a page when the caller accepts HTML, otherwise with JSON. */
export function refuse(context: Context, refusal: Refusal, signInPath: string): Response | Promise<Response> {
  const { status, reason, message } = refusal;
  const headers = headersOf[status];
  if (context.req.header('accept')?.includes('text/html') === true)
    return context.html(toPage(refusal, signInPath), status, headers);
  return context.json({ error: reason, message }, status, headers);
}
