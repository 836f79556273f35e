import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RegisterResponse } from '#contract/auth/v1/auth';
import type { GetMeResponse } from '#contract/users/v1/users';
import { until } from '#libs/devcluster';
import { startGate, type Gate } from './gate.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';
import { newEmail, newPassword, startWorld, type Person, type World } from './start-world.ts';
import type { Answer } from './wire.ts';

// Users stays up, only auth does not reach it: so users can be asked what it knows.
let gate: Gate;
let world: World;
let traces: OtlpReceiver;
beforeAll(async () => {
  [gate, traces] = await Promise.all([startGate(), startOtlpReceiver()]);
  world = await startWorld({ services: ['auth', 'users'], serviceEnv: { auth: { TASKFLOW_USERS_ADDRESS: gate.address } }, env: { TASKFLOW_OTLP_ENDPOINT: traces.url, TASKFLOW_TRACE_RATIO: '0' } });
});
afterAll(async () => {
  await world?.stop();
  await gate?.stop();
  await traces?.stop();
});
beforeEach(() => gate.shut());

const openGate = (): void => gate.openTo(world.cluster.address('users'));
const getMe = ({ token }: Person): Promise<Answer> => world.wire.call('/taskflow.users.v1.UsersService/GetMe', {}, { token });
const profileOf = async (person: Person) => {
  const answer = await until(() => getMe(person), ({ outcome }) => outcome === 'OK');
  return (answer.response as GetMeResponse).user;
};
/** How often auth has asked users in vain. */
const failures = (): number => world.cluster.logs('auth').match(/outbox call failed/g)?.length ?? 0;
const login = ({ email, password }: Person): Promise<Answer> => world.wire.call('/taskflow.auth.v1.AuthService/Login', { email, password });

describe('a registration', () => {
  it('succeeds while users is out of reach, says so of the profile, and brings it by itself later', async () => {
    const person = await world.registerAccount();
    const { outcome, error } = await getMe(person);
    expect(outcome).toBe('UNAVAILABLE/PROFILE_NOT_READY');
    expect(error?.details.retryAfterMs).toBeGreaterThan(0);
    openGate();
    expect(await profileOf(person)).toMatchObject({ id: person.id, email: person.email, displayName: 'Ada', enabled: true });
  });

  it('does not wait for a users that never answers', async () => {
    openGate();
    await profileOf(await world.registerAccount());
    gate.freeze();
    // Users has been asked, and the question is still open; on a machine that stood still it has been given up by then.
    const register = async (): Promise<Person | undefined> => {
      const before = failures();
      const person = await world.registerAccount();
      return failures() === before ? person : undefined;
    };
    const person = (await until(register, (answered) => answered !== undefined)) as Person;
    openGate();
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('brings the profile also when auth was killed right after the answer, and the account can sign in', async () => {
    const person = await world.registerAccount();
    await world.cluster.kill('auth', 'SIGKILL');
    openGate();
    await world.cluster.start('auth');
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('stays one story: the profile that is brought later, by another process, has the id and the trace of the call', async () => {
    const [traceId, requestId] = [randomBytes(16).toString('hex'), randomUUID()];
    const metadata = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, 'x-request-id': requestId };
    const who = { email: newEmail(), password: newPassword() };
    const { response } = await world.wire.call('/taskflow.auth.v1.AuthService/Register', { ...who, displayName: 'Ada' }, { metadata });
    const { account, tokens } = response as RegisterResponse;
    await world.cluster.kill('auth', 'SIGKILL');
    openGate();
    await world.cluster.start('auth');
    await profileOf({ ...who, id: account?.id ?? '', token: tokens?.accessToken ?? '', refreshToken: '' });
    const spans = () => traces.spans.filter((span) => span.traceId === traceId);
    const find = (fits: (span: ReceivedSpan) => boolean) => until(async () => spans().find(fits), (span) => span !== undefined);
    const taken = await find(({ name, service }) => service === 'users' && name === 'taskflow.users.v1.InternalUsersService/UpsertProfile');
    const sent = await find(({ spanId }) => spanId === taken?.parentId);
    expect(sent).toMatchObject({ service: 'auth', name: expect.stringMatching(/\/UpsertProfile$/) });
    expect(await find(({ spanId }) => spanId === sent?.parentId)).toMatchObject({ service: 'auth', name: 'outbox upsert-profile' });
    await until(async () => world.cluster.logs('users').includes(requestId), Boolean);
  });

  it('D16: leaves a password that signs in, however often the profile had to be sent', async () => {
    const before = failures();
    const person = await world.registerAccount();
    await until(async () => failures() - before, (count) => count >= 2);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    openGate();
    await profileOf(person);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect(await login({ ...person, password: `${person.password}x` })).toMatchObject({ outcome: 'UNAUTHENTICATED/CREDENTIALS_INVALID' });
  });
});
