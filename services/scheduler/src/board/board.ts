import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { createBullBoard } from '@bull-board/api';
import { HonoAdapter } from '@bull-board/hono';
import { getRequestListener } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono, type Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { bodyLimit } from 'hono/body-limit';
import { timeout } from 'hono/timeout';
import type { AuditEntry, AuditLog } from '#libs/audit';
import { AppError } from '#libs/errors';
import { createAuthenticator } from '#libs/identity';
import type { Access, ServiceBase } from '#libs/service';
import { openJobBoard, type JobBoard, type JobBoardOptions } from '#libs/jobs';
import type { HttpMounts, UserActor } from '#libs/runtime';
import type { SchedulerConfig } from '../config.ts';
import { admit, credentialsOf, tokenCookie, type Admission } from './admission.ts';
import { signOutPage } from './pages.ts';
import { refuse, toRefusal } from './refusal.ts';
import { strictHeaders } from './strict-headers.ts';

const place = '/board';
const signInPath = `${place}/sign-in`;
const signOutPath = `${place}/sign-out`;
/** The library would find its own pages by `eval`, which a bundle knows nothing of. */
const uiBasePath = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));

/** More than Redis needs for any page, even when each of a page's questions in turn is answered late. */
const pageTimeMs = 5_000;

/** A token and what a form puts around it. */
const signInBytes = 16 * 1024;

/** The dashboard as its library makes it, without any protection. */
function createPages(adapters: Awaited<ReturnType<JobBoard['adapters']>>): Hono {
  const server = new HonoAdapter(serveStatic);
  server.setBasePath(place);
  const uiConfig = { boardTitle: 'TaskFlow', hideDocsLink: true, miscLinks: [{ text: 'Sign out', url: signOutPath }] };
  createBullBoard({ queues: [...adapters], serverAdapter: server, options: { uiBasePath, uiConfig } });
  return new Hono({ strict: false }).route(place, server.registerPlugin());
}

/** A browser takes a cookie for the same one only where these are the same. */
const cookieOptions = (secure: boolean) => ({ path: place, httpOnly: true, sameSite: 'Strict', secure }) as const;

/** Outside of gRPC no running call says who acts. */
const boardEvent = (action: string, { userId }: UserActor): AuditEntry => ({
  action,
  actor: { kind: 'user', id: userId },
});

/** Takes a token from the sign-in form and gives it back as a cookie that no script can read and no other site can send. */
async function signIn(context: Context, { authenticate, audit, secureCookie }: Admission): Promise<Response> {
  const { token } = await context.req.parseBody();
  const user = await admit(authenticate, typeof token === 'string' ? `Bearer ${token}` : undefined);
  await audit.record(boardEvent('board_signed_in', user));
  // As long as the browser runs; the token ends on its own account.
  setCookie(context, tokenCookie, String(token), cookieOptions(secureCookie));
  return context.redirect(place, 303);
}

/** Also of a token that no longer holds. Another site's form comes without the cookie and so changes nothing. */
async function signOut(context: Context, { authenticate, audit, secureCookie }: Admission): Promise<Response> {
  const cookie = getCookie(context, tokenCookie);
  if (cookie === undefined) return context.redirect(place, 303);
  const user = await admit(authenticate, `Bearer ${cookie}`).catch(() => undefined);
  if (user !== undefined) await audit.record(boardEvent('board_signed_out', user));
  deleteCookie(context, tokenCookie, cookieOptions(secureCookie));
  return context.redirect(place, 303);
}

function unanswered(text: string, context: Context, { logger }: Admission): AppError {
  logger.warn({ path: context.req.path, answer: text.slice(0, 500) }, 'the board got no answer from Redis');
  return new AppError('unavailable', 'QUEUE_UNAVAILABLE', 'the job queue is out of reach');
}

function createApp(jobs: JobBoard, admission: Admission): Hono {
  let pages: Hono | undefined;
  const app = new Hono({ strict: false });
  app.use(strictHeaders);
  app.use(timeout(pageTimeMs));
  app.onError((error, context) => refuse(context, toRefusal(error, admission.logger), signInPath));
  app.post(signInPath, bodyLimit({ maxSize: signInBytes }), (context) => signIn(context, admission));
  app.get(signOutPath, (context) => context.html(signOutPage(signOutPath, { back: place })));
  app.post(signOutPath, (context) => signOut(context, admission));
  app.get(`${place}/*`, async (context) => {
    await admit(admission.authenticate, credentialsOf(context));
    const adapters = await jobs.adapters();
    pages ??= createPages(adapters);
    const answer = await pages.fetch(context.req.raw);
    // The library has nothing to ask but Redis, and says of every failure only that there was one.
    if (answer.status >= 500) throw unanswered(await answer.text(), context, admission);
    return answer;
  });
  // The board only looks: this stands before the library's own refusal of each change.
  app.all('*', async (context) => {
    await admit(admission.authenticate, credentialsOf(context));
    return context.json(
      { error: 'READ_ONLY', message: 'the board only looks; use SchedulerService to change something' },
      405,
      { allow: 'GET, HEAD' },
    );
  });
  return app;
}

/** Shows the queues to administrators below /board; it is a part of the service. */
export function openBoard(
  base: ServiceBase<SchedulerConfig>,
  { access, audit, ...options }: JobBoardOptions & { access: Access; audit: AuditLog },
): HttpMounts {
  const { service, servicePublicKeys, env } = base.config;
  const { accessKeys, revocations } = access;
  const jobs = openJobBoard(options);
  base.parts.add({ name: 'board', stop: jobs.close });
  const authenticate = createAuthenticator({ service, accessKeys, servicePublicKeys, revocations, clock: base.clock });
  const app = createApp(jobs, { authenticate, audit, logger: base.logger, secureCookie: env === 'production' });
  return { [place]: getRequestListener(app.fetch, { overrideGlobalObjects: false }) };
}
