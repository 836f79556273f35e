import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GetMeResponse } from '#contract/users/v1/users';
import { until } from '#libs/devcluster';
import { startGate, type Gate } from './gate.ts';
import { startWorld, type Person, type World } from './start-world.ts';
import type { Answer } from './wire.ts';

// Users stays up, only auth does not reach it: so users can be asked what it knows.
let gate: Gate;
let world: World;
beforeAll(async () => {
  gate = await startGate();
  world = await startWorld({ services: ['auth', 'users'], serviceEnv: { auth: { TASKFLOW_USERS_ADDRESS: gate.address } } });
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await gate?.stop();
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
    const person = await world.register();
    const { outcome, error } = await getMe(person);
    expect(outcome).toBe('UNAVAILABLE/PROFILE_NOT_READY');
    expect(error?.details.retryAfterMs).toBeGreaterThan(0);
    openGate();
    expect(await profileOf(person)).toMatchObject({ id: person.id, email: person.email, displayName: 'Ada', enabled: true });
  });

  it('does not wait for a users that never answers', async () => {
    openGate();
    await profileOf(await world.register());
    gate.freeze();
    const before = failures();
    const person = await world.register();
    // Users has been asked, and the question is still open.
    expect(failures()).toBe(before);
    openGate();
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('brings the profile also when auth was killed right after the answer, and the account can sign in', async () => {
    const person = await world.register();
    await world.cluster.kill('auth', 'SIGKILL');
    openGate();
    await world.cluster.start('auth');
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect((await profileOf(person))?.id).toBe(person.id);
  });

  it('D16: leaves a password that signs in, however often the profile had to be sent', async () => {
    const before = failures();
    const person = await world.register();
    await until(async () => failures() - before, (count) => count >= 2);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    openGate();
    await profileOf(person);
    expect(await login(person)).toMatchObject({ outcome: 'OK' });
    expect(await login({ ...person, password: `${person.password}x` })).toMatchObject({ outcome: 'UNAUTHENTICATED/CREDENTIALS_INVALID' });
  });
});
