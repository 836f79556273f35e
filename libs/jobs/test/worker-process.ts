// A process that works on the jobs of the fixture: a job called "poison" kills it, "long" never ends.
import { createLogger, createMetrics } from '#libs/runtime';
import { createJobWorker, type DeadJob } from '../src/index.ts';
import { jobs } from './fixture.ts';

const report = (message: unknown): void => void process.send?.(message);

const worker = createJobWorker({
  redisUrl: process.env['REDIS_URL'] ?? '',
  prefix: process.env['PREFIX'] ?? '',
  jobs,
  logger: createLogger({ service: 'test', level: 'silent' }),
  metrics: createMetrics('test'),
  handlers: {
    greet: async ({ name }) => {
      report({ started: name });
      if (name === 'poison') process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    },
    hurry: async () => undefined,
  },
  deadLetters: { add: async (job: DeadJob) => report({ deadJob: job }) },
  concurrency: { jobs: 2 },
  graceMs: 1_000,
  lockMs: Number(process.env['LOCK_MS']),
});
await worker.start();
report({ ready: true });
