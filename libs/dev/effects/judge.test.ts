import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CallLog } from './calls.ts';
import type { Facts } from './facts.ts';
import { judge } from './judge.ts';
import { judgeHistory } from './judge-history.ts';
import { simulate, type Step } from './simulate.ts';

const outcome = fc.constantFrom('acknowledged', 'lost answer', 'never arrived', 'refused' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    owner: fc.nat(2),
    assignee: fc.option(fc.nat(2), { nil: undefined }),
    due: fc.boolean(),
    outcome,
  }),
  fc.record({ do: fc.constantFrom('reschedule', 'complete', 'delete' as const), task: fc.nat(5), outcome }),
  fc.constant({ do: 'sweep' as const }),
);
/** Somebody is always notified of something. */
const first: Step = { do: 'create', owner: 0, assignee: 1, due: true, outcome: 'acknowledged' };
const steps = fc.array(step, { maxLength: 25 }).map((more) => [first, ...more]);

type Lists = { [K in keyof Facts as Facts[K] extends readonly unknown[] ? K : never]: Facts[K] };
const lists: (keyof Lists)[] = [
  'tasks',
  'dues',
  'events',
  'heads',
  'notifications',
  'deliveries',
  'webhookDeliveries',
  'received',
  'accounts',
  'profileIds',
  'handOvers',
];

const kinds = (log: CallLog, facts: Facts): Set<string> => new Set(judge(log, facts, 0).map(({ kind }) => kind));

/** A list that is changed at any place is found to be wrong. */
const findChange = (list: keyof Lists, change: (items: readonly unknown[], at: number) => unknown[]): void =>
  fc.assert(
    fc.property(steps, fc.nat(), (course, at) => {
      const { log, facts } = simulate(course);
      if (facts[list].length === 0) return;
      const changed = { ...facts, [list]: change(facts[list], at % facts[list].length) };
      expect(judge(log, changed, 0)).not.toEqual([]);
    }),
  );

describe('a system without faults', () => {
  it('is found without faults, whatever its clients did and whatever answers they missed', () => {
    fc.assert(
      fc.property(steps, (course) => expect(judge(simulate(course).log, simulate(course).facts, 0)).toEqual([])),
    );
  });

  it('has the history that it had before it went on', () => {
    const swept = (course: Step[]): Step[] => [...course, { do: 'sweep' }];
    fc.assert(
      fc.property(steps, steps, (course, more) =>
        expect(judgeHistory(simulate(swept(course)).facts, simulate([...swept(course), ...more]).facts)).toEqual([]),
      ),
    );
  });
});

describe('anything that is there once more', () => {
  const again = (item: unknown): unknown => (typeof item === 'string' ? item : { ...(item as object) });
  /** As a row that was made twice: what comes first is its key. */
  const underAnotherKey = (item: unknown): unknown =>
    typeof item === 'string' ? 'another' : { ...(item as object), [Object.keys(item as object)[0] ?? '']: 'another' };
  const find = (list: keyof Lists, copy: (item: unknown) => unknown): void =>
    findChange(list, (items, at) => [...items, copy(items[at])]);
  // A call that nobody knows may have made the administrator.
  it.each(lists.filter((list) => list !== 'handOvers'))('is found under another key: %s', (list) =>
    find(list, underAnotherKey),
  );
  // The others have keys that cannot be there twice.
  it.each(['events', 'notifications', 'received', 'accounts', 'profileIds', 'handOvers'] as const)(
    'is found: %s',
    (list) => find(list, again),
  );
});

describe('anything that is missing', () => {
  it.each(lists.filter((list) => list !== 'handOvers'))('is found: %s', (list) =>
    findChange(list, (items, at) => items.toSpliced(at, 1)),
  );
});

describe('a call', () => {
  const writes = (course: Step[], change: (write: CallLog['writes'][number]) => Partial<CallLog['writes'][number]>) => {
    const { log, facts } = simulate(course);
    return { log: { ...log, writes: log.writes.map((write) => ({ ...write, ...change(write) })) }, facts };
  };

  it('of unknown outcome may have had its effects or not', () => {
    const { log, facts } = writes([first], () => ({ outcome: 'unknown' }));
    expect(kinds(log, facts)).toEqual(new Set());
  });

  it('that was refused may have had none', () => {
    const { log, facts } = writes([first], () => ({ outcome: 'refused' }));
    expect(kinds(log, facts)).toEqual(new Set(['surplus']));
  });

  it('that nobody made explains nothing', () => {
    const { log, facts } = simulate([first]);
    expect(kinds({ ...log, writes: [] }, facts)).toEqual(new Set(['surplus']));
  });

  it('that was acknowledged has its effects', () => {
    const { log, facts } = simulate([{ ...first, outcome: 'never arrived' } as Step]);
    expect(
      kinds({ ...log, writes: log.writes.map((write) => ({ ...write, outcome: 'acknowledged' as const })) }, facts),
    ).toEqual(new Set(['lost']));
  });

  it('that was carried out by halves is neither', () => {
    const { log, facts } = simulate([first]);
    const batch = {
      ...(log.writes[0] as CallLog['writes'][number]),
      creates: ['title of call-0', 'the other one'],
      outcome: 'unknown' as const,
    };
    expect(kinds({ ...log, writes: [batch] }, facts)).toEqual(new Set(['contradiction']));
  });
});

describe('an account', () => {
  const signIn = { email: 'ada@example.com', requestId: 'other' };
  it('has a session for each sign-in that was answered, and perhaps one for each that was not', () => {
    const { log, facts } = simulate([]);
    const add = (...calls: CallLog['accounts'][number][]) =>
      kinds({ ...log, accounts: [...log.accounts, ...calls] }, facts);
    expect(add({ ...signIn, what: 'login', outcome: 'unknown' })).toEqual(new Set());
    expect(add({ ...signIn, what: 'login', outcome: 'acknowledged' })).toEqual(new Set(['lost']));
    expect(kinds({ ...log, accounts: log.accounts.filter(({ what }) => what === 'register') }, facts)).toEqual(
      new Set(['surplus']),
    );
  });

  it('is handed over once, and again only after a failure or a loss', () => {
    const { log, facts } = simulate([]);
    const received = { requestId: 'register-ada', what: 'received' as const };
    const twice = { ...facts, handOvers: [...facts.handOvers, received] };
    expect(kinds(log, twice)).toEqual(new Set(['surplus']));
    expect(judge(log, twice, 1)).toEqual([]);
    expect(judge(log, { ...twice, handOvers: [...twice.handOvers, { ...received, what: 'failed' }] }, 0)).toEqual([]);
  });
});

describe('who is notified', () => {
  it('is exactly whom it concerns', () => {
    const { log, facts } = simulate([first]);
    const stranger = {
      ...facts,
      events: facts.events.map((event) => ({ ...event, audience: [...event.audience, 'cyd'] })),
    };
    expect(kinds(log, stranger)).toEqual(new Set(['leaked']));
    const misdelivered = {
      ...facts,
      notifications: facts.notifications.map((one) => ({
        ...one,
        recipientId: one.recipientId === 'bob' ? 'cyd' : one.recipientId,
      })),
    };
    expect(kinds(log, misdelivered)).toEqual(new Set(['leaked', 'lost']));
    const misdirected = { ...facts, received: facts.received.map((one) => ({ ...one, ownerId: 'cyd' })) };
    expect(kinds(log, misdirected)).toEqual(new Set(['leaked']));
    expect(kinds({ ...log, sightings: [{ userId: 'cyd', taskId: 'task-0', through: 'GetTask' }] }, facts)).toEqual(
      new Set(['leaked']),
    );
  });

  it('is not notified again by a worker that comes back late', () => {
    const { facts } = simulate([first]);
    const later = { ...facts, notifications: facts.notifications.map((one) => ({ ...one, delivered: 'later' })) };
    expect(judgeHistory(facts, later).map(({ kind }) => kind)).toEqual(facts.notifications.map(() => 'surplus'));
    expect(
      judgeHistory(facts, {
        ...facts,
        webhookDeliveries: facts.webhookDeliveries.map((one) => ({ ...one, attempts: 2 })),
      }),
    ).toHaveLength(facts.webhookDeliveries.length);
    expect(judgeHistory(facts, { ...facts, events: [] }).map(({ kind }) => kind)).toEqual(
      facts.events.map(() => 'lost'),
    );
  });
});
