import { ProtocolErrorCode, specTypeSchemas } from '@modelcontextprotocol/server';
import { TaskFlowError, type FieldViolation } from '#client/index';
import { findAlteredNumbers, scanJson } from '#libs/json';
import { toFailure, violationText, withinLimit } from './tool-failure.ts';

/** A message of JSON-RPC, as far as it is looked at before it is served. */
export interface RpcMessage {
  method?: unknown;
  id?: unknown;
  params?: unknown;
}

/** A message that cannot be served as it is. */
export class MessageFault extends Error {
  override readonly name = 'MessageFault';
  readonly code: ProtocolErrorCode;
  readonly violations: readonly FieldViolation[];
  readonly id: string | number | null;

  constructor(
    code: ProtocolErrorCode,
    message: string,
    about: { violations?: FieldViolation[]; of?: RpcMessage } = {},
  ) {
    super(message);
    const { violations = [], of: { id } = {} } = about;
    this.code = code;
    this.violations = violations;
    this.id = typeof id === 'string' || typeof id === 'number' ? id : null;
  }

  /** Clients show an error of the parameters to the agent; anything else is a fault of the client. */
  get httpStatus(): number {
    return this.code === ProtocolErrorCode.InvalidParams ? 200 : 400;
  }

  /** The answer. `callId` names the request in the logs. */
  toAnswer(callId?: string): string {
    const { code, message, violations, id } = this;
    const reason = 'MALFORMED_REQUEST';
    const error = toFailure(
      new TaskFlowError('INVALID_ARGUMENT', message, { reason, violations, callId }),
      (one) => one,
    );
    const words = [message, ...violations.map(violationText)].join('\n');
    return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: words, data: { error } } });
  }
}

const { InvalidParams, InvalidRequest, ParseError } = ProtocolErrorCode;

const decoder = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MessageFault(ParseError, 'the message is not valid UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MessageFault(ParseError, 'the message is not valid JSON');
  }
}

type Path = readonly (string | number)[];

/** `params.arguments.tasks[0].title` is `tasks[0].title` to the agent. */
function nameOf(path: Path): string {
  const own = path[0] === 'params' && path[1] === 'arguments' && path.length > 2 ? path.slice(2) : path;
  const text = own.reduce<string>((all, part) => `${all}${typeof part === 'number' ? `[${part}]` : `.${part}`}`, '');
  return text.replace(/^\./, '').toWellFormed().slice(0, 200);
}

/** What JSON.parse makes something else of, so that what was meant is not known, or would not reach the tool. */
function refuseMembers(message: RpcMessage, paths: readonly Path[], told: { all: string; each: string }): void {
  if (paths.length === 0) return;
  const code = paths.every(([first]) => first === 'params') ? InvalidParams : InvalidRequest;
  const violations = paths.map((path) => ({ field: nameOf(path), description: told.each }));
  const of = paths.some(([first]) => first === 'id') ? {} : message;
  throw new MessageFault(code, told.all, { violations: withinLimit(violations), of });
}

const twice = { all: 'members of the message are there twice', each: 'is there twice' };
const rounded = {
  all: 'the message has numbers that would be rounded',
  each: 'would be rounded: a whole number of so many digits must be a string',
};

const { InitializeRequest, CallToolRequest, ReadResourceRequest, ListToolsRequest } = specTypeSchemas;
const { ListResourcesRequest, ListResourceTemplatesRequest } = specTypeSchemas;

interface Schema {
  '~standard': { validate: (value: unknown) => unknown };
}

interface Checked {
  issues?: readonly { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] }[];
}

/** What the protocol says of the requests that are served. The SDK would tell it as an internal error. */
const requests = new Map<unknown, Schema>([
  ['initialize', InitializeRequest],
  ['tools/list', ListToolsRequest],
  ['tools/call', CallToolRequest],
  ['resources/list', ListResourcesRequest],
  ['resources/templates/list', ListResourceTemplatesRequest],
  ['resources/read', ReadResourceRequest],
]);

const inWords = (issue: string): string =>
  issue
    .replace(/^Invalid input: /, '')
    .replace('expected record', 'expected object')
    .replace('received undefined', 'but it is missing');

const toName = (part: PropertyKey | { key: PropertyKey }): string => String(typeof part === 'object' ? part.key : part);

function refuseParams(message: RpcMessage): void {
  const { issues = [] } = (requests.get(message.method)?.['~standard'].validate(message) ?? {}) as Checked;
  const violations = issues
    .map(({ message: issue, path = [] }) => ({ field: nameOf(path.map(toName)), description: inWords(issue) }))
    .filter(({ field }) => field.startsWith('params'));
  if (violations.length > 0)
    throw new MessageFault(InvalidParams, 'the parameters are not those of the method', { violations, of: message });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The SDK drops this name without a word. Any other is seen by the tool. */
function refuseProto(message: RpcMessage): void {
  const { arguments: given } = isObject(message.params) ? message.params : {};
  if (!isObject(given) || !Object.hasOwn(given, '__proto__')) return;
  const violations = [{ field: '__proto__', description: 'is no argument of this tool' }];
  throw new MessageFault(InvalidParams, 'the tool has no such argument', { violations, of: message });
}

/** Reads a message as strictly as the gateway reads requests. Throws MessageFault. */
export function readMessage(bytes: Uint8Array): RpcMessage {
  const text = decode(bytes);
  const { repeated, hasOddNumbers, isTooDeep, tooManyIn } = scanJson(text);
  if (isTooDeep) throw new MessageFault(InvalidRequest, 'the JSON is nested too deeply');
  if (tooManyIn !== undefined) throw new MessageFault(InvalidRequest, 'the JSON has too many values');
  const message = parse(text);
  // A batch could hold more calls than any limit of requests foresees. The protocol has none since 2025-06-18.
  if (!isObject(message))
    throw new MessageFault(InvalidRequest, 'the request must be one message of JSON-RPC, not a batch');
  refuseMembers(message, repeated, twice);
  if (hasOddNumbers) refuseMembers(message, findAlteredNumbers(text), rounded);
  return message;
}

/** Whether a message has the parameters of its method. Throws MessageFault. */
export function checkParams(message: RpcMessage): void {
  refuseParams(message);
  refuseProto(message);
}
