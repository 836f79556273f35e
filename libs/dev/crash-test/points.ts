import type { ServiceName } from '#dev/cluster';

/** A place in the code where a process dies, and whose it is. */
export interface CrashPoint {
  name: string;
  service: ServiceName;
}

const of = (service: ServiceName, ...names: string[]): CrashPoint[] => names.map((name) => ({ name, service }));

/** Every step from the client's request to the recorded delivery, before and after what makes it last. */
export const crashPoints: readonly CrashPoint[] = [
  ...of(
    'tasks',
    'create.before-commit',
    'create.after-commit',
    'sweep.before-commit',
    'sweep.after-commit',
    'pull.before-answer',
  ),
  ...of('scheduler', 'tick.before-commit', 'tick.after-commit', 'run.begun', 'run.worked'),
  ...of(
    'scheduler',
    'ingest.before-commit',
    'ingest.after-commit',
    ...['run-schedule', 'deliver-notifications'].flatMap((job) => [
      `claim.before-commit.${job}`,
      `claim.after-commit.${job}`,
      `enqueue.after.${job}`,
    ]),
  ),
  ...of('scheduler', 'deliver.before-record', 'deliver.before-commit', 'deliver.after-commit'),
];
