import { isDeepStrictEqual } from 'node:util';
import { CreateTaskResponse, TaskChange } from '#contract/tasks/v1/tasks';
import type { Write, WriteResult } from './random-writes.ts';
import { notYet, refusalOf, taskIdOf, type TaskState } from './write-rules.ts';

export interface EventFact {
  subjectId: string;
  subjectVersion: bigint;
  callId: string;
  traceParent: string;
  payload: Uint8Array;
}

export interface RecordFact {
  userId: string;
  method: string;
  idempotencyKey: string;
  response: Uint8Array | null;
}

/** A call and the moment that it belongs to: calls of one wave were made together, those of the next one later. */
export type Judged = WriteResult & { wave: number };

type State = TaskState & { wave: number };

const keyOf = ({ actor, method, request }: Write): string => [actor.userId, method, request.requestId].join('/');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const responsesOf = (calls: readonly Judged[]): string[] =>
  calls.flatMap(({ outcome }) => ('response' in outcome ? hex(outcome.response) : []));

/** Whether some order of the calls explains their answers, the events and the recorded responses. */
export class WriteJudge {
  readonly #calls: ReadonlyMap<string, Judged>;
  readonly #events = new Map<string, EventFact>();
  readonly #histories = new Map<string, State[]>();
  /** By idempotency key. */
  readonly #groups: ReadonlyMap<string, Judged[]>;
  readonly #faults: string[] = [];

  /** The events are in the order of their tasks' versions. */
  constructor(calls: readonly Judged[], events: readonly EventFact[]) {
    this.#calls = new Map(calls.map((call) => [call.callId, call]));
    const keyed = calls.filter(({ write }) => write.request.requestId !== '');
    this.#groups = Map.groupBy(keyed, ({ write }) => keyOf(write));
    for (const event of events) this.#readEvent(event);
  }

  /** Returns what nothing explains. */
  judge(records: readonly RecordFact[]): string[] {
    for (const call of this.#calls.values()) this.#judgeCall(call);
    for (const [key, calls] of this.#groups) this.#judgeKey(key, calls);
    this.#judgeRecords(records);
    return this.#faults;
  }

  #readEvent(event: EventFact): void {
    const { callId, subjectId, subjectVersion, payload } = event;
    const call = this.#calls.get(callId);
    if (call === undefined) return this.#assert(false, `event of no call: ${callId}`);
    this.#assert(!this.#events.has(callId), `second event of call ${callId}`);
    this.#assert(event.traceParent === call.traceParent, `trace of call ${callId}`);
    this.#events.set(callId, event);
    const history = this.#histories.get(subjectId) ?? [];
    this.#histories.set(subjectId, history);
    this.#follow(call, history.at(-1) ?? notYet, event);
    const { after } = TaskChange.decode(payload);
    const task = after ?? history.at(-1)?.task;
    history.push({ wave: call.wave, version: subjectVersion, task, deleted: after === undefined });
  }

  /** The change must follow from the state before it, by the rules. */
  #follow({ write, wave }: Judged, last: TaskState, { subjectId, subjectVersion, payload }: EventFact): void {
    const what = `${write.method} in wave ${wave}`;
    this.#assert(subjectVersion === last.version + 1n, `${what}: version ${subjectVersion} of ${subjectId}`);
    const { before } = TaskChange.decode(payload);
    const seen = last.deleted ? undefined : last.task?.etag;
    this.#assert(before?.etag === seen, `${what}: it did not see the version before its own`);
    const refusal = refusalOf(write, last);
    this.#assert(refusal === undefined, `${what}: was carried out in spite of ${refusal}`);
  }

  /** The task's states in the course of a wave. */
  #statesIn(taskId: string, wave: number): TaskState[] {
    const history = this.#histories.get(taskId) ?? [];
    return [
      history.findLast((state) => state.wave < wave) ?? notYet,
      ...history.filter((state) => state.wave === wave),
    ];
  }

  #judgeCall(call: Judged): void {
    const { write, outcome, callId, wave } = call;
    const what = `${write.method} in wave ${wave}`;
    if ('unexpected' in outcome) this.#assert(false, `${what}: ${String(outcome.unexpected)}`);
    if ('response' in outcome) this.#judgeResponse(call, what, outcome.response);
    if (!('refusal' in outcome)) return;
    this.#assert(!this.#events.has(callId), `${what}: refused with ${outcome.refusal}, but there is an event`);
    this.#assert(this.#mayRefuse(call, outcome.refusal), `${what}: ${outcome.refusal} for no reason`);
  }

  #judgeResponse(call: Judged, what: string, response: Uint8Array): void {
    const event = this.#events.get(call.callId);
    if (event === undefined)
      return this.#assert(this.#mayHaveNoEvent(call), `${what}: acknowledged, but there is no event`);
    const { task } = CreateTaskResponse.decode(response);
    const { after } = TaskChange.decode(event.payload);
    const answered = task && { ...task, ownerName: '', assigneeName: '' };
    this.#assert(isDeepStrictEqual(answered, after), `${what}: the answer is not what is in the event`);
  }

  #mayRefuse(call: Judged, refusal: string): boolean {
    const { write, wave } = call;
    const states = this.#statesIn(taskIdOf(write), wave);
    switch (refusal) {
      case 'WRITE_CONFLICT':
      case 'REQUEST_IN_PROGRESS':
        // A call with little time may lose against others.
        return write.end !== undefined;
      case 'REQUEST_ID_REUSED':
        return this.#groupOf(write).some((other) => !isSameRequest(other.write, write));
      case 'EXTERNAL_ID_TAKEN':
        return this.#isTaken(call, states);
      default:
        return states.some((state) => refusalOf(write, state) === refusal);
    }
  }

  /** Whether another task of the owner had the external id in the course of the wave. */
  #isTaken({ write, wave }: Judged, states: readonly TaskState[]): boolean {
    const ownerId = write.actor.userId;
    const externalId =
      write.method === 'CreateTask'
        ? write.request.task?.externalId
        : states.find(({ deleted }) => write.method === 'UndeleteTask' && deleted)?.task?.externalId;
    if (externalId === undefined || externalId === '') return false;
    return [...this.#histories.keys()]
      .filter((id) => id !== taskIdOf(write))
      .flatMap((id) => this.#statesIn(id, wave))
      .some(({ task, deleted }) => !deleted && task?.ownerId === ownerId && task.externalId === externalId);
  }

  /** It repeated a call that has the event, or brought back a task that was there. */
  #mayHaveNoEvent(call: Judged): boolean {
    const same = [call, ...this.#groupOf(call.write)].filter(({ write }) => isSameRequest(write, call.write));
    if (same.some(({ callId }) => this.#events.has(callId))) return true;
    return same.some(
      ({ write, wave }) =>
        write.method === 'UndeleteTask' &&
        this.#statesIn(taskIdOf(write), wave).some((state) => !state.deleted && refusalOf(write, state) === undefined),
    );
  }

  #groupOf(write: Write): readonly Judged[] {
    return write.request.requestId === '' ? [] : (this.#groups.get(keyOf(write)) ?? []);
  }

  #judgeKey(key: string, calls: readonly Judged[]): void {
    const events = calls.filter(({ callId }) => this.#events.has(callId)).length;
    this.#assert(events <= 1, `${events} events of the key ${key}`);
    this.#assert(new Set(responsesOf(calls)).size <= 1, `different responses for the key ${key}`);
  }

  /** Those of acknowledged calls, byte by byte, and none of calls that were all refused. */
  #judgeRecords(records: readonly RecordFact[]): void {
    const stored = new Map(
      records.map((record) => [[record.userId, record.method, record.idempotencyKey].join('/'), record.response]),
    );
    for (const key of stored.keys()) this.#assert(this.#groups.has(key), `record of no call: ${key}`);
    for (const [key, calls] of this.#groups) {
      const [response] = responsesOf(calls);
      const done = response !== undefined || calls.some(({ callId }) => this.#events.has(callId));
      const mayBe = done || calls.some(({ outcome }) => 'ended' in outcome);
      this.#assert(stored.has(key) ? mayBe : !done, `record of the key ${key}`);
      const recorded = stored.get(key);
      this.#assert(recorded !== null, `claim that was left behind: ${key}`);
      if (recorded && response !== undefined)
        this.#assert(hex(recorded) === response, `the recorded response of the key ${key} is another`);
    }
  }

  #assert(holds: boolean, fault: string): void {
    if (!holds) this.#faults.push(fault);
  }
}

function isSameRequest(one: Write, other: Write): boolean {
  return isDeepStrictEqual(one.request, other.request);
}
