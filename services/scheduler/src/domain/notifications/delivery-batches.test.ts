import { expect, it } from '@jest/globals';
import { toBatches } from './delivery-batches.ts';

const claimable = (count: number, recipients: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `n${index}`,
    recipientId: `r${String(index % recipients).padStart(4, '0')}`,
    callId: `c${index}`,
    traceParent: `t${index}`,
  }));

const batchesOf = (count: number, recipients: number) => {
  let jobs = 0;
  return toBatches(claimable(count, recipients), () => `j${(jobs += 1)}`);
};

it('puts each notification into one job of at most 500', () => {
  const batches = batchesOf(1_100, 7);
  expect(batches.map(({ jobId, notificationIds }) => [jobId, notificationIds.length])).toEqual([
    ['j1', 500],
    ['j2', 500],
    ['j3', 100],
  ]);
  expect(new Set(batches.flatMap(({ notificationIds }) => notificationIds)).size).toBe(1_100);
});

it('gives what goes to one recipient to as few jobs as can be, in the order in which it came', () => {
  const batches = batchesOf(1_000, 500);
  const recipientOf = new Map(claimable(1_000, 500).map(({ id, recipientId }) => [id, recipientId]));
  const recipients = batches.map(({ notificationIds }) => new Set(notificationIds.map((id) => recipientOf.get(id))));
  expect(recipients.map(({ size }) => size)).toEqual([250, 250]);
  expect(batches[0]?.notificationIds.slice(0, 4)).toEqual(['n0', 'n500', 'n1', 'n501']);
});

it('names the call behind the first of a job, and links the others', () => {
  const [batch] = batchesOf(3, 3);
  expect(batch).toEqual({
    jobId: 'j1',
    notificationIds: ['n0', 'n1', 'n2'],
    callId: 'c0',
    traceParent: 't0',
    links: ['t1', 't2'],
  });
});
