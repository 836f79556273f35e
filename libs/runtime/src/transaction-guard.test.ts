import { expect, it } from '@jest/globals';
import { assertNoOpenTransaction, runInsideTransaction } from './transaction-guard.ts';

it('lets network calls out while no transaction is open', () => {
  expect(() => assertNoOpenTransaction('a call')).not.toThrow();
});

it('refuses a network or queue call inside a transaction, also after an await', async () => {
  const attempt = runInsideTransaction(async () => {
    await Promise.resolve();
    assertNoOpenTransaction('queue call');
  });
  await expect(attempt).rejects.toThrow('queue call inside a database transaction');
});
