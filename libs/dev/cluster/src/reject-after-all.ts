/** Waits for all of them, so that nothing runs on behind an error, then throws the first failure. */
export async function rejectAfterAll(runs: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(runs);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
