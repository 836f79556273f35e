import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { policies, policyOf, tokenScopes, type MethodPolicy, type TokenScope } from '#libs/contract';
import { accessTable, registerPeople, type People, type Relation, type Row } from './access-table.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/** A personal token, and as whom it acts on what belongs to the owner. */
interface Holder {
  token: string;
  scopes: readonly TokenScope[];
  relation: Relation;
}

let testCluster: TestCluster;
let people: People;
const holders = new Map<string, Holder>();

beforeAll(async () => {
  testCluster = await startTestCluster();
  people = await registerPeople(testCluster);
  for (const scope of tokenScopes) {
    if (scope !== 'admin') await addHolder('owner', [scope], 'owner');
    // Without the scope admin, an administrator's token acts as a user's.
    await addHolder('admin', [scope], scope === 'admin' ? 'admin' : 'other');
    if (scope !== 'admin') await addHolder('admin', [scope, 'admin'], 'admin');
  }
}, 120_000);
afterAll(() => testCluster?.stop());

async function addHolder(person: 'owner' | 'admin', scopes: readonly TokenScope[], relation: Relation): Promise<void> {
  const { token } = await testCluster.createPersonalToken(people[person], scopes);
  holders.set(`${person} with ${scopes.join(' and ')}`, { token, scopes, relation });
}

/** What the contract says of a token before the request is looked at; undefined: admitted. */
function refusalOf({ access, scope }: MethodPolicy, { scopes }: Holder): string | undefined {
  if (access === 'public') return undefined;
  if (access === 'service') return 'PERMISSION_DENIED/SERVICE_IDENTITY_REQUIRED';
  if (scope === undefined) return 'PERMISSION_DENIED/SESSION_REQUIRED';
  return scope === 'any' || scopes.includes(scope) ? undefined : 'PERMISSION_DENIED/MISSING_SCOPE';
}

async function requestOf(row: Row, policy: MethodPolicy, holder: Holder): Promise<object> {
  // Whoever is refused need not ask for anything.
  if (refusalOf(policy, holder) !== undefined) return {};
  const caller = holder.relation === 'owner' ? people.owner : people.admin;
  return row.request({ testCluster, people, caller });
}

function expectedOf(policy: MethodPolicy, row: Row, holder: Holder): string {
  const refusal = refusalOf(policy, holder);
  if (refusal !== undefined || policy.access !== 'user') return refusal ?? 'OK';
  return row.answers?.[holder.relation] ?? 'the table says nothing about this';
}

describe('A13: which personal token may call what', () => {
  it.each([...accessTable])('%s', async (path, row) => {
    const policy = policyOf(path);
    // The session comes from outside; a token is no matter there.
    if (policy.access === 'public') return;
    const expected: Record<string, string> = {};
    const actual: Record<string, string> = {};
    for (const [name, holder] of holders) {
      expected[name] = expectedOf(policy, row, holder);
      const { outcome, error } = await testCluster.wire.call(path, await requestOf(row, policy, holder), holder);
      actual[name] = outcome;
      if (outcome.endsWith('/MISSING_SCOPE')) expect(error?.details.metadata).toEqual({ scope: policy.scope });
    }
    expect(actual).toEqual(expected);
  });

  it('is asked of a token for each method for people, and each scope opens some', () => {
    for (const scope of tokenScopes)
      expect([...policies.values()].filter((policy) => policy.scope === scope)).not.toEqual([]);
  });
});
