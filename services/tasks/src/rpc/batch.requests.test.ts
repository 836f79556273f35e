import { describe, expect, it } from '@jest/globals';
import { BatchCreateTasksRequest, BatchUpdateTasksRequest, Task, UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import { readBatchCreateTasks, readBatchUpdateTasks } from './batch.requests.ts';
import { dueAt } from '../../test/due.ts';

const noTime = new Date(Number.NaN);
const good = Task.fromPartial({ title: 'x' });

describe('reading batches in parts', () => {
  it('keeps members that hold no time at all apart, and can still write the request down', () => {
    const { creations, body } = readBatchCreateTasks(
      BatchCreateTasksRequest.fromPartial({
        allowPartial: true,
        requests: [{ task: good }, { task: { ...good, due: { $case: 'dueTime' as const, value: noTime } } }],
      }),
    );
    expect(creations.map((member) => 'error' in member)).toEqual([false, true]);
    expect(BatchCreateTasksRequest.decode(BatchCreateTasksRequest.encode(body).finish()).requests).toHaveLength(2);
  });

  it('tells two requests apart that differ only in a member that is not understood', () => {
    const bodyOf = (title: string) => {
      const requests = [
        UpdateTaskRequest.fromPartial({
          task: Task.fromPartial({ id: '?', title, ...dueAt(noTime) }),
          updateMask: ['title'],
        }),
      ];
      return BatchUpdateTasksRequest.encode(
        readBatchUpdateTasks(BatchUpdateTasksRequest.fromPartial({ allowPartial: true, requests })).body,
      ).finish();
    };
    expect(bodyOf('one')).not.toEqual(bodyOf('two'));
  });

  it('does not look at fields that do not count', () => {
    const { body } = readBatchCreateTasks(
      BatchCreateTasksRequest.fromPartial({ requests: [{ task: { ...good, createTime: noTime, id: '?' } }] }),
    );
    expect(body.requests.map(({ task }) => task)).toEqual([good]);
  });
});
