import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GetUserResponse, UpdateUserResponse } from '#contract/users/v1/users';
import { User } from '#contract/users/v1/users';
import { reasonsOf, policies, type MethodPolicy } from '#libs/contract';
import { accessTable, type People } from './access-table.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { nameOf, requestTypeOf, textFieldsOf, withBytes, type FieldPath } from './text-fields.ts';
import { encode, serviceOf, type Answer, type Credentials } from './wire.ts';

let testCluster: TestCluster;
let people: People;
beforeAll(async () => {
  testCluster = await startTestCluster({ services: ['auth', 'users', 'tasks'] });
  const owner = await testCluster.register();
  people = { owner, assignee: owner, other: owner, admin: testCluster.admin };
});
afterAll(() => testCluster?.stop());

const swept = [...policies.values()].filter(({ service }) => /^taskflow\.(auth|users)\./.test(service));
const fields = swept.flatMap((policy) =>
  textFieldsOf(requestTypeOf(policy)).map((path) => [`${policy.method} ${nameOf(path)}`, policy, path] as const),
);

// What the method does not look at may hold anything that is text at all: an update reads only what its mask names.
const unread = new Set(['UpdateUser user.email']);

/** A request that is good but for what a test puts into it. */
async function baseOf({ path, method }: MethodPolicy, caller: Person): Promise<Buffer> {
  if (method === 'UpdateUser') {
    const user = User.fromPartial({ id: people.owner.id, displayName: 'Ada', timeZone: 'UTC', locale: 'en' });
    return encode(path, { user, updateMask: ['*'] });
  }
  const request = await accessTable.get(path)?.request({ testCluster, people, caller });
  return encode(path, request ?? {});
}

/** Somebody new for everything about accounts: after some wrong passwords nobody gets in for a while. */
async function prepare(policy: MethodPolicy): Promise<{ base: Buffer; credentials: Credentials }> {
  const caller = serviceOf(policy.path) === 'auth' ? await testCluster.register() : people.owner;
  const credentials = policy.access === 'public' ? {} : await testCluster.credentialsFor(policy, caller);
  return { base: await baseOf(policy, caller), credentials };
}

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const around = (core: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.string({ maxLength: 12 }), core, fc.string({ maxLength: 12 }))
    .map(([before, bytes, after]) => Buffer.concat([utf8(before), bytes, utf8(after)]));

// Halves of a surrogate pair, over-long forms, bytes that no text has, a character that is cut off, one past the last.
const brokenText = around(
  fc
    .constantFrom('eda080', 'edb080', 'eda0bdedb880', 'c080', 'c1bf', 'ff', 'fe', '80', 'e282', 'f09f98', 'f4908080')
    .map((hex) => Buffer.from(hex, 'hex')),
);
const nulText = around(fc.constantFrom(1, 2, 5).map((count) => Buffer.alloc(count)));
const unusualText = fc.oneof(
  fc
    .string({ unit: 'binary', maxLength: 60 })
    .filter((text) => text.isWellFormed())
    .map(utf8),
  fc.string({ unit: 'grapheme', maxLength: 60 }).map(utf8),
  around(fc.constantFrom('\u202eabc\u202c', 'مرحبا بالعالم', '\u200f\u200e\u2066', 'שלום').map(utf8)),
  around(fc.constantFrom('😀', '𝔘𝔫𝔦', '\u{10ffff}', '👩‍👩‍👧‍👦', '\u{1d400}').map(utf8)),
  around(
    fc
      .constantFrom(
        '\u001b[2J',
        '\r\n',
        '\u0085',
        '\u2028',
        '\ufeff',
        '\ufffd',
        "'; drop table profiles; --",
        '%_\\',
        '${7*7}',
      )
      .map(utf8),
  ),
  fc
    .tuple(fc.constantFrom('a', 'é', '\u0627', '😀'), fc.constantFrom(101, 129, 255, 513, 1025, 100_000))
    .map(([letter, count]) => utf8(letter.repeat(count))),
);

const failedItself = /^(INTERNAL|UNKNOWN|UNAVAILABLE|UNIMPLEMENTED|DEADLINE_EXCEEDED|DATA_LOSS)/;

/** Tries one field with many values, the same ones in every run. */
async function sweep(
  policy: MethodPolicy,
  path: FieldPath,
  values: fc.Arbitrary<Buffer>,
  check: (answer: Answer, bytes: Buffer) => unknown,
): Promise<void> {
  const type = requestTypeOf(policy);
  const { base, credentials } = await prepare(policy);
  const property = fc.asyncProperty(values, async (bytes) => {
    const answer = await testCluster.wire.call(policy.path, withBytes(type, base, path, bytes), credentials);
    expect(answer.outcome).not.toMatch(failedItself);
    const { own, request, access, any } = reasonsOf(policy);
    expect(['OK', ...own, ...request, ...access, ...any]).toContain(answer.outcome.split('/')[1] ?? 'OK');
    await check(answer, bytes);
  });
  await fc.assert(property, { seed: 20_261_123, numRuns: 20 });
}

describe('invariant 12: every text of every request of auth and users', () => {
  it('is known to this test', () => {
    expect(fields.length).toBeGreaterThanOrEqual(30);
  });

  it.each(fields)('%s: is refused when it is no UTF-8', async (_, policy, path) => {
    await sweep(policy, path, brokenText, ({ outcome }) => expect(outcome).toBe('INVALID_ARGUMENT/MALFORMED_REQUEST'));
  });

  it.each(fields.filter(([name]) => !unread.has(name)))('%s: is refused with a NUL in it', async (_, policy, path) => {
    await sweep(policy, path, nulText, ({ outcome, error }) => {
      expect(outcome).toMatch(/^INVALID_ARGUMENT\/(INVALID_FIELD|PAGE_TOKEN_INVALID)$/);
      const [name] = nameOf(path).split('.paths');
      expect(error?.details.violations?.map(({ field }) => field.replace(/\[\d+\]$/, ''))).toContain(name);
    });
  });

  it.each(fields)('%s: is taken or refused, whatever text it is', async (_, policy, path) => {
    await sweep(policy, path, unusualText, () => undefined);
  });

  it.each(swept.map((policy) => [policy.method, policy] as const))(
    '%s: is refused when its bytes end too early',
    async (_, policy) => {
      const { base: bytes, credentials } = await prepare(policy);
      const ends = [...bytes.keys()].filter((end) => end % Math.ceil(bytes.length / 25) === 1);
      for (const end of ends)
        expect((await testCluster.wire.call(policy.path, bytes.subarray(0, end), credentials)).outcome).not.toMatch(
          failedItself,
        );
      for (const tail of ['0a', '0a05', '0a0561', '07', '00', 'ffffffffffffffffffff01']) {
        const { outcome } = await testCluster.wire.call(
          policy.path,
          Buffer.concat([bytes, Buffer.from(tail, 'hex')]),
          credentials,
        );
        expect([tail, outcome]).toEqual([tail, 'INVALID_ARGUMENT/MALFORMED_REQUEST']);
      }
    },
  );
});

describe('invariant 12: text that is taken', () => {
  const call = async <Res>(method: string, request: object) =>
    (await testCluster.wire.call(`/taskflow.users.v1.UsersService/${method}`, request, { token: people.owner.token }))
      .response as Res;

  it('comes back as it was sent, but for spaces around it', async () => {
    const property = fc.asyncProperty(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      async (displayName) => {
        const user = User.fromPartial({ id: people.owner.id, displayName });
        const updated = await call<UpdateUserResponse | undefined>('UpdateUser', {
          user,
          updateMask: ['display_name'],
        });
        if (updated === undefined) return;
        expect(updated.user?.displayName).toBe(displayName.trim());
        expect((await call<GetUserResponse>('GetUser', { userId: people.owner.id })).user?.displayName).toBe(
          displayName.trim(),
        );
      },
    );
    await fc.assert(property, { seed: 20_261_123, numRuns: 100 });
  });
});
