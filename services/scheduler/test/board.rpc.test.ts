import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl, waitUntil } from '#dev/cluster';
import { readConfig } from '../src/config.ts';
import { schedulerJobs } from '../src/jobs/jobs.ts';
import { environment } from './environment.ts';
import { startScheduler } from './start-scheduler.ts';

const prefix = `test-${randomUUID()}`;
const redis = await startTcpProxy(testRedisUrl());
const service = await startScheduler({ board: true, queuePrefix: prefix, redisUrl: redis.url });
const [admin, user] = await Promise.all([service.tokenFor(randomUUID(), 'admin'), service.tokenFor(randomUUID())]);
afterAll(async () => {
  await service.stop();
  await redis.close();
});

const ask = (path: string, token?: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${service.app.httpPort}${path}`, {
    redirect: 'manual',
    ...init,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(init.headers as Record<string, string> | undefined),
    },
  });
const reasonOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as { error: string }).error,
];
const signIn = (token: string) =>
  ask('/board/sign-in', undefined, { method: 'POST', body: new URLSearchParams({ token }) });
const asBrowser = { headers: { accept: 'text/html' } };

/** Once the board's own connection to Redis stands. */
const reached = async (path = '/board/api/queues'): Promise<Response> =>
  waitUntil(() => ask(path, admin), { status: 200 });

interface QueueLine {
  name: string;
  readOnlyMode: boolean;
  counts: Record<string, number>;
}

describe('the board', () => {
  it('shows nothing to a caller without a token, not even its scripts', async () => {
    for (const path of [
      '/board',
      '/board/',
      '/board/api/queues',
      '/board/static/favicon.ico',
      '/board/queue/webhooks',
    ]) {
      expect(await reasonOf(await ask(path))).toEqual([401, 'CREDENTIALS_MISSING']);
    }
  });

  it('refuses tokens that are wrong or have expired, with one answer', async () => {
    const expired = await service.tokenFor(randomUUID(), 'admin', { expiresIn: '-1m' });
    const otherKind = await service.tokenFor(randomUUID(), 'admin', { typ: 'service+jwt' });
    for (const token of ['nonsense', expired, otherKind])
      expect(await reasonOf(await ask('/board/api/queues', token))).toEqual([401, 'TOKEN_INVALID']);
    expect((await ask('/board', 'nonsense')).headers.get('www-authenticate')).toBe('Bearer');
  });

  it('is for administrators', async () => {
    expect(await reasonOf(await ask('/board', user))).toEqual([403, 'ADMIN_REQUIRED']);
    expect(await reasonOf(await signIn(user))).toEqual([403, 'ADMIN_REQUIRED']);
  });

  it('lists every queue of the scheduler with its jobs, for looking only', async () => {
    const { queues } = (await (await reached()).json()) as { queues: QueueLine[] };
    expect(queues.map(({ name, readOnlyMode }) => [name, readOnlyMode]).sort()).toEqual(
      [...new Set(schedulerJobs.map(({ queue }) => queue))].sort().map((name) => [name, true]),
    );
  });

  it('is a page whose parts all come from here', async () => {
    await reached();
    const page = await ask('/board', admin, asBrowser);
    const text = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(text).toContain('<base href="/board/" />');
    const [script = ''] = /static\/js\/main[^"]+/.exec(text) ?? [];
    const answer = await ask(`/board/${script}`, admin);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  });

  it('may not be kept, framed or fed from elsewhere, refused or not', async () => {
    for (const token of [admin, user, undefined]) {
      const { headers } = await ask('/board', token);
      expect([
        headers.get('cache-control'),
        headers.get('x-frame-options'),
        headers.get('x-content-type-options'),
      ]).toEqual(['no-store', 'DENY', 'nosniff']);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('serves no file beside its own', async () => {
    await reached();
    for (const path of [
      '/board/static/..%2f..%2fpackage.json',
      '/board/static/%2e%2e/index.ejs',
      '/boards',
      '/board/nothing',
    ]) {
      expect((await ask(path, admin)).status).toBe(404);
    }
  });
});

describe('signing in', () => {
  it('gives a cookie for which a browser sees the board, and which scripts and other sites cannot use', async () => {
    await reached();
    const answer = await signIn(admin);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/board']);
    const [cookie = '', ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ');
    expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/board', 'SameSite=Strict']);
    expect((await ask('/board', undefined, { headers: { cookie } })).status).toBe(200);
    expect((await ask('/board', 'nonsense', { headers: { cookie } })).status).toBe(401);
  });

  it('is offered to a browser without a valid token', async () => {
    for (const cookie of ['', 'taskflow_board=nonsense']) {
      const page = await ask('/board', undefined, { headers: { ...asBrowser.headers, cookie } });
      expect(page.status).toBe(401);
      expect(await page.text()).toContain('<form method="post" action="/board/sign-in">');
    }
  });

  it('gives no cookie for an invalid token, and refuses an endless one', async () => {
    const answer = await signIn('nonsense');
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    expect((await signIn('x'.repeat(20_000))).status).toBe(413);
  });

  it('is logged without the token', async () => {
    await signIn(admin);
    expect(service.logLines.some((line) => line.includes('"audit":"board_signed_in"'))).toBe(true);
    expect(service.logLines.filter((line) => line.includes(admin))).toEqual([]);
  });
});

describe('signing out', () => {
  const cookieOf = async () => ((await signIn(admin)).headers.get('set-cookie') ?? '').split('; ')[0] ?? '';
  const signOut = (cookie?: string) =>
    ask('/board/sign-out', undefined, { method: 'POST', headers: cookie === undefined ? {} : { cookie } });

  it('takes the cookie back from the browser, which then finds the sign-in form', async () => {
    await reached();
    const answer = await signOut(await cookieOf());
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/board']);
    expect((answer.headers.get('set-cookie') ?? '').split('; ').sort()).toEqual([
      'HttpOnly',
      'Max-Age=0',
      'Path=/board',
      'SameSite=Strict',
      'taskflow_board=',
    ]);
  });

  it('is reached from the menu of the board by a page with a button, since a link must change nothing', async () => {
    await reached();
    expect(await (await ask('/board', admin, asBrowser)).text()).toContain('/board/sign-out');
    const page = await ask('/board/sign-out', undefined, { headers: { cookie: await cookieOf() } });
    expect([page.status, page.headers.get('set-cookie')]).toEqual([200, null]);
    expect(await page.text()).toContain('<form method="post" action="/board/sign-out">');
  });

  it('works also with a token that no longer holds, and ignores requests without the cookie, such as those of other sites', async () => {
    expect((await signOut('taskflow_board=nonsense')).headers.get('set-cookie')).toContain('Max-Age=0');
    const foreign = await signOut();
    expect([foreign.status, foreign.headers.get('set-cookie')]).toEqual([303, null]);
  });

  it('is logged with who it was', async () => {
    await signOut(await cookieOf());
    expect(
      service.logLines.some((line) => line.includes('"audit":"board_signed_out"') && /"by":"[0-9a-f-]{36}"/.test(line)),
    ).toBe(true);
  });
});

it('changes nothing: not a queue, not a job', async () => {
  const changes = [
    ['PUT', '/board/api/queues/schedules/pause'],
    ['PUT', '/board/api/queues/pause'],
    ['PUT', '/board/api/queues/schedules/obliterate'],
    ['POST', '/board/api/queues/schedules/add'],
    ['PATCH', '/board/api/queues/schedules/job-schedulers/any'],
    ['DELETE', '/board'],
  ];
  for (const [method = '', path = ''] of changes) {
    expect(await reasonOf(await ask(path, admin, { method }))).toEqual([405, 'READ_ONLY']);
    expect(await reasonOf(await ask(path, undefined, { method }))).toEqual([401, 'CREDENTIALS_MISSING']);
  }
  const { queues } = (await (await reached()).json()) as { queues: { isPaused: boolean }[] };
  expect(queues.map(({ isPaused }) => isPaused)).toEqual([false, false, false, false]);
});

describe('while Redis is away', () => {
  it('the board says so at once, and comes back with it', async () => {
    await reached();
    await redis.cut();
    const answer = await waitUntil(
      () => ask('/board/api/queues', admin),
      ({ status }) => status !== 200,
    );
    expect([...(await reasonOf(answer)), answer.headers.get('retry-after')]).toEqual([503, 'QUEUE_UNAVAILABLE', '1']);
    expect(await reasonOf(await ask('/board'))).toEqual([401, 'CREDENTIALS_MISSING']);
    await redis.restore();
    await reached();
  });

  it('a Redis that is silent keeps neither the page nor the end of the service waiting', async () => {
    const own = await startTcpProxy(testRedisUrl());
    const other = await startScheduler({ board: true, redisUrl: own.url });
    const token = await other.tokenFor(randomUUID(), 'admin');
    const look = () =>
      fetch(`http://127.0.0.1:${other.app.httpPort}/board/api/queues`, {
        headers: { authorization: `Bearer ${token}` },
      });
    await waitUntil(look, ({ status }) => status === 200);
    own.freeze();
    expect(await reasonOf(await look())).toEqual([503, 'QUEUE_UNAVAILABLE']);
    const asked = look().catch(() => undefined);
    await other.stop();
    await asked;
    await own.close();
  });
});

it('is not there in production unless it is asked for', async () => {
  const plain = await startScheduler({ board: readConfig({ ...environment(), TASKFLOW_ENV: 'production' }).board });
  const statuses = await Promise.all(
    ['/board', '/board/api/queues', '/board/sign-in'].map(
      async (path) => (await fetch(`http://127.0.0.1:${plain.app.httpPort}${path}`)).status,
    ),
  );
  await plain.stop();
  expect(statuses).toEqual([404, 404, 404]);
});
