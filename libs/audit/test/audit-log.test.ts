import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAuditLog, verifyAuditLog } from '#libs/audit';
import { waitUntil } from '#dev/cluster';
import { Client } from 'pg';
import { dropOldPartitions } from '../src/retention.ts';
import { openAuditDatabase, silent, type AuditDatabase } from './fixture/audit-database.ts';

const uow = ({ database }: AuditDatabase) => database.unitOfWork((em) => em);
const findings = async ({ database }: AuditDatabase) => (await verifyAuditLog(database.reader)).findings;

describe('the audit log', () => {
  let used: AuditDatabase;
  beforeAll(async () => {
    used = await openAuditDatabase();
  });
  afterAll(() => used.drop());

  it('records what is committed and nothing that is rolled back, and chains it without gaps', async () => {
    const rolledBack = uow(used).run(async (em) => {
      await used.log.trailOf(em).add({ action: 'undone' });
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await uow(used).run((em) => used.log.trailOf(em).add({ action: 'done', target: { kind: 'queue', id: '1' } }));
    await used.log.record({ action: 'done', refusal: 'NOT_ALLOWED', details: { why: 'ä"\n' } });
    await used.log.settle();
    expect(
      await used.tamper('select position, action, outcome, reason, actor_id from audit.chain order by position'),
    ).toEqual([
      { position: '1', action: 'done', outcome: 'done', reason: '', actor_id: 'test' },
      { position: '2', action: 'done', outcome: 'refused', reason: 'NOT_ALLOWED', actor_id: 'test' },
    ]);
    expect(await findings(used)).toEqual([]);
  });

  it('makes one chain of what many replicas add and append at the same time', async () => {
    const [before] = await used.tamper<{ count: string }>('select count(*) from audit.chain');
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        await used.log.record({ action: 'crowd', target: { kind: 'queue', id: String(index) } });
        await used.log.settle();
      }),
    );
    await used.log.settle();
    expect(await used.tamper("select distinct target_id from audit.chain where action = 'crowd'")).toHaveLength(60);
    const { count, head } = await verifyAuditLog(used.database.reader);
    expect([count, head.position]).toEqual([Number(before?.count) + 60, BigInt(before?.count ?? 0) + 60n]);
    expect(await findings(used)).toEqual([]);
  });

  it('chains by itself soon after the commit', async () => {
    const log = createAuditLog({ service: 'test', database: used.database, logger: silent, retentionMs: 1e12 });
    log.start();
    await log.record({ action: 'by_itself' });
    await waitUntil(
      async () => (await used.tamper("select 1 from audit.chain where action = 'by_itself'")).length === 1,
    );
    await log.stop();
  });

  it.each([
    "update audit.chain set action = 'other'",
    'delete from audit.chain',
    'truncate audit.chain',
    "update audit.waiting set action = 'other'",
    'delete from audit.head',
  ])('refuses the role of the service: %s', async (text) => {
    const client = new Client({ connectionString: used.url });
    await client.connect();
    await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
    const [{ partition } = { partition: '' }] = await used.tamper<{ partition: string }>(
      "select inhrelid::regclass::text as partition from pg_inherits where inhparent = 'audit.chain'::regclass",
    );
    await expect(client.query(text.replace('audit.chain', partition))).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });
});

describe('verifying the audit log', () => {
  let used: AuditDatabase;
  beforeEach(async () => {
    used = await openAuditDatabase();
    for (let index = 1; index <= 5; index += 1)
      await used.log.record({ action: `act_${index}`, details: { index: String(index) } });
    await used.log.settle();
  });
  afterEach(() => used.drop());

  it('finds nothing in a log that nobody touched', async () => {
    expect(await verifyAuditLog(used.database.reader)).toMatchObject({
      findings: [],
      count: 5,
      head: { position: 5n },
    });
  });

  const copied = `insert into audit.chain select gen_random_uuid(), create_time, 'forged', outcome, reason, actor_kind, actor_id,
    target_kind, target_id, account_id, call_id, address, details`;
  it.each([
    [
      "update audit.chain set action = 'nothing' where position = 3",
      /^event 3 \(.*, nothing\) was changed or inserted/,
    ],
    ["update audit.chain set details = '{}' where position = 1", /^event 1 .* was changed or inserted/],
    ["update audit.chain set actor_id = 'x' where position = 5", /^event 5 .* was changed or inserted/],
    [
      "update audit.chain set create_time = create_time + interval '1 hour' where position = 2",
      /^event 2 .* was changed/,
    ],
    ['update audit.chain set hash = sha256(hash) where position = 5', /^event 5 .* was changed/],
    ['delete from audit.chain where position = 3', /^event 3 is missing$/],
    ['delete from audit.chain where position in (3, 4)', /^events 3 to 4 are missing$/],
    ['delete from audit.chain where position = 1', /^event 1 is missing, and no dropped partition tells of it$/],
    ['delete from audit.chain where position = 5', /^event 5 is missing$/],
    ['delete from audit.chain', /^events 1 to 5 are missing$/],
    [
      `${copied}, 2, record_time + interval '1 millisecond', hash from audit.chain where position = 2`,
      /^event 2 \(.*, forged\) was inserted/,
    ],
    [
      `${copied}, 6, record_time, hash from audit.chain where position = 5`,
      /^event 6 \(.*, forged\) was changed or inserted/,
    ],
  ])('names what was done by: %s', async (text, finding) => {
    await used.tamper(text);
    expect((await findings(used))[0]).toMatch(finding);
  });

  /** As if the present month had ended long ago. */
  const longAgo = -40 * 86_400_000;
  const dropMonths = () =>
    uow(used).run((em) => dropOldPartitions(em, longAgo, (manager, entry) => used.log.trailOf(manager).add(entry)));

  it('accepts that months were dropped with their time, again and again', async () => {
    for (let round = 0; round < 2; round += 1) {
      await dropMonths();
      await used.log.record({ action: 'after' });
      await used.log.settle();
      expect(await verifyAuditLog(used.database.reader)).toMatchObject({ findings: [], count: 2 });
    }
    // The log goes on from the hash that the chain tells, and from no other.
    await used.tamper('update audit.chain set details = details || \'{"last_hash": "00"}\' where position = 8');
    expect(await findings(used)).toEqual([expect.stringMatching(/^event 8 .*hash does not fit/)]);
  });

  it('names a month that was dropped without telling', async () => {
    const [{ partition } = { partition: '' }] = await used.tamper<{ partition: string }>(
      "select inhrelid::regclass::text as partition from pg_inherits where inhparent = 'audit.chain'::regclass",
    );
    await used.tamper(`drop table ${partition}`);
    expect(await findings(used)).toEqual(['events 1 to 5 are missing']);
    await used.log.record({ action: 'after' });
    await used.log.settle();
    expect(await findings(used)).toEqual(['events 1 to 5 are missing, and no dropped partition tells of it']);
  });
});
