import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { once, pruneIdempotency, type Once, type UnitOfWork } from '#libs/db';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { notes, openNotes, within, type Notes } from './fixture/notes.ts';

const textCodec = {
  encode: (message: string) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

const bodyCodec = { encode: ({ body }: { body: string }) => textCodec.encode(body) };

describe('invariant 1: a request id', () => {
  const used = useDatabase((url) => openNotes(url, 21));
  let uow: UnitOfWork<Notes>;
  beforeAll(() => {
    uow = used.database.unitOfWork(notes);
  });

  const onceOf = (idempotencyKey: string, body: string, userId = 'user'): Once<string> =>
    once({ userId, method: 'AddNote', idempotencyKey }, { body }, bodyCodec, textCodec);
  /** Adds a note with every execution; the response is the note's id. */
  const add = (idempotencyKey: string, body: string, userId?: string) =>
    uow.run(
      async (repositories) => repositories.add(`${body} ${randomUUID()}`).id,
      onceOf(idempotencyKey, body, userId),
    );
  const count = async (body: string) => {
    const text = 'select count(*) from notes where text like $1';
    return (await used.query<{ count: bigint }>(text, `${body} %`))[0]?.count;
  };

  it('makes twenty parallel twins one effect with one response', async () => {
    const id = randomUUID();
    const responses = await Promise.all(Array.from({ length: 20 }, () => add(id, 'twins')));
    expect(new Set(responses).size).toBe(1);
    expect(await count('twins')).toBe(1n);
    expect(await add(id, 'twins')).toBe(responses[0]);
  });

  it('lets the second act when the first was rolled back', async () => {
    const id = randomUUID();
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = uow.run(
      async (repositories) => {
        repositories.add('first attempt');
        begun.resolve();
        await held.promise;
        throw new Error('no');
      },
      onceOf(id, 'second chance'),
    );
    await begun.promise;
    const second = add(id, 'second chance');
    held.resolve();
    await expect(first).rejects.toThrow('no');
    await second;
    expect(await count('second chance')).toBe(1n);
  });

  it('is refused for another request', async () => {
    const id = randomUUID();
    await add(id, 'one thing');
    await expect(add(id, 'another thing')).rejects.toMatchObject({
      kind: 'invalid_argument',
      reason: 'REQUEST_ID_REUSED',
      details: { violations: [{ field: 'request_id' }] },
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
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const first = uow.run(
      async () => {
        holding.resolve();
        await held.promise;
        return 'done';
      },
      onceOf(id, 'slow'),
    );
    await holding.promise;
    // It waits for the lock for three seconds and has time left to answer.
    const second = within(9000, () => add(id, 'slow'));
    await expect(second).rejects.toMatchObject({
      kind: 'aborted',
      reason: 'REQUEST_IN_PROGRESS',
      details: { retryAfterMs: expect.any(Number) },
    });
    held.resolve();
    expect(await first).toBe('done');
    expect(await add(id, 'slow')).toBe('done');
  });

  it('is forgotten after a day, whether it has been pruned or not', async () => {
    const ids = [randomUUID(), randomUUID()] as const;
    await add(ids[0], 'old');
    await add(ids[1], 'old');
    const text = `update idempotency_records set create_time = now() - interval '25 hours' where request_id in ($1, $2)`;
    await used.query(text, ...ids);
    await add(ids[0], 'old');
    expect(await count('old')).toBe(3n);
    const pruned = await used.database.unitOfWork((em) => em).run((em) => pruneIdempotency(em));
    expect(pruned).toBe(1);
    await add(ids[1], 'old');
    expect(await count('old')).toBe(4n);
  });
});
