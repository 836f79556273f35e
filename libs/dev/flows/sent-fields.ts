import {
  create,
  fromBinary,
  getOption,
  toBinary,
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type Message,
} from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { fileRegistry, isOneofRequired, isRequired } from '#libs/contract';
import { valuesOf } from './field-values.ts';

/** A field of a request: the way to it through the messages that hold it. */
export type FieldPath = readonly DescField[];

const behaviorOption = fileRegistry.getExtension('google.api.field_behavior') as DescExtension;
const [outputOnly, immutable, identifier] = [3, 5, 8] as const;

const timeTypes = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration']);

const behaves = (field: DescField, as: number): boolean => (getOption(field, behaviorOption) as number[]).includes(as);

/** What a creation does not read of a resource, or an update. */
function isIgnored(field: DescField, method: DescMethod): boolean {
  const isResource = field.parent.fields.some((one) => behaves(one, identifier));
  if (!isResource) return false;
  return /^(Batch)?Update/.test(method.name)
    ? behaves(field, immutable)
    : behaves(field, identifier) || field.name === 'etag';
}

function fieldsIn(message: DescMessage, method: DescMethod, above: FieldPath): FieldPath[] {
  const isMember = above.some(({ fieldKind }) => fieldKind === 'list');
  return message.fields.flatMap((field) => {
    const isCommon = isMember && ['request_id', 'validate_only'].includes(field.name);
    if (behaves(field, outputOnly) || isCommon || isIgnored(field, method)) return [];
    const path = [...above, field];
    const isOurs = field.message?.typeName.startsWith('taskflow.') ?? false;
    return [path, ...(isOurs ? fieldsIn(field.message as DescMessage, method, path) : [])];
  });
}

/** Every time and span in a method's request that the server ignores. */
export function ignoredTimesIn(message: DescMessage, above: FieldPath = []): FieldPath[] {
  return message.fields.flatMap((field) => {
    if (field.message === undefined) return [];
    const path = [...above, field];
    if (timeTypes.has(field.message.typeName)) return behaves(field, outputOnly) ? [path] : [];
    return behaves(field, outputOnly) ? [] : ignoredTimesIn(field.message, path);
  });
}

/** Every field of a method's request that the server reads. */
export const fieldsSentTo = (method: DescMethod): FieldPath[] => fieldsIn(method.input, method, []);

/** "task.due_day.date" */
export const nameOf = (path: FieldPath): string => path.map(({ name }) => name).join('.');

/** A message with the fields that it must have. */
function newMessage(type: DescMessage): ReflectMessage {
  const message = reflect(type);
  for (const field of type.fields.filter(isRequired)) put(message, field, valuesOf(field).kept[0]);
  return message;
}

/** The message that holds a field; those on the way are made where the request has none. */
function holderOf(request: ReflectMessage, above: readonly DescField[]): ReflectMessage {
  return above.reduce((message, field) => {
    if (field.fieldKind === 'list') return message.get(field).get(0) as unknown as ReflectMessage;
    if (!message.isSet(field)) message.set(field, newMessage(field.message as DescMessage));
    return message.get(field) as unknown as ReflectMessage;
  }, request);
}

function put(holder: ReflectMessage, field: DescField, value: unknown): void {
  if (field.fieldKind === 'message') return holder.set(field, reflect(field.message, value as Message));
  if (field.fieldKind !== 'list') return holder.set(field, value as never);
  const list = holder.get(field);
  list.clear();
  for (const entry of value as unknown[]) list.add(entry as never);
}

/** Of two fields of a oneof only the first is kept. */
function withoutSiblings(faults: readonly SentFault[]): SentFault[] {
  const chosen = new Map<string, string>();
  return faults.filter(({ path }) =>
    path.every(({ oneof, name }, depth) => {
      if (oneof === undefined) return true;
      const place = `${nameOf(path.slice(0, depth))}/${oneof.name}`;
      if (!chosen.has(place)) chosen.set(place, name);
      return chosen.get(place) === name;
    }),
  );
}

/** The oneofs of a request of which one field must be set: "schedule.recurrence". */
export function requiredOneofsIn(message: DescMessage, above: FieldPath = []): string[] {
  const own = message.oneofs.filter(isOneofRequired).map(({ name }) => [...above, { name }].map((one) => one.name));
  const nested = message.fields.flatMap((field) =>
    field.fieldKind === 'message' && field.message.typeName.startsWith('taskflow.')
      ? requiredOneofsIn(field.message, [...above, field])
      : [],
  );
  return [...own.map((names) => names.join('.')), ...nested];
}

/** The oneofs on the way to a field, by their own ways. */
export const oneofsOf = (path: FieldPath): string[] =>
  path.flatMap(({ oneof }, depth) =>
    oneof === undefined ? [] : [[...path.slice(0, depth), oneof].map(({ name }) => name).join('.')],
  );

export interface SentFault {
  path: FieldPath;
  value: unknown;
}

/** The request with other values of many fields, all of which the update mask names, and what of them it holds. */
export function withValues(type: DescMessage, base: Uint8Array, faults: readonly SentFault[]) {
  const message = fromBinary(type, base);
  const request = reflect(type, message);
  const sent = withoutSiblings(faults);
  for (const { path, value } of sent) {
    const field = path.at(-1) as DescField;
    put(holderOf(request, path.slice(0, -1)), field, value);
    if (behaves(field, outputOnly)) continue;
    const at = path.findIndex(({ parent }) => parent.fields.some(({ name }) => name === 'update_mask'));
    const mask = path[at]?.parent.fields.find(({ name }) => name === 'update_mask');
    if (mask?.message !== undefined)
      put(holderOf(request, path.slice(0, at)), mask, create(mask.message, { paths: ['*'] }));
  }
  return { bytes: Buffer.from(toBinary(type, message)), names: sent.map(({ path }) => nameOf(path)) };
}

/** The request with another value of one field, which the update mask names. */
export function withValue(type: DescMessage, base: Uint8Array, path: FieldPath, value: unknown): Buffer {
  const message = fromBinary(type, base);
  const request = reflect(type, message);
  const field = path.at(-1) as DescField;
  put(holderOf(request, path.slice(0, -1)), field, value);
  const at = path.findIndex(({ parent }) => parent.fields.some(({ name }) => name === 'update_mask'));
  const named = path[at + 1];
  const mask = path[at]?.parent.fields.find(({ name }) => name === 'update_mask');
  if (named !== undefined && mask?.message !== undefined && !['id', 'etag'].includes(named.name))
    put(holderOf(request, path.slice(0, at)), mask, create(mask.message, { paths: [named.name] }));
  const dryRun = type.fields.find(({ name }) => name === 'validate_only');
  if (dryRun !== undefined) request.set(dryRun, true);
  return Buffer.from(toBinary(type, message));
}
