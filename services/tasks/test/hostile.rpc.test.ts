import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { createTask } from './factories.ts';
import { hostileMethods, type HostileMethod, type Known } from './hostile-requests.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const seed = Number(process.env.TASKFLOW_TEST_SEED ?? Date.now() % 1_000_000);
const serviceName = 'taskflow.tasks.v1.TasksService';
const known: Known = { ids: ['00000000-0000-0000-0000-000000000000'], tokens: ['AAAA'] };
const methods = hostileMethods(serviceName, known).map(({ path }) => path);
/** At least this many requests of each method, then more for about 20 seconds for all methods together. */
const leastRuns = 100;
const msPerMethod = Math.floor(20_000 / methods.length);
/** Methods that took one of the requests. */
const accepting = new Set<string>();
const bytesAsTheyAre = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

describe(`invariant 12: any request whatever (TASKFLOW_TEST_SEED=${seed})`, () => {
  const service = useTasks();
  const [user] = useUsers(service, 'user');
  let channel: Client;
  beforeAll(async () => {
    channel = new Client(`127.0.0.1:${service.app.grpcPort}`, credentials.createInsecure());
    const tasks = await Promise.all(Array.from({ length: 30 }, () => createTask(service, user, { labels: ['home'] })));
    known.ids.push(user.userId, ...tasks.map(({ id }) => id));
    const { nextPageToken } = await service.tasks.listTasks({ pageSize: 2 }, user.as);
    known.tokens.push(nextPageToken, nextPageToken.slice(0, -1), `${nextPageToken}A`);
  });
  afterAll(() => channel.close());

  function call({ path, isStream }: HostileMethod, request: Uint8Array): Promise<number> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${user.as.token}`);
    return new Promise((resolve) => {
      const done = (error: ServiceError | null): void => resolve(error?.code ?? status.OK);
      if (!isStream) {
        channel.makeUnaryRequest(
          path,
          bytesAsTheyAre,
          bytesAsTheyAre,
          request,
          metadata,
          { deadline: Date.now() + 10_000 },
          done,
        );
        return;
      }
      // A stream does not end by itself.
      const stream = channel.makeServerStreamRequest(path, bytesAsTheyAre, bytesAsTheyAre, request, metadata, {
        deadline: Date.now() + 200,
      });
      stream
        .on('data', () => stream.cancel())
        .on('error', done)
        .on('end', () => done(null));
    });
  }

  it.each(methods)('D15 is never an internal error of %s', async (path) => {
    const method = hostileMethods(serviceName, known).find((candidate) => candidate.path === path) as HostileMethod;
    const answered = new Set<number>();
    const property = fc.asyncProperty(method.requests, async (request) => {
      const code = await call(method, request);
      answered.add(code);
      return ![status.INTERNAL, status.UNKNOWN, status.DATA_LOSS, status.UNIMPLEMENTED].includes(code);
    });
    await fc.assert(property, { seed, numRuns: leastRuns });
    await fc.assert(property, {
      seed: seed + 1,
      numRuns: 1400,
      interruptAfterTimeLimit: msPerMethod,
      markInterruptAsFailure: false,
    });
    expect([...answered]).toContain(method.takesNothing ? status.OK : status.INVALID_ARGUMENT);
    if (answered.has(method.isStream ? status.CANCELLED : status.OK)) accepting.add(path);
  });

  // The number of valid requests of a method is random.
  it('was asked what is right too, by most methods', () => {
    expect(accepting.size).toBeGreaterThan(methods.length / 2);
  });
});
