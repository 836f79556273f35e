import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { createHistogram, median, percentile, record, toRatio, type BenchContext, type Suite } from '#dev/bench';
import { CallError, openStub, type Stub } from '#dev/stubs';

/** What other callers notice while a hundred people sign in at the same moment. */
const atOnce = 100;
const rounds = 5;
const calmMs = 3000;
const watchers = 4;

type Auth = Stub<typeof AuthServiceService>;
interface Credentials {
  email: string;
  password: string;
}

interface Seen {
  p50Ms: number;
  p99Ms: number;
}

async function registerAll(auth: Auth): Promise<Credentials[]> {
  const people = Array.from({ length: atOnce }, () => ({
    email: `${randomBytes(8).toString('hex')}@example.com`,
    password: randomBytes(12).toString('hex'),
  }));
  for (const person of people) await auth.register({ ...person, displayName: 'Bench' });
  return people;
}

/** Lists sessions, a few calls at a time with a pause between, until the work is done. */
async function watchDuring(auth: Auth, token: string, work: Promise<unknown>): Promise<Seen> {
  const latencies = createHistogram();
  let isBusy = true;
  const watch = async (): Promise<void> => {
    while (isBusy) {
      const began = performance.now();
      await auth.listSessions({}, { token });
      record(latencies, performance.now() - began);
      await pause(5);
    }
  };
  const watching = Promise.all(Array.from({ length: watchers }, watch));
  await Promise.all([watching, work.finally(() => (isBusy = false))]);
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

/** Signs them all in at once. Returns how many were refused as too many, or ran out of time. */
async function signInAtOnce(auth: Auth, people: readonly Credentials[]): Promise<number> {
  const results = await Promise.allSettled(people.map((person) => auth.login(person)));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const unexpected = errors.find(
    (error) => !(error instanceof CallError && ['resource_exhausted', 'deadline_exceeded'].includes(error.kind)),
  );
  if (unexpected !== undefined) throw unexpected;
  return errors.length;
}

async function measureSignIns({ results, report }: BenchContext, auth: Auth): Promise<void> {
  const people = await registerAll(auth);
  const [first] = people;
  const token = (await auth.login(first ?? {})).tokens?.accessToken ?? '';
  const [calm, busy]: [Seen[], Seen[]] = [[], []];
  let refused = 0;
  const signIn = async (): Promise<void> => void (refused += await signInAtOnce(auth, people));
  // The first round is for warming up.
  for (let round = 0; round <= rounds; round += 1) {
    const alone = await watchDuring(auth, token, pause(calmMs));
    const beside = await watchDuring(auth, token, signIn());
    report(`round ${round}: p99 ${alone.p99Ms.toFixed(0)} ms, beside ${atOnce} sign-ins ${beside.p99Ms.toFixed(0)} ms`);
    if (round === 0) continue;
    calm.push(alone);
    busy.push(beside);
  }
  for (const figure of ['p50Ms', 'p99Ms'] as const) {
    const [alone = [], beside = []] = [calm, busy].map((list) => list.map((seen) => seen[figure]));
    const name = `ListSessions ${figure.slice(0, 3)}`;
    const about = { name: `${name}, beside ${atOnce} sign-ins / undisturbed`, dataset: '', inFlight: watchers, aim: 3 };
    results.ratios.push(toRatio(about, beside, alone));
    results.figures.push(
      { name: `${name} undisturbed, median round`, value: median(alone), unit: 'ms' },
      { name: `${name} beside ${atOnce} sign-ins, median round`, value: median(beside), unit: 'ms' },
    );
  }
  const value = refused / (rounds + 1);
  results.figures.push({ name: 'sign-ins refused as too many, in each hundred', value, unit: '' });
}

async function run(context: BenchContext): Promise<void> {
  if (!context.wants('sign-ins')) return;
  const cluster = await context.startCluster({ services: ['auth', 'users'] });
  const auth = openStub(AuthServiceService, cluster.address('auth'));
  try {
    await measureSignIns(context, auth);
  } finally {
    auth.close();
  }
}

export const suite: Suite = { run };
