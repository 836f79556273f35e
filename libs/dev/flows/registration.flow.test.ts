import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RegisterResponse } from '#contract/auth/v1/auth';
import type { GetMeResponse } from '#contract/users/v1/users';
import { startTcpProxy, waitUntil, type TcpProxy } from '#dev/cluster';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '#dev/testing';
import { newEmail, newPassword, startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilOutcome, type Answer } from './wire.ts';

// Users stays up, only auth does not reach it: so users can be asked what it knows.
let way: TcpProxy;
let testCluster: TestCluster;
let traces: OtlpReceiver;
beforeAll(async () => {
  traces = await startOtlpReceiver();
  testCluster = await startTestCluster({
    services: ['auth', 'users'],
    route: async (callee, address) => {
      if (callee !== 'users') return address;
      way = await startTcpProxy(address);
      return way.address;
    },
    env: { TASKFLOW_OTLP_ENDPOINT: traces.url, TASKFLOW_TRACE_RATIO: '0' },
  });
});
afterAll(async () => {
  await testCluster?.stop();
  await way?.close();
  await traces?.stop();
});
beforeEach(() => way.cut());

const getMe = ({ token }: Person): Promise<Answer> =>
  testCluster.wire.call('/taskflow.users.v1.UsersService/GetMe', {}, { token });
const profileOf = async (person: Person) => {
  const answer = await untilOutcome(() => getMe(person));
  return (answer.response as GetMeResponse).user;
};
/** How many calls of auth to users have failed. */
const failures = (): number => testCluster.cluster.logs('auth').match(/outbox call failed/g)?.length ?? 0;
const login = ({ email, password }: Person): Promise<Answer> =>
  testCluster.wire.call('/taskflow.auth.v1.AuthService/Login', { email, password });

describe('a registration', () => {
  it('succeeds while users is out of reach, says so of the profile, and brings it by itself later', async () => {
    const person = await testCluster.registerAccount();
    const { outcome, error } = await getMe(person);
    expect(outcome).toBe('UNAVAILABLE/PROFILE_NOT_READY');
    expect(error?.details.retryAfterMs).toBeGreaterThan(0);
    await way.restore();
    expect(await profileOf(person)).toMatchObject({
      id: person.id,
      email: person.email,
      displayName: 'Ada',
      enabled: true,
    });
  });

  it('does not wait for a users that never answers', async () => {
    await way.restore();
    await profileOf(await testCluster.registerAccount());
    way.freeze();
    // Users has been asked, and the question is still open; on a machine that stood still it has been given up by then.
    const register = async (): Promise<Person | undefined> => {
      const before = failures();
      const person = await testCluster.registerAccount();
      return failures() === before ? person : undefined;
    };
    const person = (await waitUntil(register, (answered) => answered !== undefined)) as Person;
    await way.restore();
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('brings the profile also when auth was killed right after the answer, and the account can sign in', async () => {
    const person = await testCluster.registerAccount();
    await testCluster.cluster.kill('auth', 'SIGKILL');
    await way.restore();
    await testCluster.cluster.start('auth');
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('stays one story: the profile that is brought later, by another process, has the id and the trace of the call', async () => {
    const [traceId, requestId] = [randomBytes(16).toString('hex'), randomUUID()];
    const metadata = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, 'x-request-id': requestId };
    const who = { email: newEmail(), password: newPassword() };
    const { response } = await testCluster.wire.call(
      '/taskflow.auth.v1.AuthService/Register',
      { ...who, displayName: 'Ada' },
      { metadata },
    );
    const { account, tokens } = response as RegisterResponse;
    await testCluster.cluster.kill('auth', 'SIGKILL');
    await way.restore();
    await testCluster.cluster.start('auth');
    await profileOf({ ...who, id: account?.id ?? '', token: tokens?.accessToken ?? '', refreshToken: '' });
    const spans = () => traces.spans.filter((span) => span.traceId === traceId);
    const find = (fits: (span: ReceivedSpan) => boolean) =>
      waitUntil(
        async () => spans().find(fits),
        (span) => span !== undefined,
      );
    const taken = await find(
      ({ name, service }) => service === 'users' && name === 'taskflow.users.v1.InternalUsersService/UpsertProfile',
    );
    const sent = await find(({ spanId }) => spanId === taken?.parentId);
    expect(sent).toMatchObject({ service: 'auth', name: expect.stringMatching(/\/UpsertProfile$/) });
    expect(await find(({ spanId }) => spanId === sent?.parentId)).toMatchObject({
      service: 'auth',
      name: 'outbox upsert-profile',
    });
    await waitUntil(async () => testCluster.cluster.logs('users').includes(requestId));
  });

  it('D16: leaves a password that signs in, however often the profile had to be sent', async () => {
    const before = failures();
    const person = await testCluster.registerAccount();
    await waitUntil(() => failures() - before >= 2);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    await way.restore();
    await profileOf(person);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect(await login({ ...person, password: `${person.password}x` })).toMatchObject({
      outcome: 'UNAUTHENTICATED/CREDENTIALS_INVALID',
    });
  });
});
