import { once } from 'node:events';
import { createMetrics } from '#libs/runtime';
import { createJobQueue, createJobWorker } from '../src/index.ts';
import { jobs, logger } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

// Opens everything that this library has, and stops it at a message; nothing calls process.exit.
const options = {
  redisUrl: process.env['REDIS_URL'] ?? '',
  prefix: process.env['PREFIX'] ?? '',
  jobs,
  logger,
  metrics: createMetrics('test'),
};
const queue = createJobQueue(options);
const worker = createJobWorker({
  ...options,
  handlers: { greet: async () => undefined, hurry: async () => undefined },
  deadLetters: { add: async () => undefined },
  concurrency: { jobs: 2 },
  graceMs: 1_000,
});
await worker.start();
await waitUntil(() => queue.isReachable());
await queue.enqueue('greet', { name: 'Ada' });
process.send?.('ready');
await once(process, 'message');
await worker.stop();
await queue.close();
process.disconnect?.();
