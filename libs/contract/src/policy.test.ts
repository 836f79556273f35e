import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { Task } from './gen/taskflow/tasks/v1/tasks.ts';
import { fileDescriptors, fileRegistry, policies, policyOf, serviceConfigFor } from './index.ts';

it('knows the policy of a method by its path', () => {
  expect(policyOf('/taskflow.tasks.v1.InternalTasksService/SweepOverdue')).toMatchObject({
    access: 'service',
    callers: ['scheduler'],
    deadlineMs: 30_000,
    retry: 'always',
    rateLimit: undefined,
  });
});

it('refuses a method that the contract does not declare', () => {
  expect(() => policyOf('/taskflow.tasks.v1.TasksService/Nothing')).toThrow('declares no method');
});

it('states for every method that leans on others what happens without them', () => {
  const withAssignee = [...policies.values()].filter((policy) =>
    ['CreateTask', 'UpdateTask', 'Register'].includes(policy.method),
  );
  for (const policy of withAssignee) expect(policy.degradation).not.toBe('');
});

it('lets clients repeat only what the contract calls safe, and only on UNAVAILABLE', () => {
  const config = serviceConfigFor('taskflow.tasks.v1.TasksService') as {
    methodConfig: { name: { method: string }[]; retryPolicy: object }[];
  };
  const repeated = config.methodConfig.map((entry) => entry.name[0]?.method);
  const reads = (fileRegistry.getService('taskflow.tasks.v1.TasksService')?.methods ?? []).filter(
    ({ idempotency }) => idempotency === Level.NO_SIDE_EFFECTS,
  );
  expect(repeated.toSorted()).toEqual(reads.map(({ name }) => name).toSorted());
  expect(repeated).toContain('ListTasks');
  expect(repeated).not.toContain('CreateTask');
  expect(config.methodConfig[0]?.retryPolicy).toMatchObject({ retryableStatusCodes: ['UNAVAILABLE'], maxAttempts: 3 });
});

it('holds every file together with everything that it imports', () => {
  const names = new Set(fileDescriptors.map((file) => file.name));
  for (const file of fileDescriptors) for (const name of file.imports) expect(names).toContain(name);
});

it('refuses invalid UTF-8 and truncated strings instead of mending them', () => {
  expect(() => Task.decode(Uint8Array.of(0x1a, 0x02, 0xc3, 0x28))).toThrow();
  expect(() => Task.decode(Uint8Array.of(0x1a, 0x05, 0x61))).toThrow();
});
