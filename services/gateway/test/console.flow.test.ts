import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { brotliDecompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { outcomeOf, useGateway, users, type JsonAnswer } from './start-gateway.ts';

const gateway = useGateway({
  services: ['auth', 'users', 'gateway'],
  serviceEnv: { gateway: { TASKFLOW_GATEWAY_CORS_ORIGINS: '*' } },
});
const auth = '/taskflow.auth.v1.AuthService';
const account = { email: 'ada@example.com', password: 'a long passphrase' };

/** Calls as a page of the gateway's own origin does; `headers` replace what its browser says. */
function call(method: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<JsonAnswer> {
  return gateway.post(`/session${auth}/${method}`, body, { origin: gateway.url, ...headers });
}

const cookieOf = ({ headers }: JsonAnswer): string => headers.get('set-cookie') ?? '';
/** What a browser sends back. */
const pairOf = (answer: JsonAnswer): string => cookieOf(answer).split(';')[0] ?? '';
const tokensOf = ({ json }: JsonAnswer) => json['tokens'] as Record<string, string>;

async function login(): Promise<{ answer: JsonAnswer; cookie: string }> {
  const answer = await call('Login', account);
  return { answer, cookie: pairOf(answer) };
}

beforeAll(async () => {
  await gateway.post(`${auth}/Register`, { ...account, displayName: 'Ada' });
}, 60_000);

describe('a session of a page', () => {
  it('is kept in a cookie that no script can read, and the answer has no refresh token', async () => {
    const { answer } = await login();
    expect(outcomeOf(answer)).toBe('OK');
    expect(Object.keys(tokensOf(answer)).toSorted()).toEqual([
      'accessToken',
      'accessTokenExpireTime',
      'refreshTokenExpireTime',
    ]);
    expect(cookieOf(answer)).toMatch(
      /^taskflow_session=[\x21-\x7e]+; Max-Age=\d+; Path=\/session; HttpOnly; SameSite=Strict$/,
    );
    const body = JSON.stringify(answer.json);
    expect(body).not.toContain(pairOf(answer).split('=')[1]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('begins with a registration as well', async () => {
    const answer = await call('Register', { ...account, email: 'grace@example.com', displayName: 'Grace' });
    expect([outcomeOf(answer), tokensOf(answer)['refreshToken']]).toEqual(['OK', undefined]);
    expect(cookieOf(answer)).toContain('HttpOnly');
  });

  it('is renewed by the cookie alone, which changes each time', async () => {
    const { cookie } = await login();
    const renewed = await call('RefreshSession', {}, { cookie });
    expect([outcomeOf(renewed), tokensOf(renewed)['refreshToken']]).toEqual(['OK', undefined]);
    expect(pairOf(renewed)).toMatch(/^taskflow_session=./);
    expect(pairOf(renewed)).not.toBe(cookie);
    const { accessToken = '' } = tokensOf(renewed);
    const me = await gateway.post(`${users}/GetMe`, {}, { authorization: `Bearer ${accessToken}` });
    expect(me.status).toBe(200);
  });

  it('ends with the sign-out, which takes the cookie away', async () => {
    const { cookie } = await login();
    const out = await call('Logout', {}, { cookie });
    expect([outcomeOf(out), cookieOf(out)]).toEqual([
      'OK',
      'taskflow_session=; Max-Age=0; Path=/session; HttpOnly; SameSite=Strict',
    ]);
    const again = await call('RefreshSession', {}, { cookie });
    expect(outcomeOf(again)).toBe('unauthenticated/REFRESH_TOKEN_INVALID');
    // What is over is forgotten.
    expect(cookieOf(again)).toContain('Max-Age=0');
  });

  it('is not there without a cookie', async () => {
    expect(outcomeOf(await call('RefreshSession'))).toBe('unauthenticated/CREDENTIALS_MISSING');
    expect(outcomeOf(await call('RefreshSession', { refreshToken: 'x'.repeat(40) }))).toBe(
      'unauthenticated/CREDENTIALS_MISSING',
    );
  });

  it('has a cookie for HTTPS alone, where the page came by HTTPS', async () => {
    const answer = await call('Login', account, { origin: gateway.url.replace('http:', 'https:') });
    expect(cookieOf(answer)).toMatch(/^__Secure-taskflow_session=.*; SameSite=Strict; Secure$/);
  });

  it('is kept by HTTP/2 and binary messages too', async () => {
    const session = connectHttp2(gateway.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': `/session${auth}/Login`,
      'content-type': 'application/proto',
      origin: gateway.url,
    });
    const fields = [account.email, account.password].map((text, index) => [
      Buffer.from([(index + 1) * 8 + 2, text.length]),
      Buffer.from(text),
    ]);
    stream.end(Buffer.concat(fields.flat()));
    let heard: Record<string, unknown> = {};
    stream.on('response', (headers) => (heard = headers));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    session.close();
    const [cookie = ''] = heard['set-cookie'] as string[];
    const token = /=([^;]+)/.exec(cookie)?.[1] ?? 'none';
    expect([heard[':status'], cookie.includes('HttpOnly')]).toEqual([200, true]);
    expect(Buffer.concat(parts).includes(token)).toBe(false);
  });
});

describe('the door of sessions refuses', () => {
  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port of the same machine', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a neighbouring subdomain, as the browser says', { 'sec-fetch-site': 'same-site' }],
  ])('%s, even with the cookie', async (_who, headers) => {
    const { cookie } = await login();
    const answer = await call('RefreshSession', {}, { cookie, ...headers });
    expect([answer.status, outcomeOf(answer), cookieOf(answer)]).toEqual([
      403,
      'permission_denied/ORIGIN_NOT_ALLOWED',
      '',
    ]);
    // The session was not touched.
    expect(outcomeOf(await call('RefreshSession', {}, { cookie }))).toBe('OK');
  });

  it('what does not say whose page it is', async () => {
    const answer = await gateway.post(`/session${auth}/Login`, account);
    expect([outcomeOf(answer), cookieOf(answer)]).toEqual(['permission_denied/ORIGIN_NOT_ALLOWED', '']);
  });

  it('two cookies of its name', async () => {
    const { cookie } = await login();
    const answer = await call('RefreshSession', {}, { cookie: `${cookie}; taskflow_session=other` });
    expect(outcomeOf(answer)).toBe('invalid_argument/MALFORMED_REQUEST');
  });

  it('forms, links and questions of other sites, although those may call methods', async () => {
    const form = await call('Login', 'email=a', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(form.status).toBe(415);
    const link = await fetch(`${gateway.url}/session${auth}/Logout?encoding=json&message={}`);
    expect(link.status).toBe(405);
    const headers = { origin: 'https://a.example.com', 'access-control-request-method': 'POST' };
    const question = await fetch(`${gateway.url}/session${auth}/Login`, { method: 'OPTIONS', headers });
    expect([question.status, question.headers.get('access-control-allow-origin')]).toEqual([405, null]);
    const allowed = await fetch(`${gateway.url}${auth}/Login`, { method: 'OPTIONS', headers });
    expect(allowed.status).toBe(204);
  });

  it.each(['ChangePassword', 'GetCaller', 'Nothing'])('methods that have no refresh token: %s', async (method) => {
    expect(outcomeOf(await call(method))).toBe('unimplemented/UNIMPLEMENTED');
  });

  it('a wrong password, without a cookie', async () => {
    const answer = await call('Login', { ...account, password: 'another passphrase' });
    expect([outcomeOf(answer), cookieOf(answer)]).toEqual(['unauthenticated/CREDENTIALS_INVALID', '']);
  });
});

describe('the console', () => {
  const page = { accept: 'text/html,application/xhtml+xml' };
  const assetOf = (html: string): string => /src="(\/assets\/[^"]+)"/.exec(html)?.[1] ?? '';

  /** As the bytes come; `fetch` would unpack them. */
  function getRaw(path: string, headers: Record<string, string>): Promise<{ encoding: unknown; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const asked = request(`${gateway.url}${path}`, { headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(parts) }),
        );
      });
      asked.on('error', reject).end();
    });
  }

  it('is the page of the gateway, and loads nothing from elsewhere', async () => {
    const response = await fetch(gateway.url, { headers: page });
    const policy = response.headers.get('content-security-policy') ?? '';
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*src="\/assets\/)|style=|https?:/);
  });

  it.each(['/tasks', '/projects/0198b0f0-0000-7000-8000-000000000001', '/settings/tokens', '/sign-in'])(
    'is at the address of each of its views: %s',
    async (path) => {
      const response = await fetch(`${gateway.url}${path}?a=b`, { headers: page });
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('<div id="root">')]);
    },
  );

  it('has files that are kept for ever, and a page that is asked for each time', async () => {
    const first = await fetch(gateway.url, { headers: page });
    const etag = first.headers.get('etag') ?? '';
    const asset = await fetch(`${gateway.url}${assetOf(await first.text())}`);
    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    const again = await fetch(gateway.url, { headers: { ...page, 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await fetch(gateway.url, { method: 'HEAD', headers: page });
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
  });

  it('is sent packed to whoever can unpack it', async () => {
    const asset = assetOf(await (await fetch(gateway.url, { headers: page })).text());
    const packed = await getRaw(asset, { 'accept-encoding': 'gzip, br' });
    const plain = await getRaw(asset, { 'accept-encoding': 'br;q=0' });
    expect([packed.encoding, plain.encoding]).toEqual(['br', undefined]);
    expect(brotliDecompressSync(packed.body).equals(plain.body)).toBe(true);
  });

  it('leaves to the methods what is theirs, and to nobody what is not there', async () => {
    const statuses = await Promise.all(
      [
        `${users}/GetMe?connect=v1&encoding=json&message={}`,
        '/tasks/taskflow.server.v1.ServerInfoService/Nothing',
        '/assets/gone.js',
        '/assets/..%2f..%2fpackage.json',
        '/.env',
        '/mcp',
      ].map(async (path) => (await fetch(`${gateway.url}${path}`, { headers: page })).status),
    );
    expect(statuses).toEqual([401, 501, 404, 404, 501, 405]);
    const program = await fetch(`${gateway.url}/tasks`);
    expect(program.headers.get('content-type')).toBe('application/json');
  });
});
