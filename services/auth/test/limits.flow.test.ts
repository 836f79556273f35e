import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { registration } from './factories.ts';
import { flood, from, newPeer, slowMachineLimits, startLimitedAuth } from './start-limited.ts';

// Windows so long that none ends in the middle of a test.
const overrides = {
  'taskflow.auth.v1.AuthService/RefreshSession': { requests: 30, perSeconds: 3600 },
  'taskflow.auth.v1.AuthService/ListSessions': { requests: 10, perSeconds: 3600 },
  'taskflow.auth.v1.AuthService/Logout': 'unlimited',
};

const service = await startLimitedAuth({ ...slowMachineLimits, TASKFLOW_RATE_LIMITS: JSON.stringify(overrides) });
afterAll(service.stop);

const refreshFrom = (peer: string) => (index: number) =>
  service.auth(index).refreshSession({ refreshToken: 'unknown' }, from(peer));

async function signUp(): Promise<{ id: string; caller: { token: string } }> {
  const { account, tokens } = await service.auth(0).register(registration(), from(newPeer()));
  return { id: account?.id ?? '', caller: { token: tokens?.accessToken ?? '' } };
}

const listSessions = (caller: { token: string }) => (index: number) => service.auth(index).listSessions({}, caller);

describe('rate limits, with two replicas of auth', () => {
  it('D19, F12: a peer gets exactly what is allowed, from both replicas together, and then a time to retry', async () => {
    const peer = newPeer();
    const { reasons, errors } = await flood(80, refreshFrom(peer));
    expect(reasons).toEqual({ REFRESH_TOKEN_INVALID: 30, RATE_LIMITED: 50 });
    for (const { kind, requestId: callId, details } of errors.filter(({ reason }) => reason === 'RATE_LIMITED')) {
      expect({ kind, quota: details.quota }).toEqual({
        kind: 'resource_exhausted',
        quota: [
          { subject: `peer:${peer}`, description: '30 per 3600 s for taskflow.auth.v1.AuthService/RefreshSession' },
        ],
      });
      expect(callId).toEqual(expect.any(String));
      expect(details.retryAfterMs).toBeGreaterThan(3_000_000);
      expect(details.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    }
    expect((await flood(5, refreshFrom(newPeer()))).reasons).toEqual({ REFRESH_TOKEN_INVALID: 5 });
  });

  it('D19: the limits of the contract hold unless the operator overrides them', async () => {
    const peer = newPeer();
    // An unreadable request counts, too: the limit is checked before the request is parsed.
    const { reasons } = await flood(30, (index) => service.auth(index).register({}, from(peer)));
    expect(reasons).toEqual({ INVALID_FIELD: 20, RATE_LIMITED: 10 });
    expect(
      (await flood(150, (index) => service.auth(index).logout({ refreshToken: 'x' }, from(peer)))).reasons,
    ).toEqual({ OK: 150 });
  });

  it('F12: each user has a limit of their own, from any address', async () => {
    const [ada, grace] = [await signUp(), await signUp()];
    const { reasons, errors } = await flood(25, (index) =>
      service.auth(index).listSessions({}, { ...ada.caller, ...from(newPeer()) }),
    );
    expect(reasons).toEqual({ OK: 10, RATE_LIMITED: 15 });
    for (const { details } of errors) expect(details.quota?.[0]?.subject).toBe(`user:${ada.id}`);
    expect((await flood(10, listSessions(grace.caller))).reasons).toEqual({ OK: 10 });
  });

  it('F12: an IPv6 peer counts by its /64, and a forged forwarding header changes nothing', async () => {
    const network = `2001:db8:${(process.pid % 65_535).toString(16)}:1`;
    const inOneNetwork = (index: number) => refreshFrom(`${network}:${index.toString(16)}::7`)(index);
    expect((await flood(40, inOneNetwork)).reasons).toEqual({ REFRESH_TOKEN_INVALID: 30, RATE_LIMITED: 10 });
    const peer = newPeer();
    const pretending = (index: number) => refreshFrom(`${newPeer()}, ${peer}`)(index);
    expect((await flood(40, pretending)).reasons).toEqual({ REFRESH_TOKEN_INVALID: 30, RATE_LIMITED: 10 });
  });

  it('D20: counts in the configured Redis, under the configured prefix', async () => {
    const peer = newPeer();
    await flood(1, refreshFrom(peer));
    expect(await service.countedKeys()).toContain(`rate:taskflow.auth.v1.AuthService/RefreshSession:peer:${peer}`);
  });

  it('counts and logs refused calls like all others', async () => {
    const text = await (await fetch(`${service.cluster.httpAddress('auth')}/metrics`)).text();
    expect(text).toMatch(
      /grpc_server_handled_total\{method="\/taskflow.auth.v1.AuthService\/RefreshSession",code="RESOURCE_EXHAUSTED",reason="RATE_LIMITED",service="auth"\} [1-9]/,
    );
    expect(text).toMatch(
      /taskflow_limits_refused_total\{method="\/taskflow.auth.v1.AuthService\/RefreshSession",service="auth"\} [1-9]/,
    );
    // A line waits a moment before it is written.
    await waitUntil(async () => service.cluster.logs('auth').includes('"reason":"RATE_LIMITED"'));
  });
});
