import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { AppError } from '#libs/errors';
import { createOutbox, type Outbox } from '#libs/events';
import { assertNoOpenTransaction, currentContext, runInBackground, steadyNow } from '#libs/runtime';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { openWithTables, silent } from './fixture/database.ts';

type Calls = { greet: { name: string } };

describe('the outbox', () => {
  const used = useDatabase(openWithTables);
  let outboxes: Outbox<Calls>[];
  beforeEach(async () => {
    outboxes = [];
    await used.query('truncate outbox');
  });
  afterEach(() => Promise.all(outboxes.map((outbox) => outbox.stop())));

  const open = (greet: (payload: { name: string }) => Promise<void>): Outbox<Calls> => {
    const outbox = createOutbox<Calls>({
      database: used.database,
      logger: silent,
      handlers: { greet },
      intervalMs: 3_600_000,
    });
    outboxes.push(outbox);
    outbox.start();
    return outbox;
  };
  const add = (outbox: Outbox<Calls>, ...names: string[]) =>
    used.database.unitOfWork((em) => em).run(async (em) => names.forEach((name) => outbox.add(em, 'greet', { name })));
  const entries = () =>
    used.query<{ attempts: number; lastError: string | null }>(
      'select attempts, last_error as "lastError" from outbox',
    );
  const makeDue = () => used.query('update outbox set next_attempt_time = clock_timestamp()');
  const isEmpty = async () => (await entries()).length === 0;

  it('makes the call right after the commit, outside of any transaction, with a deadline', async () => {
    const calls: unknown[] = [];
    const outbox = open(async (payload) => {
      assertNoOpenTransaction('the call');
      calls.push([payload, (currentContext()?.deadline ?? Infinity) - steadyNow() <= 10_000]);
    });
    await add(outbox, 'Ada');
    await waitUntil(isEmpty);
    expect(calls).toEqual([[{ name: 'Ada' }, true]]);
  });

  it('makes no call for what was rolled back', async () => {
    const greeted: string[] = [];
    const outbox = open(async ({ name }) => void greeted.push(name));
    const rolledBack = used.database
      .unitOfWork((em) => em)
      .run(async (em) => {
        outbox.add(em, 'greet', { name: 'nobody' });
        await em.flush();
        throw new Error('no');
      });
    await expect(rolledBack).rejects.toThrow('no');
    await add(outbox, 'Ada');
    await waitUntil(isEmpty);
    expect(greeted).toEqual(['Ada']);
  });

  it('repeats a call that failed until it succeeds, and says why without the message', async () => {
    let failures = 1;
    const outbox = open(async () => {
      if ((failures -= 1) >= 0)
        throw new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', 'the greeting of Ada failed');
    });
    await add(outbox, 'Ada');
    await waitUntil(async () => (await entries())[0]?.lastError != null);
    expect(await entries()).toEqual([{ attempts: 1, lastError: 'unavailable/DEPENDENCY_UNAVAILABLE' }]);
    await makeDue();
    outbox.tryNow();
    await waitUntil(isEmpty);
  });

  it('continues the call that recorded an entry, in whichever process and however late', async () => {
    const recorder = createOutbox<Calls>({
      database: used.database,
      logger: silent,
      handlers: { greet: async () => undefined },
    });
    const traceParent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    await runInBackground({ name: 'a call', logger: silent, timeoutMs: 10_000, requestId: 'call-1', traceParent }, () =>
      add(recorder, 'Ada'),
    );
    await add(recorder, 'nobody');
    const seen: unknown[] = [];
    open(async ({ name }) => void seen.push([name, currentContext()?.requestId, currentContext()?.traceParent]));
    await waitUntil(isEmpty);
    const ownId = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(new Set(seen)).toEqual(
      new Set([
        ['Ada', 'call-1', traceParent],
        ['nobody', ownId, expect.not.stringContaining('ab'.repeat(16))],
      ]),
    );
  });

  it('makes each call once with three replicas', async () => {
    const greeted: string[] = [];
    const replicas = [1, 2, 3].map(() => open(async ({ name }) => void greeted.push(name)));
    const names = Array.from({ length: 60 }, (_, index) => `guest ${index}`);
    await Promise.all(names.map((name, index) => add(replicas[index % 3] as Outbox<Calls>, name)));
    replicas.forEach((outbox) => outbox.tryNow());
    await waitUntil(isEmpty);
    expect(greeted.toSorted()).toEqual(names.toSorted());
  });

  it('returns a running call when it stops', async () => {
    let started = false;
    const stopping = open(
      () =>
        new Promise((_, reject) => {
          started = true;
          currentContext()?.signal.addEventListener('abort', () => reject(new Error('stopped')));
        }),
    );
    await add(stopping, 'Ada');
    await waitUntil(() => started);
    await stopping.stop();
    const greeted: string[] = [];
    open(async ({ name }) => void greeted.push(name));
    await waitUntil(isEmpty);
    expect(greeted).toEqual(['Ada']);
  });

  it('loses nothing when a process is killed in the middle of a call', async () => {
    await add(
      createOutbox<Calls>({ database: used.database, logger: silent, handlers: { greet: async () => undefined } }),
      'Ada',
    );
    const script = fileURLToPath(new URL('./fixture/dying-outbox-worker.ts', import.meta.url));
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, OUTBOX_TEST_URL: used.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await entries()).toEqual([{ attempts: 1, lastError: null }]);
    const greeted: string[] = [];
    await makeDue(); // as time does when the lease is over
    open(async ({ name }) => void greeted.push(name));
    await waitUntil(isEmpty);
    expect(greeted).toEqual(['Ada']);
  });
});
