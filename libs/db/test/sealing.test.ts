import { createCipheriv, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createPageTokens, createSecretCipher, reencrypt, uuidv7, type Database, type SealedColumn } from '#libs/db';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { openNotes } from './fixture/notes.ts';

const [older, newer, unknown] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const plain = Buffer.from("a webhook's secret");
const cipherOf = (...keys: Buffer[]) => createSecretCipher(keys, 'test');
const scope = { caller: 'user-1', method: 'ListTasks', filter: null };

describe('several keys', () => {
  it('open what any of them sealed, wherever they stand in the list, and what was sealed under no other', () => {
    for (const [sealer, opener] of [
      [older, cipherOf(newer, older)],
      [newer, cipherOf(older, newer)],
      [older, cipherOf(older)],
    ] as const) {
      expect(opener.open(cipherOf(sealer).seal(plain, 'a'), 'a')).toEqual(plain);
    }
    expect(() => cipherOf(newer, older).open(cipherOf(unknown).seal(plain, 'a'), 'a')).toThrow(
      'none of the configured keys',
    );
    expect(() => cipherOf(newer, older).open(cipherOf(newer).seal(plain, 'a'), 'b')).toThrow();
  });

  it('seal under the first, which everything sealed names', () => {
    const sealed = cipherOf(newer, older).seal(plain, 'a');
    expect(sealed.subarray(0, 5)).toEqual(cipherOf(newer).newestPrefix);
    expect(cipherOf(newer).open(sealed, 'a')).toEqual(plain);
  });

  it('open page tokens that were given out under any of them', () => {
    const token = createPageTokens([older]).seal(7, scope);
    expect(createPageTokens([newer, older]).open(token, scope)).toBe(7);
    expect(() => createPageTokens([newer]).open(token, scope)).toThrow('page_token');
  });

  it('open page tokens from before tokens named their key', () => {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', older, iv).setAAD(
      Buffer.from(JSON.stringify([scope.caller, scope.method, scope.filter])),
    );
    const body = Buffer.concat([cipher.update('7', 'utf8'), cipher.final()]);
    const token = Buffer.concat([Buffer.of(1), iv, cipher.getAuthTag(), body]).toString('base64url');
    expect(createPageTokens([newer, older]).open(token, scope)).toBe(7);
  });
});

describe('sealing everything anew', () => {
  const used = useDatabase((url) => openNotes(url, 3));
  beforeAll(() =>
    used.query('create table boxes (owner text, id uuid, secret bytea, kind text not null, primary key (owner, id))'),
  );

  const column: SealedColumn = {
    table: 'boxes',
    column: 'secret',
    key: ['owner', 'id'],
    where: `kind = 'sealed'`,
    label: (key) => key.join(' '),
  };
  const put = (owner: string, id: string, secret: Buffer | null, kind = 'sealed') =>
    used.query('insert into boxes values ($1, $2, $3, $4)', owner, id, secret, kind);
  const boxes = () =>
    used.query<{ owner: string; id: string; secret: Buffer; kind: string }>('select * from boxes order by id');

  it('leaves nothing under an older key, whatever it holds, and finds nothing to do when it is run again', async () => {
    const before = cipherOf(older);
    for (let number = 0; number < 450; number += 1) {
      const [owner, id] = [`it's ${number % 7}, "one"`, uuidv7()];
      await put(owner, id, before.seal(Buffer.from(String(number)), `${owner} ${id}`));
    }
    await put('nobody', uuidv7(), null);
    await put('plain', uuidv7(), Buffer.from('not sealed at all'), 'plain');
    expect(await reencrypt(used.database, cipherOf(newer, older), [column])).toBe(450);
    const sealed = (await boxes()).filter(({ kind, secret }) => kind === 'sealed' && secret !== null);
    expect(sealed.map(({ owner, id, secret }) => Number(cipherOf(newer).open(secret, `${owner} ${id}`)))).toEqual(
      Array.from({ length: 450 }, (_, number) => number),
    );
    expect(await reencrypt(used.database, cipherOf(newer, older), [column])).toBe(0);
  });

  it('leaves a value as it is that a service changes meanwhile, and goes on behind one that no key opens', async () => {
    await used.query('delete from boxes');
    const [lost, changed] = [uuidv7(), uuidv7()];
    await put('a', lost, cipherOf(unknown).seal(plain, `a ${lost}`));
    await put('b', changed, cipherOf(older).seal(plain, `b ${changed}`));
    const cipher = cipherOf(newer, older);
    const fresh = cipher.seal(Buffer.from('fresh'), `b ${changed}`);
    // The second unit of work writes back what the first one has read.
    let runs = 0;
    const beforeSecond = async (): Promise<void> => {
      runs += 1;
      if (runs === 2) await used.query('update boxes set secret = $1 where id = $2', fresh, changed);
    };
    const overtaken: Pick<Database, 'unitOfWork'> = {
      unitOfWork: (...options) => {
        const uow = used.database.unitOfWork(...options);
        return { ...uow, run: async (...work) => beforeSecond().then(() => uow.run(...work)) };
      },
    };
    await expect(reencrypt(overtaken, cipher, [column])).rejects.toThrow('1 values are sealed under none');
    expect((await boxes()).find(({ id }) => id === changed)?.secret).toEqual(fresh);
  });
});
