import {
  createRegistry,
  fromBinary,
  isMessage,
  toJson,
  type DescMessage,
  type DescMethod,
  type Message,
} from '@bufbuild/protobuf';
import type { Connection } from '#client/connection';
import { TaskFlowError } from '#client/index';
import { TaskResultSchema, TaskSchema, type TaskResult } from '#client/tasks';
import { AppError } from '#libs/errors';
import { encodeFromJson } from '#libs/json';
import { andMore, toFailure } from './tool-failure.ts';
import type { Naming } from './tools/argument-names.ts';
import type { Answer } from './tools/tool.ts';

/** As whom and for whom calls are made. */
export interface Caller {
  connection: Connection;
  /** Names all calls of one request of an agent in the logs of the services. By default each has a name of its own. */
  callId?: string | undefined;
  /** Told of what is a fault of this program; agents are told only that the call failed. */
  onFault?: ((error: unknown) => void) | undefined;
}

type Call = (request: Message, options: { signal?: AbortSignal; callId?: string }) => Promise<Message>;

/** What keeps JSON from being a request, in the form that a service would have told it. */
function toRefusal(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { reason, details } = error;
  const violations = [...(details.violations ?? []), ...(details.hasMoreViolations === true ? [andMore] : [])];
  return new TaskFlowError('INVALID_ARGUMENT', error.message, { reason, violations });
}

/** Throws TaskFlowError with everything that is wrong. */
export function readRequest(type: DescMessage, json: object): Message {
  try {
    return fromBinary(type, encodeFromJson(type, Buffer.from(JSON.stringify(json))));
  } catch (error) {
    throw toRefusal(error);
  }
}

/** Calls a method of the contract. Throws TaskFlowError. */
export function callMethod(
  { connection, callId }: Caller,
  method: DescMethod,
  request: Message,
  signal?: AbortSignal,
): Promise<Message> {
  const calls = connection.service(method.parent) as unknown as Record<string, Call | undefined>;
  const call = calls[method.localName];
  if (call === undefined) throw new Error(`the client has no method ${method.name}`);
  return call(request, { ...(signal && { signal }), ...(callId !== undefined && { callId }) });
}

const registry = createRegistry();

/** A member of a batch: its task, or its error as errors of other calls are told. */
function resultJson({ result }: TaskResult, naming: Naming): Answer {
  if (result.case === 'task') return { task: toJson(TaskSchema, result.value, { registry }) };
  if (result.case === 'error') return { error: toFailure(TaskFlowError.fromStatus(result.value), naming) };
  return {};
}

/** An answer in protobuf's JSON. `naming` is for errors of members. */
export function answerJson(type: DescMessage, answer: Message, naming: Naming): Answer {
  const { results, ...rest } = answer as Message & { results?: unknown };
  if (!Array.isArray(results) || !results.every((one: unknown) => isMessage(one, TaskResultSchema)))
    return toJson(type, answer, { registry }) as Answer;
  const others = toJson(type, { ...rest, results: [] } as Message, { registry }) as Answer;
  return { results: results.map((one) => resultJson(one, naming)), ...others };
}
