import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once, pruneIdempotency, type Database, type Once, type UnitOfWork } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { runInBackground } from '#libs/runtime';
import { notes, openNotes, silent, type Notes } from './fixture/notes.ts';

const textCodec = {
  encode: (message: string) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

describe('invariant 1: a request id', () => {
  let postgres: TestDatabase;
  let database: Database;
  let uow: UnitOfWork<Notes>;
  beforeAll(async () => {
    postgres = await createDatabase(testPostgresUrl());
    database = await openNotes(postgres.url, 21);
    uow = database.unitOfWork(notes);
  });
  afterAll(async () => {
    await database.close();
    await postgres.drop();
  });

  const onceOf = (requestId: string, body: string, userId = 'user'): Once<string> => once({ userId, method: 'AddNote', requestId }, body, textCodec, textCodec);
  /** Adds a note of its own with every execution; the response is the note's id. */
  const add = (requestId: string, body: string, userId?: string) => uow.run(async (repositories) => repositories.add(`${body} ${randomUUID()}`).id, onceOf(requestId, body, userId));
  const count = async (body: string) =>
    (await database.reader.query<{ count: bigint }>({ name: 'count', text: 'select count(*) from notes where text like $1' }, [`${body} %`]))[0]?.count;

  it('makes twenty parallel twins one effect with one response', async () => {
    const id = randomUUID();
    const responses = await Promise.all(Array.from({ length: 20 }, () => add(id, 'twins')));
    expect(new Set(responses).size).toBe(1);
    expect(await count('twins')).toBe(1n);
    expect(await add(id, 'twins')).toBe(responses[0]);
  });

  it('lets the second act when the first was rolled back', async () => {
    const id = randomUUID();
    const [begun, held] = [gateOf(), gateOf()];
    const first = uow.run(async (repositories) => {
      repositories.add('first attempt');
      begun.open();
      await held.opened;
      throw new Error('no');
    }, onceOf(id, 'second chance'));
    await begun.opened;
    const second = add(id, 'second chance');
    held.open();
    await expect(first).rejects.toThrow('no');
    await second;
    expect(await count('second chance')).toBe(1n);
  });

  it('is refused for another request', async () => {
    const id = randomUUID();
    await add(id, 'one thing');
    await expect(add(id, 'another thing')).rejects.toMatchObject({
      kind: 'invalid_argument', reason: 'REQUEST_ID_REUSED', details: { violations: [{ field: 'request_id' }] },
    });
    expect(await count('another thing')).toBe(0n);
  });

  it('belongs to its user', async () => {
    const id = randomUUID();
    const [mine, yours] = await Promise.all([add(id, 'shared id', 'me'), add(id, 'shared id', 'you')]);
    expect(mine).not.toBe(yours);
  });

  it('may be left out', async () => {
    await add('', 'no id');
    await add('', 'no id');
    expect(await count('no id')).toBe(2n);
  });

  it('says that the first is still at it when that takes long', async () => {
    const id = randomUUID();
    const held = gateOf();
    const holding = gateOf();
    const first = uow.run(async () => {
      holding.open();
      await held.opened;
      return 'done';
    }, onceOf(id, 'slow'));
    await holding.opened;
    // It waits for three seconds, as long as anybody waits for a lock, and has time left to say so.
    const second = runInBackground({ name: 'twin', logger: silent, timeoutMs: 9000 }, () => add(id, 'slow'));
    await expect(second).rejects.toMatchObject({ kind: 'aborted', reason: 'REQUEST_IN_PROGRESS', details: { retryAfterMs: expect.any(Number) } });
    held.open();
    expect(await first).toBe('done');
    expect(await add(id, 'slow')).toBe('done');
  });

  it('is forgotten after a day, whether it has been pruned or not', async () => {
    const ids = [randomUUID(), randomUUID()] as const;
    await add(ids[0], 'old');
    await add(ids[1], 'old');
    await database.orm.em.fork().execute(`update idempotency_records set create_time = now() - interval '25 hours' where request_id in (?, ?)`, [...ids]);
    await add(ids[0], 'old');
    expect(await count('old')).toBe(3n);
    const pruned = await database.unitOfWork((em) => em).run((em) => pruneIdempotency(em));
    expect(pruned).toBe(1);
    await add(ids[1], 'old');
    expect(await count('old')).toBe(4n);
  });
});

function gateOf(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
