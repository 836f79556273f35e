import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  create,
  fromBinary,
  toBinary,
  type DescField,
  type DescMessage,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { descriptorOf, policies, type MethodPolicy } from '#libs/contract';
import { accessTable, type People } from './access-table.ts';
import { faultOf, valuesOf, type FieldValues } from './field-values.ts';
import {
  fieldsSentTo,
  ignoredTimesIn,
  nameOf,
  oneofsOf,
  requiredOneofsIn,
  withValue,
  withValues,
  type FieldPath,
} from './sent-fields.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';
import { encode, serviceOf, type Credentials } from './wire.ts';

let testCluster: TestCluster;
let people: People;
beforeAll(async () => {
  testCluster = await startTestCluster();
  const owner = await testCluster.register();
  people = { owner, assignee: owner, other: owner, admin: testCluster.admin };
});
afterAll(() => testCluster?.stop());

interface Prepared {
  type: DescMessage;
  base: () => Promise<Uint8Array>;
  credentials: Credentials;
}

/** Somebody new for each method of auth, whose password the row may change. */
async function prepare(policy: MethodPolicy): Promise<Prepared> {
  const { path, access } = policy;
  const caller = serviceOf(path) === 'auth' ? await testCluster.register() : people.owner;
  const credentials = access === 'public' ? {} : await testCluster.credentialsFor(policy, caller);
  const make = async (): Promise<Uint8Array> =>
    encode(path, (await accessTable.get(path)?.request({ testCluster, people, caller })) ?? {});
  const first = await make();
  const type = descriptorOf(policy).input;
  const isRepeatable = policy.retry === 'always' || type.fields.some(({ name }) => name === 'validate_only');
  return { type, base: isRepeatable ? () => Promise.resolve(first) : make, credentials };
}

/** The fields that an answer complains about, without the places in lists. */
async function violationsOf(
  { type, base, credentials }: Prepared,
  policy: MethodPolicy,
  path: FieldPath,
  value: unknown,
) {
  return namedBy(policy, withValue(type, await base(), path, value), credentials);
}

async function namedBy(policy: MethodPolicy, bytes: Buffer, credentials: Credentials): Promise<string[]> {
  const { outcome, error } = await testCluster.wire.call(policy.path, bytes, credentials);
  expect(outcome).not.toMatch(/^(INTERNAL|UNKNOWN|UNAVAILABLE|UNIMPLEMENTED|DEADLINE_EXCEEDED)/);
  if (outcome !== 'INVALID_ARGUMENT/INVALID_FIELD') return [];
  return error?.details.violations?.map(({ field }) => field.replaceAll(/\[\d+\]/g, '')) ?? [];
}

/** What the server takes of these depends on more than their rule: the time, other fields, a grammar. */
const dependent = ['BackfillSchedule end_time', 'ListTasks order_by'];

const toText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)).slice(0, 80);

const swept = [...policies.values()]
  .map((policy) => [policy.method, policy, fieldsSentTo(descriptorOf(policy))] as const)
  .filter(([, , fields]) => fields.length > 0);

describe('what the contract says of a field is what the server does', () => {
  it('is known of many fields', () => {
    expect(swept.flatMap(([, , fields]) => fields).length).toBeGreaterThan(250);
  });

  it.each(swept)('%s', async (_, policy, fields) => {
    const prepared = await prepare(policy);
    const faults: string[] = [];
    const check = async (path: FieldPath, { kept, broken }: FieldValues): Promise<void> => {
      const name = nameOf(path);
      for (const value of dependent.includes(`${policy.method} ${name}`) ? [] : kept)
        if ((await violationsOf(prepared, policy, path, value)).includes(name))
          faults.push(`${name} refuses ${toText(value)}`);
      for (const value of broken)
        if (!(await violationsOf(prepared, policy, path, value)).includes(name))
          faults.push(`${name} takes ${toText(value)}`);
    };
    for (const path of fields) await check(path, valuesOf(path.at(-1) as DescField));
    expect(faults).toEqual([]);
  });
});

/** Every field that can be refused by itself, refused. */
const faultsOf = (fields: readonly FieldPath[]) =>
  fields.map((path) => ({ path, value: faultOf(path.at(-1) as DescField) })).filter(({ value }) => value !== undefined);

describe('a request of which everything is wrong', () => {
  it.each(swept)('%s: names it all at once', async (_, policy, fields) => {
    const { type, base, credentials } = await prepare(policy);
    const { bytes, names } = withValues(type, await base(), faultsOf(fields));
    const named = await namedBy(policy, bytes, credentials);
    expect(names.filter((name) => !named.includes(name))).toEqual([]);
  });
});

const updates = [...policies.values()]
  .filter((policy) => descriptorOf(policy).input.fields.some(({ name }) => name === 'update_mask'))
  .map((policy) => [policy.method, policy] as const);

describe('an update without a mask that sets nothing', () => {
  it.each(updates)('%s: is refused, since nobody means it', async (_, policy) => {
    const { type, base, credentials } = await prepare(policy);
    const sent = fromBinary(type, await base()) as unknown as Record<string, { id: string }>;
    const resource = type.fields.find(({ message }) => message?.fields.some(({ name }) => name === 'id'));
    const { localName = '' } = resource ?? {};
    const request = create(type, { [localName]: { id: sent[localName]?.id } } as MessageInitShape<DescMessage>);
    expect(await namedBy(policy, Buffer.from(toBinary(type, request)), credentials)).toHaveLength(1);
  });
});

const choosing = swept.flatMap(([method, policy, fields]) =>
  requiredOneofsIn(descriptorOf(policy).input).map((oneof) => [method, oneof, policy, fields] as const),
);

describe('a request that lacks one of two fields', () => {
  it('is known to this test', () => {
    expect(choosing.map(([method, oneof]) => `${method} ${oneof}`).length).toBeGreaterThanOrEqual(4);
  });

  it.each(choosing)('%s: names %s with everything else that is wrong', async (_, oneof, policy, fields) => {
    const { type, credentials } = await prepare(policy);
    const others = faultsOf(fields.filter((path) => !oneofsOf(path).includes(oneof)));
    const { bytes, names } = withValues(type, Buffer.alloc(0), others);
    const named = await namedBy(policy, bytes, credentials);
    expect([...names, oneof].filter((name) => !named.includes(name))).toEqual([]);
  });
});

const ignoring = [...policies.values()]
  .map((policy) => [policy.method, policy, ignoredTimesIn(descriptorOf(policy).input)] as const)
  .filter(([, , times]) => times.length > 0);

describe('a time that only the server sets', () => {
  it.each(ignoring)('%s: is ignored, whatever it is', async (_, policy, times) => {
    const { type, base, credentials } = await prepare(policy);
    const { bytes } = withValues(type, await base(), faultsOf(times));
    expect((await testCluster.wire.call(policy.path, bytes, credentials)).outcome).toBe('OK');
  });
});
