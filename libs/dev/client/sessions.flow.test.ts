import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryTokenStore, webTokenStore, type Account, type TokenStore } from '#client/index';
import { fileTokenStore } from '#client/node';
import { startTcpProxy, waitUntil } from '#dev/cluster';
import { outcomeOf, startClientCluster, type ClientCluster } from './test-client.ts';

let service: ClientCluster;
let account: Account;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-client-'));
  service = await startClientCluster();
  account = await service.register();
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A signed-in store whose access token is due for renewal. */
async function storeToRenew(): Promise<TokenStore> {
  const store = memoryTokenStore();
  await service.open({ store }).session.login(account);
  await change(store, { accessTokenRenewMs: 0 });
  return store;
}

async function change(
  store: TokenStore,
  changes: { accessTokenRenewMs?: number; accessToken?: string },
): Promise<void> {
  const tokens = await store.read();
  if (tokens === undefined) throw new Error('nobody is signed in');
  await store.write({ ...tokens, ...changes });
}

const refreshes = (): number => service.answered('auth', 'RefreshSession');

describe('a session', () => {
  it('renews its token once for all calls that wait for it', async () => {
    const store = await storeToRenew();
    const { tasks } = service.open({ store });
    const before = refreshes();
    await Promise.all(Array.from({ length: 20 }, () => tasks.getTaskStats({})));
    await waitUntil(() => refreshes() > before);
    expect(refreshes() - before).toBe(1);
    expect((await store.read())?.accessTokenRenewMs).toBeGreaterThan(Date.now());
  });

  it('renews a token that is refused before its end, once', async () => {
    const store = await storeToRenew();
    await change(store, { accessToken: 'eyJhbGciOiJFZERTQSJ9.e30.AAAA', accessTokenRenewMs: Date.now() + 100_000 });
    const { tasks } = service.open({ store });
    const before = refreshes();
    await Promise.all(Array.from({ length: 20 }, () => tasks.getTaskStats({})));
    await waitUntil(() => refreshes() > before);
    expect(refreshes() - before).toBe(1);
  });

  it('goes on when the answer of a renewal is lost', async () => {
    const store = await storeToRenew();
    const proxy = await startTcpProxy(service.addresses.auth);
    try {
      const { tasks, auth } = service.open({ store }, { addresses: { auth: `http://${proxy.address}` } });
      await auth.getJwks({});
      const before = refreshes();
      proxy.mute();
      const call = outcomeOf(tasks.getTaskStats({}));
      await waitUntil(() => refreshes() > before);
      await proxy.restore();
      expect(await call).toBe('OK');
      expect(await outcomeOf(service.open({ store }).tasks.getTaskStats({}))).toBe('OK');
    } finally {
      await proxy.close();
    }
  });

  it('uses a token that is still good while auth is away', async () => {
    const store = await storeToRenew();
    const { tasks } = service.open({ store }, { addresses: { auth: 'http://127.0.0.1:1' } });
    expect(await outcomeOf(tasks.getTaskStats({}))).toBe('OK');
  });

  it('ends here when it has ended there, and signs in again when it may', async () => {
    const store = await storeToRenew();
    const { refreshToken = '' } = (await store.read()) ?? {};
    await service.open().auth.logout({ refreshToken });
    const ended = service.open({ store });
    expect(await outcomeOf(ended.tasks.getTaskStats({}))).toBe('UNAUTHENTICATED/REFRESH_TOKEN_INVALID');
    expect(await store.read()).toBeUndefined();
    expect(await ended.session.isSignedIn()).toBe(false);
    expect(await outcomeOf(service.open({ store, account }).tasks.getTaskStats({}))).toBe('OK');
  });

  it('signs out here and there', async () => {
    const store = await storeToRenew();
    const tokens = await store.read();
    const taskflow = service.open({ store });
    await taskflow.session.logout();
    expect(await store.read()).toBeUndefined();
    expect(await outcomeOf(taskflow.tasks.getTaskStats({}))).toBe('UNAUTHENTICATED/CREDENTIALS_MISSING');
    const refresh = taskflow.auth.refreshSession({ refreshToken: tokens?.refreshToken ?? '' });
    expect(await outcomeOf(refresh)).toBe('UNAUTHENTICATED/REFRESH_TOKEN_INVALID');
  });

  it('is shared by programs with one file that only its owner reads', async () => {
    const file = join(folder, 'deep', 'session.json');
    const first = service.open({ store: fileTokenStore(file) });
    await first.session.login(account);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = service.open({ store: fileTokenStore(file) });
    for (let round = 0; round < 3; round += 1) {
      for (const taskflow of [first, second]) {
        await change(fileTokenStore(file), { accessTokenRenewMs: 0 });
        await taskflow.session.renew((await taskflow.session.token()) ?? '');
        expect(await outcomeOf(taskflow.tasks.getTaskStats({}))).toBe('OK');
      }
    }
    const before = refreshes();
    await change(fileTokenStore(file), { accessTokenRenewMs: 0 });
    const many = Array.from({ length: 5 }, () => service.open({ store: fileTokenStore(file) }));
    const outcomes = await Promise.all(many.map(({ tasks }) => outcomeOf(tasks.getTaskStats({}))));
    expect(new Set(outcomes)).toEqual(new Set(['OK']));
    expect(refreshes()).toBeGreaterThan(before);
  });

  it('takes a broken file for none', async () => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, '{"accessToken": "x"');
    expect(await fileTokenStore(file).read()).toBeUndefined();
    expect(await outcomeOf(service.open({ store: fileTokenStore(file), account }).tasks.getTaskStats({}))).toBe('OK');
  });

  it('lives in Web Storage', async () => {
    const entries = new Map<string, string>();
    const store = webTokenStore({
      getItem: (key) => entries.get(key) ?? null,
      setItem: (key, value) => void entries.set(key, value),
      removeItem: (key) => void entries.delete(key),
    });
    await service.open({ store }).session.login(account);
    expect(await outcomeOf(service.open({ store }).tasks.getTaskStats({}))).toBe('OK');
  });
});
